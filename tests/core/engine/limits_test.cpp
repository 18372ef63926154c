// What CONNACK allows holds for its connection, and for no other.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

Properties receive_maximum(std::uint32_t n) { return Properties{}.set(property::receive_maximum, n); }

TEST(Limits, ReceiveMaximumIsOneWindowForQoS1AndQoS2) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(2));
    peer.publish("a", QoS::at_least_once, "1");
    peer.publish("a", QoS::exactly_once, "2");
    peer.publish("a", QoS::at_least_once, "3");
    peer.publish("a", QoS::exactly_once, "4");
    const auto one = peer.sent<Publish>(), two = peer.sent<Publish>();
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-4.9.0-2] [MQTT-4.9.0-1]
    EXPECT_EQ(peer.engine.snapshot().send_quota, 0);
    peer.pubrec(two.id);
    peer.sent_ack(PacketType::pubrel);         // [MQTT-4.9.0-3]
    EXPECT_TRUE(peer.silent()) << peer.rest(); // PUBREC does not free the place
    peer.puback(one.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
    peer.pubcomp(two.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "4");
}

TEST(Limits, APubrecWithARefusalFreesThePlace) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(1));
    peer.publish("a", QoS::exactly_once, "1");
    peer.publish("a", QoS::exactly_once, "2");
    peer.pubrec(peer.sent<Publish>().id, Reason::not_authorized);
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
}

TEST(Limits, OnlyPublishWaitsForTheWindow) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(1));
    peer.publish("a", QoS::at_least_once);
    peer.sent<Publish>();
    peer.subscribe({{"f", QoS::at_least_once}});
    peer.sent<Subscribe>(); // [MQTT-3.3.4-8]
    peer.ping();
    peer.sent<Pingreq>();
    peer.unsubscribe({"g"});
    peer.sent<Unsubscribe>();
}

TEST(Limits, WithoutReceiveMaximumTheWindowIsAllIdentifiers) {
    Peer peer{plain()};
    peer.connect();
    for (int i = 0; i < 1000; ++i) peer.publish("a", QoS::at_least_once);
    for (int i = 0; i < 1000; ++i) peer.sent<Publish>();
}

TEST(Limits, SendingAgainObeysAWindowThatShrank) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(5));
    for (const char* p : {"1", "2", "3", "4"}) peer.publish("a", QoS::at_least_once, p);
    peer.forget_sent();
    peer.publish("a", QoS::exactly_once, "5");
    const auto fifth = peer.sent<Publish>();
    peer.pubrec(fifth.id);
    peer.sent_ack(PacketType::pubrel);
    peer.lose_connection();
    peer.connect(true, receive_maximum(2));
    const auto one = peer.sent<Publish>(), two = peer.sent<Publish>();
    EXPECT_EQ(one.payload, "1");
    EXPECT_EQ(two.payload, "2");
    peer.publish("a", QoS::at_least_once, "6");
    while (!peer.silent()) EXPECT_EQ(peer.sent<Ack>().type, PacketType::pubrel); // [MQTT-4.9.0-2]
    peer.puback(one.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
    peer.puback(two.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "4");
}

TEST(Limits, WhatWaitsGoesBehindAllThatIsSentAgain) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(2));
    for (const char* p : {"1", "2"}) peer.publish("a", QoS::at_least_once, p);
    peer.forget_sent();
    peer.lose_connection();
    peer.publish("a", QoS::at_most_once, "3");
    peer.connect(true, receive_maximum(1));
    const auto one = peer.sent<Publish>();
    EXPECT_EQ(one.payload, "1");
    EXPECT_TRUE(peer.silent());
    peer.puback(one.id);
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
}

TEST(Limits, AWiderWindowIsUsed) {
    Peer peer{plain()};
    peer.connect(false, receive_maximum(1));
    for (const char* p : {"1", "2", "3"}) peer.publish("a", QoS::at_least_once, p);
    EXPECT_EQ(peer.sent<Publish>().payload, "1");
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.lose_connection();
    peer.connect(true); // no limit any more
    for (const char* p : {"1", "2", "3"}) EXPECT_EQ(peer.sent<Publish>().payload, p);
}

TEST(Limits, AMessageAboveTheMaximumPacketSizeIsRefusedHereAndTakesNoIdentifier) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::maximum_packet_size, 100));
    peer.publish("a", QoS::at_least_once, std::string(200, 'x'));
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.why.code, Errc::packet_too_large);
    EXPECT_NE(u.why.text.find("100"), std::string::npos) << u.why.text;
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-3.2.2-15]
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
    peer.publish("a", QoS::at_least_once, std::string(50, 'x'));
    peer.sent<Publish>();
    peer.lose_connection();
    peer.connect(false);
    peer.forget_sent();
    peer.publish("a", QoS::at_least_once, std::string(200, 'x'));
    EXPECT_EQ(peer.sent<Publish>().payload.size(), 200u); // the limit went with its connection
}

TEST(Limits, EveryPacketWithinTheMaximumIsSent) {
    for (std::size_t size = 1; size < 100; ++size) {
        auto options = plain();
        options.topic_aliases = TopicAliases::automatic;
        Peer peer{options};
        peer.connect(false, Properties{}.set(property::maximum_packet_size, 60).set(property::topic_alias_maximum, 10));
        peer.publish("a/b", QoS::at_least_once, std::string(size, 'x'), 10s);
        if (peer.silent()) {
            EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::packet_too_large);
            continue;
        }
        std::string octets;
        EXPECT_TRUE(encode(Version::v5, Packet(peer.sent<Publish>()), octets));
        EXPECT_LE(octets.size(), 60u); // [MQTT-3.2.2-15]
    }
}

