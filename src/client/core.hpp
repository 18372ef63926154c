#pragma once
/// What all handles of a connection share: the part that any thread may call, and the part that lives on the loop.

#include "client/events.hpp"
#include "client/kept_session.hpp"
#include "client/replies.hpp"
#include "client/request.hpp"
#include "client/routes.hpp"
#include "client/settings.hpp"
#include "client/statistics.hpp"
#include "client/wanted.hpp"
#include "core/publish_check.hpp"
#include "core/ring.hpp"
#include "core/seldom.hpp"
#include "io/driver.hpp"
#include "io/latch.hpp"
#include "io/loop.hpp"
#include "io/mailbox.hpp"
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <tortoise/connection.hpp>
#include <tortoise/core/engine.hpp>
#include <tortoise/pipe.hpp>
#include <unordered_map>

namespace tortoise {

/// From start() on it keeps itself alive until the engine has stopped. What users' threads ask for goes through the
/// mailbox, also from inside callbacks: so nothing re-enters, and no lock is held while user code runs.
class Connection::Core final : public io::Driver::Listener, detail::Publishing::Publisher {
public:
    /// Called when everything is over, with the reason; what it holds may hold the runtime.
    using Gone = Fn<void(const Error&)>;
    static detail::Ref<Core> make(ConnectionOptions, const Runtime&, Gone = {});
    static const detail::Ref<Core>& of(const Connection& c) noexcept { return c.core_; }
    /// Does not own.
    static Connection handle(detail::Ref<Core> core) noexcept { return {std::move(core), detail::Ref<Owner>()}; }
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // ---- Any thread ----
    const std::string& client_id() const noexcept { return client_id_; }
    std::string_view name() const noexcept { return client_id_; }
    /// Was it stopped from the start? Then nobody is told that it is gone.
    bool refused() const noexcept { return refused_; }
    Status status() const noexcept { return status_.load(std::memory_order_acquire); }
    Error error() const;
    Pending<SessionInfo> ready();
    Result<SessionInfo> wait_until_up(Duration at_most);
    /// Answered when the connection is not up any more; now, if it is not.
    Pending<Done> lost();
    Delivery publish(std::string_view topic, Octets payload, const PublishOptions&);
    /// A publish whose end the pipe is told.
    std::optional<Error> publish(Pipe::Core&, std::string_view topic, Octets payload, const PublishOptions&);
    /// The call is made when its turn comes, behind everything that was published before, or when the connection ends.
    std::optional<Error> in_turn(Fn<void()>);
    Statistics statistics() const {
        auto s = meters_.read();
        s.published += mailbox_.publishes(); // last: what ended was asked for before
        return s;
    }
    /// Takes the request over; null: nobody wants to know. Without a taker the messages go to the handler.
    /// `owner`: who wants them, if that is not the taker.
    void subscribe(std::vector<TopicFilter>, std::optional<Routes::Taker>, std::unique_ptr<Request<Grant>>,
                   WantedFilters::Owner owner = nullptr);
    Pending<std::vector<Result<Grant>>> subscribe(std::vector<TopicFilter>, std::optional<Routes::Taker> = {});
    void unsubscribe(std::vector<std::string>, std::unique_ptr<Request<Done>>);
    /// Those of the owner's filters that nobody else has subscribed since.
    void unsubscribe_owned(const std::vector<TopicFilter>&, WantedFilters::Owner);
    std::vector<TopicFilter> subscriptions() const { return wanted_.list(); }
    Acknowledge acknowledge_mode() const noexcept { return acknowledge_; }
    void acknowledge(core::InboundId, Reason);
    Result<Done> refuse(core::InboundId, Reason);
    /// The stream has news().
    void listen_to(detail::Ref<Stream::Core>);
    Pending<Message> request(std::string_view topic, Octets payload, RequestOptions);
    Pending<std::size_t> request(std::string_view topic, Octets payload, RequestOptions, OnMessage each);
    Delivery reply(const MessageView& request, Octets payload, PublishOptions);
    Pending<Duration> ping();
    void reconnect();
    Pending<Done> reauthenticate();
    Pending<Done> stop(Duration drain, DisconnectOptions = {});
    /// Stops, and waits until no callback runs any more; not where the loops may not be waited for.
    void end();

private:
    using Publishing = detail::Publishing;
    using Pinging = detail::PendingResult<Duration>;

