#pragma once
/// Time in the core. The clock has no now(): the core cannot ask what time it is, it is told.

#include <tortoise/detail/chrono.hpp>

namespace tortoise::core {

struct Clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Clock, duration>;
    static constexpr bool is_steady = true;
};
using Time = Clock::time_point;

/// The time of day, told too: for what outlives the process.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

} // namespace tortoise::core
