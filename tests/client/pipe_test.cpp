// Pipes: many publishes, awaited together.
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include <future>

namespace tortoise::test {
namespace {

class Pipes : public BothVersions {
protected:
    testing::Broker broker;
    Recorder recorder;
    std::promise<void> broker_stops;
};

TEST_P(Pipes, publishAtEachQoSAndReport) {
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"t", QoS::exactly_once}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return !s.filters.empty(); }));
    Pipe pipe(c);
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once})
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(pipe.publish("t", std::to_string(i), {.qos = qos}));
    const auto report = pipe.await(patience);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->delivered, 300u);
    EXPECT_EQ(report->failed, 0u);
    EXPECT_EQ(pipe.await(patience)->delivered, 0u) << "since the last report";
    ASSERT_TRUE(recorder.wait_for_messages(300));
    const auto messages = recorder.seen().messages;
    for (int i = 0; i < 300; ++i) ASSERT_EQ(messages[i].payload, std::to_string(i % 100));
}

TEST_P(Pipes, fromManyThreadsShareAConnection) {
    Connection c{options(recorder, broker.url())};
    std::vector<std::thread> threads;
    std::atomic<std::uint64_t> delivered{0};
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            Pipe pipe(c, {.window = static_cast<std::size_t>(t + 1)});
            for (int i = 0; i < 500; ++i) EXPECT_TRUE(pipe.publish("t", "x", {.qos = QoS(i % 3)}, patience));
            delivered += pipe.await(patience)->delivered;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(delivered, 4000u);
    ASSERT_TRUE(c.stop().wait(patience));
    EXPECT_EQ(c.statistics().delivered, 4000u);
    EXPECT_EQ(c.statistics().published, 4000u);
}

TEST_P(Pipes, withAFullWindowWaitOrSayWhy) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    Pipe pipe(c, {.window = 2});
    std::atomic<bool> told{false};
    const auto inside = c.subscribe("t", [&](Connection&, const MessageView&) {
        // While this runs, nothing is answered.
        EXPECT_TRUE(pipe.try_publish("x", "", {.qos = QoS::at_least_once}));
        EXPECT_TRUE(pipe.publish("x", "", {.qos = QoS::at_least_once}));
        EXPECT_EQ(pipe.try_publish("x").error().code, Errc::queue_full);
        EXPECT_EQ(pipe.publish("x").error().code, Errc::would_deadlock);
        EXPECT_EQ(pipe.await().error().code, Errc::would_deadlock);
        std::thread([&] { EXPECT_EQ(pipe.publish("x", "", {}, 1ms).error().code, Errc::timeout); }).join();
        std::thread([&] { EXPECT_EQ(pipe.await(1ms).error().code, Errc::timeout); }).join();
        told = true;
    });
    ASSERT_TRUE(inside.wait(patience));
    ASSERT_TRUE(c.publish("t", "", {.qos = QoS::exactly_once}).wait(patience));
    while (!told) std::this_thread::yield();
    EXPECT_EQ(pipe.await(patience)->delivered, 2u);
    EXPECT_EQ(pipe.publish("#").error().code, Errc::invalid_topic);
    EXPECT_EQ(pipe.await(patience)->failed, 0u) << "it was not accepted";
}

TEST_P(Pipes, anAwaitKeepsItsTimeOutWhileSomeOfItIsSettled) {
    // It acknowledges the first message only.
    Listening server;
    std::thread peer([&] {
        const int s = ::accept(server.socket(), nullptr, nullptr);
        std::string got;
        char buffer[1024];
        const auto read = [&] {
            const auto n = ::recv(s, buffer, sizeof(buffer), 0);
            got.append(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
            return n > 0;
        };
        const auto say = [&](std::string what) {
            static_cast<void>(::send(s, what.data(), what.size(), MSG_NOSIGNAL));
        };
        read();
        got.clear();
        say(version() == Version::v5 ? std::string("\x20\x03\x00\x00\x00", 5) : std::string("\x20\x02\x00\x00", 4));
        while (got.find("second") == std::string::npos && read()) continue;
        const auto at = got.find("first") - (version() == Version::v5 ? 3 : 2);
        say(std::string("\x40\x02") + got.substr(at, 2));
        while (read()) continue;
        ::close(s);
    });
    {
        Connection c{options(recorder, server.url())};
        Pipe pipe(c);
        EXPECT_TRUE(pipe.publish("t", "first", {.qos = QoS::at_least_once}, patience));
        EXPECT_TRUE(pipe.publish("t", "second", {.qos = QoS::at_least_once}, patience));
        while (c.statistics().delivered == 0) EXPECT_EQ(pipe.await(1ms).error().code, Errc::timeout);
        EXPECT_EQ(pipe.await(1ms).error().code, Errc::timeout);
        ASSERT_TRUE(c.stop().wait(patience));
        const auto report = pipe.await(patience);
        EXPECT_EQ(report->delivered, 1u);
        EXPECT_EQ(report->failed, 1u);
    }
    peer.join();
}

TEST_P(Pipes, activeOnesWaitForTheConnection) {
    const auto port_keeper = broker.url();
    broker.stop();
    Connection c{options(recorder, port_keeper)};
    Pipe pipe(c);
    EXPECT_EQ(pipe.try_publish("t").error().code, Errc::connection_lost);
    EXPECT_EQ(pipe.publish("t", "", {}, 5ms).error().code, Errc::timeout);
    std::thread starts([&] { EXPECT_TRUE(broker.start()); });
    EXPECT_TRUE(pipe.publish("t", "", {.qos = QoS::at_least_once}, patience));
    EXPECT_EQ(pipe.await(patience)->delivered, 1u);
    starts.join();
}

TEST_P(Pipes, passiveOnesAreRefusedWhileItIsDown) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    Pipe pipe(c, {.active = false});
    ASSERT_TRUE(pipe.publish("t", "", {.qos = QoS::at_least_once}));
    ASSERT_TRUE(pipe.await(patience));
    broker.stop();
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(pipe.publish("t").error().code, Errc::connection_lost);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(c.wait_until_up(patience));
    EXPECT_TRUE(pipe.publish("t")) << "it renews itself";
}

