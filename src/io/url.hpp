#pragma once
/// Server URLs: mqtt:// or mqtts://[user[:password]@]host[:port], ws:// or wss://…[/path[?query]], unix:///path.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>

namespace tortoise::io {

struct Url {
    std::string scheme = "mqtt";
    std::optional<std::string> user = {};
    std::optional<std::string> password = {};
    std::string host = {}; ///< decoded, without the brackets of an IPv6 address
    std::uint16_t port = 1883;
    std::string path =
        {}; ///< of a Unix socket: then there is no host; of WebSocket, as it is asked for, with the query
    std::string given = {}; ///< as it was written; for a custom transport, which may read more out of it

    bool secure() const noexcept { return scheme == "mqtts" || scheme == "wss"; }
    bool websocket() const noexcept { return scheme == "ws" || scheme == "wss"; }
    bool is_unix() const noexcept { return scheme == "unix"; }

    /// "host:port"; IPv6 addresses in brackets.
    std::string authority() const;
    /// The same as HTTP's Host has it: without the port of the scheme.
    std::string http_host() const;
    /// For people: without the user, the password and the query.
    std::string to_string() const;
};

/// Errc::invalid_url; the text names what is wrong and what is allowed, and never shows a password.
Result<Url> parse_url(std::string_view text);
/// http:// or socks5://[user[:password]@]host[:port]. Errc::invalid_option, in the same way.
Result<Url> parse_proxy_url(std::string_view text);
/// Where a Server Reference leads: "host[:port]" or a URL; of several, the first. It may not lead out of TLS, nor to a
/// file of ours, nor tell us credentials. [MQTT-4.11]
Result<Url> referred(std::string_view reference, const Url& from);
/// For a custom transport: what parse_url() does not understand may still make sense to it.
Url custom_url(std::string_view text);

} // namespace tortoise::io
