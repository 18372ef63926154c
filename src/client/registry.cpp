#include "client/registry.hpp"
#include "client/core.hpp"
#include <tortoise/registry.hpp>

namespace tortoise {

Registry& registry() noexcept {
    static auto& the_one = *new Registry;
    return the_one;
}

namespace {

/// What `call` makes of the connection; the answer is unknown_connection if there is none.
template <class Call> auto with_connection(std::string_view client_id, Call call) {
    using Answer = decltype(call(std::declval<Connection&>()));
    auto found = find_connection(client_id);
    if (found) return call(*found);
    if constexpr (std::is_constructible_v<Answer, Error>)
        return Answer(std::move(found).error());
    else // a Pending
        return Answer(decltype(std::declval<Answer>().wait())(std::move(found).error()));
}

} // namespace

Result<Connection> find_connection(std::string_view client_id) {
    if (auto core = registry().connections.find(client_id)) return Connection::Core::handle(std::move(core));
    return make_error(Errc::unknown_connection, "no connection '" + std::string(client_id) + "' is running");
}

Delivery publish(std::string_view client_id, std::string_view topic, Octets payload) {
    return publish(client_id, topic, payload, PublishOptions());
}

Delivery publish(std::string_view client_id, std::string_view topic, Octets payload, PublishOptions options) {
    return with_connection(client_id, [&](Connection& c) { return c.publish(topic, payload, std::move(options)); });
}

Result<Receipt> publish_sync(std::string_view client_id, std::string_view topic, Octets payload, PublishOptions options,
                             Duration at_most) {
    return publish(client_id, topic, payload, std::move(options)).wait(at_most);
}

Pending<std::vector<Result<Grant>>> subscribe(std::string_view client_id, std::vector<TopicFilter> filters) {
    return with_connection(client_id, [&](Connection& c) { return c.subscribe(std::move(filters)); });
}

Result<std::vector<Result<Grant>>> subscribe_sync(std::string_view client_id, std::vector<TopicFilter> filters,
                                                  Duration at_most) {
    return subscribe(client_id, std::move(filters)).wait(at_most);
}

Pending<std::vector<Result<Done>>> unsubscribe(std::string_view client_id, std::vector<std::string> filters) {
    return with_connection(client_id, [&](Connection& c) { return c.unsubscribe(std::move(filters)); });
}

Result<std::vector<Result<Done>>> unsubscribe_sync(std::string_view client_id, std::vector<std::string> filters,
                                                   Duration at_most) {
    return unsubscribe(client_id, std::move(filters)).wait(at_most);
}

Result<std::vector<TopicFilter>> subscriptions(std::string_view client_id) {
    return with_connection(client_id,
                           [](Connection& c) { return Result<std::vector<TopicFilter>>(c.subscriptions()); });
}

Pending<Duration> ping(std::string_view client_id) {
    return with_connection(client_id, [](Connection& c) { return c.ping(); });
}

Result<Duration> ping_sync(std::string_view client_id, Duration at_most) { return ping(client_id).wait(at_most); }

Pending<Done> disconnect(std::string_view client_id, Duration drain) {
    return with_connection(client_id, [&](Connection& c) { return c.stop(drain); });
}

} // namespace tortoise
