// Callables of every kind, moved or shared.
#include <array>
#include <gtest/gtest.h>
#include <memory>
#include <tortoise/fn.hpp>

namespace tortoise {
namespace {

int twice(int x) { return 2 * x; }

TEST(Fn, holdsFunctionsPointersAndWhateverCanBeMoved) {
    EXPECT_EQ(Fn<int(int)>(twice)(4), 8);
    EXPECT_EQ(Fn<int(int)>(&twice)(4), 8);
    auto seven = std::make_unique<int>(7);
    Fn<int(int)> moved_in([seven = std::move(seven)](int x) { return x + *seven; });
    Fn<int(int)> moved_on(std::move(moved_in));
    EXPECT_EQ(moved_on(1), 8);
    EXPECT_FALSE(moved_in); // NOLINT(bugprone-use-after-move)
    const std::array<int, 100> large{1, 2, 3};
    moved_on = Fn<int(int)>([large](int x) { return large[static_cast<std::size_t>(x)]; });
    EXPECT_EQ(moved_on(2), 3);
    EXPECT_FALSE(Fn<int(int)>(nullptr));
}

TEST(Fn, isLetGoOnce) {
    const auto watched = std::make_shared<int>(0);
    {
        Fn<void()> one([watched] {}), two(std::move(one));
        one = std::move(two);
        EXPECT_EQ(watched.use_count(), 2);
    }
    EXPECT_EQ(watched.use_count(), 1);
}

TEST(SharedFn, holdsTheSameAndItsCopiesShareIt) {
    EXPECT_EQ(SharedFn<int(int)>(twice)(4), 8);
    SharedFn<int()> count([n = 0]() mutable { return ++n; });
    const auto copy = count;
    EXPECT_EQ(count(), 1);
    EXPECT_EQ(copy(), 2);
    EXPECT_FALSE(SharedFn<int()>());
}

} // namespace
} // namespace tortoise