    struct Question;

    Core(const core::EngineOptions&, Acknowledge, bool own_work_list, const Runtime&);
    ~Core();
    void start(Settings);
    void stop_from_the_start(Error);
    core::PublishRequest request_for(std::string_view topic, Octets payload, const PublishOptions&) const;
    std::optional<Error> check(core::PublishRequest&) const;
    io::Mailbox::Call unsubscribing(std::vector<std::string> filters, std::vector<std::string> valid, Request<Done>*);
    void ask(std::string_view topic, Octets payload, RequestOptions, Replies::Asked, Replies::Number);
    std::optional<Error> open_request(Replies::Asked, Replies::Number);
    Replies& replies();
    void left_response_topic(const std::string&);
    std::optional<Error> post_publish(const core::PublishRequest&);
    Fn<void()> withdrawal(Publishing&) override;
    void cancel(Publishing*);
    /// Wakes the loop if need be; the error if it was not taken.
    std::optional<Error> posted(io::Mailbox::Put);
    void wake();
    Error stopped_error() const;

    // ---- The loop's thread ----
    core::Engine& engine() noexcept { return driver_->engine(); }
    io::Time now() noexcept { return driver_->tick(); }
    void begin(Settings);
    void make_handler();
    void restore();
    void turn();
    bool refill();
    void consume_slice();
    bool paused() const;
    void publish_now(const core::PublishRequest&, io::Time at);
    void publish_run(const core::PublishRun&, core::Token);
    template <class Publish> void each_of(const core::PublishRun&, core::Token, Publish) const;
    void subscribe_now(std::vector<TopicFilter>, std::span<const std::string> valid, std::optional<Routes::Taker>,
                       Request<Grant>*);
    void settled(core::InboundId);
    void with_replies(Fn<void(Replies&)>);
    void end_replies(const Error&);
    void arm_reply_timer();
    void be_patient_until(io::Time);

    void before_open(std::size_t endpoint) override;
    void drained() override;
    void handle(core::Event&) override;
    void unblocked() override;
    void kept() override;
    void on(core::Up&);
    void on(core::Down&);
    void on(core::Stopped&);
    void on(core::Received&);
    void on(core::Accepted&);
    void on(core::Delivered&);
    void on(core::Undelivered&);
    void on(core::Subscribed&);
    void on(core::Unsubscribed&);
    void on(core::FilterChanged&);
    void on(core::Pong&);
    void on(core::PingFailed&);
    void on(core::AuthenticationContinued&);
    void on(core::AuthenticationSucceeded&);
    void on(core::Reauthenticated&);
    void on(core::RenewalDue&);

    void set_will();
    void ask_for_credentials();
    CredentialsRequest credentials_request() const;
    std::optional<Error> set_credentials(const Result<Credentials>&);
    static std::optional<io::Time> renewal_of(const std::optional<std::chrono::system_clock::time_point>& ends);
    template <class T, class Then> void ask(std::string_view whom, const Pending<T>& answer, Then);
    void close_question();
    template <class Failed> bool make_authenticator(Failed);
    template <class GoOn, class Failed> void begin_conversation(GoOn, Failed);
    void begin_authentication();
    void authentication_failed(const Error&);
    void reauthenticate_now();
    void end_reauthentications(const std::optional<Error>& why_not);
    void change_status(StatusInfo);
    bool follow_reference(core::Down&);
    template <class Event> void tell(const Event&);
    void tell_error(const Error&);
    void tell_queue(const core::Levels&);
    void count(const Error& undelivered);
    unsigned deliver(const core::Received&);
    void hand_to_handler(const MessageView&);
    void undelivered(core::Token, const MessageView&, const Error&);
    void apply(const Actions&);
    void refuse(std::string filter, Error);
    /// Runs what the user wrote; what it throws ends the connection. False if it threw, or something did before.
    template <class Call> bool guarded(Call&& call);
    /// The same for an answer, which is given whatever happened before.
    template <class Call> void answering(Call&& call);
    void crash(Error);
    void let_handler_go();
    void replace_handler();
    void empty_mailbox(const Error& why);
    void finish();
    void finish_once_kept(Error why);

