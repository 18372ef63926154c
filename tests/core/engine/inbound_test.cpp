// Messages from the broker: handed over once, acknowledged in order, within our limits.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Inbound : public BothVersions {
protected:
    Peer peer{plain(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Versions, Inbound, ::testing::ValuesIn(both_versions), version_name);

void expect_violation(Peer& peer, Reason reason) {
    EXPECT_EQ(peer.wish.kind, Wish::close);
    if (peer.options.version == Version::v5) {
        EXPECT_EQ(peer.sent<Disconnect>().reason, reason);
    }
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, reason);
    EXPECT_TRUE(down.retry_in); // reconnecting stays armed
}

TEST_P(Inbound, QoS0IsHandedOverAndNotAcknowledged) {
    peer.connect();
    peer.message("a", QoS::at_most_once, 0, "x");
    const auto m = peer.event<Received>();
    EXPECT_EQ(m.id, 0u);
    EXPECT_EQ(m.message.topic, "a");
    EXPECT_EQ(m.message.payload, "x");
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Inbound, QoS1IsAcknowledgedAfterHandling) {
    peer.connect();
    peer.message("a", QoS::at_least_once, 9, "x");
    const auto m = peer.event<Received>();
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_EQ(peer.engine.snapshot().unacknowledged, 1u);
    peer.acknowledge(m.id);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).id,
              9); // [MQTT-3.3.4-1] [MQTT-4.5.0-2] [MQTT3-2.3.1-6] [MQTT5-2.2.1-5] [MQTT5-4.3.2-4]
    EXPECT_EQ(peer.engine.snapshot().unacknowledged, 0u);
    peer.acknowledge(m.id);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Inbound, AReusedIdentifierOfQoS1IsAnotherMessageEvenWithDup) {
    peer.connect();
    for (const bool duplicate : {false, true, true}) {
        peer.message("a", QoS::at_least_once, 9, "x", duplicate);
        peer.acknowledge(peer.event<Received>().id);
        EXPECT_EQ(peer.sent_ack(PacketType::puback).id, 9); // [MQTT3-4.3.2-2] [MQTT5-4.3.2-5]
    }
}

TEST_P(Inbound, QoS2IsHandedOverOnceAndReleased) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 9, "x");
    const auto m = peer.event<Received>();
    EXPECT_EQ(m.message.qos, QoS::exactly_once);
    peer.acknowledge(m.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 9); // [MQTT-3.3.4-1] [MQTT-4.3.3-8]
    peer.message("a", QoS::exactly_once, 9, "x", true);
    EXPECT_TRUE(peer.quiet()); // [MQTT-4.3.3-10]
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 9);
    peer.pubrel(9);
    EXPECT_EQ(peer.sent_ack(PacketType::pubcomp).id, 9);    // [MQTT-4.3.3-11]
    peer.message("b", QoS::exactly_once, 9, "y");           // the identifier is free again
    EXPECT_EQ(peer.event<Received>().message.payload, "y"); // [MQTT3-4.3.3-2] [MQTT5-4.3.3-12]
}

TEST_P(Inbound, PubrelForAnUnknownIdentifierIsAnsweredWithPubcomp) {
    peer.connect(true);
    peer.pubrel(5);
    const auto comp = peer.sent_ack(PacketType::pubcomp);
    EXPECT_EQ(comp.id, 5);
    EXPECT_EQ(comp.reason, GetParam() == Version::v5 ? Reason::packet_identifier_not_found : Reason::success);
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Inbound, AcknowledgementsLeaveInTheOrderOfArrival) {
    peer.connect();
    std::vector<InboundId> ids;
    for (PacketId id = 1; id <= 4; ++id) {
        peer.message("a", id % 2 ? QoS::at_least_once : QoS::exactly_once, id);
        ids.push_back(peer.event<Received>().id);
    }
    peer.acknowledge(ids[3]);
    peer.acknowledge(ids[1]);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.acknowledge(ids[0]);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).id, 1); // [MQTT-4.6.0-2]
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 2); // [MQTT-4.6.0-3]
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.acknowledge(ids[2]);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).id, 3);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 4);
}

TEST_P(Inbound, SeveralMessagesInOneReadAreAllHandedOver) {
    peer.connect();
    std::string octets;
    for (PacketId id = 1; id <= 3; ++id)
        EXPECT_TRUE(
            encode(GetParam(), Publish{.id = id, .topic = "a", .payload = "x", .qos = QoS::at_least_once}, octets));
    peer.send_octets(octets);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(peer.event<Received>().message.topic, "a");
}

