// The one asynchronous primitive.
#include "support/options.hpp"
#include <stdexcept>
#include <thread>

namespace tortoise::test {
namespace {

using State = detail::PendingResult<int>;

detail::Ref<State> fresh() { return detail::Ref<State>::adopt(new State); }

TEST(Pending, holdsTheFirstAnswer) {
    auto state = fresh();
    Pending<int> pending(state);
    EXPECT_FALSE(pending.done());
    EXPECT_EQ(pending.peek(), nullptr);
    state->answer(1);
    state->answer(2);
    EXPECT_TRUE(pending.done());
    EXPECT_EQ(**pending.peek(), 1);
    EXPECT_EQ(*pending.wait(0s), 1);
    EXPECT_EQ(*Pending<int>(Result<int>(3)).wait(), 3);
}

TEST(Pending, whoseTimeIsOverGoesOn) {
    auto state = fresh();
    Pending<int> pending(state);
    EXPECT_EQ(pending.wait(1ms).error().code, Errc::timeout);
    EXPECT_EQ(pending.wait(-1s).error().code, Errc::timeout);
    EXPECT_FALSE(pending.done());
    state->answer(1);
    EXPECT_EQ(*pending.wait(1ms), 1);
}

TEST(Pending, wakesEveryThreadThatWaits) {
    auto state = fresh();
    Pending<int> pending(state);
    std::vector<std::thread> threads;
    std::atomic<int> sum{0}, late{0};
    for (int i = 0; i < 8; ++i) {
        // Some give up at about the moment of the answer.
        threads.emplace_back([&, i] {
            const auto r = pending.wait(i % 2 ? Duration(patience) : Duration(i * 100us));
            if (r)
                sum += *r;
            else
                ++late;
        });
    }
    std::this_thread::yield();
    state->answer(1);
    for (auto& t : threads) t.join();
    EXPECT_EQ(sum + late, 8);
    EXPECT_GE(sum, 4);
}

TEST(Pending, callsBackOnceAtTheAnswerOrNowIfItIsThere) {
    auto state = fresh();
    Pending<int> pending(state);
    std::vector<int> calls;
    pending.on_done([&](const Result<int>& r) { calls.push_back(*r); });
    pending.on_done([&](const Result<int>& r) { calls.push_back(*r + 1); });
    EXPECT_TRUE(calls.empty());
    state->answer(1);
    pending.on_done([&](const Result<int>& r) { calls.push_back(*r + 2); });
    EXPECT_EQ(calls, (std::vector<int>{1, 2, 3}));
}

TEST(Pending, callsEveryContinuationThoughOneThrows) {
    auto state = fresh();
    Pending<int> pending(state);
    int calls = 0;
    pending.on_done([&](const Result<int>&) { throw std::runtime_error("first"); });
    pending.on_done([&](const Result<int>&) { ++calls; });
    EXPECT_THROW(state->answer(1), std::runtime_error);
    EXPECT_EQ(calls, 1);
}

TEST(Pending, thatIsNeverAnsweredLetsItsContinuationsGo) {
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = token;
    auto state = fresh();
    state->on_done([token = std::move(token)] {});
    EXPECT_FALSE(watch.expired());
    state = {};
    EXPECT_TRUE(watch.expired());
}

TEST(Pending, isCancelledAtMostOnceAndNotWhenDone) {
    int cancelled = 0;
    auto state = fresh();
    state->set_canceller([&] { ++cancelled; });
    Pending<int> pending(state);
    pending.cancel();
    pending.cancel();
    EXPECT_EQ(cancelled, 1);
    auto done = fresh();
    done->set_canceller([&] { ++cancelled; });
    done->answer(1);
    Pending<int>(done).cancel();
    EXPECT_EQ(cancelled, 1);
}

TEST(Pending, doesNotLetALoopThreadWait) {
    testing::Broker broker;
    std::atomic<int> seen{0};
    Recorder recorder({.connection = [&](Connection& c, const StatusInfo& info) {
        if (info.status != Status::up) return Actions{};
        EXPECT_TRUE(Runtime::on_loop_thread());
        const auto delivery = c.publish("a", "", {.qos = QoS::at_least_once});
        EXPECT_EQ(delivery.wait(patience).error().code, Errc::would_deadlock);
        EXPECT_TRUE(c.publish("a").wait(patience)); // it is done, so there is nothing to wait for
        EXPECT_TRUE(c.wait_until_up(patience));
        ++seen;
        return Actions{};
    }});
    EXPECT_FALSE(Runtime::on_loop_thread());
    Connection c{options_for(broker.url(), Version::v5, recorder)};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_EQ(seen, 1);
}

} // namespace
} // namespace tortoise::test
