#pragma once
/// The control packets of MQTT 3.1.1 and 5, one set for both. They borrow: every string points into the octets that were
/// decoded, or to what the caller keeps alive until the packet is encoded. Fields that a version lacks keep their defaults.

#include <cstdint>
#include <optional>
#include <string_view>
#include <tortoise/options.hpp>
#include <tortoise/properties.hpp>
#include <tortoise/types.hpp>
#include <variant>
#include <vector>

namespace tortoise::core {

using PacketId = std::uint16_t;  ///< 1 … 65,535; 0 is none

/// The value is the packet type of the fixed header. [MQTT-2.1.2]
enum class PacketType : std::uint8_t {
    connect = 1, connack, publish, puback, pubrec, pubrel, pubcomp, subscribe, suback, unsubscribe, unsuback,
    pingreq, pingresp, disconnect, auth,
};
std::string_view to_string(PacketType) noexcept;  // "CONNECT", …

struct ConnectWill {
    std::string_view topic;
    Octets payload;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    PropertiesView properties;
    friend bool operator==(const ConnectWill&, const ConnectWill&) = default;
};

struct Connect {
    Version version = Version::v5;
    bool clean_start = true;
    std::uint16_t keep_alive = 0;  // seconds
    std::string_view client_id;
    std::optional<ConnectWill> will;
    std::optional<std::string_view> user_name;
    std::optional<Octets> password;
    PropertiesView properties;
    friend bool operator==(const Connect&, const Connect&) = default;
};

/// Return codes of 3.1.1 are mapped to the reason codes that mean the same, and back; refusals that 3.1.1 lacks become 3
/// (server unavailable) if they may pass, 5 (not authorized) if not.
struct Connack {
    bool session_present = false;
    Reason reason = Reason::success;
    PropertiesView properties;
    friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
    PacketId id = 0;  // 0 if and only if QoS 0
    std::string_view topic;
    Octets payload;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    bool duplicate = false;
    PropertiesView properties;
    friend bool operator==(const Publish&, const Publish&) = default;
};

/// PUBACK, PUBREC, PUBREL, PUBCOMP. 3.1.1 has no reasons here: one that is no refusal is left out.
struct Ack {
    PacketType type = PacketType::puback;
    PacketId id = 0;
    Reason reason = Reason::success;
    PropertiesView properties;
    friend bool operator==(const Ack&, const Ack&) = default;
};

struct Subscribe {
    struct Entry {
        std::string_view filter;
        SubscribeOptions options;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    PacketId id = 0;
    std::vector<Entry> entries;
    PropertiesView properties;
    friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

/// 0x80 of 3.1.1 is unspecified_error; every refusal becomes it there.
struct Suback {
    PacketId id = 0;
    std::vector<Reason> reasons;
    PropertiesView properties;
    friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
    PacketId id = 0;
    std::vector<std::string_view> filters;
    PropertiesView properties;
    friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

/// 3.1.1 has no reasons here: empty.
struct Unsuback {
    PacketId id = 0;
    std::vector<Reason> reasons;
    PropertiesView properties;
    friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

struct Pingreq {
    friend bool operator==(const Pingreq&, const Pingreq&) = default;
};
struct Pingresp {
    friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

struct Disconnect {
    Reason reason = Reason::success;
    PropertiesView properties;
    friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

struct Auth {
    Reason reason = Reason::success;
    PropertiesView properties;
    friend bool operator==(const Auth&, const Auth&) = default;
};

using Packet = std::variant<Connect, Connack, Publish, Ack, Subscribe, Suback, Unsubscribe, Unsuback, Pingreq, Pingresp,
                            Disconnect, Auth>;

PacketType type_of(const Packet&) noexcept;

} // namespace tortoise::core
