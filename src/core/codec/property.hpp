#pragma once
/// The one table of properties: what decode, encode and print know about each of them. [MQTT-2.2.2]

#include <cstdint>
#include <string_view>
#include <tortoise/core/packet.hpp>
#include <tortoise/properties.hpp>

#include "core/codec/rule.hpp"

namespace tortoise::core {

enum class WireType : std::uint8_t { byte, two_bytes, four_bytes, varint, string, binary, pair };

/// Where properties stand: a bit per packet type, and bit 0 for the will.
using Places = std::uint16_t;
inline constexpr Places will_properties = 1;
constexpr Places place_of(PacketType type) noexcept { return static_cast<Places>(1u << static_cast<unsigned>(type)); }

struct PropertySpec {
    PropertyId id;
    WireType type;
    Places places;          // where it may stand
    Places repeatable;      // where it may stand more than once
    std::uint32_t min, max; // of numbers
    Reason out_of_range;    // what a number outside of them is
    Rule rule;              // what the value breaks then; of strings: if it is not UTF-8
    std::string_view name;  // the specification's
};

/// Null for an identifier that does not exist.
const PropertySpec* property_spec(std::uint32_t id) noexcept;

/// One property read from the front of some octets; which rules its value keeps is not looked at.
struct PropertyRead {
    enum Outcome : std::uint8_t { ok, truncated, unknown, malformed_id } outcome = truncated;
    Property property = {};
    std::size_t size = 0;
    std::uint32_t id = 0; // also of an unknown one
    const PropertySpec* spec = nullptr;
};
PropertyRead read_property(Octets) noexcept;

/// The largest number that the type can carry; 0 for the types without one.
constexpr std::uint32_t largest_number(WireType type) noexcept {
    switch (type) {
    case WireType::byte: return 0xFF;
    case WireType::two_bytes: return 0xFFFF;
    case WireType::four_bytes: return 0xFFFF'FFFF;
    case WireType::varint: return 268'435'455;
    default: return 0;
    }
}

/// Are these, as a whole, properties that may stand in that place?
Fail check_properties(PropertiesView, Places place, std::string_view subject);

bool has_property(PropertiesView, PropertyId) noexcept;

} // namespace tortoise::core
