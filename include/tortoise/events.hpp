#pragma once
/// What happens on connections, for those who watch: dashboards, logs, tests. Costs nothing while nobody listens.

#include <cstddef>
#include <string_view>
#include <tortoise/detail/ref.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/handler.hpp>

namespace tortoise {

/// The status changed: connecting, up, down, stopped.
struct StatusEvent {
    StatusInfo info = {};
};
/// A PINGRESP: of `ping()` or of the keep-alive.
struct PingEvent {
    Duration round_trip = {};
};
/// A filter was granted, refused, or let go.
struct SubscriptionEvent {
    FilterStatus status = {};
};
/// The queue of messages not yet sent passed a quarter of its bound, up or down.
struct QueueEvent {
    std::size_t messages = 0, bytes = 0;
    unsigned quarters = 0;  ///< 0 … 4, of the bound that is nearer; passed upwards or downwards
};
/// How a publish ended. On QoS 0 only if it ended badly.
struct DeliveryEvent {
    std::string_view topic = {};
    QoS qos = QoS::at_most_once;
    Result<Receipt> result = Receipt{};
};
/// Something went wrong: an attempt to connect, a connection, a handler.
struct ErrorEvent {
    Error error = {};
};

/// Watching ends when it is destroyed; unless that happens on a loop thread, the callback is not running any more, nor will
/// be, when the destructor returns.
class Listener {
public:
    Listener() noexcept;
    Listener(Listener&&) noexcept;
    Listener& operator=(Listener&&) noexcept;
    ~Listener();

    class Entry;
    explicit Listener(detail::Ref<Entry>) noexcept;

private:
    detail::Ref<Entry> entry_;
};

/// Called on the loop thread of the connection concerned, so that one for all connections may be called by several
/// threads at a time; what holds for a Handler holds here. One that throws ends the connection concerned.
template <class Event> using OnEvent = Fn<void(std::string_view client_id, const Event&)>;

/// `Events::on<StatusEvent>("home", [](std::string_view client_id, const StatusEvent& e) { … })`, with "" for every
/// connection of the process. For a client id the connection need not be there yet. From any thread and inside any
/// callback.
struct Events {
    template <class Event> [[nodiscard]] static Listener on(std::string_view client_id, OnEvent<Event>);
};

} // namespace tortoise
