// The end of a connection, in every state that it can be in.
#include "support/options.hpp"
#include "support/plain_server.hpp"

namespace tortoise::test {
namespace {

class Ending : public BothVersions {
protected:
    testing::Broker broker;
    Recorder recorder;
    void expect_one_life() const {
        const auto seen = recorder.seen();
        EXPECT_EQ(seen.count("init"), 1u);
        EXPECT_EQ(seen.count("terminate"), 1u);
        ASSERT_FALSE(seen.calls.empty());
        EXPECT_EQ(seen.calls.front(), "init");
        EXPECT_EQ(seen.calls.back(), "terminate");
        EXPECT_EQ(seen.terminated.back().code, Errc::stopped);
    }
};

TEST_P(Ending, theDestructorReturnsWhenNoCallbackRunsAnyMore) {
    std::string dead_after_the_connection = "alive";
    {
        recorder = Recorder({.terminate = [&](const Error&) { dead_after_the_connection = "touched"; }});
        Connection c{options(recorder, broker.url())};
        ASSERT_TRUE(c.ready().wait(patience));
    }
    EXPECT_EQ(dead_after_the_connection, "touched"); // under TSan: without a race
    expect_one_life();
}

TEST_P(Ending, isPossibleBeforeAnythingHappened) {
    for (int i = 0; i < 20; ++i) {
        recorder = Recorder();
        { Connection c{options(recorder, broker.url())}; }
        expect_one_life();
    }
}

TEST_P(Ending, isPossibleWhileItConnects) {
    BlackHole server;
    { Connection c{options(recorder, server.url())}; }
    expect_one_life();
}

TEST_P(Ending, isPossibleWhileTheBrokerSaysNothing) {
    Listening server;
    {
        Connection c{options(recorder, server.url())};
        auto queued = c.publish("a", "", {.qos = QoS::at_least_once});
        EXPECT_FALSE(c.ready().wait(1ms));
        ASSERT_TRUE(c.stop().wait(patience));
        EXPECT_EQ(queued.peek()->error().code, Errc::stopped);
    }
    expect_one_life();
}

TEST_P(Ending, isPossibleWhileTheHostIsLookedUp) {
    { Connection c{options(recorder, "mqtt://no-such-host.invalid")}; }
    expect_one_life();
}

TEST_P(Ending, isPossibleDuringTheBackoff) {
    auto o = options(recorder, "mqtt://127.0.0.1:1");
    o.backoff = {.min = 1h, .max = 1h};
    {
        Connection c{std::move(o)};
        ASSERT_TRUE(recorder.wait_for(Status::down));
    }
    expect_one_life();
}

TEST_P(Ending, isPossibleBeforeTheFirstConnect) {
    auto o = options(recorder, broker.url());
    o.first_connect_delay = 1h;
    { Connection c{std::move(o)}; }
    expect_one_life();
}

TEST_P(Ending, sendsWhatWasPublishedBefore) {
    Connection watcher{options(recorder, broker.url())};
    ASSERT_TRUE(watcher.subscribe({"last/words", QoS::exactly_once}).wait(patience));
    {
        Recorder other;
        Connection c{options(other, broker.url())};
        ASSERT_TRUE(c.ready().wait(patience));
        c.publish("last/words", "1");
        c.publish("last/words", "2", {.qos = QoS::at_least_once});
    }
    EXPECT_TRUE(recorder.wait_for_messages(2));
}

TEST_P(Ending, withTimeToDrainDeliversWhatIsQueued) {
    Connection c{options(recorder, broker.url())};
    std::vector<Delivery> deliveries;
    for (int i = 0; i < 500; ++i) deliveries.push_back(c.publish("t", "x", {.qos = QoS::exactly_once}));
    ASSERT_TRUE(c.stop(patience).wait(patience));
    for (const auto& d : deliveries) {
        ASSERT_TRUE(d.done());
        EXPECT_TRUE(*d.peek()) << d.peek()->error().describe();
    }
    expect_one_life();
}

TEST_P(Ending, endsTheDrainWhenItsTimeIsOver) {
    Connection c{options(recorder, "mqtt://127.0.0.1:1")};
    auto delivery = c.publish("t", "x", {.qos = QoS::exactly_once});
    ASSERT_TRUE(c.stop(5ms).wait(patience));
    EXPECT_EQ(delivery.peek()->error().code, Errc::stopped);
    expect_one_life();
}

TEST_P(Ending, doesNotWaitForAPeerThatDoesNotRead) {
    DeafServer server(connack(version()));
    {
        Connection c{options(recorder, server.url())};
        ASSERT_TRUE(c.ready().wait(patience));
        const std::string large(1 << 20, 'x');
        while (*c.publish("t", large).peek()) {
        }
    }
    expect_one_life();
}

TEST_P(Ending, isAnsweredEveryTimeItIsAskedFor) {
    Connection c{options(recorder, broker.url())};
    auto first = c.stop(), second = c.stop(1h);
    ASSERT_TRUE(first.wait(patience));
    ASSERT_TRUE(second.wait(patience));
    EXPECT_TRUE(c.stop().done());
    EXPECT_EQ(c.status(), Status::stopped);
    EXPECT_EQ(c.error().code, Errc::stopped);
    EXPECT_EQ(c.publish("a").peek()->error().code, Errc::stopped);
}

TEST_P(Ending, answersEveryOperationThatIsOpen) {
    Listening silent;
    Connection c{options(recorder, silent.url())};
    auto publish = c.publish("a", "", {.qos = QoS::at_least_once});
    auto subscribe = c.subscribe("a");
    auto many = c.subscribe(std::vector<TopicFilter>{{"b"}, {"c"}});
    auto unsubscribe = c.unsubscribe("d");
    auto ping = c.ping();
    auto ready = c.ready();
    ASSERT_TRUE(c.stop().wait(patience));
    ASSERT_TRUE(publish.done() && subscribe.done() && many.done() && unsubscribe.done() && ping.done() && ready.done());
    EXPECT_EQ(publish.peek()->error().code, Errc::stopped);
    EXPECT_EQ(subscribe.peek()->error().code, Errc::stopped);
    EXPECT_EQ((**many.peek())[1].error().code, Errc::stopped);
    EXPECT_FALSE(*ping.peek());
    EXPECT_EQ(ready.peek()->error().code, Errc::stopped);
}

TEST_P(Ending, comesWithTheLastOwningHandle) {
    auto first = std::make_unique<Connection>(options(recorder, broker.url()));
    auto second = std::make_unique<Connection>(*first);
    Connection third = std::move(*first);
    first.reset();
    second.reset();
    ASSERT_TRUE(third.ready().wait(patience));
    Connection fourth{options(Recorder(), broker.url())};
    third = std::move(fourth); // what it held before goes
    expect_one_life();
}

TEST_P(Ending, leavesARuntimeThatCanEndAfterItOrBefore) {
    {
        Runtime runtime(2);
        Connection c{options(recorder, broker.url()), runtime};
        runtime = Runtime(1);
        ASSERT_TRUE(c.ready().wait(patience));
    }
    expect_one_life();
}

TEST_P(Ending, onALoopThreadOfItsOwnRuntimeIsSafe) {
    // The handler of one connection owns another, on the same runtime, which nobody else holds.
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Connection> inner;
    Recorder outer({.connection = [&](Connection&, const StatusInfo& info) {
        std::lock_guard lock(mutex);
        if (info.status == Status::up) inner.reset();
        changed.notify_one();
        return Actions{};
    }});
    {
        Runtime runtime(1);
        std::unique_lock lock(mutex);
        inner.emplace(options(recorder, broker.url()), runtime);
        Connection c{options(outer, broker.url()), runtime};
        const bool gone = changed.wait_for(lock, patience, [&] { return !inner; });
        lock.unlock();
        ASSERT_TRUE(gone);
    }
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    expect_one_life();
}

TORTOISE_BOTH_VERSIONS(Ending);

} // namespace
} // namespace tortoise::test
