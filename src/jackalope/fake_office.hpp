#pragma once
/// The office of a session without a connection.

#include "jackalope/office.hpp"
#include <deque>
#include <jackalope/testing/fake_session.hpp>
#include <map>
#include <memory>

namespace jackalope::testing {

/// The state of each function is complete before anybody is told: what users wrote is called at its end, out of a
/// queue, and may call every function again.
class FakeSession::Office final : public Session::Office {
public:
    explicit Office(SessionOptions);

    std::string_view client_id() const noexcept override { return client_id_; }
    ConnectionStatus connection_status() const noexcept override { return status_; }
    tortoise::Error error() const override { return error_; }
    tortoise::Pending<tortoise::SessionInfo> online() override;
    tortoise::Delivery publish(std::string_view topic, tortoise::Octets payload, PublishOptions) override;
    tortoise::Pending<tortoise::Grant> subscribe(tortoise::TopicFilter) override;
    tortoise::Pending<tortoise::Done> unsubscribe(std::string filter) override;
    std::vector<tortoise::TopicFilter> subscriptions() const override;
    void reconnect() override { ++reconnects_; }
    Work work() const override { return {list_ ? list_->count() : 0, in_flight_.size()}; }
    tortoise::Statistics statistics() const override;
    tortoise::Pending<tortoise::Done> stop(tortoise::Duration drain) override;

    // What FakeSession says of it.
    const std::vector<Published>& published() const { return published_; }
    int reconnects() const { return reconnects_; }
    void go_online(bool session_present);
    void go_offline(tortoise::Error why);
    bool receive(std::string_view topic, tortoise::Octets payload, tortoise::QoS);
    void hold_deliveries() { holds_ = true; }
    /// Without an error: delivers it.
    bool end_next(std::optional<tortoise::Error>);
    void pass(tortoise::Duration);
    void refuse_next_subscription(tortoise::Error why) { refusals_.push_back(std::move(why)); }
    /// The end of the handler, and of what it holds.
    void let_go();

private:
    using Publishing = tortoise::detail::Publishing;
    struct Filter {
        tortoise::TopicFilter filter;
        std::optional<tortoise::QoS> granted = {};
        std::vector<tortoise::Promise<tortoise::Grant>> asked = {};
    };

    void end(const tortoise::Error& why);
    bool ended() const noexcept { return !list_; }
    tortoise::Error stopped() const;
    std::optional<tortoise::Error> refusal(std::string_view topic, const PublishOptions&) const;
    void take(WorkItem);
    void send(WorkItem);
    void flush();
    void drop();
    void delivered(WorkItem);
    void undelivered(WorkItem, tortoise::Error why);
    tortoise::detail::Ref<Publishing> publishing_of(const WorkItem&);
    void cancel(std::uint64_t token);
    void ask(Filter&);
    void tell_filter(std::string filter, tortoise::FilterStatus);
    /// Runs it at the end of the outermost call.
    template <class Call> void later(Call call) { calls_.emplace_back(std::move(call)); }
    void run();

    const std::string client_id_;
    const tortoise::Version version_;
    const bool keeps_;
    std::unique_ptr<Handler> handler_;
    std::optional<Session> self_;    // what the handler gets
    std::unique_ptr<WorkList> list_; // null: it has ended
    std::deque<WorkItem> in_flight_;
    std::map<std::uint64_t, tortoise::detail::Ref<Publishing>> open_; // by token
    std::vector<WorkList::Dropped> dropped_;
    std::vector<Filter> filters_;
    std::vector<tortoise::Promise<tortoise::Done>> unsubscribing_;
    std::vector<tortoise::Promise<tortoise::SessionInfo>> waiting_;
    std::vector<Published> published_;
    std::deque<tortoise::Error> refusals_; // of subscriptions
    std::deque<tortoise::Fn<void()>> calls_;
    tortoise::Statistics statistics_;
    tortoise::SessionInfo info_;
    tortoise::core::Time now_ = {};
    std::uint64_t last_key_ = 0;
    ConnectionStatus status_ = ConnectionStatus::offline;
    tortoise::Error error_ = {};
    int reconnects_ = 0;
    bool holds_ = false, running_ = false;
};

} // namespace jackalope::testing
