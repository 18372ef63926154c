// What outlives the program: the session of a persistent engine, taken up by its next life.
#include "core/engine/peer.hpp"

#include <gmock/gmock.h>

namespace tortoise::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

EngineOptions persistent(Version version) {
    auto options = plain(version);
    options.persistent = true;
    return options;
}

class Persistence : public BothVersions {
protected:
    /// The next life connects.
    Connect connect_again(bool session_present = true) {
        peer.restart();
        return peer.connect(session_present);
    }
    Peer peer{persistent(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Versions, Persistence, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Persistence, AcceptsWhatWaitsAndWhatIsSent) {
    const Token offline = peer.publish("a", QoS::at_least_once);
    EXPECT_EQ(peer.event<Accepted>().token, offline);
    peer.connect();
    const Token online = peer.publish("a", QoS::exactly_once);
    EXPECT_EQ(peer.event<Accepted>().token, online);
}

TEST_P(Persistence, AcceptsNothingThatIsRefused) {
    peer.publish("#", QoS::at_least_once);
    peer.event<Undelivered>();
    EXPECT_TRUE(peer.quiet());
    EXPECT_THAT(peer.records, IsEmpty());
}

TEST_P(Persistence, WhatWaitedIsSentByTheNextLifeInItsOrder) {
    for (const auto* payload : {"1", "2", "3"}) peer.publish("a", QoS::at_least_once, payload);
    connect_again(false);
    for (const auto* payload : {"1", "2", "3"}) {
        const auto p = peer.sent<Publish>();
        EXPECT_EQ(p.payload, payload);
        EXPECT_FALSE(p.duplicate);
    }
}

TEST_P(Persistence, WhatWasInFlightIsSentAgainWithItsIdentifierAndDup) { // [MQTT3-3.1.2-4] [MQTT5-3.1.2-23]
                                                                         // [MQTT3-4.4.0-1] [MQTT5-4.4.0-1]
    peer.connect();
    peer.publish("a", QoS::at_least_once, "1");
    peer.publish("a", QoS::exactly_once, "2");
    const auto first = peer.sent<Publish>(), second = peer.sent<Publish>();
    connect_again();
    for (const auto& before : {first, second}) {
        const auto again = peer.sent<Publish>();
        EXPECT_EQ(again.id, before.id);
        EXPECT_TRUE(again.duplicate);
        EXPECT_EQ(again.topic, "a");
    }
    peer.puback(first.id);
    peer.pubrec(second.id);
    peer.sent_ack(PacketType::pubrel);
    peer.pubcomp(second.id);
    EXPECT_TRUE(peer.engine.snapshot().in_flight.empty());
    EXPECT_THAT(peer.records, SizeIs(1)); // the session's own
}

TEST_P(Persistence, WhatWasReleasedIsReleasedAgainAndNeverPublished) {
    peer.connect();
    peer.publish("a", QoS::exactly_once);
    const auto id = peer.sent<Publish>().id;
    peer.pubrec(id);
    peer.sent_ack(PacketType::pubrel);
    connect_again();
    EXPECT_EQ(peer.sent_ack(PacketType::pubrel).id, id);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pubcomp(id, GetParam() == Version::v5 ? Reason::packet_identifier_not_found : Reason::success);
    EXPECT_THAT(peer.records, SizeIs(1));
}

TEST_P(Persistence, IdentifiersInFlightAreNotUsedAgain) {
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    const auto id = peer.sent<Publish>().id;
    connect_again();
    peer.sent<Publish>();
    for (int i = 0; i < 10; ++i) {
        peer.publish("b", QoS::at_least_once);
        EXPECT_NE(peer.sent<Publish>().id, id);
    }
}

TEST_P(Persistence, ALostSessionPutsWhatWasPublishedBackAndGivesUpWhatWasReleased) {
    peer.connect();
    peer.publish("a", QoS::exactly_once, "released");
    peer.pubrec(peer.sent<Publish>().id);
    peer.sent_ack(PacketType::pubrel);
    peer.publish("a", QoS::at_least_once, "published");
    connect_again(false);
    const auto lost = peer.event<Undelivered>();
    EXPECT_EQ(lost.why.code, Errc::session_lost); // [MQTT5-3.2.2-5]
    const auto again = peer.sent<Publish>();
    EXPECT_EQ(again.payload, "published");
    EXPECT_FALSE(again.duplicate);
    peer.puback(again.id);
    EXPECT_THAT(peer.records, SizeIs(1));
}

TEST_P(Persistence, WhatExpiredMeanwhileIsReportedAndNotSent) {
    peer.publish("a", QoS::at_least_once, "short", 5s);
    peer.publish("a", QoS::at_least_once, "long", 1h);
    peer.restart(10s);
    peer.connect(false);
    const auto late = peer.event<Undelivered>();
    EXPECT_EQ(late.why.code, Errc::expired);
    EXPECT_EQ(late.message.payload, "short");
    EXPECT_EQ(peer.sent<Publish>().payload, "long");
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Persistence, WhatLivesLongerThanAnyClockIsKept) {
    peer.publish("a", QoS::at_least_once, "for ever", Duration::max());
    peer.restart(10s);
    peer.connect(false);
    EXPECT_EQ(peer.sent<Publish>().payload, "for ever");
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Persistence, AQoS2MessageThatWasHandledIsNotHandledAgain) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 7, "x");
    peer.acknowledge(peer.event<Received>().id);
    peer.sent_ack(PacketType::pubrec);
    connect_again();
    peer.message("a", QoS::exactly_once, 7, "x", true);
    EXPECT_EQ(peer.sent_ack(PacketType::pubrec).id, 7);
    EXPECT_TRUE(peer.quiet());
    peer.pubrel(7);
    peer.sent_ack(PacketType::pubcomp);
    peer.message("a", QoS::exactly_once, 7, "y"); // another message
    EXPECT_EQ(peer.event<Received>().message.payload, "y");
}

