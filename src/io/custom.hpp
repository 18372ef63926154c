#pragma once
/// A user's Transport, as a stream.

#include "io/stream.hpp"
#include <string_view>
#include <tortoise/transport.hpp>

namespace tortoise::io {

/// Makes a transport and opens it; the events tell how it went, not before this returns.
std::shared_ptr<Stream> open_custom(Loop&, const TransportFactory&, std::string_view server, std::string peer,
                                    Stream::Events&);

} // namespace tortoise::io
