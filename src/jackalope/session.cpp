#include "jackalope/office.hpp"
#include "jackalope/real_office.hpp"

namespace jackalope {

using tortoise::Errc;

Session::Session(SessionOptions options, tortoise::Runtime runtime)
    : office_(make_office(std::move(options), std::move(runtime))) {}
Session::Session(tortoise::detail::Ref<Office> office) noexcept : office_(std::move(office)) {}
Session::Session(const Session&) noexcept = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session other) noexcept {
    std::swap(office_, other.office_);
    return *this;
}
Session::~Session() = default;

std::string_view Session::client_id() const noexcept { return office_->client_id(); }
ConnectionStatus Session::connection_status() const noexcept { return office_->connection_status(); }
tortoise::Error Session::error() const { return office_->error(); }
tortoise::Pending<tortoise::SessionInfo> Session::online() { return office_->online(); }

std::optional<tortoise::Error> refusal_of(const PublishOptions& options) {
    if (options.qos > tortoise::QoS::exactly_once) {
        return make_error(Errc::invalid_qos,
                          "QoS is " + std::to_string(static_cast<int>(options.qos)) + "; allowed: 0, 1, 2");
    }
    if (options.ttl < tortoise::Duration(0)) {
        return make_error(Errc::invalid_ttl,
                          "ttl is " + std::to_string(options.ttl.count()) + " ns; allowed: 0 or more");
    }
    return std::nullopt;
}

tortoise::Delivery Session::publish(std::string_view topic, tortoise::Octets payload) {
    return office_->publish(topic, payload, {});
}

tortoise::Delivery Session::publish(std::string_view topic, tortoise::Octets payload, PublishOptions options) {
    return office_->publish(topic, payload, std::move(options));
}

tortoise::Pending<tortoise::Grant> Session::subscribe(tortoise::TopicFilter filter) {
    return office_->subscribe(std::move(filter));
}
tortoise::Pending<tortoise::Done> Session::unsubscribe(std::string filter) {
    return office_->unsubscribe(std::move(filter));
}
std::vector<tortoise::TopicFilter> Session::subscriptions() const { return office_->subscriptions(); }
void Session::reconnect() { office_->reconnect(); }
Work Session::work() const { return office_->work(); }
tortoise::Statistics Session::statistics() const { return office_->statistics(); }
tortoise::Pending<tortoise::Done> Session::stop(tortoise::Duration drain) { return office_->stop(drain); }

std::string_view to_string(ConnectionStatus status) noexcept {
    return status == ConnectionStatus::online ? "online" : "offline";
}

} // namespace jackalope
