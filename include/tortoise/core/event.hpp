#pragma once
/// What a client engine tells its shell, in the order in which it happened.

#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/core/work_list.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>
#include <variant>
#include <vector>

namespace tortoise::core {

/// Names a destination of received messages; chosen by the caller. 0: the default destination.
using Route = std::uint64_t;
/// Names a received message that wants an acknowledgement. 0: it wants none (QoS 0).
using InboundId = std::uint64_t;

/// CONNACK accepted the connection.
struct Up {
    SessionInfo info;
};
/// A connection ended, or an attempt to connect failed.
struct Down {
    Error why;
    bool was_up = false;
    unsigned attempt = 0;                    ///< failed attempts in a row, this one included
    std::optional<Duration> retry_in = {};   ///< nothing: there will be no further attempt
    Properties properties = {};              ///< of the CONNACK or DISCONNECT that ended it
};
/// The engine came to its end: every operation has ended; nothing will happen any more.
struct Stopped {
    Error why;  // Errc::stopped if it was asked for
};
/// A message arrived. `message` and `routes()` are valid until the next call that feeds the engine.
struct Received {
    MessageView message;
    InboundId id = 0;
    std::uint32_t first_route = 0, route_count = 0;  ///< see Engine::routes
};
/// A persistent engine took a publish: once the changes that were taken before this event are kept, it survives.
struct Accepted {
    Token token = 0;
};
/// A publish ended well. Not reported for token 0.
struct Delivered {
    Token token = 0;
    Receipt receipt;
    std::string topic;
};
/// A publish ended otherwise: refused, expired, displaced, cancelled, session lost, stopped. Reported whatever the token.
struct Undelivered {
    Token token = 0;
    Message message;
    Error why;
};
/// A SUBSCRIBE ended; a result per filter, in the order of the request.
struct Subscribed {
    Token token = 0;
    std::vector<Result<Grant>> results;
};
struct Unsubscribed {
    Token token = 0;
    std::vector<Result<Done>> results;
};
/// A filter was granted, refused or (no longer wanted) let go, at whatever occasion: also after a reconnect.
struct FilterChanged {
    std::string filter;
    std::optional<Result<Grant>> grant;  ///< nothing: unsubscribed
    bool wanted = true;                  ///< false: it is not asked for any more (unsubscribed, refused for good)
};
/// PINGRESP.
struct Pong {
    Token token = 0;  ///< of `ping`; 0: a keep-alive's
    Duration round_trip = {};
};
/// A ping that will not be answered: the connection ended.
struct PingFailed {
    Token token = 0;
    Error why;
};

/// AUTH 0x18: the broker wants more. continue_authentication() or fail_authentication() has to follow.
struct AuthenticationContinued {
    std::string data;
};
/// The broker is content: CONNACK, or AUTH 0x00. accept_authentication() or fail_authentication() has to follow; before it
/// the connection does not come up.
struct AuthenticationSucceeded {
    std::string data;
};
/// A re-authentication ended; each that was begun ends so.
struct Reauthenticated {
    std::optional<Error> why_not = {};
};
/// The credentials are about to end, and reauthenticate() can give others; or reconnect().
struct RenewalDue {};

using Event = std::variant<Up, Down, Stopped, Received, Accepted, Delivered, Undelivered, Subscribed, Unsubscribed, FilterChanged,
                           Pong, PingFailed, AuthenticationContinued, AuthenticationSucceeded, Reauthenticated, RenewalDue>;

} // namespace tortoise::core
