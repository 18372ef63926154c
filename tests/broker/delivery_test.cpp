/// Messages that the broker sends: acknowledgements, the window, redelivery, queues.

#include "broker/world.hpp"

namespace broker_test {
namespace {

class Delivering : public BothVersions {
protected:
    /// Publishes so many messages, "1", "2", …, with the QoS.
    static void publish_many(World& world, int count, QoS qos, std::string_view topic = "t") {
        auto& pub = world.join(GetParam(), "publisher");
        for (int i = 1; i <= count; ++i)
            pub.publish(topic, std::to_string(i), {.qos = qos, .id = static_cast<PacketId>(qos == qos_0 ? 0 : i)});
        pub.drop();
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Delivering, both_versions, version_name);

TEST_P(Delivering, TheWholeExchangeOfQos2) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2);
    publish_many(world, 1, qos_2);
    const auto id = sub.expect_publish("t", "1", qos_2)->id;
    EXPECT_EQ(world.session("s").in_flight, 1U);                        // [MQTT-4.3.3-3]
    sub.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id); // [MQTT-4.3.3-4]
    EXPECT_EQ(world.session("s").in_flight, 1U);                        // [MQTT-4.3.3-5]
    sub.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id);
    sub.ack(PacketType::pubcomp, id).expect_nothing();
    EXPECT_EQ(world.session("s").in_flight, 0U); // [MQTT3-4.3.3-1]
}

TEST_P(Delivering, PacketIdentifiersInUseAreNotUsedAgain) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    publish_many(world, 3, qos_1);
    const auto first = sub.expect_publish("t", "1", qos_1)->id;
    sub.ack(PacketType::puback, sub.expect_publish("t", "2", qos_1)->id);
    auto last = sub.expect_publish("t", "3", qos_1)->id;
    sub.ack(PacketType::puback, last);
    auto& pub = world.join(GetParam(), "p");
    // Around the whole range once, with the first identifier still in use.
    for (int i = 0; i < 66'000; ++i) {
        pub.publish("t", "x", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1);
        const auto id = sub.expect_publish("t", "x", qos_1)->id;
        ASSERT_NE(id, first); // [MQTT3-2.3.1-4] [MQTT3-4.3.2-1] [MQTT5-2.2.1-4] [MQTT5-4.3.2-1]
        ASSERT_NE(id, 0);
        sub.ack(PacketType::puback, id);
    }
    EXPECT_EQ(world.session("s").in_flight, 1U);
}

TEST_P(Delivering, UnacknowledgedMessagesAreSentAgainInOrderAndOnlyAfterReconnecting) {
    World world;
    auto& sub = world.join(GetParam(), "s", keeping()).subscribed("t", qos_2);
    auto& pub = world.join(GetParam(), "p");
    for (PacketId i = 1; i <= 6; ++i) pub.publish("t", std::to_string(i), {.qos = i % 2 == 0 ? qos_1 : qos_2, .id = i});
    std::vector<PacketId> ids;
    for (int i = 1; i <= 6; ++i)
        ids.push_back(sub.expect_publish("t", std::to_string(i), i % 2 == 0 ? qos_1 : qos_2)->id);
    world.pass(1h);
    sub.expect_nothing(); // [MQTT5-4.4.0-1]
    sub.ack(PacketType::puback, ids[1]);
    sub.drop();
    auto& again = world.join(GetParam(), "s", keeping());
    for (const int i : {1, 3, 4, 5, 6}) {
        const auto got = again.expect_publish("t", std::to_string(i), i % 2 == 0 ? qos_1 : qos_2);
        EXPECT_TRUE(got->duplicate); // [MQTT-3.3.1-1]
        EXPECT_EQ(
            got->id,
            ids[static_cast<std::size_t>(i) - 1]); // [MQTT3-2.3.1-4] [MQTT3-4.4.0-1] [MQTT5-4.3.2-3] [MQTT5-4.4.0-1]
    }
    again.expect_nothing();
}

