// When a loop stays awake for a moment.
#include "io/busy_poll.hpp"
#include <gtest/gtest.h>

namespace tortoise::io {
namespace {

/// How often it was not worth while until it was again.
unsigned pause_of(BusyPoll& poll) {
    unsigned pause = 0;
    while (!poll.worth_while()) ++pause;
    return pause;
}

TEST(BusyPoll, IsWorthWhileAsLongAsSomethingComes) {
    BusyPoll poll;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(pause_of(poll), 0u);
        poll.ended(true);
    }
}

TEST(BusyPoll, IsTriedLessAndLessWhileNothingComes) {
    BusyPoll poll;
    for (const unsigned expected : {1u, 3u, 7u, 15u, 31u, 63u, 127u, 255u, 511u, 511u}) {
        poll.ended(false);
        EXPECT_EQ(pause_of(poll), expected);
    }
    poll.ended(true);
    EXPECT_EQ(pause_of(poll), 0u) << "once it pays again, it is done every time";
    poll.ended(false);
    EXPECT_EQ(pause_of(poll), 1u);
}

using namespace std::chrono_literals;

double microseconds(const BusyPoll& poll) { return std::chrono::duration<double, std::micro>(poll.length()).count(); }

TEST(BusyPoll, GoesOnForTwiceWhatWakingTakes) {
    BusyPoll poll;
    EXPECT_EQ(poll.length(), 20us) << "until something is known";
    poll.waking_took(30us);
    EXPECT_GT(poll.length(), 20us);
    EXPECT_LT(poll.length(), 30us) << "one measurement is not all";
    for (int i = 0; i < 100; ++i) poll.waking_took(30us);
    EXPECT_NEAR(microseconds(poll), 60, 0.1);
    for (int i = 0; i < 100; ++i) poll.waking_took(15us);
    EXPECT_NEAR(microseconds(poll), 30, 0.1) << "what is true now counts";
}

TEST(BusyPoll, GoesOnForNoLongerThanItMay) {
    BusyPoll poll;
    for (int i = 0; i < 100; ++i) poll.waking_took(std::chrono::nanoseconds::max());
    EXPECT_NEAR(microseconds(poll), 100, 0.1);
    EXPECT_LE(poll.length(), BusyPoll::longest);
    for (int i = 0; i < 100; ++i) poll.waking_took(0ns);
    EXPECT_NEAR(microseconds(poll), 20, 0.1);
    EXPECT_GE(poll.length(), BusyPoll::shortest);
}

} // namespace
} // namespace tortoise::io
