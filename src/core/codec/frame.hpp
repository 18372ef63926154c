#pragma once
/// The fixed header. [MQTT-2.1]

#include <cstddef>
#include <tortoise/core/codec.hpp>
#include <tortoise/types.hpp>

#include "core/codec/scalar.hpp"

namespace tortoise::core {

struct FixedHeader {
    Varint outcome = Varint::incomplete;
    std::size_t size = 0;  // of the fixed header itself
    std::size_t total = 0; // of the whole packet
};
constexpr FixedHeader read_fixed_header(Octets octets) noexcept {
    if (octets.empty()) return {};
    const auto length = read_varint(octets.substr(1));
    if (length.outcome != Varint::ok) return {length.outcome};
    return {Varint::ok, 1 + length.size, 1 + length.size + length.value};
}

/// Of octets that are exactly one packet.
constexpr Frame frame_of(Octets whole, std::size_t header_size) noexcept {
    return {static_cast<std::uint8_t>(whole.front()), whole.substr(header_size), whole};
}

Error bad_remaining_length();

} // namespace tortoise::core