TEST_P(Delivering, AfterPubrecOnlyPubrelIsSentAgain) {
    World world;
    auto& sub = world.join(GetParam(), "s", keeping()).subscribed("t", qos_2);
    publish_many(world, 3, qos_2);
    std::vector<PacketId> ids;
    for (const auto* payload : {"1", "2", "3"}) ids.push_back(sub.expect_publish("t", payload, qos_2)->id);
    sub.ack(PacketType::pubrec, ids[2]).ack(PacketType::pubrec, ids[0]);
    sub.drop();
    auto& again = world.join(GetParam(), "s", keeping());
    again.expect_ack(PacketType::pubrel, ids[2]); // in the order of the PUBRECs; [MQTT-4.3.3-6]
    again.expect_ack(PacketType::pubrel, ids[0]);
    EXPECT_TRUE(again.expect_publish("t", "2", qos_2)->duplicate);
    again.expect_nothing();
    again.ack(PacketType::pubcomp, ids[0]).ack(PacketType::pubcomp, ids[2]);
    EXPECT_EQ(world.session("s").in_flight, 1U);
}

TEST_P(Delivering, WhatWasQueuedComesBehindWhatWasInFlight) {
    World world;
    auto& sub = world.join(GetParam(), "s", keeping()).subscribed("t", qos_1);
    publish_many(world, 1, qos_1);
    sub.expect_publish("t", "1", qos_1);
    sub.drop();
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", "2", {.qos = qos_1, .id = 1}).publish("t", "3", {.qos = qos_1, .id = 2});
    auto& again = world.join(GetParam(), "s", keeping());
    EXPECT_TRUE(again.expect_publish("t", "1", qos_1)->duplicate);
    EXPECT_FALSE(again.expect_publish("t", "2", qos_1)->duplicate);
    EXPECT_FALSE(again.expect_publish("t", "3", qos_1)->duplicate);
}

TEST_P(Delivering, ALateAcknowledgementEndsWhatItAcknowledges) {
    World world;
    auto& sub = world.join(GetParam(), "s", keeping()).subscribed("t", qos_2);
    publish_many(world, 1, qos_2);
    const auto id = sub.expect_publish("t", "1", qos_2)->id;
    sub.drop();
    auto& again = world.join(GetParam(), "s", keeping());
    again.expect_publish("t", "1", qos_2);
    again.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id);
    again.ack(PacketType::pubcomp, id).expect_nothing();
    EXPECT_EQ(world.session("s").in_flight, 0U);
}

TEST(Delivering5, TheClientsReceiveMaximumIsKept) {
    World world;
    auto& sub =
        world.join(Version::v5, "s", {.properties = with(property::receive_maximum, 2u)}).subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    for (PacketId i = 1; i <= 5; ++i) pub.publish("t", std::to_string(i), {.qos = i % 2 == 0 ? qos_1 : qos_2, .id = i});
    const auto one = sub.expect_publish("t", "1", qos_2)->id;
    const auto two = sub.expect_publish("t", "2", qos_1)->id;
    sub.expect_nothing(); // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
    EXPECT_EQ(world.session("s").queued, 3U);
    pub.publish("t", "0");
    sub.expect_publish("t", "0"); // QoS 0 has no quota
    sub.send(core::Pingreq{});
    sub.expect<core::Pingresp>(); // [MQTT-4.9.0-3] [MQTT-3.3.4-10]
    sub.ack(PacketType::pubrec, one).expect_ack(PacketType::pubrel, one);
    sub.expect_nothing();
    sub.ack(PacketType::pubcomp, one);
    sub.expect_publish("t", "3", qos_2);
    sub.expect_nothing();
    sub.ack(PacketType::puback, two);
    sub.expect_publish("t", "4", qos_1);
    sub.expect_nothing();
}

TEST(Delivering5, ARefusalEndsTheDeliveryAndOpensTheWindow) {
    World world;
    const ConnectAs as{.clean_start = false,
                       .properties = with(property::receive_maximum, 1u).set(property::session_expiry_interval, 60u)};
    auto& sub = world.join(Version::v5, "s", as).subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "1", {.qos = qos_2, .id = 1}).publish("t", "2", {.qos = qos_1, .id = 2});
    pub.publish("t", "3", {.qos = qos_2, .id = 3});
    sub.ack(PacketType::pubrec, sub.expect_publish("t", "1", qos_2)->id, Reason::quota_exceeded);
    sub.ack(PacketType::puback, sub.expect_publish("t", "2", qos_1)->id, Reason::quota_exceeded);
    sub.expect_publish("t", "3", qos_2);
    sub.drop();
    auto& again = world.join(Version::v5, "s", as);
    again.expect_publish("t", "3", qos_2); // [MQTT-4.4.0-2]
    again.expect_nothing();
}

