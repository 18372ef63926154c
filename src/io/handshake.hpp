#pragma once
/// What two sides say to each other before a stream is of use: to a proxy, or to turn HTTP into WebSocket.

#include "io/stream.hpp"
#include <memory>
#include <string>
#include <tortoise/error.hpp>

namespace tortoise::io {

/// One side of such a conversation, without any I/O.
class Handshake {
public:
    struct Step {
        enum State : std::uint8_t { more, done, failed } state = more;
        std::size_t used =
            0; ///< octets at the front that are dealt with; the others come again, with what follows them
        std::string say = {}; ///< also of `failed`: last words
        Error error = {};     ///< of `failed`
    };
    virtual ~Handshake() = default;
    /// What is said first; empty: the other side speaks first.
    virtual std::string begin() = 0;
    /// What came, and was not used before.
    virtual Step hear(Octets) = 0;
    /// When the other side must have said something by now: octets that were not used at the most.
    static constexpr std::size_t longest = 16 * 1024;
};

/// Shakes hands over a stream that is open; the events tell how it went, not before this returns. What comes behind the
/// handshake is the stream's.
std::shared_ptr<Stream> shake_hands(Loop&, std::shared_ptr<Stream> over, std::unique_ptr<Handshake>, Stream::Events&);

/// The side that answers: open at once, and shakes hands while it is read.
std::shared_ptr<Stream> answer_hands(Loop&, std::shared_ptr<Stream> over, std::unique_ptr<Handshake>);

} // namespace tortoise::io
