// Streams: pulled, bounded, holding the broker back.
#include "support/script.hpp"
#include <thread>

namespace tortoise::test {
namespace {

using core::Connack;
using core::PacketType;
using core::Publish;
using core::Suback;
using testing::Gate;
using ::testing::HasSubstr;
using testing::Script;

class Streams : public BothVersions {
protected:
    Recorder recorder;

    static std::string text(const Result<Message>& got) { return got ? got->payload : got.error().describe(); }
    static bool publish(Connection& c, std::string_view topic, std::string_view payload, QoS qos = QoS::at_least_once) {
        return static_cast<bool>(c.publish(topic, payload, {.qos = qos}).wait(patience));
    }
};

class StreamsOfABroker : public Streams {
protected:
    testing::Broker broker{{.deny_subscribe = {"secret/#"}}};
    Connection c{options(recorder, broker.url())};
};
TORTOISE_BOTH_VERSIONS(StreamsOfABroker);

TEST_P(StreamsOfABroker, giveMessagesInTheirOrder) {
    Stream stream(c, {{"a/+", QoS::at_least_once}, {"a/1", QoS::exactly_once}, {"b", QoS::at_least_once}});
    const auto granted = stream.granted().wait(patience);
    ASSERT_TRUE(granted);
    EXPECT_EQ((*granted)[1]->granted, QoS::exactly_once);
    const auto before = stream.next(); // asked for ahead of time
    for (const auto* topic : {"a/1", "b", "c", "a/2"}) ASSERT_TRUE(publish(c, topic, topic));
    EXPECT_EQ(text(before.wait(patience)), "a/1"); // once, though two filters match
    EXPECT_EQ(text(stream.next(patience)), "b");
    EXPECT_EQ(text(stream.next().wait(patience)), "a/2");
    EXPECT_FALSE(stream.try_next());
    EXPECT_TRUE(recorder.seen().messages.empty());
    EXPECT_EQ(stream.dropped(), 0);
}

TEST_P(StreamsOfABroker, loseNothingToWhoeverDoesNotWait) {
    Stream stream(c, {{"t", QoS::at_least_once}});
    ASSERT_TRUE(stream.granted().wait(patience));
    EXPECT_EQ(stream.next(1ms).error().code, Errc::timeout);
    { const auto dropped = stream.next(); }
    const auto cancelled = stream.next();
    const auto kept = stream.next();
    cancelled.cancel();
    EXPECT_EQ(cancelled.peek()->error().code, Errc::cancelled);
    ASSERT_TRUE(publish(c, "t", "1"));
    ASSERT_TRUE(publish(c, "t", "2"));
    EXPECT_EQ(text(kept.wait(patience)), "1");
    EXPECT_EQ(text(stream.next(patience)), "2");
}

TEST_P(StreamsOfABroker, endWithTheConnectionAfterWhatIsInThem) {
    Stream stream(c, {{"t", QoS::at_least_once}});
    ASSERT_TRUE(publish(c, "t", "1"));
    ASSERT_TRUE(publish(c, "t", "2"));
    ASSERT_EQ(text(stream.next(patience)), "1");
    std::atomic<int> told{0};
    Stream other(c, {{"other", QoS::at_least_once}});
    other.next().on_done([&](const Result<Message>& end) { told += end.error().code == Errc::stopped ? 1 : 0; });
    ASSERT_TRUE(c.ping().wait(patience));
    ASSERT_TRUE(c.stop().wait(patience));
    EXPECT_EQ(told, 1);
    EXPECT_EQ(text(stream.next(patience)), "2");
    EXPECT_EQ(stream.next(patience).error().code, Errc::stopped);
    Stream late(c, {{"t", QoS::at_least_once}});
    EXPECT_EQ(late.next(patience).error().code, Errc::stopped);
}

TEST_P(StreamsOfABroker, endWithTheirLastFilter) {
    if (version() == Version::v5) { // 3.1.1 cannot say that it is for good, and it is asked again
        Stream refused(c, {{"secret/1", QoS::at_least_once}});
        EXPECT_EQ(refused.next(patience).error().code, Reason::not_authorized);
    }
    Stream invalid(c, {{"no/#/filter", QoS::at_least_once}});
    EXPECT_EQ(invalid.next(patience).error().code, Errc::invalid_filter);
    Stream taken(c, {{"t", QoS::at_least_once}, {"u", QoS::at_least_once}});
    c.subscribe({"t", QoS::at_least_once});
    c.unsubscribe("u");
    EXPECT_EQ(taken.next(patience).error().code, Errc::cancelled);
}

TEST_P(StreamsOfABroker, leaveWhatSomebodyElseHasSubscribedSince) {
    {
        Stream stream(c, {{"mine", QoS::at_least_once}, {"yours", QoS::at_least_once}});
        c.subscribe({"yours", QoS::at_least_once});
    }
    ASSERT_EQ(c.subscriptions().size(), 1);
    EXPECT_EQ(c.subscriptions()[0].filter, "yours");
    ASSERT_TRUE(publish(c, "mine", ""));
    ASSERT_TRUE(publish(c, "yours", ""));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().messages[0].topic, "yours");
}

TEST_P(StreamsOfABroker, dropTheOldestOrTheNewest) {
    Stream oldest(c, {{"t", QoS::at_least_once}}, {.messages = 2, .overflow = StreamOverflow::drop_oldest});
    Stream newest(c, {{"t/#", QoS::at_least_once}}, {.bytes = 1000, .overflow = StreamOverflow::drop_newest});
    std::atomic<int> others{0};
    ASSERT_TRUE(
        c.subscribe({"+", QoS::at_least_once}, [&](Connection&, const MessageView&) { ++others; }).wait(patience));
    const auto large = [](int i) { return std::string(600, static_cast<char>('0' + i)); };
    for (int i = 1; i <= 4; ++i) ASSERT_TRUE(publish(c, "t", large(i)));
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_EQ(others, 4);
    EXPECT_EQ(oldest.dropped(), 2);
    EXPECT_EQ(text(oldest.next(patience)), large(3));
    EXPECT_EQ(text(oldest.next(patience)), large(4));
    EXPECT_EQ(newest.dropped(), 2);
    EXPECT_EQ(text(newest.next(patience)), large(1));
    EXPECT_EQ(text(newest.next(patience)), large(2));
}

TEST_P(StreamsOfABroker, thatAreFullHoldBackAndLoseNothing) {
    constexpr int count = 20'000;
    auto o = options(recorder, broker.url());
    o.queue.messages = count;
    Connection sender{o};
    Stream stream(c, {{"t", QoS::at_least_once}}, {.messages = 4});
    ASSERT_TRUE(stream.granted().wait(patience));
    std::vector<Delivery> sent;
    for (int i = 0; i < count; ++i) sent.push_back(sender.publish("t", std::to_string(i), {.qos = QoS::at_least_once}));
    for (int i = 0; i < count; ++i) ASSERT_EQ(text(stream.next(patience)), std::to_string(i));
    for (const auto& delivery : sent) ASSERT_TRUE(delivery.wait(patience));
    EXPECT_EQ(stream.dropped(), 0);
    EXPECT_EQ(c.statistics().drops, 0);
}

/// Until half of it is free nothing is read: a ping is not answered.
TEST_P(StreamsOfABroker, thatAreFullStopTheReading) {
    Stream stream(c, {{"t", QoS::at_most_once}}, {.messages = 2});
    ASSERT_TRUE(stream.granted().wait(patience));
    for (const auto* payload : {"1", "2"}) ASSERT_TRUE(publish(c, "t", payload, QoS::at_most_once));
    while (c.statistics().messages_received < 2) std::this_thread::yield();
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience)); // the loop has come round
    const auto ping = c.ping();
    EXPECT_EQ(ping.wait(50ms).error().code, Errc::timeout);
    EXPECT_EQ(text(stream.next(patience)), "1");
    EXPECT_TRUE(ping.wait(patience));
    EXPECT_EQ(text(stream.next(patience)), "2");
}

