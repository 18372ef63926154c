#pragma once
/// What the clouds allow: one table for the profiles of clients and for the broker that stands in for the clouds.

#include <tortoise/options.hpp>

namespace tortoise::core::clouds {

PeerLimits aws();
PeerLimits azure_event_grid();
PeerLimits azure_iot_hub();
PeerLimits emqx();
PeerLimits emqx_serverless();
/// What all of them take.
PeerLimits portable();

inline constexpr std::uint16_t aws_in_flight = 100, azure_event_grid_in_flight = 1'000, emqx_in_flight = 32;

} // namespace tortoise::core::clouds
