// Completion tokens, and connections on an io_context of the user's.
#include "support/options.hpp"
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <memory_resource>
#include <thread>
#include <tortoise/asio.hpp>
#include <tortoise/supervisor.hpp>

namespace tortoise::test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace asio::experimental::awaitable_operators;

// ---- Tokens --------------------------------------------------------------------------------------------------------

TEST(Token, aCallbackGetsErrorAndValueNeverInsideTheCall) {
    asio::io_context io;
    Promise<int> promise;
    std::vector<std::string> calls;
    const auto note = [&](const char* name) {
        return asio::bind_executor(io, [&, name](error_code error, int value) {
            EXPECT_TRUE(io.get_executor().running_in_this_thread());
            calls.push_back(std::string(name) + (error ? error.message() : std::to_string(value)));
        });
    };
    async(Pending<int>(1), note("done "));
    async(promise.pending(), note("open "));
    async(Pending<int>(Errc::expired), note("failed "));
    EXPECT_TRUE(calls.empty());
    std::thread([promise = std::move(promise)] { promise.answer(2); }).join();
    EXPECT_TRUE(calls.empty());
    io.run(); // which was kept at work
    EXPECT_EQ(calls,
              (std::vector<std::string>{"done 1", "failed " + make_error_code(Errc::expired).message(), "open 2"}));
}

TEST(Token, aCallbackWithoutAnExecutorIsCalledWhereTheAnswerIsGiven) {
    Promise<Done> promise;
    std::thread::id where;
    async(promise.pending(), [&](error_code error) {
        EXPECT_FALSE(error);
        where = std::this_thread::get_id();
    });
    promise.answer(Done{});
    EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(Token, useFutureGivesOrThrows) {
    Promise<int> promise;
    auto value = async(promise.pending(), asio::use_future);
    auto error = async(Pending<int>(Reason::not_authorized), asio::use_future);
    promise.answer(1);
    EXPECT_EQ(value.get(), 1);
    try {
        error.get();
        FAIL();
    } catch (const boost::system::system_error& e) {
        EXPECT_EQ(e.code(), Reason::not_authorized);
    }
}

TEST(Token, awaitablesDeferredAndTuples) {
    asio::io_context io;
    Promise<int> promise;
    bool over = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            EXPECT_EQ(co_await async(Pending<int>(1), asio::use_awaitable), 1);
            EXPECT_EQ(co_await async(Pending<int>(2)), 2); // deferred is the default
            co_await async(Pending<Done>(Done{}), asio::use_awaitable);
            const auto [code, value] = co_await async(promise.pending(), asio::as_tuple(asio::use_awaitable));
            EXPECT_EQ(code, Errc::timeout);
            EXPECT_NE(code, Errc::cancelled);
            EXPECT_EQ(value, 0);
            EXPECT_TRUE(io.get_executor().running_in_this_thread());
            try {
                co_await async(promise.pending(), asio::use_awaitable);
            } catch (const boost::system::system_error& e) {
                over = e.code() == Errc::timeout;
            }
        },
        asio::detached);
    async(Pending<int>(1), asio::detached);
    std::thread other([&] { promise.answer(Errc::timeout); });
    io.run();
    other.join();
    EXPECT_TRUE(over);
}

TEST(Token, theHandlersAllocatorIsUsed) {
    struct Counting : std::pmr::memory_resource {
        int live = 0, all = 0;
        void* do_allocate(std::size_t n, std::size_t a) override {
            ++live, ++all;
            return std::pmr::new_delete_resource()->allocate(n, a);
        }
        void do_deallocate(void* p, std::size_t n, std::size_t a) override {
            --live;
            std::pmr::new_delete_resource()->deallocate(p, n, a);
        }
        bool do_is_equal(const memory_resource& o) const noexcept override { return this == &o; }
    } memory;
    asio::io_context io;
    Promise<int> promise;
    int seen = 0;
    async(promise.pending(), asio::bind_allocator(std::pmr::polymorphic_allocator<char>(&memory),
                                                  asio::bind_executor(io, [&](error_code, int value) {
                                                      seen = value;
                                                      EXPECT_EQ(memory.live, 0); // the handler may use it again
                                                  })));
    EXPECT_EQ(memory.live, 1);
    promise.answer(3);
    io.run();
    EXPECT_EQ(seen, 3);
    EXPECT_GE(memory.all, 1);
    EXPECT_EQ(memory.live, 0);
}

