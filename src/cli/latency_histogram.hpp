#pragma once
// How long things took: any number of them in fixed memory, with quantiles that are at most 1 % too high.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace cli {

/// Counts durations in buckets: below 128 ns one for each nanosecond, above that 128 for each doubling.
class LatencyHistogram {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    /// Negative ones count as zero.
    void add(Nanoseconds took) noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
        ++counts_[bucket_of(value)];
        ++count_;
        greatest_ = std::max(greatest_, value);
    }
    std::uint64_t count() const noexcept { return count_; }
    Nanoseconds max() const noexcept { return Nanoseconds(greatest_); }

    /// That part (0 … 1) of the durations is no longer than this. Zero if there are none.
    Nanoseconds quantile(double part) const noexcept {
        const double wanted = std::max(part * static_cast<double>(count_), 1.0);
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < counts_.size() && count_ > 0; ++i) {
            so_far += counts_[i];
            if (static_cast<double>(so_far) >= wanted) return Nanoseconds(std::min(greatest_of(i), greatest_));
        }
        return max();
    }

private:
    static constexpr unsigned bits = 7;
    static constexpr std::size_t per_doubling = std::size_t{1} << bits;

    static std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < per_doubling) return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
        return shift * per_doubling + static_cast<std::size_t>(value >> shift);
    }
    static std::uint64_t greatest_of(std::size_t bucket) noexcept {
        if (bucket < 2 * per_doubling) return bucket;
        const auto shift = bucket / per_doubling - 1;
        const std::uint64_t leading = bucket - shift * per_doubling;
        return ((leading + 1) << shift) - 1;
    }

    // Durations have 63 bits.
    std::array<std::uint64_t, (63 - bits + 1)* per_doubling> counts_ = {};
    std::uint64_t count_ = 0, greatest_ = 0;
};

} // namespace cli