TEST_P(Inbound, AMessageInPiecesIsOneMessage) {
    peer.connect();
    std::string octets;
    EXPECT_TRUE(encode(GetParam(), Publish{.topic = "a/b", .payload = "hello"}, octets));
    for (const char octet : octets) peer.send_octets(Octets(&octet, 1));
    const auto m = peer.event<Received>();
    EXPECT_EQ(m.message.topic, "a/b");
    EXPECT_EQ(m.message.payload, "hello");
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Inbound, QoS1ComesAgainAfterALostConnectionAndOldAcknowledgementsAreIgnored) {
    peer.connect();
    peer.message("a", QoS::at_least_once, 1, "x");
    const auto first = peer.event<Received>();
    peer.lose_connection();
    peer.connect(true);
    peer.message("a", QoS::at_least_once, 1, "x", true);
    const auto again = peer.event<Received>();
    EXPECT_TRUE(again.message.duplicate);
    peer.acknowledge(first.id);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.acknowledge(again.id);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).id, 1);
}

TEST_P(Inbound, QoS2IsNotHandedOverAgainAfterALostConnection) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 1, "x");
    const auto handled = peer.event<Received>();
    peer.message("a", QoS::exactly_once, 2, "y");
    const auto late = peer.event<Received>();
    peer.acknowledge(handled.id);
    peer.forget_sent();
    peer.lose_connection();
    peer.connect(true);
    peer.message("a", QoS::exactly_once, 1, "x", true);
    peer.message("a", QoS::exactly_once, 2, "y", true);
    EXPECT_TRUE(peer.quiet()); // [MQTT-4.3.3-10]
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 1);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // the handler of the second is still at work
    peer.acknowledge(late.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 2);
}

TEST_P(Inbound, ALostSessionForgetsWhatWasSeen) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 1, "x");
    peer.acknowledge(peer.event<Received>().id);
    peer.forget_sent();
    peer.lose_connection();
    peer.connect(false);
    EXPECT_TRUE(peer.engine.snapshot().inbound_qos2.empty()); // [MQTT5-3.2.2-5]
    peer.message("b", QoS::exactly_once, 1, "another");
    EXPECT_EQ(peer.event<Received>().message.payload, "another");
}

TEST_P(Inbound, PubrelAheadOfOurPubrecIsAViolation) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 1);
    peer.event<Received>();
    peer.pubrel(1);
    expect_violation(peer, Reason::protocol_error);
}

TEST(InboundV5, ARefusalIsSaidAndEndsTheFlow) {
    Peer peer{plain()};
    peer.connect();
    peer.message("a", QoS::at_least_once, 1);
    peer.acknowledge(peer.event<Received>().id, Reason::quota_exceeded);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).reason, Reason::quota_exceeded);
    peer.message("a", QoS::exactly_once, 2);
    peer.acknowledge(peer.event<Received>().id, Reason::payload_format_invalid);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).reason, Reason::payload_format_invalid);
    EXPECT_TRUE(peer.engine.snapshot().inbound_qos2.empty());
    peer.message("a", QoS::exactly_once, 2, "another");
    EXPECT_EQ(peer.event<Received>().message.payload, "another"); // [MQTT-4.3.3-9]
}

TEST(InboundV3, ARefusalCannotBeSaid) {
    Peer peer{plain(Version::v3_1_1)};
    peer.connect();
    peer.message("a", QoS::at_least_once, 1);
    peer.acknowledge(peer.event<Received>().id, Reason::quota_exceeded);
    EXPECT_EQ(peer.sent_ack(PacketType::puback).reason, Reason::success);
}

// ---- Our Receive Maximum -------------------------------------------------------------------------------------------

TEST(InboundV5, MoreThanOurReceiveMaximumIsAViolation) {
    auto options = plain();
    options.receive_maximum = 2;
    Peer peer{options};
    peer.connect();
    peer.message("a", QoS::at_least_once, 1);
    peer.message("a", QoS::exactly_once, 2);
    peer.message("a", QoS::at_most_once); // does not count
    for (int i = 0; i < 3; ++i) peer.event<Received>();
    peer.message("a", QoS::at_least_once, 3);
    expect_violation(peer, Reason::receive_maximum_exceeded); // [MQTT-3.3.4-9]
}

