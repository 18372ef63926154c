// Acknowledgements that the user gives: in any order, and in the right one on the wire.
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Ack;
using core::Connack;
using core::PacketType;
using core::Publish;
using testing::Script;

class Acknowledging : public BothVersions {
protected:
    Script script;
    Recorder recorder;

    ConnectionOptions manual() const {
        auto o = options(recorder, script.url());
        o.acknowledge = Acknowledge::manual;
        return o;
    }
    static Publish publish(core::PacketId id, QoS qos) { return {.id = id, .topic = "t", .qos = qos}; }
};
TORTOISE_BOTH_VERSIONS(Acknowledging);

// [MQTT-4.6.0-2] [MQTT-4.6.0-3]
TEST_P(Acknowledging, inAnyOrderLeavesInTheOrderOfArrival) {
    testing::Gate quiet, passed;
    script.expect_connect().send(Connack{});
    script.send({publish(1, QoS::at_least_once), publish(2, QoS::exactly_once), publish(3, QoS::at_least_once),
                 Publish{.topic = "t"}});
    script.silence_until(quiet).open(passed);
    script.expect(ack(PacketType::puback, 1)).expect(ack(PacketType::pubrec, 2)).expect(ack(PacketType::puback, 3));
    Connection c{manual()};
    ASSERT_TRUE(recorder.wait_for_messages(4));
    const auto messages = recorder.seen().messages;
    EXPECT_EQ(messages[3].ack_id, 0); // of QoS 0
    c.acknowledge(messages[2].ack_id);
    c.acknowledge(messages[1].ack_id);
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience)); // the loop has heard of both
    quiet.open();
    ASSERT_TRUE(passed.wait(patience));
    c.acknowledge(messages[0].ack_id);
    ASSERT_FOLLOWED(script);
}

TEST_P(Acknowledging, twiceOrOfNothingIsIgnored) {
    script.expect_connect().send(Connack{}).send(publish(1, QoS::at_least_once));
    script.expect(ack(PacketType::puback, 1)).send(publish(2, QoS::at_least_once));
    script.expect(ack(PacketType::puback, 2));
    Connection c{manual()};
    c.acknowledge(0);
    c.acknowledge(4711);
    ASSERT_TRUE(recorder.wait_for_messages(1));
    const auto first = recorder.seen().messages[0].ack_id;
    c.acknowledge(first);
    c.acknowledge(first);
    ASSERT_TRUE(recorder.wait_for_messages(2));
    c.acknowledge(recorder.seen().messages[1].ack_id);
    ASSERT_FOLLOWED(script);
}

TEST_P(Acknowledging, ofALostConnectionSaysNothingOnTheNext) {
    script.expect_connect().send(Connack{}).send(publish(1, QoS::at_least_once)).drop();
    testing::Gate late, quiet, passed;
    script.expect_connect().send(Connack{.session_present = true}).open(late).silence_until(quiet).open(passed);
    script.send(Publish{.id = 1, .topic = "t", .qos = QoS::at_least_once, .duplicate = true});
    script.expect(ack(PacketType::puback, 1));
    auto o = manual();
    o.session.clean_start = false;
    Connection c{o};
    ASSERT_TRUE(recorder.wait_for_messages(1));
    ASSERT_TRUE(late.wait(patience));
    c.acknowledge(recorder.seen().messages[0].ack_id);
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience));
    quiet.open();
    ASSERT_TRUE(passed.wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(2));
    EXPECT_TRUE(recorder.seen().messages[1].duplicate);
    c.acknowledge(recorder.seen().messages[1].ack_id);
    ASSERT_FOLLOWED(script);
}

TEST(AcknowledgingV3, hasNoRefusals) {
    Connection c{{.server = "mqtt://127.0.0.1:1", .version = Version::v3_1_1}};
    EXPECT_EQ(c.refuse(1, Reason::quota_exceeded).error().code, Errc::not_supported);
}

TEST_P(Acknowledging, automaticIsWithoutIds) {
    script.expect_connect().send(Connack{}).send(publish(1, QoS::at_least_once)).expect(ack(PacketType::puback, 1));
    Connection c{options(recorder, script.url())};
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(recorder.seen().messages.at(0).ack_id, 0);
}

class AcknowledgingV5 : public Acknowledging {};
INSTANTIATE_TEST_SUITE_P(, AcknowledgingV5, ::testing::Values(Version::v5), name_of);

TEST_P(AcknowledgingV5, refusesByAReason) {
    script.expect_connect().send(Connack{});
    script.send({publish(1, QoS::at_least_once), publish(2, QoS::exactly_once)});
    script.expect(ack(PacketType::puback, 1, Reason::quota_exceeded));
    script.expect(ack(PacketType::pubrec, 2, Reason::not_authorized));
    Connection c{manual()};
    ASSERT_TRUE(recorder.wait_for_messages(2));
    const auto messages = recorder.seen().messages;
    const auto wrong = c.refuse(messages[0].ack_id, Reason::server_busy);
    EXPECT_EQ(wrong.error().code, Errc::invalid_option);
    EXPECT_THAT(wrong.error().text, ::testing::HasSubstr("0x89"));
    EXPECT_EQ(c.refuse(messages[0].ack_id, Reason::success).error().code, Errc::invalid_option);
    EXPECT_TRUE(c.refuse(messages[0].ack_id, Reason::quota_exceeded));
    EXPECT_TRUE(c.refuse(messages[1].ack_id, Reason::not_authorized));
    ASSERT_FOLLOWED(script);
}

/// What is not acknowledged counts against the Receive Maximum, and holds the broker back. [MQTT-3.3.4-9]
TEST_P(AcknowledgingV5, holdsTheBrokerBack) {
    const testing::Broker broker;
    auto o = options(recorder, broker.url());
    o.acknowledge = Acknowledge::manual;
    o.receive_maximum = 3;
    Connection c{o};
    ASSERT_TRUE(c.subscribe({"t", QoS::at_least_once}).wait(patience));
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(c.publish("t", std::to_string(i), {.qos = QoS::at_least_once}).wait(patience));
    for (std::size_t i = 0; i < 10; ++i) {
        ASSERT_TRUE(recorder.wait_for_messages(i + 1));
        ASSERT_TRUE(c.ping().wait(patience)); // whatever the broker had to send has come
        EXPECT_EQ(recorder.seen().messages.size(), std::min<std::size_t>(i + 3, 10));
        c.acknowledge(recorder.seen().messages[i].ack_id);
    }
}

} // namespace
} // namespace tortoise::test
