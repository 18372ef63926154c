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
    const PropertySpec* spec = nullptr;
};
PropertyRead read_property(Octets) noexcept;

/// Are these, as a whole, properties that may stand in that place?
Fail check_properties(PropertiesView, Places place, std::string_view subject);

/// The Topic Alias, Authentication Method, … may be looked for only in octets that were checked.
bool has_property(PropertiesView, PropertyId) noexcept;

} // namespace tortoise::core
