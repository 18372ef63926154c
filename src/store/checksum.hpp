#pragma once
/// CRC-32C: tells a value that was written from one that a disk has changed.

#include <cstdint>
#include <string_view>

namespace tortoise::store {

/// Of these octets; of several runs of octets when the checksum of the former is passed on.
std::uint32_t checksum(std::string_view octets, std::uint32_t former = 0) noexcept;
/// Of the number's eight octets.
std::uint32_t checksum(std::uint64_t number, std::uint32_t former = 0) noexcept;

} // namespace tortoise::store
