#pragma once
/// Signatures for tokens, and the letters they are written in.

#include "io/tls_material.hpp"
#include <optional>
#include <string_view>
#include <tortoise/types.hpp>

namespace tortoise::io {

std::string base64(Octets);
/// Without padding, and with letters that may stand in a URL. (RFC 4648, section 5)
std::string base64_url(Octets);
/// Nothing if it is not base64.
std::optional<std::string> from_base64(std::string_view);
/// All but letters, digits and -_.~ as %XX. (RFC 3986)
std::string percent_encoded(std::string_view);

std::string hmac_sha256(Octets key, Octets text);

enum class Signing : std::uint8_t { es256, rs256 };
/// The signature as RFC 7518 has it: of ES256 both numbers behind one another, 32 octets each.
Result<std::string> sign(Signing, const Material& key, Octets text);

} // namespace tortoise::io
