#pragma once
/// Through a proxy to a server: it is told the server's name, and looks that up itself.

#include "io/handshake.hpp"
#include "io/url.hpp"
#include <memory>

namespace tortoise::io {

/// What is said to that proxy (of parse_proxy_url), so that what follows goes to that server. Errc::proxy_refused: it
/// does not let us, or wants other credentials; std::errc::connection_refused, host_unreachable, …: it cannot reach the
/// server.
std::unique_ptr<Handshake> proxy_handshake(const Url& proxy, const Url& server);

} // namespace tortoise::io
