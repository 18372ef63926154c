#pragma once
/// The small words of the vocabulary: quality of service, protocol version, durations, octets.

#include <cstdint>
#include <string_view>
#include <tortoise/detail/chrono.hpp>

namespace tortoise {

/// Every duration of the interface; `5s` and `100ms` convert by themselves.
using Duration = std::chrono::nanoseconds;

/// A run of octets: payloads, encoded packets, binary properties. Not necessarily text; never owned.
using Octets = std::string_view;

/// Quality of service of a message, or the highest one that a subscription asks for. [MQTT-4.3]
enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

/// Protocol version; the value is the protocol level of CONNECT. [MQTT-3.1.2.2]
enum class Version : std::uint8_t { v3_1_1 = 4, v5 = 5 };

constexpr std::string_view to_string(Version v) noexcept { return v == Version::v5 ? "5" : "3.1.1"; }

} // namespace tortoise
