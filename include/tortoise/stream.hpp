#pragma once
/// Messages that their user pulls.

#include <tortoise/connection.hpp>

namespace tortoise {

/// What a stream that is full does about the next message.
enum class StreamOverflow : std::uint8_t {
    /// Nothing is lost: the connection stops reading until half of the stream is free again, and the broker waits. All
    /// else that the broker has to say waits too; pings go on, and its silence is not held against it.
    hold_back,
    drop_oldest, ///< of those in the stream
    drop_newest, ///< the one that arrives
};

struct StreamOptions {
    std::size_t messages = 1000;  ///< at least 1
    std::size_t bytes = 1u << 20; ///< of topics, payloads and properties; one message always fits
    StreamOverflow overflow = StreamOverflow::hold_back;
};

/// Subscribes to filters and queues their messages, within bounds, until they are pulled. A stream that is full and
/// holds back may still get what one read brought, at most 128 KiB.
///
/// Messages of QoS 1 and 2 are acknowledged when the next one is asked for, so that what was not handled comes again;
/// with Acknowledge::manual the user does it. What was dropped is acknowledged. Every function may be called from any
/// thread; with several consumers at a time, only manual acknowledgement knows what was handled.
///
/// It does not own the connection. It ends when it is closed or destroyed, when the connection ends, or when its last
/// filter was refused, unsubscribed or subscribed by somebody else; what is in it then can still be pulled, except
/// after close(). Closing unsubscribes, and acknowledges what was not pulled.
class Stream {
public:
    Stream(const Connection&, std::vector<TopicFilter>, StreamOptions = {});
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    /// What the broker said to each filter.
    Pending<std::vector<Result<Grant>>> granted() const;
    /// The next message, in the order of arrival; at the end, why it ended. Of a Pending that everybody let go of, and
    /// of one that was cancelled, no message is lost.
    Pending<Message> next();
    /// Waits at most that long: Errc::timeout; on a loop thread would_deadlock, unless there is one.
    Result<Message> next(Duration at_most);
    /// Nothing if there is none.
    std::optional<Message> try_next();
    /// Messages dropped because it was full.
    std::uint64_t dropped() const noexcept;
    void close();

    class Core;

private:
    detail::Ref<Core> core_;
};

} // namespace tortoise
