#pragma once
/// Many publishes from one place, awaited together.

#include <tortoise/connection.hpp>

namespace tortoise {

/// What a pipe does when a publish fails, or a drop of the connection refuses one.
enum class PipeFailure : std::uint8_t {
    drop,   ///< it is counted, and told by await()
    crash,  ///< the pipe is broken from then on: every call answers with that error
};

struct PipeOptions {
    /// Publishes that it lets stand: of QoS 1 and 2 until they are settled, of QoS 0 until they are sent. At least 1.
    std::size_t window = 1000;
    /// Active: publish() waits while the connection is not up. Passive: it is refused, with connection_lost.
    bool active = true;
    PipeFailure failure = PipeFailure::drop;
};

struct PipeReport {
    std::uint64_t delivered = 0;  ///< since the last report
    std::uint64_t failed = 0;     ///< accepted by publish(), and not delivered
    Error first_error = {};
};

/// The fastest way to publish: nothing is kept for a message but its place in the window. Of one thread at a time; any
/// number of pipes may share a connection. It is as good after a reconnect as before, and turns to the new life of a
/// connection that a supervisor restarted. It does not own the connection; what was published goes on without the pipe.
class Pipe {
public:
    explicit Pipe(const Connection&, PipeOptions = {});
    Pipe(Pipe&&) noexcept;
    Pipe& operator=(Pipe&&) noexcept;
    ~Pipe();

    /// Waits for room in the window, at most that long (then: Errc::timeout). Where it would have to wait on a loop
    /// thread: would_deadlock.
    Result<Done> publish(std::string_view topic, Octets payload = {}, PublishOptions = {},
                         Duration at_most = Duration::max());
    /// Never waits: queue_full if there is no room, connection_lost if the connection is not up.
    Result<Done> try_publish(std::string_view topic, Octets payload = {}, PublishOptions = {});
    /// Waits until everything published so far has ended. On a time-out the report is left for the next call.
    Result<PipeReport> await(Duration at_most = Duration::max());

    class Core;

private:
    detail::Ref<Core> core_;
};

} // namespace tortoise
