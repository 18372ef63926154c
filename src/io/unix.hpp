#pragma once
/// Unix sockets: connecting and listening. A path that begins with '@' is an abstract name (Linux).

#include "io/tcp.hpp"
#include <string>
#include <utility>

namespace tortoise::io {

/// Starts to connect; the events tell how it went, not before this returns.
std::shared_ptr<Stream> connect_unix(Loop&, const std::string& path, Stream::Events&);

/// The file goes with the acceptor. One that is left over, where nobody listens any more, is replaced.
Result<std::shared_ptr<Acceptor>> listen_unix(Loop&, const std::string& path,
                                              Fn<void(std::shared_ptr<Stream>)> accepted);

/// The two ends of a connection within this process.
Result<std::pair<std::shared_ptr<Stream>, std::shared_ptr<Stream>>> connected_pair(Loop&);

/// In bytes.
extern const std::size_t longest_unix_path;

} // namespace tortoise::io
