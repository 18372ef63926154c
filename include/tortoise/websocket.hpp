#pragma once
/// MQTT over WebSocket, for `ws://` and `wss://`.

#include <string>
#include <vector>

namespace tortoise {

/// A line of an HTTP request. Values are never logged.
struct HttpHeader {
    std::string name = {};
    std::string value = {};
};

struct WebSocket {
    /// Sent with each request to go on with WebSocket, after its own: an Authorization, a Cookie, an Origin. Host takes the
    /// place of the URL's. Names: tokens of HTTP, but not Connection, Upgrade, Content-Length, Transfer-Encoding and
    /// Sec-WebSocket-*; values: printable ASCII and above, spaces, tabs.
    std::vector<HttpHeader> headers = {};
};

} // namespace tortoise
