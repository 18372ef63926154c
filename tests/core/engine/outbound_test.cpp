// The outbound quality-of-service table, row by row, on the wire.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Outbound : public BothVersions {
protected:
    Peer peer{plain(GetParam())};
    const Reason unknown_id = GetParam() == Version::v5 ? Reason::packet_identifier_not_found : Reason::success;
};
INSTANTIATE_TEST_SUITE_P(Versions, Outbound, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Outbound, QoS0IsSentWithoutIdentifierAndDoneAtOnce) {
    peer.connect();
    const Token token = peer.publish("a", QoS::at_most_once, "x");
    const auto p = peer.sent<Publish>();
    EXPECT_EQ(p.id, 0);        // [MQTT3-2.3.1-5] [MQTT5-2.2.1-2]
    EXPECT_FALSE(p.duplicate); // [MQTT-4.3.1-1] [MQTT-3.3.1-2]
    EXPECT_EQ(p.topic, "a");
    EXPECT_EQ(p.payload, "x");
    EXPECT_EQ(peer.event<Delivered>().token, token);
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
}

TEST_P(Outbound, QueuedWhileOfflineAndSentInOrderWhenUp) {
    peer.publish("a", QoS::at_least_once, "1");
    peer.publish("a", QoS::at_most_once, "2");
    peer.publish("a", QoS::exactly_once, "3");
    EXPECT_EQ(peer.engine.snapshot().queued, 3u);
    peer.connect();
    EXPECT_EQ(peer.sent<Publish>().payload, "1");
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
    EXPECT_EQ(peer.engine.snapshot().queued, 0u);
}

TEST_P(Outbound, NothingButConnectIsSentBeforeConnack) {
    peer.publish("a", QoS::at_least_once);
    peer.subscribe({{"f", QoS::at_least_once}});
    peer.start();
    peer.open();
    peer.sent<Connect>(); // [MQTT-3.1.0-1]
    peer.publish("b", QoS::at_most_once);
    peer.ping();
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Outbound, PubackEndsQoS1) {
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once, "x");
    const auto p = peer.sent<Publish>();
    EXPECT_NE(p.id, 0);        // [MQTT3-2.3.1-1]
    EXPECT_FALSE(p.duplicate); // [MQTT3-4.3.2-1] [MQTT5-4.3.2-2]
    EXPECT_TRUE(peer.quiet()); // [MQTT-4.3.2-3] unacknowledged until PUBACK
    peer.pass(3s);
    peer.puback(p.id);
    const auto done = peer.event<Delivered>();
    EXPECT_EQ(done.token, token);
    EXPECT_EQ(done.receipt.qos, QoS::at_least_once);
    EXPECT_EQ(done.receipt.attempts, 1u);
    EXPECT_EQ(done.receipt.took, 3s);
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
}

TEST(OutboundV5, PubackWithARefusalEndsQoS1Undelivered) {
    Peer peer{plain()};
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once, "x");
    peer.puback(peer.sent<Publish>().id, Reason::not_authorized);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, Reason::not_authorized);
    EXPECT_EQ(u.message.topic, "a");
    EXPECT_EQ(u.message.payload, "x");
    peer.lose_connection();
    peer.connect(true);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-4.4.0-2]
}

TEST(OutboundV5, TheReceiptTellsReasonAndText) {
    Peer peer{plain()};
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    const auto p = peer.sent<Publish>();
    const Properties text = Properties{}.set(property::reason_string, "nobody listens");
    peer.send(Ack{PacketType::puback, p.id, Reason::no_matching_subscribers, text});
    const auto done = peer.event<Delivered>();
    EXPECT_EQ(done.receipt.reason, Reason::no_matching_subscribers);
    EXPECT_EQ(done.receipt.text, "nobody listens");
}

TEST_P(Outbound, PubrecReleasesAndPubcompEndsQoS2) {
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once, "x");
    const auto p = peer.sent<Publish>();
    EXPECT_FALSE(p.duplicate); // [MQTT3-4.3.3-1] [MQTT5-4.3.3-2]
    peer.pubrec(p.id);
    const auto rel = peer.sent_ack(PacketType::pubrel);
    EXPECT_EQ(rel.id, p.id); // [MQTT-4.3.3-4] [MQTT3-2.3.1-6] [MQTT5-2.2.1-5]
    EXPECT_EQ(rel.reason, Reason::success);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.snapshot().in_flight.at(0).released); // [MQTT-4.3.3-5]
    peer.pubcomp(p.id);
    EXPECT_EQ(peer.event<Delivered>().token, token);
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
}

TEST(OutboundV5, PubrecWithARefusalEndsQoS2) {
    Peer peer{plain()};
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once);
    const auto p = peer.sent<Publish>();
    peer.pubrec(p.id, Reason::quota_exceeded);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // no PUBREL
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, Reason::quota_exceeded);
    peer.lose_connection();
    peer.connect(true);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-4.4.0-2]
}

