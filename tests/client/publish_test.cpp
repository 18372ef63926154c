// Publishing and subscribing, at every quality of service, in both versions.
#include "support/options.hpp"
#include <atomic>

namespace tortoise::test {
namespace {

class Publishing : public BothVersions {
protected:
    testing::Broker broker;
};

constexpr QoS every_qos[] = {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once};

TEST_P(Publishing, deliversAtEveryQos) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.wait_until_up(patience));
    auto grant = c.subscribe({"rooms/+/temp", QoS::exactly_once}).wait(patience);
    ASSERT_TRUE(grant) << grant.error().describe();
    EXPECT_EQ(grant->granted, QoS::exactly_once);
    for (const auto qos : every_qos) {
        auto receipt = c.publish("rooms/hall/temp", "21.5", {.qos = qos}).wait(patience);
        ASSERT_TRUE(receipt) << receipt.error().describe();
        EXPECT_EQ(receipt->qos, qos);
        EXPECT_EQ(receipt->attempts, 1u);
    }
    ASSERT_TRUE(recorder.wait_for_messages(3));
    const auto seen = recorder.seen();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(seen.messages[i].topic, "rooms/hall/temp");
        EXPECT_EQ(seen.messages[i].payload, "21.5");
        EXPECT_EQ(seen.messages[i].qos, every_qos[i]);
    }
}

TEST_P(Publishing, ofQos0IsDoneWhenItIsTaken) {
    Recorder recorder;
    Connection c{options(recorder, "mqtt://127.0.0.1:1")};
    EXPECT_TRUE(c.publish("a", "1").done());
    EXPECT_FALSE(c.publish("a", "1", {.qos = QoS::at_least_once}).done());
}

TEST_P(Publishing, keepsTheOrderOfOneThread) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.subscribe({"count", QoS::exactly_once}).wait(patience));
    constexpr int count = 3'000;
    for (int i = 0; i < count; ++i) c.publish("count", std::to_string(i), {.qos = every_qos[1 + i % 2]});
    ASSERT_TRUE(recorder.wait_for_messages(count));
    const auto seen = recorder.seen();
    for (int i = 0; i < count; ++i) ASSERT_EQ(seen.messages[i].payload, std::to_string(i));
}

TEST_P(Publishing, carriesPayloadsOfAnySizeAndAnyOctets) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.subscribe({"blob", QoS::at_least_once}).wait(patience));
    std::string large(10 * 1024 * 1024, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 + i / 251);
    for (const auto& payload : {std::string(), std::string(1, '\0'), large}) {
        auto receipt = c.publish("blob", payload, {.qos = QoS::at_least_once}).wait(patience);
        ASSERT_TRUE(receipt) << receipt.error().describe();
    }
    ASSERT_TRUE(recorder.wait_for_messages(3));
    const auto seen = recorder.seen();
    EXPECT_EQ(seen.messages[0].payload, "");
    EXPECT_EQ(seen.messages[1].payload, std::string(1, '\0'));
    EXPECT_TRUE(seen.messages[2].payload == large);
}

TEST_P(Publishing, keepsRetainedMessagesForLaterSubscribers) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.publish("state", "on", {.qos = QoS::at_least_once, .retain = true}).wait(patience));
    ASSERT_TRUE(c.subscribe({"state", QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_TRUE(recorder.seen().messages[0].retain);
}

TEST_P(Publishing, acceptsMessagesBeforeItIsConnected) {
    Recorder recorder;
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"early", QoS::exactly_once}};
    Connection c{std::move(o)};
    auto delivery = c.publish("early", "bird", {.qos = QoS::exactly_once});
    auto receipt = delivery.wait(patience);
    ASSERT_TRUE(receipt) << receipt.error().describe();
    ASSERT_TRUE(recorder.wait_for_messages(1));
}

TEST_P(Publishing, atAnyQosWaitsForNobodyAndIsNotLostWhileOffline) {
    Recorder recorder;
    broker.stop();
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"t", QoS::exactly_once}};
    Connection c{std::move(o)};
    for (const auto qos : every_qos) c.publish("t", "before the first connect", {.qos = qos});
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(recorder.wait_for_messages(3));
    broker.stop();
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.statuses.back().status != Status::up; }));
    for (const auto qos : every_qos) c.publish("t", "while it is away", {.qos = qos});
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(recorder.wait_for_messages(6));
}

