// Liveness: pings by last traffic, answers in time, none if it is off.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Alive : public BothVersions {
protected:
    Alive() {
        options.keep_alive = 10s;
        options.keep_alive_timeout = 3s;
    }
    EngineOptions options = plain(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Versions, Alive, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Alive, PingsWhenNothingWasSentForTheInterval) {
    Peer peer{options};
    peer.connect();
    peer.pass(6s);
    peer.publish("a", QoS::at_most_once);
    peer.sent<Publish>();
    peer.message("b", QoS::at_most_once);
    peer.pass(9'999ms);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(1ms);
    peer.sent<Pingreq>(); // [MQTT3-3.1.2-23] [MQTT5-3.1.2-20]
    peer.send(Pingresp{});
    peer.pass(9'999ms);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(1ms);
    peer.sent<Pingreq>();
}

TEST_P(Alive, NoAnswerInTimeEndsTheConnection) {
    Peer peer{options};
    peer.connect();
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.pass(2'999ms);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ms);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::keep_alive_timeout);
    EXPECT_TRUE(down.was_up);
}

TEST_P(Alive, WhateverArrivesShowsThatThePeerLives) {
    Peer peer{options};
    peer.connect();
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.pass(2s);
    peer.message("a", QoS::at_most_once);
    peer.pass(2s);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST_P(Alive, AwaitingAnAnswerDoesNotExcuseSilence) {
    options.keep_alive = 2s;
    options.keep_alive_timeout = 60s;
    Peer peer{options};
    peer.connect();
    for (int i = 0; i < 10; ++i) {
        peer.pass(2s);
        peer.sent<Pingreq>(); // [MQTT3-3.1.2-23] [MQTT5-3.1.2-20]
    }
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Alive, ZeroMeansNoPings) {
    options.keep_alive = 0s;
    Peer peer{options};
    EXPECT_EQ(peer.connect().keep_alive, 0);
    peer.pass(1000h);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Alive, APingOfTheUserTellsTheRoundTrip) {
    options.keep_alive = 0s;
    Peer peer{options};
    peer.connect();
    const Token one = peer.ping();
    peer.sent<Pingreq>();
    peer.pass(20ms);
    const Token two = peer.ping();
    peer.sent<Pingreq>();
    peer.pass(30ms);
    peer.send(Pingresp{});
    const auto first = peer.event<Pong>();
    EXPECT_EQ(first.token, one);
    EXPECT_EQ(first.round_trip, 50ms);
    peer.send(Pingresp{});
    const auto second = peer.event<Pong>();
    EXPECT_EQ(second.token, two);
    EXPECT_EQ(second.round_trip, 30ms);
}

TEST_P(Alive, APingOfTheUserTimesOutToo) {
    options.keep_alive = 0s;
    Peer peer{options};
    peer.connect();
    const Token token = peer.ping();
    peer.sent<Pingreq>();
    peer.pass(3s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<PingFailed>().token, token);
}

TEST_P(Alive, APingWhileOfflineFailsAtOnce) {
    Peer peer{options};
    const Token token = peer.ping();
    EXPECT_EQ(peer.event<PingFailed>().token, token);
}

TEST_P(Alive, APingrespDoesNotAnswerAPingOfAnEarlierConnection) {
    options.keep_alive = 0s;
    Peer peer{options};
    peer.connect();
    const Token old = peer.ping();
    peer.sent<Pingreq>();
    peer.close();
    EXPECT_EQ(peer.event<PingFailed>().token, old);
    peer.event<Down>();
    peer.pass(2s);
    peer.connect(true);
    peer.send(Pingresp{});
    EXPECT_TRUE(peer.quiet());
    const Token fresh = peer.ping();
    peer.pass(5ms);
    peer.send(Pingresp{});
    const auto pong = peer.event<Pong>();
    EXPECT_EQ(pong.token, fresh);
    EXPECT_EQ(pong.round_trip, 5ms);
}

TEST_P(Alive, APeerThatDiedCostsNeitherMessagesNorSubscriptions) {
    Peer peer{options};
    peer.connect();
    peer.subscribe({{"f", QoS::at_least_once}});
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    peer.forget_events();
    const Token message = peer.publish("a", QoS::at_least_once, "x");
    peer.sent<Publish>();
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.pass(3s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_TRUE(peer.event<Down>().retry_in);
    peer.pass(1s);
    peer.connect(true);
    EXPECT_EQ(peer.sent<Subscribe>().entries.at(0).filter, "f");
    const auto again = peer.sent<Publish>();
    EXPECT_TRUE(again.duplicate);
    peer.puback(again.id);
    EXPECT_EQ(peer.event<Delivered>().token, message);
}

TEST_P(Alive, APingrespThatNobodyAskedForIsIgnored) {
    Peer peer{options};
    peer.connect();
    peer.send(Pingresp{});
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.is_up());
}

/// Who does not read for the user's sake cannot blame the broker for what it did not read.
TEST_P(Alive, WhileTheInputIsHeldTheSilenceIsOurs) {
    Peer peer{options};
    peer.connect();
    peer.subscribe({{"a", QoS::at_most_once}});
    const auto id = peer.sent<Subscribe>().id;
    peer.engine.hold_input(peer.now, true);
    EXPECT_FALSE(peer.engine.wants_input());
    for (int i = 0; i < 100; ++i) { // also beyond what is awaited at most
        peer.pass(9'999ms);
        EXPECT_TRUE(peer.silent()) << peer.rest();
        peer.pass(1ms);
        peer.sent<Pingreq>(); // [MQTT3-3.1.2-23] [MQTT5-3.1.2-20] hold all the same
    }
    EXPECT_TRUE(peer.quiet());
    peer.engine.hold_input(peer.now, false);
    EXPECT_TRUE(peer.engine.wants_input());
    for (int i = 0; i < 100; ++i) peer.send(Pingresp{});
    peer.send(Suback{id, {Reason::success}, {}});
    peer.event<Subscribed>();
    peer.event<FilterChanged>();
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.pass(3s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST_P(Alive, AHeldInputDoesNotKeepAConnectionFromComingUp) {
    Peer peer{options};
    peer.engine.hold_input(peer.now, true);
    EXPECT_TRUE(peer.engine.wants_input());
    peer.connect();
    EXPECT_FALSE(peer.engine.wants_input());
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.engine.hold_input(peer.now, false);
    peer.pass(10s);
    peer.sent<Pingreq>();
    peer.pass(2'999ms);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ms);
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST(AliveV5, TheServersKeepAliveIsObeyedAndForgottenWithItsConnection) {
    auto options = plain();
    options.keep_alive = 60s;
    Peer peer{options};
    peer.start();
    peer.open();
    peer.sent<Connect>();
    const auto seven = Properties{}.set(property::server_keep_alive, 7);
    peer.send(Connack{false, Reason::success, seven});
    EXPECT_EQ(peer.event<Up>().info.keep_alive, 7s);
    peer.pass(7s);
    peer.sent<Pingreq>(); // [MQTT-3.1.2-21] [MQTT-3.2.2-21]
    peer.lose_connection();
    EXPECT_EQ(peer.connect(true).keep_alive, 60); // asked for anew
    peer.pass(59s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(1s);
    peer.sent<Pingreq>();
}

TEST(AliveV5, TheServerMayTurnItOff) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::server_keep_alive, 0));
    peer.pass(1000h);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

} // namespace
} // namespace tortoise::core::testing
