#include "core/clouds.hpp"

namespace tortoise::core::clouds {

using namespace std::chrono_literals;

namespace {
constexpr std::uint32_t kib = 1'024;
}

PeerLimits aws() {
    PeerLimits limits;
    limits.maximum_qos = QoS::at_least_once;
    limits.payload_size = 128 * kib;
    limits.topic_size = 256;
    limits.topic_levels = 8;
    limits.uncounted = "$aws/rules/";
    limits.client_id_size = 128;
    limits.subscriptions = 50;
    limits.filters_per_subscribe = 8;
    limits.least_keep_alive = 30s;
    limits.most_keep_alive = 1'200s;
    limits.publishes = {.per_second = 100};
    limits.octets = {.per_second = 512 * kib};
    limits.connects = {.per_second = 1};
    return limits;
}

PeerLimits azure_event_grid() {
    PeerLimits limits;
    limits.maximum_qos = QoS::at_least_once;
    limits.shared_subscriptions = false;
    limits.request_user_properties = false;
    limits.packet_size = 512 * kib;
    limits.user_properties_size = 32 * kib;
    limits.topic_size = 256;
    limits.topic_levels = 15;
    limits.subscriptions = 50;
    limits.filters_per_subscribe = 10;
    limits.most_keep_alive = 1'160s;
    limits.publishes = {.per_second = 1'000};
    limits.octets = {.per_second = 1'024 * kib};
    limits.subscribes = {.per_second = 5};
    limits.connects = {.per_second = 1};
    return limits;
}

PeerLimits azure_iot_hub() {
    PeerLimits limits;
    limits.maximum_qos = QoS::at_least_once;
    limits.shared_subscriptions = false;
    limits.payload_size = 256 * kib;
    limits.client_id_size = 128;
    limits.subscriptions = 5;
    limits.most_keep_alive = 1'177s;
    return limits;
}

PeerLimits emqx() {
    PeerLimits limits;
    limits.packet_size = 1'024 * kib;
    limits.topic_levels = 128;
    return limits;
}

PeerLimits emqx_serverless() {
    PeerLimits limits;
    limits.packet_size = 1'024 * kib;
    limits.topic_levels = 10;
    limits.client_id_size = 1'024;
    limits.subscriptions = 10;
    limits.publishes = {.per_second = 10};
    return limits;
}

PeerLimits portable() {
    PeerLimits limits;
    limits.maximum_qos = QoS::at_least_once;
    limits.shared_subscriptions = false;
    limits.request_user_properties = false;
    limits.payload_size = 64 * kib;
    limits.user_properties_size = 32 * kib;
    limits.topic_size = 256;
    limits.topic_levels = 8;
    limits.client_id_size = 128;
    limits.subscriptions = 10;
    limits.filters_per_subscribe = 8;
    limits.least_keep_alive = 30s;
    limits.most_keep_alive = 1'160s;
    limits.publishes = {.per_second = 10};
    limits.octets = {.per_second = 512 * kib};
    limits.subscribes = {.per_second = 5};
    limits.connects = {.per_second = 1};
    return limits;
}

} // namespace tortoise::core::clouds