TEST(Limits, MaximumQoS) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::maximum_qos, 1));
    peer.publish("a", QoS::exactly_once);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Reason::qos_not_supported); // [MQTT-3.2.2-11]
    peer.publish("a", QoS::at_least_once);
    EXPECT_EQ(peer.sent<Publish>().qos, QoS::at_least_once);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(Limits, RetainUnavailable) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::retain_available, 0));
    peer.publish({.topic = "a", .qos = QoS::at_most_once, .retain = true});
    EXPECT_EQ(peer.event<Undelivered>().why.code, Reason::retain_not_supported); // [MQTT-3.2.2-14]
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(Limits, WhatIsQueuedIsCheckedAgainAtEveryConnack) {
    Peer peer{plain()};
    const Token large = peer.publish("a", QoS::at_least_once, std::string(200, 'x'));
    const Token twice = peer.publish("a", QoS::exactly_once);
    const Token kept = peer.publish({.topic = "a", .qos = QoS::at_least_once, .retain = true});
    peer.publish("a", QoS::at_least_once, "fine");
    peer.connect(false, Properties{}
                            .set(property::maximum_packet_size, 100)
                            .set(property::maximum_qos, 1)
                            .set(property::retain_available, 0));
    for (const Token token : {large, twice, kept}) EXPECT_EQ(peer.event<Undelivered>().token, token);
    EXPECT_EQ(peer.sent<Publish>().payload, "fine");
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(Limits, WhatWasInFlightIsCheckedToo) {
    Peer peer{plain()};
    peer.connect();
    const Token token = peer.publish("a", QoS::exactly_once, std::string(200, 'x'));
    peer.sent<Publish>();
    peer.lose_connection();
    peer.connect(true, Properties{}.set(property::maximum_packet_size, 100));
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT-3.2.2-15]
    EXPECT_EQ(peer.event<Undelivered>().token, token);
}

TEST(Limits, WildcardsUnavailable) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::wildcard_subscription_available, 0));
    peer.subscribe({{"a/+", QoS::at_least_once}, {"a/b", QoS::at_least_once}});
    const auto s = peer.sent<Subscribe>();
    ASSERT_EQ(s.entries.size(), 1u);
    EXPECT_EQ(s.entries[0].filter, "a/b");
    EXPECT_EQ(peer.event<FilterChanged>().grant->error().code, Reason::wildcard_subscriptions_not_supported);
    peer.suback(s.id, {Reason::granted_qos_1});
    const auto done = peer.event<Subscribed>();
    EXPECT_EQ(done.results.at(0).error().code, Reason::wildcard_subscriptions_not_supported);
    EXPECT_TRUE(done.results.at(1));
}

TEST(Limits, SharedSubscriptionsUnavailable) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::shared_subscription_available, 0));
    peer.subscribe({{"$share/g/a", QoS::at_least_once}});
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.event<FilterChanged>();
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Reason::shared_subscriptions_not_supported);
}

TEST(Limits, TopicAliasesStayWithinTheMaximumAndEndWithTheConnection) {
    auto options = plain();
    options.topic_aliases = TopicAliases::automatic;
    Peer peer{options};
    const auto two = Properties{}.set(property::topic_alias_maximum, 2);
    peer.connect(false, two);
    std::string known[3];
    int used = 0;
    for (const char* topic : {"topic/a", "topic/b", "topic/a", "topic/b", "topic/c", "topic/c", "topic/a", "topic/b",
                              "topic/c", "topic/a"}) {
        peer.publish(topic, QoS::at_most_once);
        const auto p = peer.sent<Publish>();
        const auto alias = p.properties.get(property::topic_alias);
        if (!alias) {
            EXPECT_EQ(p.topic, topic);
            continue;
        }
        used += p.topic.empty();
        ASSERT_GE(*alias, 1u); // [MQTT-3.3.2-8]
        ASSERT_LE(*alias, 2u); // [MQTT-3.2.2-17] [MQTT-3.3.2-9]
        if (!p.topic.empty()) known[*alias] = p.topic;
        EXPECT_EQ(known[*alias], topic);
    }
    EXPECT_GT(used, 2);
    peer.forget_events();
    peer.lose_connection();
    peer.connect(true, two);
    peer.publish("topic/a", QoS::at_most_once);
    EXPECT_EQ(peer.sent<Publish>().topic, "topic/a"); // [MQTT-3.3.2-7]
    peer.forget_events();
    peer.lose_connection();
    peer.connect(true);
    peer.publish("topic/a", QoS::at_most_once);
    EXPECT_FALSE(peer.sent<Publish>().properties.get(property::topic_alias)); // [MQTT-3.2.2-18]
}

TEST(Limits, AMessageSentAgainHasItsTopic) {
    auto options = plain();
    options.topic_aliases = TopicAliases::automatic;
    Peer peer{options};
    peer.connect(false, Properties{}.set(property::topic_alias_maximum, 2));
    peer.publish("topic/a", QoS::at_least_once, "1");
    peer.publish("topic/a", QoS::at_least_once, "2");
    peer.publish("topic/a", QoS::at_least_once, "3");
    EXPECT_EQ(peer.sent<Publish>().topic, "topic/a");
    peer.sent<Publish>();
    EXPECT_EQ(peer.sent<Publish>().topic, "");
    peer.lose_connection();
    peer.connect(true);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(peer.sent<Publish>().topic, "topic/a");
}

} // namespace
} // namespace tortoise::core::testing
