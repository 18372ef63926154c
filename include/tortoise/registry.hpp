#pragma once
/// Every connection of the process by its client id, from its making until it ends.

#include <string>
#include <string_view>
#include <tortoise/connection.hpp>
#include <vector>

namespace tortoise {

/// How long the synchronous calls wait if they are not told.
inline constexpr Duration default_timeout = std::chrono::seconds(60);

/// A handle that does not own; unknown_connection if no connection of that client id is running.
Result<Connection> find_connection(std::string_view client_id);

// The same as the functions of Connection; the answer is unknown_connection if there is none of that client id. Those
// named _sync wait for the answer, not longer than they are told, and on a loop thread not at all: would_deadlock.

Delivery publish(std::string_view client_id, std::string_view topic, Octets payload = {});
Delivery publish(std::string_view client_id, std::string_view topic, Octets payload, PublishOptions);
Result<Receipt> publish_sync(std::string_view client_id, std::string_view topic, Octets payload = {},
                             PublishOptions = {}, Duration at_most = default_timeout);
Pending<std::vector<Result<Grant>>> subscribe(std::string_view client_id, std::vector<TopicFilter>);
Result<std::vector<Result<Grant>>> subscribe_sync(std::string_view client_id, std::vector<TopicFilter>,
                                                  Duration at_most = default_timeout);
Pending<std::vector<Result<Done>>> unsubscribe(std::string_view client_id, std::vector<std::string> filters);
Result<std::vector<Result<Done>>> unsubscribe_sync(std::string_view client_id, std::vector<std::string> filters,
                                                   Duration at_most = default_timeout);
/// What is wanted at present, granted or not.
Result<std::vector<TopicFilter>> subscriptions(std::string_view client_id);
Pending<Duration> ping(std::string_view client_id);
Result<Duration> ping_sync(std::string_view client_id, Duration at_most = default_timeout);
/// Stops the connection: what is queued and in flight has `drain` to end.
Pending<Done> disconnect(std::string_view client_id, Duration drain = {});

} // namespace tortoise
