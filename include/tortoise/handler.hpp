#pragma once
/// What a connection tells its owner, and what the owner may answer.

#include <string>
#include <string_view>
#include <tortoise/error.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <vector>

namespace tortoise {

class Connection;

enum class Status : std::uint8_t { connecting, up, down, stopped };
std::string_view to_string(Status) noexcept;

/// More about a change of status.
struct StatusInfo {
    Status status = Status::connecting;
    SessionInfo session = {};               ///< of `up`
    Error reason = {};                      ///< of `down` and `stopped`
    unsigned attempt = 0;                   ///< of `down`: failed attempts in a row
    std::optional<Duration> retry_in = {};  ///< of `down`: when the next attempt is made; nothing: never
    std::string server = {};                ///< where it connects to, or did last
    Properties properties = {};             ///< of `down`: those of the CONNACK or DISCONNECT that ended it (MQTT 5)
};

/// What happened to a filter.
struct FilterStatus {
    enum class Kind : std::uint8_t { up, down, refused } kind = Kind::up;
    std::string_view filter = {};
    Grant grant = {};   ///< of `up`: requested and granted QoS, which may be lower
    Error reason = {};  ///< of `refused`
};

/// Something to do next, returned from a callback; the same as calling it there.
struct Action {
    enum class Kind : std::uint8_t { subscribe, unsubscribe } kind = Kind::subscribe;
    TopicFilter filter = {};
};
using Actions = std::vector<Action>;
inline Action subscribe(std::string filter, SubscribeOptions options = {}) {
    return {Action::Kind::subscribe, {std::move(filter), options}};
}
inline Action unsubscribe(std::string filter) { return {Action::Kind::unsubscribe, {std::move(filter)}}; }

/// Override what you need. Everything is called on the connection's loop thread, one call at a time; a call that blocks
/// holds up every connection of that loop. Every function of the library may be called from here, except that a blocking
/// wait answers would_deadlock. A callback that throws ends the connection with Errc::handler_threw and what it said.
/// The Connection& does not own the connection, nor do its copies.
class Handler {
public:
    virtual ~Handler() = default;
    /// Before anything else, once.
    virtual void init(Connection&) {}
    /// After everything else, once; the reason is Errc::stopped if it was asked for.
    virtual void terminate(const Error& /*reason*/) noexcept {}
    virtual Actions connection(Connection&, const StatusInfo&) { return {}; }
    virtual Actions subscription(Connection&, const FilterStatus&) { return {}; }
    /// Messages that no callback of a subscription took. QoS 1 and 2 are acknowledged when it returns.
    virtual Actions message(Connection&, const MessageView&) { return {}; }
    /// A publish that ended otherwise than delivered: refused, expired, displaced, session lost, stopped. For QoS 0, whose
    /// Delivery was answered when it was taken, this is the only word.
    virtual void undelivered(Connection&, const MessageView&, const Error&) {}
    /// Something dangerous was asked for, e.g. Tls::verify = false; once, after init(). Unless overridden: a line on
    /// standard error.
    virtual void warning(Connection&, std::string_view text);
    /// Asked before every connect; nothing: the will of the options.
    virtual std::optional<Will> last_will() { return std::nullopt; }
};

/// Makes a handler for each life of a connection. Copies share the same maker.
class HandlerFactory {
public:
    HandlerFactory() noexcept = default;
    /// From a callable without arguments that returns a std::unique_ptr (or the like) to a Handler.
    template <class Make>
        requires requires(Make make) { static_cast<Handler*>(make().release()); }
    HandlerFactory(Make make) : make_([make = std::move(make)]() mutable -> Handler* { return make().release(); }) {}
    /// From a callable that returns a handler made by `new`.
    explicit HandlerFactory(SharedFn<Handler*()> make) noexcept : make_(std::move(make)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(make_); }
    /// Null without a maker. The caller deletes it.
    Handler* make() const { return make_ ? make_() : nullptr; }

private:
    SharedFn<Handler*()> make_;
};

/// `.handler = make_handler<Rooms>(arguments…)`: each life of the connection gets a new Rooms made from copies of them.
template <class H, class... Args> HandlerFactory make_handler(Args... args) {
    return HandlerFactory([args...]() -> Handler* { return new H(args...); });
}

} // namespace tortoise
