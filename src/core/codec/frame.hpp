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
FixedHeader read_fixed_header(Octets) noexcept;

/// Of octets that are exactly one packet.
Frame frame_of(Octets whole, std::size_t header_size) noexcept;

Error bad_remaining_length();

} // namespace tortoise::core