    std::atomic<int> references_{1};
    const std::string client_id_;
    const detail::Ref<io::Loops> loops_;
    io::Loop& loop_;
    const bool queue_refuses_; // what it has no room for; others give way, in the other policies and in users' lists
    io::Mailbox mailbox_;
    WantedFilters wanted_;
    const Version version_;
    const core::PublishRules rules_;
    const bool persistent_;
    const Acknowledge acknowledge_;
    std::atomic<Status> status_{Status::connecting};
    bool refused_ = false;
    Listeners& listeners_;
    Meters meters_;
    const std::shared_ptr<io::Latch> latch_;

    mutable std::mutex mutex_;
    std::unique_ptr<Replies> replies_;                      // made under mutex_ with the first request, and stays
    Error error_;                                           // guarded by mutex_
    SessionInfo session_;                                   // guarded by mutex_
    std::string response_information_;                      // guarded by mutex_
    detail::Ref<detail::PendingResult<SessionInfo>> ready_; // guarded by mutex_; null: nobody asked
    detail::Ref<detail::PendingResult<Done>> lost_;         // guarded by mutex_; null: nobody asked
    const detail::Ref<detail::PendingResult<Done>> stopped_;

    // Of the loop's thread from here on.
    KeptSession kept_session_; // used by the driver
    std::unique_ptr<io::Driver> driver_;
    struct Acceptance {
        std::uint64_t write; // of the keeper
        detail::Ref<Publishing> publishing;
    };
    core::Ring<Acceptance> acceptances_;
    core::Seldom<Error> finishing_; // as soon as everything is kept
    std::unique_ptr<io::Timer> patience_;
    std::optional<io::Time> patient_until_;
    std::unique_ptr<Handler> handler_;
    HandlerFactory make_handler_;
    HandlerFailure handler_failure_ = HandlerFailure::end;
    core::Seldom<Error> handler_failed_; // with what it is to be terminated, before another one takes its place
    Gone gone_;
    std::vector<Credentials> credentials_; // of each endpoint; empty: none has any
    CredentialsFunction ask_credentials_;
    std::shared_ptr<Question> question_; // null: none is open
    AuthenticatorFactory make_authenticator_;
    std::unique_ptr<Authenticator> authenticator_;                            // of the conversation that is under way
    std::vector<detail::Ref<detail::PendingResult<Done>>> reauthentications_; // who waits for its outcome
    unsigned failed_attempts_ = 0;
    RedirectSettings redirects_;
    unsigned hops_ = 0; // Server References followed in a row
    io::Time up_since_ = {};
    core::Seldom<Will> will_;
    Routes routes_;
    std::set<Stream::Core*> full_streams_;
    std::unordered_map<core::InboundId, unsigned> holders_; // of messages that several streams have
    std::unique_ptr<io::Timer> reply_timer_;
    Connection self_; // what callbacks get; does not own
    io::Mailbox::Batch batch_;
    std::vector<io::Mailbox::Call> urgent_;
    std::size_t at_most_once_ = 0; // publishes, since:
    io::Time counting_since_ = {};
    std::unique_ptr<io::Timer> soon_; // looks into the mailbox again
    bool crashed_ = false;            // no callback is called any more, but terminate()
    bool ended_ = false;
    bool end_told_ = false; // as an error
    unsigned quarters_ = 0; // of the queue's bound, as told last
    const Queue queue_;
    bool withdrawn_ = false; // what was cancelled may be in the mailbox
    bool impatient_ = false; // being stopped: the mailbox does not wait for a slow peer any more
};

template <class Call> bool Connection::Core::guarded(Call&& call) {
    if (crashed_ || !handler_) return false;
    try {
        call();
        return true;
    } catch (...) {
        crash(detail::what_was_thrown());
        return false;
    }
}

template <class Call> void Connection::Core::answering(Call&& call) {
    try {
        call();
    } catch (...) {
        crash(detail::what_was_thrown());
    }
}

template <class Event> void Connection::Core::tell(const Event& event) {
    if (listeners_.any<Event>()) answering([&] { listeners_.tell(client_id_, event); });
}

/// What the owning handles share.
struct Connection::Owner {
    explicit Owner(detail::Ref<Core> c) noexcept : core(std::move(c)) {}
    void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        core->end();
        delete this;
    }
    detail::Ref<Core> core;
    std::atomic<int> references{1};
};

} // namespace tortoise
