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

} // namespace
} // namespace tortoise::io