TEST(InboundV5, ARepetitionTakesNoSecondPlaceAndPubcompFreesIt) {
    auto options = plain();
    options.receive_maximum = 1;
    Peer peer{options};
    peer.connect();
    peer.message("a", QoS::exactly_once, 1);
    peer.acknowledge(peer.event<Received>().id);
    peer.message("a", QoS::exactly_once, 1, {}, true);
    EXPECT_TRUE(peer.engine.is_up());
    peer.pubrel(1);
    peer.message("a", QoS::at_least_once, 2);
    peer.acknowledge(peer.event<Received>().id);
    peer.message("a", QoS::exactly_once, 3);
    EXPECT_TRUE(peer.engine.is_up());
    peer.forget_sent();
    peer.message("a", QoS::exactly_once, 4);
    peer.forget_events();
    expect_violation(peer, Reason::receive_maximum_exceeded);
}

TEST(InboundV3, ABrokerThatWasNotToldOfALimitIsNotHeldToIt) {
    auto options = plain(Version::v3_1_1);
    options.receive_maximum = 1;
    Peer peer{options};
    peer.connect();
    for (PacketId id = 1; id <= 10; ++id) {
        peer.message("a", QoS::at_least_once, id);
        peer.event<Received>();
    }
    EXPECT_TRUE(peer.engine.is_up());
}

TEST(InboundV5, RepetitionsDoNotCountAsUnacknowledged) {
    Peer peer{plain()};
    peer.connect();
    peer.message("a", QoS::exactly_once, 1);
    peer.event<Received>();
    peer.lose_connection();
    peer.connect(true);
    peer.message("a", QoS::exactly_once, 1, {}, true);
    EXPECT_EQ(peer.engine.snapshot().unacknowledged, 1u);
}

TEST(InboundV5, AfterALostConnackAKnownIdentifierWithoutDupIsAnotherMessage) {
    Peer peer{plain()};
    peer.connect();
    peer.message("a", QoS::exactly_once, 1, "old");
    peer.acknowledge(peer.event<Received>().id);
    peer.message("a", QoS::exactly_once, 2, "kept");
    peer.acknowledge(peer.event<Received>().id);
    peer.forget_sent();
    peer.become_uncertain();
    peer.connect(true);
    peer.message("b", QoS::exactly_once, 1, "new");
    EXPECT_EQ(peer.event<Received>().message.payload, "new");
    peer.message("a", QoS::exactly_once, 2, "kept", true);
    EXPECT_TRUE(peer.quiet());
}

// ---- Topic aliases towards us --------------------------------------------------------------------------------------

std::string aliased(std::string_view topic, std::uint32_t alias, std::string_view payload = {}) {
    const auto properties = Properties{}.set(property::topic_alias, alias);
    std::string octets;
    EXPECT_TRUE(encode(Version::v5, Publish{.topic = topic, .payload = payload, .properties = properties}, octets));
    return octets;
}

Peer with_aliases(std::uint16_t maximum) {
    auto options = plain();
    options.topic_alias_maximum = maximum;
    Peer peer{options};
    peer.connect();
    return peer;
}

TEST(InboundAliases, AreResolvedAndMayBeReplaced) {
    Peer peer = with_aliases(2);
    peer.send_octets(aliased("a", 1) + aliased("", 1) + aliased("b", 1) + aliased("", 1) + aliased("c", 2));
    for (const char* topic : {"a", "a", "b", "b", "c"})
        EXPECT_EQ(peer.event<Received>().message.topic, topic); // [MQTT-3.3.2-10]
}

TEST(InboundAliases, EndWithTheConnection) {
    Peer peer = with_aliases(2);
    peer.send_octets(aliased("a", 1));
    peer.event<Received>();
    peer.lose_connection();
    peer.connect(true);
    peer.send_octets(aliased("", 1)); // [MQTT-3.3.2-7]
    expect_violation(peer, Reason::topic_alias_invalid);
}

TEST(InboundAliases, UnknownOrAboveOurMaximumIsAViolationAndNothingBehindItIsLookedAt) {
    for (const auto& bad : {aliased("", 1), aliased("a", 3)}) {
        Peer peer = with_aliases(2);
        peer.send_octets(aliased("fine", 1) + (bad == aliased("", 1) ? aliased("", 2) : bad) + aliased("behind", 2));
        EXPECT_EQ(peer.event<Received>().message.topic, "fine");
        expect_violation(peer, Reason::topic_alias_invalid); // [MQTT-3.1.2-26]
    }
}

