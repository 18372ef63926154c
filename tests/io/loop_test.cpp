// Threads, tasks, timers.
#include "io/loop.hpp"
#include "io/with_loop.hpp"

namespace tortoise::io::test {
namespace {

using namespace std::chrono_literals;

TEST(Loop, runsTasksInTheirOrderOnItsThread) {
    const auto loops = Loops::make(1);
    auto& loop = loops->next();
    EXPECT_FALSE(Loop::on_any_thread());
    std::vector<int> order;
    for (int i = 0; i < 100; ++i) {
        loop.post([&, i] {
            EXPECT_TRUE(Loop::on_any_thread());
            EXPECT_TRUE(loop.on_this_thread());
            order.push_back(i);
        });
    }
    on(loop, [] {});
    ASSERT_EQ(order.size(), 100u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Loop, isGivenOutInTurn) {
    const auto loops = Loops::make(2);
    EXPECT_EQ(loops->size(), 2u);
    auto& first = loops->next();
    auto& second = loops->next();
    EXPECT_NE(&first, &second);
    EXPECT_EQ(&loops->next(), &first);
    EXPECT_EQ(Loops::make(0)->size(), 1u);
}

TEST(Loop, canBeLetGoOnItsOwnThread) {
    Later<int> gone;
    auto loops = Loops::make(2);
    auto& loop = loops->next();
    loop.post([loops = std::move(loops), &gone]() mutable {
        loops = {}; // the last owner
        gone.set(1);
    });
    EXPECT_TRUE(gone.wait());
}

TEST(Timer, firesOnceAtTheTimeItWasLastSetTo) {
    const auto loops = Loops::make(1);
    auto& loop = loops->next();
    Later<Time> fired;
    std::unique_ptr<Timer> timer;
    const auto start = Loop::now();
    on(loop, [&] {
        timer = std::make_unique<Timer>(loop, [&] { fired.set(Loop::now()); });
        timer->arm(start + 1h);
        timer->arm(start + 2ms); // sooner
        timer->arm(start + 4ms); // later again
    });
    ASSERT_TRUE(fired.wait());
    EXPECT_GE(*fired, start + 4ms);
    on(loop, [&] { timer.reset(); });
}

TEST(Timer, doesNotFireWhenItIsDisarmedOrGone) {
    const auto loops = Loops::make(1);
    auto& loop = loops->next();
    bool fired = false;
    Later<int> over;
    std::unique_ptr<Timer> disarmed, gone, last;
    on(loop, [&] {
        disarmed = std::make_unique<Timer>(loop, [&] { fired = true; });
        gone = std::make_unique<Timer>(loop, [&] { fired = true; });
        last = std::make_unique<Timer>(loop, [&] { over.set(1); });
        const auto now = Loop::now();
        disarmed->arm(now + 1ms);
        gone->arm(now + 1ms);
        last->arm(now + 2ms);
        disarmed->disarm();
        gone.reset();
    });
    ASSERT_TRUE(over.wait());
    on(loop, [&] {
        EXPECT_FALSE(fired);
        disarmed.reset();
        last.reset();
    });
}

TEST(Timer, canBeSetAgainFromWithin) {
    const auto loops = Loops::make(1);
    auto& loop = loops->next();
    Later<int> third;
    int count = 0;
    std::unique_ptr<Timer> timer;
    on(loop, [&] {
        timer = std::make_unique<Timer>(loop, [&] {
            if (++count == 3)
                third.set(count);
            else
                timer->arm(Loop::now());
        });
        timer->arm(Loop::now());
    });
    ASSERT_TRUE(third.wait());
    on(loop, [&] { timer.reset(); });
}

} // namespace
} // namespace tortoise::io::test
