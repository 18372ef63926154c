// Brokers that break no rule in a single packet, and yet mean harm: silent, late, repeating, flooding, slow.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class HostileFlow : public BothVersions {
protected:
    EngineOptions options = plain(GetParam());
    bool v5() const { return GetParam() == Version::v5; }
};
INSTANTIATE_TEST_SUITE_P(Versions, HostileFlow, ::testing::ValuesIn(both_versions), version_name);

// The window and the queue fill, what is beyond is refused at once, and a stop ends each operation.
TEST_P(HostileFlow, ABrokerThatNeverAcknowledgesFillsTheWindowAndTheQueueAndNoMore) {
    options.max_in_flight = 4;
    options.queue.messages = 3;
    options.keep_alive = {};
    Peer peer{options};
    peer.connect();
    for (int i = 0; i < 1'000; ++i) peer.publish("a", i % 2 == 0 ? QoS::at_least_once : QoS::exactly_once);
    for (int i = 0; i < 993; ++i) EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::queue_full);
    peer.pass(24h);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.is_up());
    EXPECT_EQ(peer.engine.levels().in_flight, 4u);
    EXPECT_EQ(peer.engine.levels().queued, 3u);
    peer.stop();
    peer.close();
    peer.event<Down>();
    for (int i = 0; i < 7; ++i) EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::stopped);
    peer.event<Stopped>();
    EXPECT_TRUE(peer.quiet());
}

// dotnet/MQTTnet PR 2078: a late acknowledgement of what was given up must not end the connection.
TEST_P(HostileFlow, LateAcknowledgementsOfWhatWasCancelledEndNothing) {
    Peer peer{options};
    peer.connect();
    peer.cancel(peer.publish("a", QoS::at_least_once));
    peer.cancel(peer.publish("b", QoS::exactly_once));
    const auto one = peer.sent<Publish>().id, two = peer.sent<Publish>().id;
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::cancelled);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::cancelled);
    peer.pass(1min);
    peer.forget_sent();
    peer.send(Pingresp{});
    peer.forget_events();
    peer.puback(one);
    peer.puback(one);
    peer.pubrec(two);
    peer.pubrec(two);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, two);
    peer.pubcomp(two);
    peer.pubcomp(two);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.is_up());
    EXPECT_EQ(peer.engine.levels().in_flight, 0u);
}

// MQTT.js PR 2065: the bound holds over reconnects, and what is repeated takes no second place.
TEST(HostileFlowV5, AFloodOfQos2IsBoundedOverReconnectsToo) {
    auto options = plain();
    options.receive_maximum = 5;
    Peer peer{options};
    peer.connect();
    for (int connection = 0; connection < 100; ++connection) {
        for (PacketId id = 1; id <= 5; ++id) peer.message("a", QoS::exactly_once, id, {}, connection > 0);
        EXPECT_LE(peer.engine.snapshot().inbound_qos2.size(), 5u);
        EXPECT_LE(peer.engine.snapshot().unacknowledged, 5u);
        peer.message("a", QoS::exactly_once, 6);
        EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::receive_maximum_exceeded);
        peer.close();
        peer.forget_events();
        peer.pass(1s);
        peer.connect(true);
    }
}

