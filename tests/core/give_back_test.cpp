// Memory that is let go is gone.
#include "core/give_back.hpp"
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace tortoise::core {
namespace {

TEST(GiveBack, LeavesNoMemoryBehind) {
    std::string text(100'000, 'x');
    std::vector<int> numbers(100'000);
    give_back(text);
    give_back(numbers);
    EXPECT_EQ(text.capacity(), std::string().capacity());
    EXPECT_EQ(numbers.capacity(), 0u);
}

} // namespace
} // namespace tortoise::core
