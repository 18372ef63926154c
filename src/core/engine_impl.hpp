#pragma once
/// The parts of the client engine and the conductor's own state. The parts do not know each other.

#include "core/aliases.hpp"
#include "core/authentication.hpp"
#include "core/inbox.hpp"
#include "core/inflight.hpp"
#include "core/journal.hpp"
#include "core/keep_alive.hpp"
#include "core/lifecycle.hpp"
#include "core/limits.hpp"
#include "core/pace.hpp"
#include "core/packet_ids.hpp"
#include "core/publish_check.hpp"
#include "core/seldom.hpp"
#include "core/subscriptions.hpp"
#include "core/timers.hpp"

#include <algorithm>
#include <chrono>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

/// Rounded up, so that something above zero never becomes zero.
inline std::uint32_t whole_seconds(Duration d) noexcept {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(d, Duration::zero())).count();
    return static_cast<std::uint32_t>(std::min<std::chrono::seconds::rep>(seconds, 0xFFFF'FFFF));
}

/// A publish that is let in. What goes out at once is not copied, unless it is in flight then.
struct Draft {
    explicit Draft(const PublishRequest& r) noexcept
        : packet{0, r.topic, r.payload, r.qos, r.retain, false, r.properties}, token(r.token), priority(r.priority) {}

    Publish packet; // as far as it is known
    Token token;
    int priority;
    std::optional<Time> expires = {};
    std::uint64_t key = 0;

    std::size_t bytes() const noexcept {
        return packet.topic.size() + packet.payload.size() + packet.properties.octets().size();
    }
    Message message() const;
    /// Over a used one, whose memory is used again.
    void write(Time now, WorkItem& to) const;
};

struct Engine::Impl {
    Impl(EngineOptions, std::uint64_t seed, std::unique_ptr<WorkList>);
    Result<Done> restore(Time, WallTime, std::span<const Record>);

    // engine.cpp: the life of the connection
    void open_now(Time);
    void closed(Time, Error why);
    void connection_gone(Time, const Error& why);
    void close(Error why);
    void goodbye(Time);
    void end(const Error& why);
    void check_drained(Time);
    void elapsed(Time);
    void stop(Time, Duration drain, Error why, DisconnectOptions);
    void say_goodbye(Time);
    void retry_now(Time);
    void reconnect(Time);
    void drop_connection(Time, Error why);
    void renew(Time);
    std::optional<Deadline> deadline();

    // engine_input.cpp: what the broker sends
    void received(Time, Octets);
    bool handle_plain(Time, const Frame&);
    std::optional<Error> handle(Time, const Frame&);
    void on(Time, const Connack&);
    void on(Time, const Publish&);
    void on(Time, const Ack&);
    void on(Time, const Suback&);
    void on(Time, const Unsuback&);
    void on(Time, const Pingresp&);
    void on(Time, const Disconnect&);
    template <class Other> void on(Time, const Other&);
    void on_puback(Time, const Ack&);
    void on_pubrec(Time, const Ack&);
    void on_pubcomp(Time, const Ack&);
    void accepted(Time, const Connack&);
    void forget_session(Time);
    std::uint16_t own_window() const noexcept;
    void violation(Time, Error);
    bool other_use(PacketId, std::string_view packet, Time);

    // engine_authentication.cpp: AUTH, in both directions
    void on(Time, const Auth&);
    bool right_method(Time, PropertiesView, std::string_view packet);
    void succeeded(Time, const Connack&);
    void send_auth(Time, Reason, Octets data);
    void continue_authentication(Time, Octets data);
    void accept_authentication(Time, std::optional<Time> renew_at);
    void fail_authentication(Time, Error why);
    void reauthenticate(Time, Authentication);
    void end_authentication(const Error& why);
    bool verifying() const noexcept {
        return lifecycle.state() == State::greeting && authentication.step() == AuthenticationState::Step::verifying;
    }

    // engine_output.cpp: what we send
    template <class P> void send(Time, const P&);
    template <class P> void send_checked(Time, const P&);
    void send_connect(Time);
    void send_disconnect(Time, Reason, PropertiesView = {});
    void flush_acks(Time);
    void publish(Time, const PublishRequest&);
    std::optional<Error> wrong_with(const PublishRequest&) const;
    bool pass(Time, const PublishRun&);
    bool takes_as_it_is(const PublishRun&) const noexcept;
    void publish_with_properties(Time, Draft&, const PublishRequest&);
    void let_in(Time, Draft&, const std::optional<Duration>& ttl);
    void refuse(const Draft&, Error);
    std::optional<Error> resolve_alias(Draft&);
    std::optional<Error> not_allowed(const Publish&) const;
    bool goes_at_once(Time, const Draft&);
    void transmit_at_once(Time, Draft&);
    void transmit_queued(Time, WorkItem&&);
    void transmit(Time, Publish&, const std::optional<Time>& expires, bool checked);
    void complete(Time, Publish&, const std::optional<Time>& expires);
    void enqueue(Time, const Draft&);
    bool window_open() const noexcept;
    bool may_go(Time, std::size_t bytes);
    void went(Time, std::size_t bytes);
    bool has_room() const noexcept { return output.size() + unwritten < options.output_high_water; }
    void pump(Time);
    void pump_subscriptions(Time);
    void resend(Time);
    void settle(Time, PacketId, PropertiesView, Reason);
    void undelivered(WorkItem&&, Error why);
    void drop(std::vector<WorkList::Dropped>&);

    EngineOptions options;
    PublishRules rules;
    Seldom<Credentials> credentials;
    Seldom<Will> will;
    std::string client_id;

    Lifecycle lifecycle;
    Timers timers;
    KeepAlive keep_alive;
    std::unique_ptr<WorkList> outbox;
    Journal journal;
    Inflight inflight;
    PacketIds ids;
    /// Of QoS 2 messages that were in flight, and that the broker does not allow any more: it may remember them as
    /// received for as long as the session lives, and would take another message for their repetition.
    std::vector<PacketId> withheld;
    Inbox inbox;
    Subscriptions subscriptions;
    IncomingAliases aliases_in;
    OutgoingAliases aliases_out;
    Seldom<NamedAliases> aliases_named; // if the user names them
    Limits limits;
    struct {
        Pace publishes, octets, subscribes, connects;
    } pace;
    FrameReader reader;
    AuthenticationState authentication;
    Seldom<Authentication> authenticate_with; // in the next CONNECT
    struct HeldConnack {
        bool session_present = false;
        Properties properties = {};
        std::string behind = {}; // what came behind it; of no use before it counts
    };
    Seldom<HeldConnack> held_connack; // while the user verifies
    std::string replayed;

    bool had_session = false;     // a CONNACK accepted us before
    bool was_up = false;          // this connection was
    bool unanswered = false;      // a CONNECT was sent, and no CONNACK has come
    bool unsure = false;          // … on an earlier connection, or another took over: the session may be a new one
    bool reopen = false;          // connect again at once when closed
    bool renewing = false;        // … with other credentials, once what is in flight is settled: nothing new is sent
    std::optional<Time> renew_at; // when the credentials of the next CONNECT have to be renewed
    std::optional<Time> too_fast_until; // what waits for its pace may go then
    bool stopping = false;
    Error stop_why;
    Seldom<DisconnectOptions> farewell;
    Seldom<Error> close_why;      // why we close, if it was us
    Properties close_properties;  // of the packet by which the broker ended it
    bool dropped_by_user = false; // … and it was the user's side: worth another attempt, whatever the reason
    PacketId resend_next = 0;     // where resending after a reconnect stands; 0: done
    std::size_t outstanding = 0;  // of the broker's Receive Maximum, what is taken

    std::vector<Event> events;
    std::vector<Route> routes;
    bool input_held = false;
    std::string output;
    std::size_t unwritten = 0; // taken by the shell, and not reported as written
    std::optional<Wish> wish;
    Counters counters;
    std::string scratch; // properties of the PUBLISH being sent
    std::vector<WorkList::Dropped> dropped;
};

} // namespace tortoise::core