TEST(InboundAliases, NoneAreAllowedUnlessAskedFor) {
    Peer peer = with_aliases(0);
    peer.send_octets(aliased("a", 1)); // [MQTT-3.1.2-27]
    expect_violation(peer, Reason::topic_alias_invalid);
}

TEST(InboundAliases, ZeroIsAViolation) {
    Peer peer = with_aliases(2);
    std::string octets = aliased("a", 1);
    octets[octets.size() - 1] = 0; // the value of the last property, big endian
    peer.send_octets(octets);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::close);
    const auto reason = peer.sent<Disconnect>().reason; // [MQTT-3.3.2-8]
    EXPECT_TRUE(reason == Reason::topic_alias_invalid || reason == Reason::protocol_error ||
                reason == Reason::malformed_packet)
        << to_string(reason);
}

// ---- Hostile octets ------------------------------------------------------------------------------------------------

TEST_P(Inbound, WhatIsNotMqttEndsTheConnectionWithoutHarm) {
    for (const std::string& octets :
         {"HTTP/1.1 400 Bad Request\r\n\r\n" + std::string(100, 'x'), std::string(64, '\xFF'),
          std::string("\x00\x00", 2), std::string("\xF0\x00", 2), std::string("\xD0\x01x", 3)}) {
        Peer victim{plain(GetParam())};
        victim.connect();
        victim.send_octets(octets);
        EXPECT_EQ(victim.wish.kind, Wish::close) << octets;
        victim.close();
        EXPECT_TRUE(victim.event<Down>().retry_in);
    }
}

TEST_P(Inbound, PacketsThatOnlyClientsSendAreViolations) {
    std::vector<Packet> packets = {Pingreq{}, Subscribe{1, {{"a", {}}}, {}}, Unsubscribe{1, {"a"}, {}}};
    for (const auto& packet : packets) {
        Peer victim{plain(GetParam())};
        victim.connect();
        victim.send(packet);
        expect_violation(victim, Reason::protocol_error);
    }
}

// What is wrong inside of such a packet is not our concern: the reasons for that are the server's to give, and the one
// for an unknown protocol version would end the connection for good.
TEST_P(Inbound, PacketsThatOnlyClientsSendAreViolationsWhateverTheySay) {
    const std::string connect_of_level_9("\x10\x0c\x00\x04MQTT\x09\x02\x00\x00\x00\x00", 14);
    const std::string subscribe_to_nonsense("\x82\x09\x00\x01\x00\x00\x03#/a\x00", 11);
    for (const auto& octets : {connect_of_level_9, subscribe_to_nonsense, std::string("\xc0\x01!", 3)}) {
        Peer victim{plain(GetParam())};
        victim.connect();
        victim.send_octets(octets);
        expect_violation(victim, Reason::protocol_error);
    }
}

TEST(InboundV5, APacketAboveOurMaximumPacketSizeIsAViolation) {
    auto options = plain();
    options.maximum_packet_size = 100;
    Peer peer{options};
    peer.connect();
    peer.send_octets(std::string("\x30\xF0\x7F", 3)); // a PUBLISH of 16,368 octets begins
    expect_violation(peer, Reason::packet_too_large); // [MQTT-3.1.2-24]
}

TEST(InboundV5, AnUnexpectedAuthIsAViolation) {
    Peer peer{plain()};
    peer.connect();
    const auto method = Properties{}.set(property::authentication_method, "SCRAM");
    peer.send(Auth{Reason::continue_authentication, method}); // [MQTT-4.12.0-6]
    expect_violation(peer, Reason::protocol_error);
}

TEST(InboundV5, ADisconnectOfTheBrokerEndsTheConnectionWithItsReason) {
    Peer peer{plain()};
    peer.connect();
    const auto why = Properties{}.set(property::reason_string, "closing time");
    std::string octets;
    ASSERT_TRUE(encode(Version::v5, Packet(Disconnect{Reason::server_shutting_down, why}), octets));
    ASSERT_TRUE(encode(Version::v5, Publish{.topic = "behind"}, octets));
    peer.send_octets(octets);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // nothing is said to one who left
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Reason::server_shutting_down);
    EXPECT_EQ(down.why.text, "closing time");
}

TEST_P(Inbound, OctetsAfterTheWishToCloseAreIgnored) {
    peer.connect();
    peer.send_octets(std::string(16, '\xFF'));
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.forget_sent();
    peer.message("a", QoS::at_least_once, 1);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

} // namespace
} // namespace tortoise::core::testing