// ---- Cancellation --------------------------------------------------------------------------------------------------

struct Completion {
    int times = 0;
    error_code error;
    auto handler(asio::io_context& io, asio::cancellation_signal& signal) {
        return asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(io, [this](error_code e, auto&&...) {
                                                ++times;
                                                error = e;
                                            }));
    }
};

TEST(Cancellation, ofOneThatCannotBeCancelledEndsTheWait) {
    asio::io_context io;
    asio::cancellation_signal signal;
    Promise<int> promise;
    const auto pending = promise.pending();
    Completion completion;
    async(pending, completion.handler(io, signal));
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(completion.times, 0); // not inside the call
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    EXPECT_EQ(completion.times, 1);
    EXPECT_EQ(completion.error, Errc::cancelled);
    EXPECT_EQ(pending.peek(), nullptr);
    promise.answer(1);
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(completion.times, 1);
}

TEST(Cancellation, afterTheAnswerDoesNothing) {
    asio::io_context io;
    asio::cancellation_signal signal;
    Promise<int> promise;
    Completion completion;
    async(promise.pending(), completion.handler(io, signal));
    promise.answer(1);
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    EXPECT_EQ(completion.times, 1);
    EXPECT_FALSE(completion.error);
}

TEST(Cancellation, mayBeAnsweredAtOnceInsideTheCall) {
    asio::io_context io;
    asio::cancellation_signal signal;
    const auto state = detail::Ref<detail::PendingResult<int>>::adopt(new detail::PendingResult<int>);
    state->set_canceller([s = state.get()] { s->answer(Errc::displaced); });
    Completion completion;
    async(Pending<int>(state), completion.handler(io, signal));
    signal.emit(asio::cancellation_type::total);
    EXPECT_EQ(completion.times, 0);
    io.run();
    EXPECT_EQ(completion.times, 1);
    EXPECT_EQ(completion.error, Errc::displaced);
}

class Asio : public BothVersions {};

TEST_P(Asio, cancelsThatPublishAndNothingElse) {
    testing::Broker broker;
    broker.stop();
    Recorder recorder;
    asio::io_context io;
    asio::cancellation_signal signal;
    Connection c{options(recorder, broker.url())};
    Completion first, second;
    asio::cancellation_signal unused;
    async(c.publish("a", "1", {.qos = QoS::at_least_once}), first.handler(io, signal));
    async(c.publish("a", "2", {.qos = QoS::at_least_once}), second.handler(io, unused));
    signal.emit(asio::cancellation_type::partial);
    while (first.times == 0) ASSERT_EQ(io.run_one_for(patience), 1u);
    EXPECT_EQ(first.error, Errc::cancelled);
    EXPECT_EQ(second.times, 0);
    ASSERT_TRUE(broker.start());
    io.run();
    EXPECT_EQ(second.times, 1);
    EXPECT_FALSE(second.error);
    EXPECT_EQ(broker.statistics().publishes_received, 1u);
}

TEST_P(Asio, overtakesAnOperationByATimer) {
    testing::Broker broker;
    broker.stop();
    Recorder recorder;
    asio::io_context io;
    Connection c{options(recorder, broker.url())};
    bool overtaken = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            asio::steady_timer timer(io, 1ms);
            const auto delivery = c.publish("a", "", {.qos = QoS::at_least_once});
            const auto first = co_await (async(delivery, asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
            overtaken = first.index() == 1;
            EXPECT_EQ(delivery.wait(0s).error().code, Errc::cancelled); // it is done, so there is nothing to wait for
        },
        asio::detached);
    io.run();
    EXPECT_TRUE(overtaken);
}

// ---- An io_context of the user's -----------------------------------------------------------------------------------

asio::awaitable<void> talk(asio::io_context& io, ConnectionOptions options, std::string& heard) {
    Connection home{std::move(options), runtime_on(io)};
    co_await async(home.ready());
    Promise<Message> arrived;
    co_await async(home.subscribe({"rooms/#", QoS::at_least_once}, [&](Connection&, const MessageView& m) {
        EXPECT_TRUE(io.get_executor().running_in_this_thread());
        arrived.answer(Message(m));
    }));
    const auto delivery = home.publish("rooms/hall", "21", {.qos = QoS::exactly_once});
    const auto receipt = co_await async(delivery);
    EXPECT_EQ(receipt.qos, QoS::exactly_once);
    heard = (co_await async(arrived.pending())).payload;
    // A handler of the io_context may not wait.
    EXPECT_TRUE(Runtime::on_loop_thread());
    EXPECT_EQ(home.ping().wait(patience).error().code, Errc::would_deadlock);
    co_await async(home.stop(5s));
}