TEST(Delivering5, ASmallerWindowHoldsRedeliveryToo) {
    World world;
    const auto as = [](std::uint32_t window) {
        return ConnectAs{.clean_start = false,
                         .properties =
                             with(property::receive_maximum, window).set(property::session_expiry_interval, 60u)};
    };
    auto& sub = world.join(Version::v5, "s", as(10)).subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    for (PacketId i = 1; i <= 4; ++i) pub.publish("t", std::to_string(i), {.qos = qos_2, .id = i});
    const auto one = sub.expect_publish("t", "1", qos_2)->id;
    sub.ack(PacketType::pubrec, one);
    sub.drop();
    auto& again = world.join(Version::v5, "s", as(1));
    again.expect_ack(PacketType::pubrel, one);
    again.expect_nothing(); // what is released counts until PUBCOMP
    again.ack(PacketType::pubcomp, one);
    for (const auto* payload : {"2", "3", "4"}) {
        const auto got = again.expect_publish("t", payload, qos_2);
        EXPECT_TRUE(got->duplicate);
        again.expect_nothing();
        again.ack(PacketType::pubrec, got->id).expect_ack(PacketType::pubrel, got->id);
        again.ack(PacketType::pubcomp, got->id);
    }
    again.expect_nothing();
    EXPECT_EQ(world.session("s").in_flight, 0U);
}

TEST_P(Delivering, AcknowledgementsOfTheWrongKindAreProtocolErrors) {
    const struct {
        QoS qos;
        PacketType type;
    } wrong[] = {{qos_1, PacketType::pubrec},
                 {qos_1, PacketType::pubcomp},
                 {qos_2, PacketType::puback},
                 {qos_2, PacketType::pubcomp}};
    for (const auto& [qos, type] : wrong) {
        World world;
        auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2);
        publish_many(world, 1, qos);
        sub.ack(type, sub.expect_publish("t", "1", qos)->id);
        sub.expect_closed(Reason::protocol_error);
    }
}

TEST_P(Delivering, AcknowledgementsOfNothingAreHarmless) {
    World world;
    auto& sub = world.join(GetParam(), "s");
    sub.ack(PacketType::puback, 5).ack(PacketType::pubcomp, 6).expect_nothing();
    sub.ack(PacketType::pubrec, 7);
    sub.expect_ack(PacketType::pubrel, 7, v5() ? Reason::packet_identifier_not_found : Reason::success);
    sub.expect_nothing();
}

TEST_P(Delivering, AllIdentifiersCanBeInFlight) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    auto& pub = world.join(GetParam(), "p");
    for (int i = 0; i < 65'540; ++i) {
        pub.publish("t", "x", {.qos = qos_1, .id = 1});
        pub.expect_ack(PacketType::puback, 1);
    }
    EXPECT_EQ(world.session("s").in_flight, 65'535U);
    EXPECT_EQ(world.session("s").queued, 5U);
    EXPECT_EQ(sub.waiting(), 65'535U);
    for (int i = 0; i < 65'540; ++i) sub.ack(PacketType::puback, sub.expect_publish("t", "x", qos_1)->id);
    sub.expect_nothing();
}

TEST_P(Delivering, AClientThatDoesNotReadHoldsItsMessagesInTheSession) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    sub.reads = false;
    auto& pub = world.join(GetParam(), "p");
    const std::string payload(100'000, 'x');
    for (PacketId i = 1; i <= 40; ++i)
        pub.publish("t", payload, {.qos = i % 2 == 0 ? qos_0 : qos_1, .id = i % 2 == 0 ? PacketId{0} : i});
    EXPECT_GE(world.session("s").queued, 28U);
    sub.read_all();
    for (int i = 1; i <= 40; ++i) sub.expect_publish("t", payload, i % 2 == 0 ? qos_0 : qos_1); // in order
    sub.expect_nothing();
}

TEST_P(Delivering, Qos0BehindAFullOutputIsBounded) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_0);
    sub.reads = false;
    auto& pub = world.join(GetParam(), "p");
    const std::string payload(1'000'000, 'x');
    for (int i = 0; i < 200; ++i) pub.publish("t", payload);
    EXPECT_LE(world.session("s").queued, 67U);
    sub.read_all();
    EXPECT_GT(sub.waiting(), 60U);
}

