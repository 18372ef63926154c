#pragma once
/// What MQTT calls a UTF-8 Encoded String. [MQTT-1.5.4]

#include <string_view>

namespace tortoise::core {

enum class Utf8Fault : unsigned char {
    none,
    too_long,   // more than 65,535 octets cannot stand on the wire
    ill_formed, // not UTF-8, an overlong form, a surrogate, or above U+10FFFF
    null,       // U+0000
};

/// Control characters and non-characters, which SHOULD NOT be sent, are let through.
Utf8Fault utf8_fault(std::string_view) noexcept;

} // namespace tortoise::core
