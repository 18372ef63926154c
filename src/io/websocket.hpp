#pragma once
/// MQTT over WebSocket: a stream over any other stream, in binary messages. RFC 6455, [MQTT-6.0.0]

#include "io/handshake.hpp"
#include "io/stream.hpp"
#include "io/websocket_frames.hpp"
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>
#include <tortoise/websocket.hpp>

namespace tortoise::io {

/// Asks an HTTP server to go on with WebSocket. `host`: "name[:port]"; `target`: "/path[?query]".
/// Errc::websocket_refused; std::errc::resource_unavailable_try_again if the server may soon say otherwise;
/// Errc::not_mqtt.
std::unique_ptr<Handshake> websocket_request(std::string host, std::string target, std::span<const HttpHeader>);
/// The server's side; any path is fine. Refuses in words of HTTP.
std::unique_ptr<Handshake> websocket_answer();

/// Over a stream on which hands were shaken, or will be while it is read.
std::shared_ptr<Stream> websocket(Loop&, std::shared_ptr<Stream> over, WebSocketSide own);

/// What a user may not set: what the handshake says itself, and what is no header. Errc::invalid_option.
Result<Done> check_headers(std::span<const HttpHeader>);

} // namespace tortoise::io
