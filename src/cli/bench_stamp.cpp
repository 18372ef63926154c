#include "bench_stamp.hpp"
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

namespace cli {

StampClock::StampClock() {
    // Of a machine without this file all starts look the same; then it is as if it had never been started anew.
    std::string start;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), start);
    const std::uint64_t hash = std::hash<std::string>{}(start);
    std::memcpy(mark_, "tortoise", 8);
    std::memcpy(mark_ + 8, &hash, 8);
}

void StampClock::write(std::span<char> payload, Clock::time_point at) const noexcept {
    if (payload.size() < size) return;
    const std::int64_t ticks = at.time_since_epoch().count();
    std::memcpy(payload.data(), mark_, sizeof mark_);
    std::memcpy(payload.data() + sizeof mark_, &ticks, sizeof ticks);
}

std::optional<StampClock::Clock::time_point> StampClock::read(tortoise::Octets payload) const noexcept {
    if (payload.size() < size || std::memcmp(payload.data(), mark_, sizeof mark_) != 0) return std::nullopt;
    std::int64_t ticks = 0;
    std::memcpy(&ticks, payload.data() + sizeof mark_, sizeof ticks);
    if (ticks < 0) return std::nullopt;
    return Clock::time_point(Clock::duration(ticks));
}

} // namespace cli