TEST_P(Asio, runsAConnectionOnTheUsersIoContext) {
    testing::Broker broker;
    Recorder recorder;
    asio::io_context io;
    std::string heard;
    asio::co_spawn(io, talk(io, options(recorder, broker.url()), heard),
                   [](std::exception_ptr thrown) { EXPECT_FALSE(thrown); });
    io.run(); // ends when the connection has
    EXPECT_EQ(heard, "21");
    EXPECT_EQ(recorder.seen().terminated.size(), 1u);
    EXPECT_FALSE(Runtime::on_loop_thread());
}

TEST_P(Asio, keepsTheIoContextAtWorkUntilTheLastHandleIsGone) {
    testing::Broker broker;
    Recorder recorder;
    asio::io_context io;
    std::optional<Connection> c;
    Recorder other({.message = [&](Connection&, const MessageView&) {
        c.reset(); // the last handle, on the thread that runs it
        return Actions{};
    }});
    auto o = options(other, broker.url());
    o.subscriptions = {{"a", QoS::at_least_once}};
    c.emplace(std::move(o), runtime_on(io));
    c->publish("a", "", {.qos = QoS::at_least_once});
    io.run();
    EXPECT_FALSE(c);
    EXPECT_EQ(other.seen().terminated.size(), 1u);
}

TEST_P(Asio, letsAHandleGoElsewhereWithoutWaiting) {
    testing::Broker broker;
    Recorder recorder;
    asio::io_context io;
    {
        Connection c{options(recorder, broker.url()), runtime_on(io)};
        Supervisor supervisor({}, runtime_on(io));
        ASSERT_TRUE(supervisor.start({.name = "child", .connection = options(recorder, broker.url())}));
    } // nobody runs it yet
    io.run();
    EXPECT_EQ(recorder.seen().terminated.size(), 2u);
}

TEST_P(Asio, runsOneAtATimeHoweverManyThreadsThereAre) {
    testing::Broker broker;
    asio::io_context io;
    const auto runtime = runtime_on(io);
    EXPECT_EQ(runtime.threads(), 1u);
    constexpr int connections = 8, each = 200;
    std::atomic<int> inside{0}, most{0};
    int messages = 0; // without a lock
    Recorder recorder({.message = [&](Connection&, const MessageView&) {
        most = std::max<int>(most, ++inside);
        ++messages;
        std::this_thread::yield(); // the others may come in, if anything lets them
        --inside;
        return Actions{};
    }});
    std::vector<Connection> all;
    for (int i = 0; i < connections; ++i) {
        auto o = options(recorder, broker.url());
        o.subscriptions = {{"to/" + std::to_string(i), QoS::at_least_once}};
        all.emplace_back(std::move(o), runtime);
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { io.run(); });
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == connections; }));
    for (int n = 0; n < each; ++n)
        for (int i = 0; i < connections; ++i)
            all[i].publish("to/" + std::to_string(i), "", {.qos = QoS::at_least_once});
    EXPECT_TRUE(recorder.wait_for_messages(connections * each));
    all.clear();
    for (auto& t : threads) t.join();
    EXPECT_EQ(messages, connections * each);
    EXPECT_EQ(most, 1);
}

TEST_P(Asio, comesBackAfterALossOnTheUsersIoContext) {
    testing::Broker broker;
    Recorder recorder;
    asio::io_context io;
    Connection c{options(recorder, broker.url()), runtime_on(io)};
    std::thread thread([&] { io.run(); });
    ASSERT_TRUE(c.wait_until_up(patience)); // others run it
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_TRUE(c.publish("a", "", {.qos = QoS::exactly_once}).wait(patience));
    c.stop();
    thread.join();
}

// A lookup that hangs holds on to nothing of the io_context: this ends while one is under way.
TEST(AsioRuntime, mayGoWhileANameIsLookedUp) {
    asio::io_context io;
    Recorder recorder;
    {
        Connection c{options_for("mqtt://localhost:1", Version::v5, recorder), runtime_on(io)};
        io.poll();
        c.stop();
    }
    io.run();
    EXPECT_EQ(recorder.seen().terminated.size(), 1u);
}

TORTOISE_BOTH_VERSIONS(Asio);

} // namespace
} // namespace tortoise::test
