#pragma once
/// What this broker allows: what its CONNACK told, and what the user knows of it besides. The stricter holds.

#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>

namespace tortoise::core {

/// Of the present connection. Each starts from the defaults again.
struct Limits {
    std::uint16_t receive_maximum = 65'535;
    QoS maximum_qos = QoS::exactly_once;
    bool retain = true;
    std::size_t packet_size = largest_packet;
    std::uint16_t topic_aliases = 0;
    bool wildcards = true;
    bool shared = true;
    bool subscription_identifiers = true;
    std::size_t filters_per_request = 65'535;
    std::optional<std::uint16_t> keep_alive = {}; // seconds

    static Limits of(const Connack&, const PeerLimits&);
};

enum class Limit : std::uint8_t {
    qos,
    retain,
    shared,
    payload,
    packet,
    topic,
    topic_levels,
    filter,
    filter_levels,
    user_properties,
    request_user_properties,
    client_id,
    subscriptions,
    filters,
    publish_rate,
    octet_rate,
    subscribe_rate,
    connect_rate,
};
inline constexpr std::size_t limit_count = static_cast<std::size_t>(Limit::connect_rate) + 1;

/// Something beyond a limit.
struct Excess {
    Limit limit;
    std::uint64_t value = 0;
    std::uint64_t allowed = 0;

    /// Its code, and "the topic has 9 levels; the server allows 8".
    Error error() const;
};

// Nothing: within the limits. Sizes and counts only; whether topics are topics is checked elsewhere.
std::optional<Excess> excess(const PeerLimits&, const MessageView&);
std::optional<Excess> excess(const PeerLimits&, const TopicFilter&);
std::optional<Excess> excess_of_filters(const PeerLimits&, std::size_t in_one_request);
std::optional<Excess> excess_of_client_id(const PeerLimits&, std::string_view client_id);
/// Of CONNECT and SUBSCRIBE.
std::optional<Excess> excess_of_request(const PeerLimits&, PropertiesView);
/// Its client identifier, its properties and its will.
std::optional<Excess> excess(const PeerLimits&, const Connect&);

/// The keep-alive within the limits.
Duration clamp_keep_alive(const PeerLimits&, Duration) noexcept;

} // namespace tortoise::core