TEST_P(Outbound, PublishedIsSentAgainWithDupInTheOldOrderWhenTheSessionIsResumed) {
    peer.connect();
    peer.publish("a", QoS::at_least_once, "1");
    peer.publish("b", QoS::exactly_once, "2");
    peer.publish("a", QoS::at_least_once, "3");
    const auto first = peer.sent<Publish>(), second = peer.sent<Publish>(), third = peer.sent<Publish>();
    peer.puback(first.id);
    peer.forget_events();
    peer.publish("c", QoS::at_least_once, "4");
    const auto fourth = peer.sent<Publish>();
    peer.lose_connection();
    peer.connect(true);
    for (const auto& before :
         {second, third, fourth}) { // [MQTT-4.6.0-1] [MQTT3-4.4.0-1] [MQTT5-4.4.0-1] [MQTT5-4.3.3-3]
        const auto again = peer.sent<Publish>();
        EXPECT_EQ(again.id, before.id); // [MQTT-2.3.1-3]
        EXPECT_EQ(again.topic, before.topic);
        EXPECT_EQ(again.payload, before.payload);
        EXPECT_EQ(again.qos, before.qos);
        EXPECT_TRUE(again.duplicate); // [MQTT-3.3.1-1]
    }
    peer.puback(fourth.id);
    EXPECT_EQ(peer.event<Delivered>().receipt.attempts, 2u);
}

TEST_P(Outbound, NothingIsSentAgainWhileTheConnectionLasts) {
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    peer.publish("a", QoS::exactly_once);
    const auto one = peer.sent<Publish>(), two = peer.sent<Publish>();
    peer.pubrec(two.id);
    peer.sent_ack(PacketType::pubrel);
    for (int i = 0; i < 20; ++i) {
        peer.pass(59s);
        peer.message("news", QoS::at_most_once);
        while (!peer.silent()) peer.sent<Pingreq>(); // [MQTT5-4.4.0-1]
        peer.send(Pingresp{});
    }
    EXPECT_EQ(peer.engine.snapshot().in_flight.size(), 2u); // [MQTT3-4.1.0-1] [MQTT3-4.1.0-2] [MQTT5-4.1.0-1]
    EXPECT_EQ(peer.engine.snapshot().in_flight[0].id, one.id);
}

TEST_P(Outbound, ReleasedIsReleasedAgainWhenTheSessionIsResumed) {
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once, "x");
    const auto p = peer.sent<Publish>();
    peer.pubrec(p.id);
    peer.sent_ack(PacketType::pubrel);
    peer.lose_connection();
    peer.connect(true);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, p.id); // [MQTT-4.3.3-6] [MQTT3-4.4.0-1]
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pubcomp(p.id, unknown_id); // it had been released already
    EXPECT_EQ(peer.event<Delivered>().token, token);
}

TEST_P(Outbound, PublishedGoesBackToItsOldPlaceWhenTheSessionIsLost) {
    peer.connect();
    peer.publish("a", QoS::at_least_once, "1");
    peer.publish("b", QoS::exactly_once, "2");
    peer.forget_sent();
    peer.close();
    EXPECT_TRUE(peer.event<Down>().was_up);
    peer.publish("a", QoS::at_least_once, "3");
    peer.pass(1s);
    peer.connect(false);
    for (const char* payload : {"1", "2", "3"}) {
        const auto p = peer.sent<Publish>();
        EXPECT_EQ(p.payload, payload);
        EXPECT_FALSE(p.duplicate); // a new session: a new message
    }
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Outbound, PublishedWhoseTimeIsOverExpiresWhenTheSessionIsLost) {
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once, "1", 10s);
    peer.sent<Publish>();
    peer.pass(11s);
    EXPECT_TRUE(peer.quiet()); // [MQTT-4.3.3-7] once on the wire it does not expire
    peer.lose_connection();
    peer.connect(false);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, Errc::expired);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Outbound, ReleasedIsSessionLostAndNeverPublishedAgain) {
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once);
    const auto p = peer.sent<Publish>();
    peer.pubrec(p.id);
    peer.sent_ack(PacketType::pubrel);
    peer.lose_connection();
    peer.connect(false);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, Errc::session_lost);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
}

TEST_P(Outbound, PubrecForAnUnknownIdentifierIsAnsweredWithPubrel) {
    peer.connect();
    peer.pubrec(77);
    const auto rel = peer.sent_ack(PacketType::pubrel);
    EXPECT_EQ(rel.id, 77);
    EXPECT_EQ(rel.reason, unknown_id); // [MQTT-3.6.2-1]
    peer.pubcomp(77, unknown_id);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Outbound, ARepeatedPubrecIsAnsweredAgain) {
    peer.connect();
    peer.publish("a", QoS::exactly_once);
    const auto p = peer.sent<Publish>();
    peer.pubrec(p.id);
    peer.sent_ack(PacketType::pubrel);
    peer.pubrec(p.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, p.id);
    peer.pubcomp(p.id);
    peer.event<Delivered>();
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Outbound, PubrelsLeaveInTheOrderOfThePubrecs) {
    peer.connect();
    for (const char* payload : {"1", "2", "3"}) peer.publish("a", QoS::exactly_once, payload);
    const auto a = peer.sent<Publish>(), b = peer.sent<Publish>(), c = peer.sent<Publish>();
    for (const PacketId id : {b.id, c.id, a.id}) peer.pubrec(id);
    for (const PacketId id : {b.id, c.id, a.id}) EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, id); // [MQTT-4.6.0-4]
}

