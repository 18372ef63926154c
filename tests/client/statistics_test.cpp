// Numbers about a connection.
#include "support/options.hpp"

namespace tortoise::test {
namespace {

TEST(HistogramOfDurations, saysInWhichBucketAPartEnds) {
    Histogram h;
    EXPECT_EQ(h.quantile(0.5), Duration(0));
    h.counts[0] = 1;                   // up to 1 µs
    h.counts[10] = 98;                 // up to 1.024 ms
    h.counts[Histogram::size - 1] = 1; // more than anything
    h.count = 100;
    EXPECT_EQ(h.quantile(0), Duration(1us));
    EXPECT_EQ(h.quantile(0.5), Duration(1024us));
    EXPECT_EQ(h.quantile(0.99), Duration(1024us));
    EXPECT_EQ(h.quantile(1), Duration::max());
}

class StatisticsOf : public BothVersions {
protected:
    testing::Broker broker{{.deny_publish = {"secret"}}};
    Recorder recorder;
};

TEST_P(StatisticsOf, countWhatHappened) {
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"t"}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return !s.filters.empty(); }));
    ASSERT_TRUE(c.publish("t", "hello", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(c.publish("t", "hello", {.qos = QoS::exactly_once}).wait(patience));
    c.publish("t", "hello");
    EXPECT_FALSE(c.publish("t/#").wait(patience));
    EXPECT_FALSE(c.publish("t", "", {.qos = QoS::at_least_once, .ttl = 0s}).wait(patience));
    const bool refused = !c.publish("secret", "", {.qos = QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(recorder.wait_for_messages(3));
    ASSERT_TRUE(c.ping().wait(patience));
    ASSERT_TRUE(c.stop().wait(patience)); // then nothing changes any more
    const auto s = c.statistics();
    EXPECT_EQ(s.published, 6u);
    EXPECT_EQ(s.delivered, refused ? 3u : 4u); // MQTT 3.1.1 has no words for a refusal
    EXPECT_EQ(s.undelivered, refused ? 3u : 2u);
    EXPECT_EQ(s.expired, 1u);
    EXPECT_EQ(s.refused, refused ? 1u : 0u);
    EXPECT_EQ(s.displaced, 0u);
    EXPECT_EQ(s.messages_received, 3u);
    EXPECT_EQ(s.connects, 1u);
    EXPECT_EQ(s.failures, 0u);
    EXPECT_EQ(s.drops, 0u);
    EXPECT_GE(s.packets_received, 3u + 2u + 3u); // messages, CONNACK and SUBACK, acknowledgements
    EXPECT_GT(s.bytes_sent, 15u);
    EXPECT_GT(s.bytes_received, 15u);
    EXPECT_EQ(s.delivery_time.count, refused ? 2u : 3u);
    EXPECT_EQ(s.round_trip_time.count, 1u);
    EXPECT_GT(s.round_trip_time.sum, Duration(0));
    EXPECT_GE(s.round_trip_time.quantile(1), s.round_trip_time.sum);
}

TEST_P(StatisticsOf, countDropsFailuresAndWhatStands) {
    auto o = options(recorder, broker.url());
    o.session.clean_start = false;
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    broker.stop();
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count(Status::down) >= 3; }));
    auto delivery = c.publish("t", "12345", {.qos = QoS::at_least_once});
    static_cast<void>(c.subscribe("t").done());
    while (c.statistics().queued_messages == 0) std::this_thread::yield();
    auto s = c.statistics();
    EXPECT_EQ(s.drops, 1u);
    EXPECT_GE(s.failures, 2u);
    EXPECT_EQ(s.queued_messages, 1u);
    EXPECT_EQ(s.queued_bytes, 6u);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(delivery.wait(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    s = c.statistics();
    EXPECT_EQ(s.queued_messages, 0u);
    EXPECT_EQ(s.in_flight, 0u);
    EXPECT_EQ(s.connects, 2u);
}

TEST_P(StatisticsOf, mayBeReadWhileEverythingRuns) {
    Connection c{options(recorder, broker.url())};
    std::atomic<bool> over{false};
    std::thread reader([&] {
        while (!over) {
            const auto s = c.statistics();
            EXPECT_LE(s.delivered + s.undelivered, s.published);
        }
    });
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(c.publish("t", "x", {.qos = QoS::at_least_once}).wait(patience));
    over = true;
    reader.join();
    EXPECT_EQ(c.statistics().published, 500u);
}

TORTOISE_BOTH_VERSIONS(StatisticsOf);

} // namespace
} // namespace tortoise::test
