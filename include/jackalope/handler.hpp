#pragma once
/// What a session tells its owner. Override what you need.

#include <jackalope/work_list.hpp>
#include <string_view>
#include <tortoise/handler.hpp>

namespace jackalope {

class Session;

enum class ConnectionStatus : std::uint8_t { offline, online };
std::string_view to_string(ConnectionStatus) noexcept;

/// A message that will not be delivered, and why: expired, displaced, queue_full, refused by the broker (a Reason),
/// session_lost, store_failed, or stopped (what a store keeps, the next session delivers).
struct WorkError {
    const tortoise::MessageView& message;
    const tortoise::Error& why;
};

/// Everything is called on the session's loop thread, one call at a time, and must not block; every function of the
/// session may be called from here. The Session& does not own, nor do its copies.
///
/// A handler that throws is replaced by a new one from its factory, and the session connects again after its backoff. No
/// message to be sent is lost by it, and the one that was being handled is not acknowledged: the broker sends it again, if
/// it keeps the session (MQTT 3.1.1: not with clean_session).
class Handler {
public:
    virtual ~Handler() = default;
    /// Offline comes with the reason, for each attempt that failed. A handler begins offline.
    virtual void connection(Session&, ConnectionStatus, const tortoise::Error& /*why*/) {}
    /// Granted, with what QoS; refused, with the reason; or no more.
    virtual void subscription(Session&, const tortoise::FilterStatus&) {}
    /// QoS 1 and 2 are acknowledged when it returns.
    virtual void message(Session&, const tortoise::MessageView&) {}
    virtual void error(Session&, const WorkError&) {}
    /// Asked before every connect; nothing: the will of the options.
    virtual std::optional<tortoise::Will> last_will() { return std::nullopt; }
};

/// Makes a handler for each life, by `new`, on the loop thread.
using HandlerFactory = tortoise::SharedFn<Handler*()>;
/// `.handler = make_handler<Door>(arguments…)`: each life gets a new Door made from copies of them.
template <class H, class... Args> HandlerFactory make_handler(Args... args) {
    return HandlerFactory([args...]() -> Handler* { return new H(args...); });
}

} // namespace jackalope
