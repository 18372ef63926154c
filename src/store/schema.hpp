#pragma once
/// The tables of a store's file, and how a file of an older version becomes one of this.

#include "store/database.hpp"
#include <span>

namespace tortoise::store {

/// In the header of the file, at octet 68, big-endian: says that the file is ours.
inline constexpr std::uint32_t application_id = 0x54525453;

/// steps[n] turns a file of version n into one of version n + 1. What was released never changes.
using Steps = std::span<const char* const>;
Steps schema_steps() noexcept;

/// Inside a transaction: fills an empty file, or brings an older one to this version. A newer one is
/// Errc::store_failed; tables that no version has made are Errc::store_damaged.
Result<Done> bring_up(Database&, Steps);

} // namespace tortoise::store
