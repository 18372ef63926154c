#pragma once
/// A small generator of random numbers for jitter: the same seed, the same numbers, on every machine.

#include <cstdint>
#include <tortoise/types.hpp>

namespace tortoise::core {

/// SplitMix64.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// Uniform between nothing and `span`.
    Duration up_to(Duration span) noexcept {
        if (span <= Duration::zero()) return {};
        return Duration(static_cast<Duration::rep>(next() % (static_cast<std::uint64_t>(span.count()) + 1)));
    }

private:
    std::uint64_t state_;
};

} // namespace tortoise::core
