#pragma once
/// A byte stream of one's own in place of TCP: a serial line, a tunnel, a pipe in memory.

#include <cstddef>
#include <span>
#include <string_view>
#include <tortoise/detail/ref.hpp>
#include <tortoise/error.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/types.hpp>

namespace tortoise {

/// What a transport reports. Copies report to the same connection. Every function may be called from any thread, and does
/// nothing any more once the transport was closed.
class TransportEvents {
public:
    void opened() const;       ///< once, after open(): octets can flow
    void failed(Error) const;  ///< could not be opened, or broke
    void readable() const;     ///< read() has something, or the end
    void writable() const;     ///< write() takes something again, or tells the end

    TransportEvents() noexcept;  ///< reports to nobody
    TransportEvents(const TransportEvents&) noexcept;
    TransportEvents(TransportEvents&&) noexcept;
    TransportEvents& operator=(TransportEvents) noexcept;
    ~TransportEvents();

    class Target;
    explicit TransportEvents(detail::Ref<Target>) noexcept;

private:
    detail::Ref<Target> target_;
};

/// One attempt to connect and, if it succeeds, one connection. Its functions are called on the connection's loop thread and
/// must not block. One that throws ends the connection, with Errc::handler_threw.
class Transport {
public:
    /// What came of a read or a write that did not wait. No octets and not ended: nothing moves now, and readable() or
    /// writable() will be reported when something does. Ended: for good, and why; an Error without a code says that the
    /// other side closed it.
    struct Moved {
        std::size_t octets = 0;
        bool ended = false;
        Error why = {};
    };

    virtual ~Transport() = default;
    /// Begins. `server` is the URL of this attempt as it was given; of any scheme, as it is the transport that reads it.
    virtual void open(std::string_view server, TransportEvents) = 0;
    virtual Moved read(std::span<char> into) = 0;
    virtual Moved write(Octets) = 0;
    /// Lets go at once; nothing is called after it but the destructor.
    virtual void close() noexcept = 0;
};

/// Makes a transport for each attempt, by `new`; the library deletes it.
using TransportFactory = SharedFn<Transport*()>;

} // namespace tortoise
