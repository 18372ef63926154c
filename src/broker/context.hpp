#pragma once
/// What every part of the broker shares: the options, the rules, the counters, and whom the caller has to look at.

#include "broker/engine.hpp"
#include "broker/rules.hpp"
#include <functional>

namespace tortoise::broker {

struct Context {
    testing::BrokerOptions options;
    const Rules& rules;
    std::uint64_t publishes_received = 0;
    std::uint64_t publishes_sent = 0;
    std::vector<ClientId> touched = {};
    std::function<void(Octets payload)> passed_on = {}; // null: nobody wants to know
};

/// now + duration, but never beyond the end of time.
inline Time after(Time now, std::chrono::nanoseconds duration) noexcept {
    return duration > Time::max() - now ? Time::max() : now + duration;
}

} // namespace tortoise::broker
