#include "core/keep_alive.hpp"
#include "core/lifecycle.hpp"
#include "core/timers.hpp"

#include <gtest/gtest.h>

using namespace tortoise;
using namespace tortoise::core;
using namespace std::chrono_literals;

TEST(Timers, NameTheSoonestAndWhy) {
    Timers timers;
    EXPECT_FALSE(timers.next());
    timers.set(Timer::drain, Time{} + 5s);
    timers.set(Timer::connect, Time{} + 3s);
    EXPECT_EQ(timers.next()->at, Time{} + 3s);
    EXPECT_EQ(timers.next()->why, Timer::connect);
    EXPECT_FALSE(timers.take_due(Timer::connect, Time{} + 2s));
    EXPECT_TRUE(timers.take_due(Timer::connect, Time{} + 3s));
    EXPECT_FALSE(timers.take_due(Timer::connect, Time{} + 9s)) << "a timer fires once";
    EXPECT_EQ(timers.next()->why, Timer::drain);
}

TEST(Lifecycle, TheSpanGrowsToItsMaximumAndStaysThere) {
    Duration longest[12] = {};
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        Lifecycle life({.min = 100ms, .max = 3s}, 1, seed);
        for (auto& most : longest) most = std::max(most, life.failed(Retry::retry));
    }
    Duration span = 100ms;
    for (const auto most : longest) {
        EXPECT_LE(most, span);
        EXPECT_GT(most, span * 9 / 10) << "the jitter is full: all of the span is used";
        span = std::min<Duration>(span * 2, 3s);
    }
}

TEST(Lifecycle, OnlyAStableConnectionStartsOver) {
    Lifecycle life({.min = 1ms, .max = 1h}, 1, 1);
    for (int i = 0; i < 40; ++i) life.failed(Retry::retry);
    EXPECT_EQ(life.attempt(), 40u);
    life.stable();
    EXPECT_EQ(life.attempt(), 0u);
    EXPECT_LE(life.failed(Retry::retry), 1ms);
}

TEST(Lifecycle, EndpointsAreTriedInTurnAndTheSpanGrowsOncePerRound) {
    Lifecycle life({.min = 100ms, .max = 1h}, 3, 1);
    for (const std::size_t endpoint : {0u, 1u, 2u, 0u}) {
        EXPECT_EQ(life.endpoint(), endpoint);
        EXPECT_LE(life.failed(Retry::retry), endpoint == 0 && life.attempt() > 1 ? 200ms : 100ms);
    }
}

TEST(Lifecycle, ASlowRetryTakesTheLongestSpanFromTheStart) {
    Duration longest = {};
    for (std::uint64_t seed = 0; seed < 1'000; ++seed)
        longest = std::max(longest, Lifecycle({.min = 1ms, .max = 30s}, 1, seed).failed(Retry::slow));
    EXPECT_GT(longest, 25s);
    EXPECT_LE(longest, 30s);
}

TEST(KeepAlive, PingsAnIntervalAfterTheLastTrafficInTheQuieterDirection) {
    KeepAlive alive(5s);
    alive.begin(Time{}, 10s);
    EXPECT_EQ(alive.ping_due(), Time{} + 10s);
    alive.sent(Time{} + 4s);
    EXPECT_EQ(alive.ping_due(), Time{} + 10s) << "nothing came";
    alive.received(Time{} + 6s);
    EXPECT_EQ(alive.ping_due(), Time{} + 14s);
    alive.pinged(Time{} + 14s, 0);
    alive.sent(Time{} + 14s);
    EXPECT_EQ(alive.ping_due(), Time{} + 24s)
        << "the broker measures our silence, whatever it owes us"; // [MQTT3-3.1.2-23] [MQTT5-3.1.2-20]
    EXPECT_EQ(alive.dead_at(), Time{} + 19s);
    alive.received(Time{} + 18s);
    EXPECT_EQ(alive.dead_at(), Time{} + 23s) << "whatever comes shows life";
    EXPECT_TRUE(alive.answered());
    EXPECT_EQ(alive.dead_at(), std::nullopt);
    EXPECT_FALSE(alive.answered()) << "a PINGRESP that nobody asked for";
}

TEST(KeepAlive, WhoTalksAndAnswersNoneOf64IsDead) {
    KeepAlive alive(5s);
    alive.begin(Time{}, 10s);
    Time now{};
    for (int i = 0; i < 64; ++i) {
        now += 10s;
        EXPECT_EQ(alive.ping_due(), now);
        alive.pinged(now, 0);
        alive.sent(now);
        alive.received(now + 9s);
        EXPECT_EQ(alive.dead_at(), now + (i < 63 ? 14s : 10s));
    }
    EXPECT_EQ(alive.ping_due(), std::nullopt);
    alive.answered();
    EXPECT_EQ(alive.dead_at(), now + 14s);
}

TEST(KeepAlive, ZeroMeansNever) {
    KeepAlive alive(5s);
    alive.begin(Time{}, 0s);
    EXPECT_EQ(alive.ping_due(), std::nullopt);
    alive.pinged(Time{} + 1s, 7);
    EXPECT_EQ(alive.dead_at(), Time{} + 6s) << "a ping that the user asked for is awaited all the same";
}