TEST_P(Persistence, AQoS2MessageThatWasNotHandledIsHandedOutAgain) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 7, "x");
    peer.event<Received>();
    connect_again();
    peer.message("a", QoS::exactly_once, 7, "x", true);
    EXPECT_EQ(peer.event<Received>().message.payload, "x");
}

TEST_P(Persistence, ALostSessionForgetsWhatWasHandled) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 7, "x");
    peer.acknowledge(peer.event<Received>().id);
    connect_again(false);
    peer.message("a", QoS::exactly_once, 7, "another");
    EXPECT_EQ(peer.event<Received>().message.payload, "another");
    connect_again();
    EXPECT_THAT(peer.engine.snapshot().inbound_qos2, IsEmpty());
}

// Found by the simulator (seed 661016): the identifier stood on the disk, for a message that nobody had handled.
TEST_P(Persistence, AnIdentifierOfASessionThatIsGoneIsForgottenWithItsNextMessage) {
    peer.connect();
    peer.message("a", QoS::exactly_once, 7, "x");
    peer.acknowledge(peer.event<Received>().id);
    peer.sent_ack(PacketType::pubrec);
    peer.become_uncertain();
    peer.connect(true);
    peer.message("a", QoS::exactly_once, 7, "y"); // without DUP: another message
    EXPECT_EQ(peer.event<Received>().message.payload, "y");
    connect_again(); // before it was handled
    peer.message("a", QoS::exactly_once, 7, "y", true);
    EXPECT_EQ(peer.event<Received>().message.payload, "y");
}

TEST_P(Persistence, TheNextLifeRejoinsTheSession) {
    auto options = persistent(GetParam());
    options.session.clean_start = true;
    Peer other(options);
    EXPECT_TRUE(other.connect().clean_start);
    other.restart();
    const auto connect = other.connect(GetParam() == Version::v5);
    EXPECT_EQ(connect.clean_start, GetParam() == Version::v3_1_1); // there the flag means what it says at every connect
}

TEST_P(Persistence, StoppingKeepsWhatIsLeft) {
    peer.connect();
    const Token flying = peer.publish("a", QoS::at_least_once, "1");
    peer.sent<Publish>();
    peer.forget_events();
    peer.stop();
    const auto bye = peer.sent<Disconnect>();
    EXPECT_FALSE(PropertiesView(bye.properties).get(property::session_expiry_interval));
    peer.close();
    peer.event<Down>();
    const auto stopped = peer.event<Undelivered>();
    EXPECT_EQ(stopped.token, flying);
    EXPECT_EQ(stopped.why.code, Errc::stopped);
    connect_again();
    EXPECT_EQ(peer.sent<Publish>().payload, "1");
}

TEST_P(Persistence, CancelledAndDisplacedMessagesAreForgotten) {
    auto options = persistent(GetParam());
    options.queue = {.messages = 1, .overflow = Overflow::drop_oldest};
    Peer other(options);
    other.publish("a", QoS::at_least_once, "1");
    const Token second = other.publish("a", QoS::at_least_once, "2");
    EXPECT_THAT(other.records, SizeIs(1));
    other.cancel(second);
    EXPECT_THAT(other.records, IsEmpty());
}

