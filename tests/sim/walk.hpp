#pragma once
/// A random walk: a world made from a seed, users that do anything at any time, and everything that can break.

#include "sim/decision.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tortoise::sim {

struct WalkOptions {
    std::uint64_t seed = 1;
    std::uint64_t steps = 2'000; ///< before everything is left to come to rest
    enum class Log : std::uint8_t { off, keep_last, print } log = Log::off;
    std::optional<std::vector<Decision>> only = {}; ///< no others are carried out
    /// A defect on purpose: what a client's program says may be changed, octet by octet.
    std::function<void(std::string& output)> meddle = {};
};

struct WalkResult {
    std::string failure; ///< empty: every promise was kept
    std::deque<std::string> last;
    std::vector<Decision> decisions; ///< those that were carried out
    std::uint64_t digest = 0;
    std::uint64_t posts = 0, arrivals = 0, lives = 0, broker_starts = 0, connects = 0;
    double seconds = 0; ///< of virtual time

    /// The numbers, for a sum.
    WalkResult& operator+=(const WalkResult&) noexcept;
};

WalkResult walk(const WalkOptions&);

} // namespace tortoise::sim
