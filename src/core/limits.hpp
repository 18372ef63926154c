#pragma once
/// What the broker's CONNACK allows on the present connection. Each connection starts from the defaults again.

#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/core/codec.hpp>

namespace tortoise::core {

struct Limits {
    std::uint16_t receive_maximum = 65'535;
    QoS maximum_qos = QoS::exactly_once;
    bool retain = true;
    std::size_t packet_size = largest_packet;
    std::uint16_t topic_aliases = 0;
    bool wildcards = true;
    bool shared = true;
    std::optional<std::uint16_t> keep_alive = {}; // seconds

    static Limits of(const Connack& connack) {
        const PropertiesView p = connack.properties;
        Limits limits;
        limits.receive_maximum = static_cast<std::uint16_t>(p.get(property::receive_maximum).value_or(65'535));
        limits.maximum_qos = static_cast<QoS>(p.get(property::maximum_qos).value_or(2));
        limits.retain = p.get(property::retain_available).value_or(1) != 0;
        limits.packet_size = p.get(property::maximum_packet_size).value_or(largest_packet);
        limits.topic_aliases = static_cast<std::uint16_t>(p.get(property::topic_alias_maximum).value_or(0));
        limits.wildcards = p.get(property::wildcard_subscription_available).value_or(1) != 0;
        limits.shared = p.get(property::shared_subscription_available).value_or(1) != 0;
        if (const auto seconds = p.get(property::server_keep_alive))
            limits.keep_alive = static_cast<std::uint16_t>(*seconds);
        return limits;
    }
};

} // namespace tortoise::core