TEST_P(Delivering, WhoAsksAndDoesNotReadIsClosed) {
    World world;
    auto& client = world.join(GetParam(), "c");
    client.reads = false;
    std::string pings;
    for (int i = 0; i < 100'000; ++i) pings += std::string_view("\xC0\0", 2);
    for (int i = 0; i < 100 && !client.closed(); ++i) client.send_raw(pings);
    EXPECT_TRUE(client.closed());
}

TEST(Delivering5, WhoReadsTheAnswersMayAskAgain) {
    World world({.deny_publish = {"t"}});
    auto& client = world.join(Version::v5, "c");
    std::string block;
    for (int i = 0; i < 1'000; ++i)
        EXPECT_TRUE(core::encode(Version::v5, core::Publish{.id = 1, .topic = "t", .qos = qos_1}, block));
    client.publish("t", "", {.qos = qos_1, .id = 1});
    const auto answer = client.expect<core::Ack>().octets->size();
    for (int round = 0; round < 3; ++round) {
        client.reads = false;
        for (std::size_t octets = 0; octets < 6'000'000; octets += 1'000 * answer) client.send_raw(block);
        ASSERT_FALSE(client.closed());
        client.read_all();
    }
}

TEST_P(Delivering, TheQueueIsBounded) {
    World world({.queue_limit = 3});
    world.join(GetParam(), "s", keeping()).subscribed("t", qos_2).drop();
    publish_many(world, 5, qos_1);
    EXPECT_EQ(world.session("s").queued, 3U);
    auto& sub = world.join(GetParam(), "s", keeping());
    for (const auto* payload : {"1", "2", "3"}) sub.expect_publish("t", payload, qos_1);
    sub.expect_nothing();
}

TEST(Delivering5, TheQueueGivesUpTheExpiredFirst) {
    World world({.queue_limit = 2});
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 600u)};
    world.join(Version::v5, "s", as).subscribed("t", qos_1).drop();
    auto& pub = world.join(Version::v5, "p");
    const auto brief = with(property::message_expiry_interval, 10u);
    pub.publish("t", "1", {.qos = qos_1, .id = 1, .properties = brief}).publish("t", "2", {.qos = qos_1, .id = 2});
    world.pass(10s);
    pub.publish("t", "3", {.qos = qos_1, .id = 3}).publish("t", "4", {.qos = qos_1, .id = 4});
    auto& sub = world.join(Version::v5, "s", as);
    sub.expect_publish("t", "2", qos_1);
    sub.expect_publish("t", "3", qos_1);
    sub.expect_nothing();
}

TEST_P(Delivering, TheQueueGivesUpTheOldestOfQos0ForANewMessage) {
    World world({.queue_limit = 3});
    auto& sub = world.join(GetParam(), "s").subscribed("#", qos_1);
    sub.reads = false;
    auto& pub = world.join(GetParam(), "p");
    const std::string block(1'100'000, 'x'); // fills the output
    pub.publish("block", block).publish("t", "1").publish("t", "2").publish("t", "3", {.qos = qos_1, .id = 3});
    pub.publish("t", "4").publish("t", "5", {.qos = qos_1, .id = 5});
    sub.read_all();
    sub.expect_publish("block", block);
    sub.expect_publish("t", "3", qos_1);
    sub.expect_publish("t", "4");
    sub.expect_publish("t", "5", qos_1);
    sub.expect_nothing();
}

TEST(Delivering5, WhatIsTooLargeForTheClientIsDroppedSilently) {
    World world;
    auto& sub =
        world.join(Version::v5, "s", {.properties = with(property::maximum_packet_size, 100u)}).subscribed("t", qos_2);
    auto& other = world.join(Version::v5, "o").subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    const std::string large(100, 'x');
    const std::string fits(92, 'x'); // 2 header, 3 topic, 2 identifier, 1 properties
    for (const auto qos : {qos_0, qos_1, qos_2})
        pub.publish("t", large, {.qos = qos, .id = static_cast<PacketId>(qos)});
    sub.expect_nothing(); // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
    EXPECT_EQ(world.session("s").in_flight, 0U);
    EXPECT_EQ(other.waiting(), 3U);
    pub.publish("t", fits, {.qos = qos_1, .id = 9});
    sub.expect_publish("t", fits, qos_1);
    pub.publish("t", fits + "x", {.qos = qos_1, .id = 9});
    sub.expect_nothing();
}

TEST(Delivering5, ARedeliveryThatBecameTooLargeIsDropped) {
    World world;
    ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 60u)};
    auto& sub = world.join(Version::v5, "s", as).subscribed("t", qos_1);
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", std::string(100, 'x'), {.qos = qos_1, .id = 1}).publish("t", "small", {.qos = qos_1, .id = 2});
    EXPECT_EQ(sub.waiting(), 2U);
    sub.drop();
    as.properties.set(property::maximum_packet_size, 50u);
    auto& again = world.join(Version::v5, "s", as);
    again.expect_publish("t", "small", qos_1);
    again.expect_nothing();
    EXPECT_EQ(world.session("s").in_flight, 1U);
}