TEST_P(Persistence, QoS0WaitsOverARestartAndIsForgottenBeforeItIsSent) {
    peer.publish("a", QoS::at_most_once, "1");
    connect_again(false);
    EXPECT_EQ(peer.sent<Publish>().payload, "1");
    EXPECT_THAT(peer.records, SizeIs(1));
}

TEST(PersistenceOverVersions, WhatAnMqtt5LifeLeftIsSentOnMqtt311WithoutItsProperties) {
    Peer five(persistent(Version::v5));
    const auto properties = Properties{}.set(property::content_type, "text/plain");
    five.connect();
    five.publish({.topic = "a", .payload = "flying", .qos = QoS::at_least_once, .properties = properties});
    five.forget_events();
    five.lose_connection();
    five.publish({.topic = "a", .payload = "waiting", .qos = QoS::at_least_once, .properties = properties});
    Peer three(persistent(Version::v3_1_1));
    three.records = five.records;
    three.restart();
    three.connect(true);
    EXPECT_EQ(three.sent<Publish>().payload, "flying");
    EXPECT_EQ(three.sent<Publish>().payload, "waiting");
}

// Whatever was kept last when the program died, the next life comes to the same end: the broker gets the message, once.
TEST_P(Persistence, AQoS2FlowCutAfterAnyChangeDeliversOnce) {
    for (int cut = 0; cut < 5; ++cut) {
        SCOPED_TRACE(cut);
        Peer p(persistent(GetParam()));
        bool broker_has_id = false, broker_has_message = false;
        int delivered = 0;
        std::uint16_t id = 0;
        const auto serve = [&](int steps) { // a broker that answers to so many packets [MQTT-4.3.3]
            for (int i = 0; i < steps && !p.silent(); ++i) {
                if (broker_has_id && p.rest().starts_with("PUBREL")) {
                    id = p.sent_ack(PacketType::pubrel).id;
                    delivered += std::exchange(broker_has_message, false);
                    broker_has_id = false;
                    p.pubcomp(id);
                } else if (p.rest().starts_with("PUBREL")) {
                    p.pubcomp(p.sent_ack(PacketType::pubrel).id);
                } else {
                    id = p.sent<Publish>().id;
                    if (!std::exchange(broker_has_id, true)) broker_has_message = true;
                    p.pubrec(id);
                }
            }
        };
        p.connect();
        p.publish("a", QoS::exactly_once, "x");
        serve(cut / 2);
        if (cut % 2 == 1) p.forget_sent(); // lost on the way
        p.restart();
        p.connect(true);
        serve(10);
        EXPECT_EQ(delivered, 1);
        EXPECT_THAT(p.records, SizeIs(1));
    }
}

TEST_P(Persistence, RecordsThatCannotBeAreAnError) {
    const Record bad{RecordKind::message, 1, 0, "nonsense"};
    Engine engine(persistent(GetParam()), 1);
    const auto restored = engine.restore(Time{}, WallTime{}, {&bad, 1});
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, Errc::store_damaged);
}

TEST_P(Persistence, WhatWasNotHandledWhenTheUserDroppedTheConnectionIsHandedOutAgain) {
    for (const auto qos : {QoS::at_least_once, QoS::exactly_once}) {
        SCOPED_TRACE(static_cast<int>(qos));
        Peer p(persistent(GetParam()));
        p.connect();
        p.message("a", qos, 1, "handled");
        p.message("a", qos, 2, "not handled");
        p.message("a", qos, 3, "not seen");
        p.acknowledge(p.event<Received>().id);
        p.forget_events();
        p.drop(make_error(Errc::handler_threw, "x"));
        p.lose_connection();
        p.forget_sent();
        p.connect(true);
        p.message("a", qos, 2, "not handled", true);
        p.message("a", qos, 3, "not seen", true);
        EXPECT_EQ(p.event<Received>().message.payload, "not handled");
        EXPECT_EQ(p.event<Received>().message.payload, "not seen");
    }
}

TEST_P(Persistence, DroppingTheConnectionBacksOffWhateverTheReason) {
    peer.connect();
    peer.drop(make_error(Errc::handler_threw, "x"));
    if (GetParam() == Version::v5) {
        EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::disconnect_with_will);
    }
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::handler_threw);
    EXPECT_TRUE(down.retry_in);
}

} // namespace
} // namespace tortoise::core::testing
