#pragma once
/// Not faster than allowed: a token bucket that holds one point in time, and no clock.

#include <algorithm>
#include <cstdint>
#include <tortoise/core/time.hpp>
#include <tortoise/options.hpp>

namespace tortoise::core {

/// It is full at first. What costs more than it holds may go when it is full, and is paid for afterwards.
class Pace {
public:
    Pace() = default;
    explicit Pace(Rate rate) noexcept {
        if (rate.per_second == 0) return;
        each_ = nanoseconds_per_second / rate.per_second + (nanoseconds_per_second % rate.per_second != 0);
        span_ = Duration(each_ * std::max<std::int64_t>(rate.burst == 0 ? rate.per_second : rate.burst, 1));
    }

    /// Is there a limit at all?
    bool limits() const noexcept { return each_ != 0; }
    /// When so much may go: `now`, or later.
    Time ready(Time now, std::uint64_t cost = 1) const noexcept {
        if (each_ == 0 || full_at_ <= now) return now;
        return std::max(now, std::min(full_at_, full_at_ + price(cost) - span_));
    }
    void take(Time now, std::uint64_t cost = 1) noexcept {
        if (each_ != 0) full_at_ = std::max(full_at_, now) + price(cost);
    }
    /// Takes it if it may go now.
    bool try_take(Time now, std::uint64_t cost = 1) noexcept {
        if (ready(now, cost) > now) return false;
        take(now, cost);
        return true;
    }
    /// Is it as if nothing ever went?
    bool full(Time now) const noexcept { return full_at_ <= now; }

private:
    static constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

    // Nothing costs more than the largest packet: no overflow.
    Duration price(std::uint64_t cost) const noexcept { return Duration(each_ * static_cast<std::int64_t>(cost)); }

    std::int64_t each_ = 0; // nanoseconds; 0: no limit
    Duration span_ = {};    // that the whole bucket is worth
    Time full_at_ = {};     // Time::min would overflow; time begins with the epoch of whoever counts it
};

} // namespace tortoise::core