TEST_P(Outbound, ALateOrRepeatedAcknowledgementIsIgnored) {
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    const auto p = peer.sent<Publish>();
    peer.puback(p.id);
    peer.event<Delivered>();
    peer.puback(p.id);
    peer.pubcomp(200);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Outbound, AnAcknowledgementOfTheWrongTypeCompletesNothing) {
    for (const PacketType wrong : {PacketType::pubrec, PacketType::pubcomp}) {
        Peer p{plain(GetParam())};
        p.connect();
        p.publish("a", QoS::at_least_once);
        p.send(Ack{wrong, p.sent<Publish>().id, Reason::success, {}});
        EXPECT_TRUE(p.quiet());
        EXPECT_EQ(p.wish.kind, Wish::close);
        if (GetParam() == Version::v5) {
            EXPECT_EQ(p.sent<Disconnect>().reason, Reason::protocol_error);
        }
        EXPECT_EQ(p.engine.snapshot().in_flight.size(), 1u);
    }
    peer.connect();
    peer.publish("a", QoS::exactly_once);
    peer.puback(peer.sent<Publish>().id);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST_P(Outbound, AnAcknowledgementDoesNotCompleteASubscribeOfTheSameIdentifier) {
    peer.connect();
    peer.subscribe({{"f", QoS::at_least_once}});
    const auto s = peer.sent<Subscribe>();
    peer.puback(s.id);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::close); // the broker broke the protocol
}

TEST_P(Outbound, IdentifiersOfTheTwoDirectionsAreNotConfused) {
    peer.connect();
    peer.publish("a", QoS::exactly_once, "ours");
    const auto ours = peer.sent<Publish>();
    peer.message("b", QoS::exactly_once, ours.id, "theirs");
    const auto theirs = peer.event<Received>();
    EXPECT_EQ(theirs.message.payload, "theirs");
    peer.pubrec(ours.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, ours.id);
    peer.acknowledge(theirs.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, ours.id);
    peer.pubcomp(ours.id);
    peer.event<Delivered>();
    EXPECT_EQ(peer.engine.snapshot().inbound_qos2, std::vector<std::uint16_t>{ours.id});
    peer.pubrel(ours.id);
    EXPECT_EQ(peer.sent_ack(PacketType::pubcomp).id, ours.id);
    EXPECT_TRUE(peer.engine.snapshot().inbound_qos2.empty());
}

TEST_P(Outbound, AnIdentifierInUseIsNeverGivenAgain) {
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    const PacketId kept = peer.sent<Publish>().id;
    for (int i = 0; i < 70'000; ++i) { // once around
        peer.publish("a", QoS::at_least_once);
        const PacketId id = peer.sent<Publish>().id;
        ASSERT_NE(id, 0);
        ASSERT_NE(id, kept) << "after " << i; // [MQTT3-2.3.1-2] [MQTT5-2.2.1-3] [MQTT5-4.3.2-1]
        peer.puback(id);
    }
}

TEST_P(Outbound, AReleasedIdentifierIsInUseUntilPubcomp) {
    peer.connect();
    peer.publish("a", QoS::exactly_once);
    const PacketId kept = peer.sent<Publish>().id;
    peer.pubrec(kept);
    peer.sent_ack(PacketType::pubrel);
    for (int i = 0; i < 1'000; ++i) { // once around: few are in flight
        peer.publish("a", QoS::at_least_once);
        const PacketId id = peer.sent<Publish>().id;
        ASSERT_NE(id, kept) << "after " << i;
        peer.puback(id);
    }
}

TEST(OutboundV5, APublishHasNoSubscriptionIdentifier) {
    Peer peer{plain()};
    peer.connect();
    const auto identifier = Properties{}.set(property::subscription_identifier, 1);
    peer.publish({.topic = "a", .qos = QoS::at_most_once, .properties = identifier});
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_option);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-3.3.4-6]
}

TEST_P(Outbound, BadRequestsEndAtOnceWithWhatIsWrong) {
    peer.connect();
    peer.publish("a/#", QoS::at_least_once); // [MQTT-3.3.2-2]
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_topic);
    peer.publish("", QoS::at_least_once); // [MQTT-4.7.3-1]
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_topic);
    peer.publish("a", static_cast<QoS>(3));
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_qos);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_TRUE(peer.engine.is_up());
}

} // namespace
} // namespace tortoise::core::testing
