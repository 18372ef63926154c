#pragma once
/// What a packet may say, whichever way it goes: decode and encode check the same values by the same functions.

#include <string_view>
#include <tortoise/core/packet.hpp>

#include "core/codec/rule.hpp"

namespace tortoise::core {

Fail check(Version, const Connect&);
Fail check(Version, const Connack&);
Fail check(Version, const Publish&);
Fail check(Version, const Ack&);
Fail check(Version, const Subscribe&);
Fail check(Version, const Suback&);
Fail check(Version, const Unsubscribe&);
Fail check(Version, const Unsuback&);
Fail check(Version, const Pingreq&);
Fail check(Version, const Pingresp&);
Fail check(Version, const Disconnect&);
Fail check(Version, const Auth&);

/// A UTF-8 Encoded String that has a rule of its own.
Fail check_string(Version, Rule, PacketType, std::string_view field, std::string_view text);

/// The flags that the fixed header of a packet has, PUBLISH apart. [MQTT-2.1.3-1]
constexpr std::uint8_t fixed_flags(PacketType type) noexcept {
    return type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe ? 2 : 0;
}

/// Return codes of CONNACK 3.1.1 and the reasons that mean the same. Refusals that 3.1.1 does not know become "server
/// unavailable" if they may pass, "not authorized" if not.
std::optional<Reason> reason_of_return_code(std::uint8_t code) noexcept;
std::uint8_t return_code_of(Reason) noexcept;

} // namespace tortoise::core
