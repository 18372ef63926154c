#pragma once
/// Server URLs: mqtt://[user[:password]@]host[:port].

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

    /// As it was written, but for the user and the password, which are left out.
    std::string to_string() const;
};

/// Errc::invalid_url; the text names what is wrong and what is allowed, and never shows a password.
Result<Url> parse_url(std::string_view text);

} // namespace tortoise::io