TEST_P(Pipes, aPassiveOneThatWaitsForRoomIsToldOfTheLoss) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    Pipe pipe(c, {.window = 1, .active = false});
    std::thread waits;
    const auto inside = c.subscribe("t", [&](Connection&, const MessageView&) {
        EXPECT_TRUE(pipe.publish("x", "", {.qos = QoS::at_least_once}));
        waits = std::thread([&] { EXPECT_EQ(pipe.publish("x").error().code, Errc::connection_lost); });
        broker_stops.get_future().wait(); // so that what stands in the window is not sent before
    });
    ASSERT_TRUE(inside.wait(patience));
    c.publish("t", "", {.qos = QoS::at_least_once});
    while (broker.statistics().publishes_sent == 0) std::this_thread::yield();
    broker.stop();
    broker_stops.set_value();
    ASSERT_TRUE(recorder.wait_for(Status::down));
    waits.join();
}

TEST_P(Pipes, crashOrDropAtAFailure) {
    Connection c{options(recorder, broker.url())};
    Pipe drops(c), crashes(c, {.failure = PipeFailure::crash});
    for (auto* pipe : {&drops, &crashes}) {
        ASSERT_TRUE(pipe->publish("t", "", {.qos = QoS::at_least_once}));
        ASSERT_TRUE(pipe->publish("t", "", {.qos = QoS::at_least_once, .ttl = 0s}));
    }
    const auto report = drops.await(patience);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->delivered, 1u);
    EXPECT_EQ(report->failed, 1u);
    EXPECT_EQ(report->first_error.code, Errc::expired);
    EXPECT_TRUE(drops.publish("t"));
    EXPECT_EQ(crashes.await(patience).error().code, Errc::expired);
    EXPECT_EQ(crashes.publish("t").error().code, Errc::expired);
    EXPECT_EQ(crashes.try_publish("t").error().code, Errc::expired);
}

TEST_P(Pipes, endWithTheirConnectionAndTurnToItsNextLife) {
    auto o = options(recorder, broker.url());
    o.client_id = "phoenix";
    std::optional<Connection> c(o);
    Pipe pipe(*c);
    ASSERT_TRUE(pipe.publish("t", "", {.qos = QoS::at_least_once}, patience));
    ASSERT_TRUE(pipe.await(patience));
    c.reset();
    EXPECT_EQ(pipe.publish("t").error().code, Errc::stopped);
    c.emplace(o);
    EXPECT_TRUE(pipe.publish("t", "", {.qos = QoS::at_least_once}, patience));
    EXPECT_EQ(pipe.await(patience)->delivered, 1u);
}

TEST_P(Pipes, thatGoLeaveTheirMessagesOnTheirWay) {
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"t"}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return !s.filters.empty(); }));
    {
        Pipe pipe(c);
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(pipe.publish("t", "", {.qos = QoS::at_least_once}));
    }
    EXPECT_TRUE(recorder.wait_for_messages(100));
}

TEST_P(Pipes, waitWhenMoreIsAskedForThanTheConnectionTakesUp) {
    // 64 KiB each, and a queue of 1 MiB: far less than the window.
    auto o = options(recorder, broker.url());
    o.queue.bytes = 1 << 20;
    Connection c{std::move(o)};
    Pipe pipe(c, {.window = 100'000});
    const std::string payload(64 * 1024, 'x');
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(pipe.publish("t", payload, {}, patience));
    const auto report = pipe.await(patience);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->delivered + report->failed, 200u);
}

TORTOISE_BOTH_VERSIONS(Pipes);

} // namespace
} // namespace tortoise::test
