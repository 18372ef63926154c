#pragma once
// The time in a payload: `bench pub` writes it, `bench sub` reads it.

#include <chrono>
#include <optional>
#include <span>
#include <tortoise/types.hpp>

namespace cli {

/// Writes and reads stamps. A stamp also tells on which machine, and since which start of it, its clock runs: one of
/// another clock is not read.
class StampClock {
public:
    using Clock = std::chrono::steady_clock;
    /// Octets at the beginning of a payload; a smaller one carries none.
    static constexpr std::size_t size = 24;

    StampClock();
    void write(std::span<char> payload, Clock::time_point) const noexcept;
    std::optional<Clock::time_point> read(tortoise::Octets payload) const noexcept;

private:
    char mark_[16]; // what the stamps of this clock begin with
};

} // namespace cli