TEST(Delivering5, MessageExpiryCountsDownWhileAMessageWaits) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 600u)};
    world.join(Version::v5, "s", as).subscribed("t", qos_1).drop();
    auto& pub = world.join(Version::v5, "p");
    for (PacketId i = 1; i <= 3; ++i)
        pub.publish("t", std::to_string(i),
                    {.qos = qos_1, .id = i, .properties = with(property::message_expiry_interval, i * 10u)});
    pub.publish("t", "for ever", {.qos = qos_1, .id = 4});
    world.pass(10s + 400ms);
    auto& sub = world.join(Version::v5, "s", as);
    EXPECT_EQ(sub.expect_publish("t", "2", qos_1)->properties.get(property::message_expiry_interval),
              10U); // [MQTT-3.3.2-5]
    EXPECT_EQ(sub.expect_publish("t", "3", qos_1)->properties.get(property::message_expiry_interval),
              20U); // [MQTT-3.3.2-6]
    EXPECT_TRUE(sub.expect_publish("t", "for ever", qos_1)->properties.empty());
    sub.expect_nothing();
}

TEST(Delivering5, MessageExpiryIsForwardedAtOnceAsItWas) {
    World world;
    auto& sub = world.join(Version::v5, "s").subscribed("t");
    auto& pub = world.join(Version::v5, "p");
    for (const std::uint32_t interval : {0u, 1u, 0xFFFF'FFFFu}) {
        pub.publish("t", "x", {.properties = with(property::message_expiry_interval, interval)});
        EXPECT_EQ(sub.expect_publish("t", "x")->properties.get(property::message_expiry_interval), interval);
    }
}

TEST(Delivering5, WhatWasSentIsSentAgainEvenIfItExpired) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 600u)};
    auto& sub = world.join(Version::v5, "s", as).subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x", {.qos = qos_2, .id = 1, .properties = with(property::message_expiry_interval, 10u)});
    const auto id = sub.expect_publish("t", "x", qos_2)->id;
    sub.drop();
    world.pass(20s);
    auto& again = world.join(Version::v5, "s", as);
    EXPECT_EQ(again.expect_publish("t", "x", qos_2)->id, id); // [MQTT-4.3.3-7]
    again.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id);
}

TEST(DeliveringMixed, MessageExpiryHoldsFor311Subscribers) {
    World world;
    world.join(Version::v3_1_1, "s", {.clean_start = false}).subscribed("t", qos_1).drop();
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x", {.qos = qos_1, .id = 1, .properties = with(property::message_expiry_interval, 10u)});
    pub.publish("t", "y", {.qos = qos_1, .id = 2, .properties = with(property::message_expiry_interval, 11u)});
    world.pass(10s);
    auto& sub = world.join(Version::v3_1_1, "s", {.clean_start = false});
    sub.expect_publish("t", "y", qos_1);
    sub.expect_nothing();
}

TEST(DeliveringMixed, ASessionThatChangesItsVersionKeepsItsMessages) {
    World world;
    world.join(Version::v3_1_1, "s", {.clean_start = false}).subscribed("t", qos_2).drop();
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x", {.qos = qos_2, .id = 1, .properties = Properties{}.add_user("k", "v")});
    auto& sub = world.join(Version::v5, "s",
                           {.clean_start = false, .properties = with(property::session_expiry_interval, 60u)});
    EXPECT_EQ(sub.expect_publish("t", "x", qos_2)->properties.user("k"), "v");
    sub.drop();
    auto& again = world.join(Version::v3_1_1, "s", {.clean_start = false});
    EXPECT_TRUE(again.expect_publish("t", "x", qos_2)->duplicate);
}

} // namespace
} // namespace broker_test
