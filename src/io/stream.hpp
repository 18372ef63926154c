#pragma once
/// A connected flow of octets in both directions. Every transport looks like this to the driver.

#include "io/loop.hpp"
#include <cstddef>
#include <memory>
#include <string>
#include <tortoise/error.hpp>
#include <tortoise/types.hpp>

namespace tortoise::io {

/// What came of a read or a write that did not wait.
struct Transfer {
    enum State : std::uint8_t { moved, blocked, failed } state = moved;
    std::size_t size = 0; ///< of `moved`: how many octets, at least one
    Error error = {};     ///< of `failed`: Errc::connection_lost, and who did what
};

/// Of the loop's thread only. Readiness, then a transfer that does not wait: so a stream needs no buffer of its own.
class Stream {
public:
    class Events {
    public:
        virtual void opened() = 0;
        virtual void not_opened(Error) = 0;
        virtual void readable() = 0;
        virtual void writable() = 0;

    protected:
        ~Events() = default;
    };

    virtual ~Stream() = default;
    /// Who is told; null: nobody.
    virtual void tell(Events*) noexcept = 0;
    /// Asks for one call of readable() or writable().
    virtual void await_readable() = 0;
    virtual void await_writable() = 0;
    virtual Transfer read(char* into, std::size_t room) = 0;
    /// After `blocked` the same octets have to come again, whatever follows them. `more`: as soon as this went, the
    /// rest is written, so a packet need not be sent for these alone.
    virtual Transfer write(Octets, bool more = false) = 0;
    /// The address of the other side, for texts.
    virtual const std::string& peer() const noexcept = 0;
    /// At once. No event follows.
    virtual void close() noexcept = 0;
    /// Everything is written: lets the other side read it to the end, then closes. No event follows; nobody waits.
    virtual void finish() noexcept = 0;
    /// As close(), but the other side sees that it was broken, if this kind of stream can show that.
    virtual void reset() noexcept { close(); }
};

} // namespace tortoise::io
