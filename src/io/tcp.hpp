#pragma once
/// TCP: connecting and listening.

#include "io/address.hpp"
#include "io/stream.hpp"
#include <tortoise/result.hpp>

namespace tortoise::io {

/// Starts to connect; the events tell how it went, not before this returns.
std::shared_ptr<Stream> connect_tcp(Loop&, const Address&, Stream::Events&);

/// A listening socket. Of the loop's thread only.
class Acceptor {
public:
    virtual ~Acceptor() = default; ///< closes it
    virtual std::uint16_t port() const noexcept = 0;
};

/// Calls `accepted` with each new connection, which is open. Port 0: the system chooses.
Result<std::shared_ptr<Acceptor>> listen_tcp(Loop&, const Address&, Fn<void(std::shared_ptr<Stream>)> accepted);

} // namespace tortoise::io
