// Time to live: withdrawn at its moment while queued, carried as Message Expiry Interval when sent.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Expiry : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Expiry, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Expiry, IsReportedAtItsMomentWhileOffline) {
    Peer peer{plain(GetParam())};
    peer.publish("a", QoS::at_least_once, "keeps");
    const Token token = peer.publish("a", QoS::at_least_once, "goes", 5s);
    ASSERT_TRUE(peer.engine.deadline());
    EXPECT_EQ(peer.engine.deadline()->at, peer.now + 5s);
    EXPECT_EQ(peer.engine.deadline()->why, Timer::expiry);
    peer.pass(5s - 1ns);
    EXPECT_TRUE(peer.quiet());
    peer.pass(1ns);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, Errc::expired);
    EXPECT_EQ(u.message.payload, "goes");
    peer.connect();
    EXPECT_EQ(peer.sent<Publish>().payload, "keeps");
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(ExpiryV5, IsReportedAtItsMomentWhileTheWindowIsClosed) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::receive_maximum, 1));
    peer.publish("a", QoS::at_least_once, "1");
    const auto first = peer.sent<Publish>();
    const Token token = peer.publish("a", QoS::at_least_once, "2", 5s);
    peer.publish("a", QoS::at_least_once, "3", 60s);
    peer.pass(5s);
    EXPECT_EQ(peer.event<Undelivered>().token, token);
    peer.puback(first.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
}

TEST(ExpiryV5, WhatIsSentAgainAfterItsTimeTellsTheShortestInterval) { // 0 is for ever to some brokers
    Peer peer{plain()};
    peer.connect();
    peer.publish("a", QoS::at_least_once, "unlock", 5s);
    EXPECT_EQ(PropertiesView(peer.sent<Publish>().properties).get(property::message_expiry_interval), 5u);
    peer.pass(10s);
    peer.lose_connection();
    peer.connect(true);
    EXPECT_EQ(PropertiesView(peer.sent<Publish>().properties).get(property::message_expiry_interval), 1u);
}

TEST_P(Expiry, TheEarliestIsFirstWhateverTheOrderOfPublishing) {
    Peer peer{plain(GetParam())};
    const Token late = peer.publish("a", QoS::at_least_once, "x", 9s),
                early = peer.publish("a", QoS::at_most_once, "y", 2s);
    peer.pass(20s);
    EXPECT_EQ(peer.event<Undelivered>().token, early);
    EXPECT_EQ(peer.event<Undelivered>().token, late);
}

TEST_P(Expiry, WithoutTimeItExpiresAtOnceUnlessItCanGo) {
    Peer peer{plain(GetParam())};
    const Token token = peer.publish("a", QoS::at_least_once, "x", 0s);
    EXPECT_EQ(peer.event<Undelivered>().token, token);
    peer.publish("a", QoS::at_least_once, "x", -1s);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::expired);
    EXPECT_EQ(peer.engine.snapshot().queued, 0u);
}

TEST_P(Expiry, AtTheMomentOfConnectingItIsChecked) {
    Peer peer{plain(GetParam())};
    peer.start();
    const Token token = peer.publish("a", QoS::at_least_once, "x", 5s);
    peer.open();
    peer.sent<Connect>();
    peer.now += 5s; // the timer of the shell is late
    peer.send(Connack{false, Reason::success, {}});
    peer.event<Up>();
    EXPECT_EQ(peer.event<Undelivered>().token, token);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Expiry, OnTheWireTheQoSRulesDecide) {
    Peer peer{plain(GetParam())};
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once, "x", 5s);
    const auto p = peer.sent<Publish>();
    peer.pass(10s);
    EXPECT_TRUE(peer.quiet()); // [MQTT-4.3.3-7]
    peer.pubrec(p.id);
    peer.sent_ack(PacketType::pubrel);
    peer.pubcomp(p.id);
    EXPECT_EQ(peer.event<Delivered>().token, token);
}

TEST(ExpiryV5, TheRestTravelsAsMessageExpiryInterval) {
    Peer peer{plain()};
    peer.publish("a", QoS::at_least_once, "1", 100s);
    peer.publish("a", QoS::at_least_once, "2");
    peer.pass(30s);
    peer.connect();
    EXPECT_EQ(peer.sent<Publish>().properties.get(property::message_expiry_interval), 70u);
    EXPECT_FALSE(peer.sent<Publish>().properties.get(property::message_expiry_interval));
    peer.publish("a", QoS::at_most_once, "3", 1500ms);
    const auto third = peer.sent<Publish>().properties.get(property::message_expiry_interval);
    EXPECT_TRUE(third == 1u || third == 2u);
    peer.publish("a", QoS::at_most_once, "4", 1ms);
    EXPECT_EQ(peer.sent<Publish>().properties.get(property::message_expiry_interval), 1u); // not 0: it is still wanted
}

TEST(ExpiryV5, AMessageExpiryIntervalAmongThePropertiesIsATimeToLive) {
    Peer peer{plain()};
    const auto interval = Properties{}.set(property::message_expiry_interval, 8);
    const Token token = peer.publish({.topic = "a", .qos = QoS::at_least_once, .properties = interval});
    peer.pass(8s);
    EXPECT_EQ(peer.event<Undelivered>().token, token);
}

TEST(ExpiryV3, NothingIsSaidOfItOnTheWire) {
    Peer peer{plain(Version::v3_1_1)};
    peer.connect();
    peer.publish("a", QoS::at_least_once, "x", 100s);
    EXPECT_TRUE(peer.sent<Publish>().properties.empty());
}

} // namespace
} // namespace tortoise::core::testing
