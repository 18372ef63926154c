#include "client/core.hpp"

namespace tortoise {

Connection::Connection(detail::Ref<Core> core, detail::Ref<Owner> owner) noexcept
    : core_(std::move(core)), owner_(std::move(owner)) {}

Connection::Connection(ConnectionOptions options, Runtime runtime)
    : core_(Core::make(std::move(options), runtime)), owner_(detail::Ref<Owner>::adopt(new Owner(core_))) {}

Connection::Connection(const Connection&) noexcept = default;
// The handle that a callback is given stays of use, whatever is made of it.
Connection::Connection(Connection&& other) noexcept
    : core_(other.owner_ ? std::move(other.core_) : other.core_), owner_(std::move(other.owner_)) {}
Connection& Connection::operator=(const Connection&) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
    Connection taken(std::move(other));
    std::swap(core_, taken.core_);
    std::swap(owner_, taken.owner_);
    return *this;
}
Connection::~Connection() = default;

std::string_view Connection::client_id() const noexcept { return core_->client_id(); }
Status Connection::status() const noexcept { return core_->status(); }
Error Connection::error() const { return core_->error(); }
Pending<SessionInfo> Connection::ready() { return core_->ready(); }
Result<SessionInfo> Connection::wait_until_up(Duration at_most) { return core_->wait_until_up(at_most); }

Delivery Connection::publish(std::string_view topic, Octets payload) { return core_->publish(topic, payload, {}); }
Delivery Connection::publish(std::string_view topic, Octets payload, PublishOptions options) {
    return core_->publish(topic, payload, options);
}

namespace {

template <class T> detail::Ref<detail::PendingResult<T>> new_pending() {
    return detail::Ref<detail::PendingResult<T>>::adopt(new detail::PendingResult<T>);
}

} // namespace

Pending<Grant> Connection::subscribe(TopicFilter filter) { return subscribe(std::move(filter), {}); }

Pending<Grant> Connection::subscribe(TopicFilter filter, OnMessage callback) {
    auto pending = new_pending<Grant>();
    std::vector<TopicFilter> filters;
    filters.push_back(std::move(filter));
    std::optional<Routes::Taker> taker;
    if (callback) taker = std::move(callback);
    core_->subscribe(std::move(filters), std::move(taker), std::make_unique<SingleRequest<Grant>>(pending));
    return Pending<Grant>(std::move(pending));
}

Pending<std::vector<Result<Grant>>> Connection::subscribe(std::vector<TopicFilter> filters) {
    return core_->subscribe(std::move(filters));
}

Pending<Done> Connection::unsubscribe(std::string filter) {
    auto pending = new_pending<Done>();
    std::vector<std::string> filters;
    filters.push_back(std::move(filter));
    core_->unsubscribe(std::move(filters), std::make_unique<SingleRequest<Done>>(pending));
    return Pending<Done>(std::move(pending));
}

Pending<std::vector<Result<Done>>> Connection::unsubscribe(std::vector<std::string> filters) {
    auto pending = new_pending<std::vector<Result<Done>>>();
    const auto count = filters.size();
    core_->unsubscribe(std::move(filters), std::make_unique<ListRequest<Done>>(count, pending));
    return Pending<std::vector<Result<Done>>>(std::move(pending));
}

std::vector<TopicFilter> Connection::subscriptions() const { return core_->subscriptions(); }
void Connection::acknowledge(AckId id) { core_->acknowledge(id, Reason::success); }
Result<Done> Connection::refuse(AckId id, Reason reason) { return core_->refuse(id, reason); }
Pending<Message> Connection::request(std::string_view topic, Octets payload) {
    return core_->request(topic, payload, {});
}
Pending<Message> Connection::request(std::string_view topic, Octets payload, RequestOptions options) {
    return core_->request(topic, payload, std::move(options));
}
Pending<std::size_t> Connection::request(std::string_view topic, Octets payload, RequestOptions options,
                                         OnMessage each) {
    return core_->request(topic, payload, std::move(options), std::move(each));
}
Delivery Connection::reply(const MessageView& request, Octets payload) { return core_->reply(request, payload, {}); }
Delivery Connection::reply(const MessageView& request, Octets payload, PublishOptions options) {
    return core_->reply(request, payload, std::move(options));
}
Pending<Duration> Connection::ping() { return core_->ping(); }
Statistics Connection::statistics() const { return core_->statistics(); }
void Connection::reconnect() { core_->reconnect(); }
Pending<Done> Connection::reauthenticate() { return core_->reauthenticate(); }
Pending<Done> Connection::stop(Duration drain) { return core_->stop(drain); }
Pending<Done> Connection::stop(Duration drain, DisconnectOptions options) {
    return core_->stop(drain, std::move(options));
}

} // namespace tortoise
