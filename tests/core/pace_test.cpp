#include "core/pace.hpp"

#include <gtest/gtest.h>

using namespace tortoise;
using namespace tortoise::core;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1h};

/// How many go within the time if everybody goes as soon as possible.
int gone_within(Pace pace, Duration time) {
    int count = 0;
    for (Time now = start; now < start + time; ++count) {
        now = pace.ready(now);
        if (now >= start + time) break;
        pace.take(now);
    }
    return count;
}

TEST(Pace, WithoutARateEverythingGoesAtOnce) {
    Pace pace;
    pace.take(start, 1'000'000'000);
    EXPECT_EQ(pace.ready(start), start);
    EXPECT_EQ(Pace(Rate{.burst = 5}).ready(start), start);
}

TEST(Pace, ABurstGoesAtOnceThenOneEachPartOfASecond) {
    Pace pace(Rate{.per_second = 10, .burst = 3});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pace.try_take(start));
    EXPECT_FALSE(pace.try_take(start));
    EXPECT_EQ(pace.ready(start), start + 100ms);
    EXPECT_FALSE(pace.try_take(start + 100ms - 1ns));
    EXPECT_TRUE(pace.try_take(start + 100ms));
    EXPECT_EQ(pace.ready(start + 100ms), start + 200ms);
}

TEST(Pace, FillsUpAgainToItsBurstAndNoFurther) {
    Pace pace(Rate{.per_second = 10, .burst = 3});
    for (int i = 0; i < 3; ++i) pace.take(start);
    EXPECT_FALSE(pace.full(start + 299ms));
    EXPECT_TRUE(pace.full(start + 300ms));
    const Time later = start + 24h;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pace.try_take(later));
    EXPECT_FALSE(pace.try_take(later));
}

TEST(Pace, ABurstIsAsLargeAsTheRateUnlessItIsNamed) {
    Pace pace(Rate{.per_second = 7});
    for (int i = 0; i < 7; ++i) EXPECT_TRUE(pace.try_take(start));
    EXPECT_FALSE(pace.try_take(start));
}

TEST(Pace, RateAndBurstTogetherBoundEachSecond) {
    for (const Rate rate : {Rate{.per_second = 90, .burst = 10}, Rate{.per_second = 3, .burst = 1}, Rate{1, 1}}) {
        EXPECT_LE(gone_within(Pace(rate), 1s), static_cast<int>(rate.per_second + rate.burst));
        EXPECT_GE(gone_within(Pace(rate), 10s), static_cast<int>(10 * rate.per_second));
    }
}

TEST(Pace, WhatIsMoreThanItHoldsGoesWhenItIsFullAndIsPaidForAfterwards) {
    Pace pace(Rate{.per_second = 100, .burst = 50});
    EXPECT_TRUE(pace.try_take(start, 200));
    EXPECT_EQ(pace.ready(start, 200), start + 2s);
    EXPECT_EQ(pace.ready(start, 1), start + 1510ms); // 50 of the 200 had been there
    EXPECT_TRUE(pace.try_take(start + 2s, 200));
}

TEST(Pace, TheLargestPacketAtTheSlowestRateDoesNotOverflow) {
    Pace pace(Rate{.per_second = 1});
    pace.take(start, 268'435'460);
    EXPECT_GT(pace.ready(start), start + 24h * 365);
}

} // namespace