TEST_P(Publishing, tellsTheReceiverEveryFieldOfTheMessage) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    PublishOptions o{.qos = QoS::exactly_once, .retain = true};
    if (version() == Version::v5) o.properties.set(property::content_type, "text/plain");
    ASSERT_TRUE(c.publish("t", "", o).wait(patience)) << "an empty payload removes what is retained";
    ASSERT_TRUE(c.publish("t", "x", o).wait(patience));
    std::atomic<unsigned> id{0};
    const auto look = [&](Connection&, const MessageView& m) { id = m.packet_id; };
    ASSERT_TRUE(c.subscribe({"t", QoS::exactly_once}, look).wait(patience));
    while (id == 0) std::this_thread::yield();
    ASSERT_TRUE(c.subscribe({"t", QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    const auto m = recorder.seen().messages[0];
    EXPECT_TRUE(m.retain);
    EXPECT_FALSE(m.duplicate);
    EXPECT_EQ(m.qos, QoS::exactly_once);
    EXPECT_EQ(m.payload, "x");
    if (version() == Version::v5) {
        EXPECT_EQ(m.properties.view().get(property::content_type), "text/plain");
    }
}

TEST_P(Publishing, afterTheSubscribeOfTheSameThreadIsReceived) {
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.wait_until_up(patience));
    c.subscribe("self");
    c.publish("self", "hello");
    EXPECT_TRUE(recorder.wait_for_messages(1));
}

TEST_P(Publishing, withdrawsAMessageWhoseTimeToLiveIsOver) {
    Recorder recorder;
    Connection c{options(recorder, "mqtt://127.0.0.1:1")};
    auto receipt = c.publish("late", "x", {.qos = QoS::at_least_once, .ttl = 1ms}).wait(patience);
    ASSERT_FALSE(receipt);
    EXPECT_EQ(receipt.error().code, Errc::expired);
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.undelivered.size() == 1; }));
    EXPECT_EQ(recorder.seen().undelivered[0].first.payload, "x");
}

TEST_P(Publishing, canBeCancelledWhileItIsQueued) {
    Recorder recorder;
    Connection c{options(recorder, "mqtt://127.0.0.1:1")};
    auto delivery = c.publish("never", "x", {.qos = QoS::at_least_once});
    delivery.cancel();
    auto receipt = delivery.wait(patience);
    ASSERT_FALSE(receipt);
    EXPECT_EQ(receipt.error().code, Errc::cancelled);
    delivery.cancel(); // has no effect any more
    EXPECT_TRUE(recorder.wait([](const Seen& s) { return s.undelivered.size() == 1; }));
}

struct OfflineCounts {
    std::atomic<int> undelivered_qos_0{0}, undelivered_qos_1{0}; // told to the handler
    std::atomic<int> refused_qos_1{0}, stopped_qos_1{0};         // told by the delivery
    int refused_qos_0 = 0;
};

TEST_P(Publishing, offlineKeepsTheQueueAtItsBoundAndAnswersEachMessage) {
    struct Counting : Handler {
        explicit Counting(OfflineCounts* c) : counts(c) {}
        void undelivered(Connection&, const MessageView& m, const Error&) override {
            ++(m.qos == QoS::at_most_once ? counts->undelivered_qos_0 : counts->undelivered_qos_1);
        }
        OfflineCounts* counts;
    };
    OfflineCounts counts;
    constexpr int total = 1'000'000, bound = 1'000;
    auto o = options(Recorder(), "mqtt://127.0.0.1:1");
    o.handler = make_handler<Counting>(&counts);
    o.queue = {.messages = bound, .bytes = 100'000};
    Connection c{std::move(o)};
    for (int i = 0; i < total / 2; ++i) {
        const auto delivery = c.publish("offline", "x");
        ASSERT_TRUE(delivery.done());
        if (!*delivery.peek()) ++counts.refused_qos_0;
        c.publish("offline", "x", {.qos = QoS::at_least_once}).on_done([&](const Result<Receipt>& r) {
            ASSERT_FALSE(r);
            ++(r.error().code == Errc::queue_full ? counts.refused_qos_1 : counts.stopped_qos_1);
        });
    }
    ASSERT_TRUE(c.stop().wait(patience));
    EXPECT_EQ(counts.refused_qos_0 + counts.undelivered_qos_0, total / 2);
    EXPECT_EQ(counts.refused_qos_1 + counts.stopped_qos_1, total / 2);
    EXPECT_LE(counts.stopped_qos_1, bound); // what was in the queue at the end
}

TORTOISE_BOTH_VERSIONS(Publishing);

} // namespace
} // namespace tortoise::test
