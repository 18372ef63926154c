// The random walk: engines and broker, any order of events, every promise checked. See walk.hpp.
#include "sim/shrink.hpp"

#include <cstdio>
#include <gtest/gtest.h>

namespace tortoise::sim {
namespace {

// A failing seed is walked again, with its last events kept.
std::string report(std::uint64_t seed, std::uint64_t steps) {
    const auto again = walk({.seed = seed, .steps = steps, .log = WalkOptions::Log::keep_last});
    std::string text = "seed " + std::to_string(seed) + " failed:\n" + again.failure + "\nwhat happened before:\n";
    for (const auto& line : again.last) text += "  " + line + "\n";
    text += "a test that fails so:\n" + as_test(shrink({.seed = seed, .steps = steps}));
    return text + "replay it with: scripts/sim --seed " + std::to_string(seed) + " --steps " + std::to_string(steps) +
           " -v";
}

void walk_seeds(std::uint64_t first, std::uint64_t count, std::uint64_t steps) {
    WalkResult total;
    int failures = 0;
    for (std::uint64_t seed = first; seed < first + count && failures < 3; ++seed) {
        const auto result = walk({.seed = seed, .steps = steps});
        total += result;
        if (result.failure.empty()) continue;
        ++failures;
        ADD_FAILURE() << report(seed, steps);
    }
    std::printf("%llu seeds of %llu steps: %.1f virtual hours, %llu messages published, %llu received, %llu programs "
                "restarted, %llu broker starts\n",
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(steps), total.seconds / 3600,
                static_cast<unsigned long long>(total.posts), static_cast<unsigned long long>(total.arrivals),
                static_cast<unsigned long long>(total.lives), static_cast<unsigned long long>(total.broker_starts));
}

class RandomWalk : public ::testing::TestWithParam<std::uint64_t> {};

constexpr std::uint64_t shards = 10, seeds_per_shard = 300;

// What the tap judges in both directions: [MQTT-3.1.3-2] [MQTT-3.3.1-1] [MQTT-3.3.1-2] [MQTT3-2.3.1-2] [MQTT3-2.3.1-3]
// [MQTT3-2.3.1-4] [MQTT5-2.2.1-3] [MQTT5-2.2.1-4] [MQTT-4.6.0-1] [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]
// [MQTT-4.9.0-2] [MQTT-3.3.2-8] [MQTT-3.3.2-9] [MQTT-3.3.2-11] [MQTT5-3.14.4-1]; and in one: [MQTT-3.1.0-1]
// [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT3-3.1.2-23] [MQTT5-3.1.2-20] [MQTT5-3.1.2-21] [MQTT3-3.14.4-2] [MQTT-3.2.2-15]
// [MQTT3-3.8.4-5] [MQTT5-3.8.4-6]
TEST_P(RandomWalk, KeepsEveryPromise) { walk_seeds(1 + GetParam() * seeds_per_shard, seeds_per_shard, 2'000); }

INSTANTIATE_TEST_SUITE_P(Seeds, RandomWalk, ::testing::Range(std::uint64_t{0}, shards));

TEST(Walk, KeepsEveryPromiseForALongTime) { walk_seeds(1, 10, 20'000); }

TEST(Walk, IsTheSameForTheSameSeedAndAnotherForAnother) {
    const auto first = walk({.seed = 42, .steps = 3'000});
    const auto second = walk({.seed = 42, .steps = 3'000});
    const auto other = walk({.seed = 43, .steps = 3'000});
    EXPECT_EQ(first.digest, second.digest);
    EXPECT_NE(first.digest, other.digest);
    EXPECT_GT(first.posts, 0u);
}

} // namespace
} // namespace tortoise::sim