TEST_P(StreamsOfABroker, mayBeUsedByManyThreads) {
    auto o = options(recorder, broker.url());
    o.acknowledge = Acknowledge::manual;
    Connection manual{o};
    Stream stream(manual, {{"t", QoS::at_least_once}}, {.messages = 8});
    ASSERT_TRUE(stream.granted().wait(patience));
    constexpr int count = 2000;
    std::atomic<int> got{0};
    {
        std::vector<std::jthread> consumers;
        for (int i = 0; i < 4; ++i) {
            consumers.emplace_back([&] {
                while (auto message = stream.next(patience)) {
                    manual.acknowledge(message->ack_id);
                    if (++got == count) stream.close();
                }
            });
        }
        for (int i = 0; i < count; ++i) c.publish("t", "", {.qos = QoS::at_least_once});
    }
    EXPECT_EQ(got, count);
}

class StreamsOfAScript : public Streams {
protected:
    Script script;
    void begin() {
        script.expect_connect().send(Connack{}).expect_subscribe();
        script.send(Suback{0, {Reason::granted_qos_2}, {}});
    }
};
TORTOISE_BOTH_VERSIONS(StreamsOfAScript);

TEST_P(StreamsOfAScript, acknowledgeWhenTheNextIsAskedFor) {
    Gate quiet, passed;
    begin();
    script.send({Publish{.id = 1, .topic = "t", .payload = "1", .qos = QoS::at_least_once},
                 Publish{.id = 2, .topic = "t", .payload = "2", .qos = QoS::exactly_once}});
    script.silence_until(quiet).open(passed).expect(ack(PacketType::puback, 1)).expect(ack(PacketType::pubrec, 2));
    Connection c{options(recorder, script.url())};
    Stream stream(c, {{"t", QoS::exactly_once}});
    ASSERT_EQ(text(stream.next(patience)), "1");
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience)); // the loop has come round
    quiet.open();
    ASSERT_TRUE(passed.wait(patience));
    ASSERT_EQ(text(stream.next(patience)), "2");
    EXPECT_FALSE(stream.try_next());
    ASSERT_FOLLOWED(script);
}

