#include "jackalope/real_office.hpp"
#include "jackalope/settings.hpp"

namespace jackalope {

namespace {

using tortoise::Connection;
using tortoise::Delivery;
using tortoise::Done;
using tortoise::Duration;
using tortoise::Errc;
using tortoise::Error;
using tortoise::Pending;
using tortoise::Result;
using tortoise::detail::Ref;

class ConnectionOffice final : public Session::Office {
public:
    explicit ConnectionOffice(Connection c) : connection_(std::move(c)) {}

    std::string_view client_id() const noexcept override { return connection_.client_id(); }
    ConnectionStatus connection_status() const noexcept override {
        return connection_.status() == tortoise::Status::up ? ConnectionStatus::online : ConnectionStatus::offline;
    }
    Error error() const override { return connection_.error(); }
    Pending<tortoise::SessionInfo> online() override { return connection_.ready(); }
    Delivery publish(std::string_view topic, tortoise::Octets payload, PublishOptions o) override {
        if (auto error = refusal_of(o)) return Delivery(Result<tortoise::Receipt>(std::move(*error)));
        return connection_.publish(topic, payload,
                                   {.qos = o.qos,
                                    .retain = o.retain,
                                    .ttl = o.ttl,
                                    .priority = o.priority,
                                    .properties = std::move(o.properties)});
    }
    Pending<tortoise::Grant> subscribe(tortoise::TopicFilter f) override { return connection_.subscribe(std::move(f)); }
    Pending<Done> unsubscribe(std::string filter) override { return connection_.unsubscribe(std::move(filter)); }
    std::vector<tortoise::TopicFilter> subscriptions() const override { return connection_.subscriptions(); }
    void reconnect() override { connection_.reconnect(); }
    Work work() const override {
        const auto s = connection_.statistics();
        return {static_cast<std::size_t>(s.queued_messages), static_cast<std::size_t>(s.in_flight)};
    }
    tortoise::Statistics statistics() const override { return connection_.statistics(); }
    Pending<Done> stop(Duration drain) override { return connection_.stop(drain); }

private:
    Connection connection_;
};

/// Of options that make no sense.
class RefusedOffice final : public Session::Office {
public:
    RefusedOffice(std::string client_id, Error why) : client_id_(std::move(client_id)), why_(std::move(why)) {}

    std::string_view client_id() const noexcept override { return client_id_; }
    ConnectionStatus connection_status() const noexcept override { return ConnectionStatus::offline; }
    Error error() const override { return why_; }
    Pending<tortoise::SessionInfo> online() override { return Pending<tortoise::SessionInfo>(why_); }
    Delivery publish(std::string_view, tortoise::Octets, PublishOptions) override { return Delivery(stopped()); }
    Pending<tortoise::Grant> subscribe(tortoise::TopicFilter) override { return Pending<tortoise::Grant>(stopped()); }
    Pending<Done> unsubscribe(std::string) override { return Pending<Done>(stopped()); }
    std::vector<tortoise::TopicFilter> subscriptions() const override { return {}; }
    void reconnect() override {}
    Work work() const override { return {}; }
    tortoise::Statistics statistics() const override { return {}; }
    Pending<Done> stop(Duration) override { return Pending<Done>(Result<Done>(Done{})); }

private:
    Error stopped() const { return make_error(Errc::stopped, why_.describe()); }
    const std::string client_id_;
    const Error why_;
};

} // namespace

Ref<Session::Office> make_office(SessionOptions options, tortoise::Runtime runtime) {
    auto client_id = options.client_id;
    auto settings = connection_options(std::move(options));
    if (!settings) {
        return Ref<Session::Office>::adopt(new RefusedOffice(std::move(client_id), std::move(settings).error()));
    }
    return Ref<Session::Office>::adopt(new ConnectionOffice(Connection(*std::move(settings), std::move(runtime))));
}

Ref<Session::Office> office_of(const Connection& c) { return Ref<Session::Office>::adopt(new ConnectionOffice(c)); }

} // namespace jackalope
