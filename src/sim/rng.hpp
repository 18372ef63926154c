#pragma once
/// The simulator's randomness: one seed, the same numbers on every machine.

#include <cstddef>
#include <cstdint>
#include <tortoise/types.hpp>

namespace tortoise::sim {

class Rng {
public:
    explicit Rng(std::uint64_t seed) noexcept : state_(seed) {
        next();
        next();
    }

    std::uint64_t next() noexcept { // splitmix64
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// 0 … n - 1; 0 if n is 0.
    std::uint64_t below(std::uint64_t n) noexcept { return n == 0 ? 0 : next() % n; }
    bool chance(unsigned per_mille) noexcept { return below(1000) < per_mille; }
    Duration up_to(Duration longest) noexcept {
        return longest <= Duration::zero() ? Duration::zero()
                                           : Duration(below(static_cast<std::uint64_t>(longest.count()) + 1));
    }
    Duration between(Duration shortest, Duration longest) noexcept { return shortest + up_to(longest - shortest); }
    template <class T, std::size_t n> const T& pick(const T (&choices)[n]) noexcept { return choices[below(n)]; }

private:
    std::uint64_t state_;
};

} // namespace tortoise::sim