// The peer of MQTT 3.1.1 has no Receive Maximum to keep; its identifiers are the bound.
TEST(HostileFlowV3, AFloodOfQos2IsBoundedByTheIdentifiers) {
    Peer peer{plain(Version::v3_1_1)};
    peer.connect();
    for (unsigned i = 1; i <= 200'000; ++i)
        peer.message("a", QoS::exactly_once, static_cast<PacketId>(i % 65'535 + 1), {}, i > 65'535);
    EXPECT_EQ(peer.engine.snapshot().inbound_qos2.size(), 65'535u);
    EXPECT_EQ(peer.engine.snapshot().unacknowledged, 65'535u);
}

// MQTT.js PR 2062, LabOverWire/mqtt-lib PR 97: what one CONNACK allowed is of its connection. What the server takes
// says nothing about what we take.
TEST(HostileFlowV5, WhatOneConnackForbadeTheNextOneAllows) {
    Peer peer{plain()};
    peer.connect(false, Properties{}
                            .set(property::receive_maximum, 1)
                            .set(property::maximum_packet_size, 60u)
                            .set(property::maximum_qos, false)
                            .set(property::retain_available, false));
    const std::string large(200, 'x');
    peer.publish("a", QoS::at_most_once, large);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::packet_too_large);
    peer.publish("a", QoS::at_least_once, "x");
    EXPECT_EQ(peer.event<Undelivered>().why.code, Reason::qos_not_supported);
    peer.publish({.topic = "a", .retain = true});
    EXPECT_EQ(peer.event<Undelivered>().why.code, Reason::retain_not_supported);
    peer.message("b", QoS::at_most_once, 0, large);
    EXPECT_EQ(peer.event<Received>().message.payload, large);
    peer.lose_connection();
    peer.connect(true);
    peer.publish("a", QoS::at_least_once, large);
    peer.publish({.topic = "a", .qos = QoS::exactly_once, .retain = true});
    EXPECT_EQ(peer.sent<Publish>().payload, large);
    EXPECT_EQ(peer.sent<Publish>().qos, QoS::exactly_once);
    EXPECT_TRUE(peer.quiet());
}

// The same of who we are: the session is the one that was asked for.
TEST(HostileFlowV5, AnIdentifierThatNobodyAskedForIsNotTaken) {
    Peer peer{plain()};
    peer.start();
    peer.open();
    EXPECT_EQ(peer.sent<Connect>().client_id, "test");
    peer.send(Connack{false, Reason::success, Properties{}.set(property::assigned_client_identifier, "somebody else")});
    EXPECT_EQ(peer.event<Up>().info.client_id, "test");
    peer.lose_connection();
    EXPECT_EQ(peer.connect(true).client_id, "test");
}

// MQTT.js 460: a broker that drops the connection over a second SUBSCRIBE must not be provoked with each reconnect.
TEST_P(HostileFlow, EachReconnectAsksForEachFilterOnce) {
    Peer peer{options};
    peer.connect();
    peer.subscribe({"one"});
    peer.subscribe({"two"});
    peer.forget_sent();
    for (int connection = 0; connection < 3; ++connection) {
        peer.lose_connection();
        peer.connect(connection % 2 == 1);
        std::vector<std::string> asked;
        while (!peer.silent())
            for (const auto& entry : peer.sent<Subscribe>().entries) asked.emplace_back(entry.filter);
        EXPECT_EQ(asked, (std::vector<std::string>{"one", "two"}));
        peer.pass(5s);
        EXPECT_TRUE(peer.silent()) << peer.rest();
    }
}

// marvinroger/async-mqtt-client 196: what stops the client after one connection.
TEST_P(HostileFlow, ABrokerThatDropsEachConnectionAtTheFirstPublishLosesNothing) {
    Peer peer{options};
    const Token token = peer.publish("a", QoS::at_least_once, "x");
    peer.connect();
    for (int connection = 0; connection < 50; ++connection) {
        const auto publish = peer.sent<Publish>();
        EXPECT_EQ(publish.payload, "x");
        EXPECT_EQ(publish.duplicate, connection > 0);
        peer.lose_connection();
        peer.connect(true);
    }
    peer.puback(peer.sent<Publish>().id);
    const auto done = peer.event<Delivered>();
    EXPECT_EQ(done.token, token);
    EXPECT_EQ(done.receipt.attempts, 51u);
}

// ---- Slow ----------------------------------------------------------------------------------------------------------

TEST_P(HostileFlow, ABytePerSecondIsAPacketInTheEnd) {
    options.keep_alive = {};
    Peer peer{options};
    peer.connect();
    std::string octets;
    ASSERT_TRUE(encode(GetParam(), Publish{.topic = "slow", .payload = "and steady"}, octets));
    for (const char octet : octets) {
        EXPECT_TRUE(peer.quiet());
        peer.send_octets({&octet, 1});
        peer.pass(1s);
    }
    EXPECT_EQ(peer.event<Received>().message.payload, "and steady");
}

TEST_P(HostileFlow, ABytePerSecondIsNotAConnack) {
    options.connect_timeout = 3s;
    Peer peer{options};
    peer.start();
    peer.open();
    peer.sent<Connect>();
    std::string octets;
    ASSERT_TRUE(encode(GetParam(), Packet(Connack{}), octets));
    for (std::size_t i = 0; peer.wish.kind != Wish::close && i < 4; ++i) {
        peer.send_octets(Octets(octets).substr(i, 1));
        peer.pass(1s);
    }
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::connect_timeout);
    EXPECT_TRUE(down.retry_in);
}

// Octets that trickle show that the peer lives, and a large packet may take its time; but not for ever without an
// answer.
TEST_P(HostileFlow, ABytePerSecondOfAPacketWithoutEndIsGivenUp) {
    options.keep_alive = 10s;
    Peer peer{options};
    peer.connect();
    peer.send_octets(std::string("\x30\xff\xff\x7f", 4));
    int seconds = 0;
    for (; peer.wish.kind != Wish::close && seconds < 10'000; ++seconds) {
        peer.pass(1s);
        peer.send_octets("x");
        peer.forget_sent();
    }
    EXPECT_GT(seconds, 300); // a large packet on a slow line is let through
    EXPECT_LT(seconds, 1'000);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Errc::keep_alive_timeout);
}

// The same of a peer that talks, and never answers.
TEST_P(HostileFlow, PingsThatAreNeverAnsweredEndTheConnectionOfWhoTalks) {
    options.keep_alive = 10s;
    Peer peer{options};
    peer.connect();
    std::size_t pings = 0;
    for (int seconds = 0; peer.wish.kind != Wish::close && seconds < 10'000; ++seconds) {
        peer.pass(1s);
        peer.message("a", QoS::at_most_once);
        for (; !peer.silent() && peer.wish.kind != Wish::close; ++pings) peer.sent<Pingreq>();
    }
    EXPECT_EQ(pings, 64u);
    peer.close();
    while (!peer.quiet()) {
        const auto event = peer.any_event();
        if (const auto* down = std::get_if<Down>(&event)) {
            EXPECT_EQ(down->why.code, Errc::keep_alive_timeout);
            EXPECT_TRUE(down->retry_in);
        }
    }
}

} // namespace
} // namespace tortoise::core::testing
