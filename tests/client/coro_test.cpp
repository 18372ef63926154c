// Coroutines: awaiting, tasks, and the end of those that wait.
#include "support/options.hpp"
#include <stdexcept>
#include <thread>
#include <tortoise/coro.hpp>
#include <tortoise/stream.hpp>

namespace tortoise::test {
namespace {

/// Says when it goes.
struct Local {
    explicit Local(std::atomic<int>& c) : count(&c) { ++c; }
    Local(const Local&) = delete;
    Local& operator=(const Local&) = delete;
    ~Local() { --*count; }
    std::atomic<int>* count;
};

Task<int> sum_of(Pending<int> a, Pending<int> b) {
    const auto first = co_await a;
    const auto second = co_await b;
    co_return first.value() + second.value();
}

TEST(Coroutine, goesOnWhereTheAnswerIsGiven) {
    Promise<int> a, b;
    const auto sum = spawn(sum_of(a.pending(), b.pending()));
    EXPECT_FALSE(sum.done());
    a.answer(1);
    EXPECT_FALSE(sum.done());
    b.answer(2);
    EXPECT_EQ(*sum.wait(), 3);
}

TEST(Coroutine, doesNotWaitForWhatIsThere) { EXPECT_EQ(*spawn(sum_of(Pending<int>(1), Pending<int>(2))).wait(), 3); }

TEST(Coroutine, beginsWhenItIsAwaited) {
    int begun = 0;
    const auto task = [](int& count) -> Task<> {
        ++count;
        co_return;
    };
    { const auto never = task(begun); }
    EXPECT_EQ(begun, 0);
    EXPECT_TRUE(spawn(task(begun)).done());
    EXPECT_EQ(begun, 1);
    auto one = task(begun);
    auto other = std::move(one);
    one = std::move(other);
    EXPECT_TRUE(spawn(std::move(one)).done());
}

Task<Result<std::string>> words(int depth, Pending<int> pending) {
    if (depth > 0) co_return co_await words(depth - 1, pending);
    const auto answer = co_await pending;
    if (!answer) co_return answer.error();
    co_return std::to_string(*answer);
}

TEST(Coroutine, givesAResultAsThePendingDoes) {
    Promise<int> good, bad;
    const Pending<std::string> five = spawn(words(100, good.pending()));
    const auto none = spawn(words(2, bad.pending()));
    good.answer(5);
    bad.answer(make_error(Errc::expired, "late"));
    EXPECT_EQ(*five.wait(), "5");
    EXPECT_EQ(none.wait().error().text, "late");
}

Task<int> throws(Pending<int> pending) {
    co_await pending;
    throw std::runtime_error("no");
}

TEST(Coroutine, throwsToTheOneThatAwaitsIt) {
    Promise<int> promise;
    const auto caught = spawn([](Pending<int> p) -> Task<std::string> {
        try {
            co_await throws(p);
        } catch (const std::runtime_error& e) {
            co_return e.what();
        }
        co_return "nothing";
    }(promise.pending()));
    const auto escaped = spawn(throws(promise.pending()));
    promise.answer(1);
    EXPECT_EQ(*caught.wait(), "no");
    EXPECT_EQ(escaped.wait().error().code, Errc::handler_threw);
    EXPECT_EQ(escaped.wait().error().text, "no");
    const auto odd = spawn([]() -> Task<> {
        throw 1;
        co_return;
    }());
    EXPECT_EQ(odd.wait().error().code, Errc::handler_threw);
}

Task<> waits(std::atomic<int>& locals, Pending<int> pending) {
    const Local outer(locals);
    co_await [](std::atomic<int>& count, Pending<int> p) -> Task<> {
        const Local inner(count);
        co_await p;
        co_await p; // answered by now
    }(locals, pending);
}

TEST(Coroutine, isCancelledWhereItStandsAndNothingIsLeftOfIt) {
    std::atomic<int> locals{0};
    Promise<int> promise;
    const auto task = spawn(waits(locals, promise.pending()));
    EXPECT_EQ(locals, 2);
    int told = 0;
    task.on_done([&](const Result<Done>& r) {
        EXPECT_EQ(r.error().code, Errc::cancelled);
        EXPECT_EQ(locals, 0);
        ++told;
    });
    task.cancel();
    EXPECT_EQ(told, 1);
    promise.answer(1); // nobody is there any more
    task.cancel();
    EXPECT_EQ(told, 1);
}

TEST(Coroutine, thatCancelsItselfEndsAtItsNextAwaitThoughTheAnswerIsThere) {
    Promise<int> promise;
    std::optional<Pending<int>> self;
    bool beyond = false;
    self = spawn([](Pending<int> p, std::optional<Pending<int>>& me, bool& b) -> Task<int> {
        co_await p;
        me->cancel();
        co_await Pending<int>(1);
        b = true;
        co_return 1;
    }(promise.pending(), self, beyond));
    promise.answer(1);
    EXPECT_EQ(self->wait().error().code, Errc::cancelled);
    EXPECT_FALSE(beyond);
}

// Both wait for the same: the first to go on ends the second one, which is next in line.
TEST(Coroutine, canEndAnotherThatIsAboutToGoOn) {
    std::atomic<int> locals{0};
    Promise<int> promise;
    std::optional<Pending<Done>> second;
    const auto first = spawn([](Pending<int> p, std::optional<Pending<Done>>& other) -> Task<> {
        co_await p;
        other->cancel();
    }(promise.pending(), second));
    second = spawn(waits(locals, promise.pending()));
    promise.answer(1);
    EXPECT_TRUE(first.wait());
    EXPECT_EQ(second->wait().error().code, Errc::cancelled);
    EXPECT_EQ(locals, 0);
}

TEST(Coroutine, leavesNothingBehindInAPendingThatIsNeverAnswered) {
    std::atomic<int> locals{0};
    const auto state = detail::Ref<detail::PendingResult<int>>::adopt(new detail::PendingResult<int>);
    for (int i = 0; i < 100; ++i) spawn(waits(locals, Pending<int>(state))).cancel();
    EXPECT_EQ(locals, 0);
    state->answer(1);
}

// The race: one thread answers, another one cancels. Run under ThreadSanitizer.
TEST(Coroutine, isAnsweredOrCancelledNeverBoth) {
    constexpr int rounds = 500;
    std::atomic<int> locals{0}, answered{0}, cancelled{0}, ready{0};
    for (int i = 0; i < rounds; ++i) {
        Promise<int> promise;
        const auto task = spawn(waits(locals, promise.pending()));
        task.on_done([&](const Result<Done>& r) { ++(r ? answered : cancelled); });
        ready = 0;
        const auto together = [&] {
            ++ready;
            while (ready < 2) std::this_thread::yield();
        };
        std::thread other([&] {
            together();
            promise.answer(1);
        });
        together();
        task.cancel();
        other.join();
        EXPECT_TRUE(task.wait(patience).has_value() || task.done());
    }
    EXPECT_EQ(answered + cancelled, rounds);
    EXPECT_EQ(locals, 0);
}

/// A coroutine type of somebody else's, which its owner destroys.
struct Theirs {
    struct promise_type {
        Theirs get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> coroutine;
};

TEST(Coroutine, ofAnotherKindMayAwaitThemAndBeDestroyedWhileItWaits) {
    std::atomic<int> locals{0};
    int sum = 0;
    Promise<int> promise;
    const auto body = [](std::atomic<int>& count, Pending<int> p, int& s) -> Theirs {
        const Local local(count);
        s += *co_await p;
        co_await waits(count, p);
        s += co_await sum_of(p, p);
    };
    const auto destroyed = body(locals, promise.pending(), sum);
    const auto finished = body(locals, promise.pending(), sum);
    EXPECT_EQ(locals, 2);
    destroyed.coroutine.destroy();
    EXPECT_EQ(locals, 1);
    promise.answer(1);
    EXPECT_TRUE(finished.coroutine.done());
    finished.coroutine.destroy();
    EXPECT_EQ(sum, 3);
    EXPECT_EQ(locals, 0);
}

TEST(Coroutine, ofAThirdKindCanBeAwaited) {
    std::coroutine_handle<> kept;
    struct Keep {
        std::coroutine_handle<>& kept;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { kept = h; }
        int await_resume() const noexcept { return 7; }
    };
    const auto seven = spawn([](std::coroutine_handle<>& h) -> Task<int> { co_return co_await Keep{h}; }(kept));
    EXPECT_FALSE(seven.done());
    kept.resume();
    EXPECT_EQ(*seven.wait(), 7);
}

class Coroutines : public BothVersions {};

Task<Result<int>> talk(Connection home, Promise<Message> arrived, std::atomic<bool>& on_loop) {
    if (const auto up = co_await home.ready(); !up) co_return up.error();
    const auto subscribed =
        home.subscribe({"rooms/+/temp", QoS::at_least_once},
                       [arrived](Connection&, const MessageView& m) { arrived.answer(Message(m)); });
    const auto grant = co_await subscribed; // see docs/styles.md: not in one expression with g++ 12
    if (!grant) co_return grant.error();
    const Delivery delivery = home.publish("rooms/hall/temp", "21", {.qos = QoS::exactly_once});
    const auto receipt = co_await delivery;
    on_loop = Runtime::on_loop_thread();
    if (!receipt) co_return receipt.error();
    const auto message = co_await arrived.pending();
    if (!message) co_return message.error();
    // Everything may be called here; the connection is not waited for.
    const auto stopped = co_await home.stop(5s);
    co_return stopped ? Result<int>(std::stoi(message->payload)) : stopped.error();
}

TEST_P(Coroutines, talkToABroker) {
    testing::Broker broker;
    Recorder recorder;
    std::atomic<bool> on_loop{false};
    const auto degrees = spawn(talk(Connection{options(recorder, broker.url())}, {}, on_loop)).wait(patience);
    ASSERT_TRUE(degrees) << degrees.error().describe();
    EXPECT_EQ(*degrees, 21);
    EXPECT_TRUE(on_loop);
}

TEST_P(Coroutines, goOnWhenTheConnectionEnds) {
    testing::Broker broker;
    broker.stop();
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    const auto task = spawn([](Connection home) -> Task<Result<Receipt>> {
        const auto delivery = home.publish("a", "", {.qos = QoS::at_least_once});
        co_return co_await delivery;
    }(c));
    c.stop();
    EXPECT_EQ(task.wait(patience).error().code, Errc::stopped);
}

Task<Result<int>> add_up(Stream stream, Connection home) {
    if (const auto granted = co_await stream.granted(); !granted) co_return granted.error();
    for (int i = 1; i <= 100; ++i) home.publish("numbers", std::to_string(i), {.qos = QoS::at_least_once});
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
        const auto message = co_await stream.next();
        if (!message) co_return message.error();
        sum += std::stoi(message->payload);
    }
    home.stop();
    const auto end = co_await stream.next();
    co_return end ? Result<int>(Errc::timeout) : Result<int>(sum);
}

TEST_P(Coroutines, pullAStream) {
    testing::Broker broker;
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    const auto sum = spawn(add_up(Stream(c, {{"numbers", QoS::at_least_once}}, {.messages = 10}), c)).wait(patience);
    ASSERT_TRUE(sum) << sum.error().describe();
    EXPECT_EQ(*sum, 5050);
}

TORTOISE_BOTH_VERSIONS(Coroutines);

} // namespace
} // namespace tortoise::test