TEST_P(StreamsOfAScript, acknowledgeWhatWasNotPulledWhenTheyAreClosed) {
    begin();
    script.send({Publish{.id = 1, .topic = "t", .payload = "1", .qos = QoS::at_least_once},
                 Publish{.id = 2, .topic = "t", .payload = "2", .qos = QoS::at_least_once}});
    script.expect(ack(PacketType::puback, 1)).expect(ack(PacketType::puback, 2)).expect(PacketType::unsubscribe);
    Connection c{options(recorder, script.url())};
    Stream stream(c, {{"t", QoS::exactly_once}});
    ASSERT_EQ(text(stream.next(patience)), "1");
    while (c.statistics().messages_received < 2) std::this_thread::yield();
    stream.close();
    EXPECT_EQ(stream.next(patience).error().code, Errc::cancelled);
    ASSERT_FOLLOWED(script);
}

TEST_P(StreamsOfAScript, thatShareAMessageAcknowledgeItWhenAllHaveHandledIt) {
    Gate quiet, passed, both;
    begin();
    script.expect_subscribe().send(Suback{0, {Reason::granted_qos_2}, {}}).await(both);
    script.send(Publish{.id = 1, .topic = "t", .payload = "1", .qos = QoS::at_least_once});
    script.silence_until(quiet).open(passed).expect(ack(PacketType::puback, 1));
    Connection c{options(recorder, script.url())};
    Stream one(c, {{"t", QoS::exactly_once}});
    ASSERT_TRUE(one.granted().wait(patience));
    Stream other(c, {{"#", QoS::exactly_once}});
    ASSERT_TRUE(other.granted().wait(patience));
    both.open();
    ASSERT_EQ(text(one.next(patience)), "1");
    EXPECT_FALSE(one.try_next());
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience));
    quiet.open();
    ASSERT_TRUE(passed.wait(patience));
    ASSERT_EQ(text(other.next(patience)), "1");
    EXPECT_FALSE(other.try_next());
    ASSERT_FOLLOWED(script);
}

TEST_P(StreamsOfAScript, keepWhatTheyHaveOverAReconnect) {
    begin();
    script.send(Publish{.id = 1, .topic = "t", .payload = "1", .qos = QoS::at_least_once}).drop();
    script.expect_connect().send(Connack{.session_present = true}).expect_subscribe();
    script.send(Suback{0, {Reason::granted_qos_2}, {}});
    script.send(Publish{.id = 1, .topic = "t", .payload = "1", .qos = QoS::at_least_once, .duplicate = true});
    script.expect(ack(PacketType::puback, 1));
    auto o = options(recorder, script.url());
    o.session.clean_start = false;
    Connection c{o};
    Stream stream(c, {{"t", QoS::exactly_once}});
    EXPECT_EQ(text(stream.next(patience)), "1");
    const auto again = stream.next(patience);
    EXPECT_EQ(text(again), "1");
    EXPECT_TRUE(again && again->duplicate);
    EXPECT_FALSE(stream.try_next());
    ASSERT_FOLLOWED(script);
}

} // namespace
} // namespace tortoise::test
