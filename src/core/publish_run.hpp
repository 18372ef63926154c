#pragma once
/// PUBLISH packets of QoS 0 end to end, as they go over the wire: made where the user publishes, so that the loop moves
/// many of them at once. None has properties, and each was checked.

#include <cstddef>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

/// Has it no properties, no time to live and no priority?
bool is_plain(const PublishRequest&) noexcept;
/// Can it be part of a run?
bool fits_a_run(const PublishRequest&) noexcept;
/// How long its packet is.
std::size_t run_size(Version, const PublishRequest&) noexcept;
/// Writes its packet to where there is that much room.
void write_to_run(Version, const PublishRequest&, char* to) noexcept;
/// Takes the first packet off a run that was written so, and is not empty.
PublishRequest take_from_run(Version, Octets& run) noexcept;

} // namespace tortoise::core
