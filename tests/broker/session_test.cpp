#include "broker/world.hpp"

namespace broker_test {
namespace {

class Sessions : public BothVersions {
protected:
    static bool present(World& world, std::string_view id, const ConnectAs& as) {
        auto& client = world.open(GetParam());
        client.connect(id, as);
        return client.expect<core::Connack>()->session_present;
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Sessions, both_versions, version_name);

TEST_P(Sessions, ASessionIsKeptAndTakenUpAgain) {
    World world;
    world.join(GetParam(), "a", keeping()).subscribed("t", qos_1).drop(); // [MQTT3-3.1.2-4] [MQTT5-3.1.2-23]
    world.join(GetParam(), "p").publish("t", "meanwhile", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1);
    auto& again = world.open(GetParam());
    again.connect("a", keeping());
    EXPECT_TRUE(again.expect<core::Connack>()->session_present); // [MQTT3-3.2.2-2] [MQTT5-3.2.2-3]
    again.expect_publish("t", "meanwhile", qos_1);               // [MQTT3-3.1.2-5] [MQTT5-3.1.2-5] [MQTT-4.5.0-1]
}

TEST_P(Sessions, CleanStartDiscardsTheSession) {
    World world;
    world.join(GetParam(), "a", keeping()).subscribed("t", qos_1).drop();
    world.join(GetParam(), "p").publish("t", "lost", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1);
    auto& again = world.open(GetParam());
    again.connect("a", {.clean_start = true});
    EXPECT_FALSE(again.expect<core::Connack>()->session_present); // [MQTT3-3.1.2-6] [MQTT3-3.1.4-3] [MQTT3-3.2.2-1]
                                                                  // [MQTT5-3.1.2-4] [MQTT5-3.1.4-4] [MQTT5-3.2.2-2]
    again.expect_nothing();
    EXPECT_TRUE(world.session("a").subscriptions.empty());
}

TEST_P(Sessions, ASessionWithoutExpiryEndsWithItsConnection) {
    World world;
    auto& client = world.join(GetParam(), "a").subscribed("t");
    world.pass(24h);
    EXPECT_EQ(world.session("a").subscriptions.size(), 1U); // [MQTT3-4.1.0-2] [MQTT5-4.1.0-1]
    client.drop();
    EXPECT_FALSE(world.has_session("a")); // [MQTT3-3.1.2-6] [MQTT5-4.1.0-2]
    EXPECT_FALSE(present(world, "a", {.clean_start = GetParam() == Version::v3_1_1})); // [MQTT5-3.1.2-6]
}

TEST_P(Sessions, ATakenOverSessionWithoutExpiryIsNotTakenUp) {
    World world;
    world.join(GetParam(), "a").subscribed("t");
    EXPECT_FALSE(present(world, "a", keeping())); // [MQTT3-3.2.2-3]
    EXPECT_TRUE(world.session("a").subscriptions.empty());
}

TEST_P(Sessions, ATakenOverSessionWithExpiryIsTakenUp) {
    World world;
    world.join(GetParam(), "a", keeping()).subscribed("t");
    EXPECT_TRUE(present(world, "a", keeping()));
    EXPECT_EQ(world.session("a").subscriptions.size(), 1U);
}

TEST(Sessions5, ASessionExpiresAfterItsInterval) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 5u)};
    world.join(Version::v5, "a", as).drop();
    world.pass(4'999ms);
    EXPECT_TRUE(world.has_session("a"));
    world.pass(1ms);
    EXPECT_FALSE(world.has_session("a")); // [MQTT-4.1.0-2]
}

TEST(Sessions5, AnExpiredSessionIsGoneEvenIfNobodyCalledElapsed) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 5u)};
    world.join(Version::v5, "a", as).drop();
    world.now += 5s;
    auto& again = world.open(Version::v5);
    again.connect("a", as);
    EXPECT_FALSE(again.expect<core::Connack>()->session_present);
}

TEST(Sessions5, TheIntervalBeginsWhenTheConnectionEnds) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 5u)};
    auto& client = world.join(Version::v5, "a", as);
    world.pass(1h);
    EXPECT_TRUE(world.has_session("a")); // [MQTT-4.1.0-1]
    client.drop();
    world.pass(4s);
    world.join(Version::v5, "a", as);
    world.pass(1h);
    EXPECT_TRUE(world.has_session("a"));
}

TEST(Sessions5, TheLongestIntervalNeverEnds) {
    World world;
    world.join(Version::v5, "a", {.properties = with(property::session_expiry_interval, 0xFFFF'FFFFu)}).drop();
    EXPECT_FALSE(world.engine.deadline());
    world.pass(24h * 365 * 200);
    EXPECT_TRUE(world.has_session("a"));
}

TEST(Sessions5, EachConnectionSetsTheIntervalAnew) {
    World world;
    const auto as = [](std::uint32_t interval) {
        return ConnectAs{.clean_start = false, .properties = with(property::session_expiry_interval, interval)};
    };
    world.join(Version::v5, "a", as(5)).drop();
    world.pass(1s);
    world.join(Version::v5, "a", as(0xFFFF'FFFF)).drop();
    world.pass(1h);
    EXPECT_TRUE(world.has_session("a"));
    world.join(Version::v5, "a", as(10)).drop();
    world.pass(10s);
    EXPECT_FALSE(world.has_session("a"));
}

TEST(Sessions5, VeryLongIntervalsDoNotOverflow) {
    World world;
    world.now = Time::max() - 1h;
    world.join(Version::v5, "a", {.properties = with(property::session_expiry_interval, 0xFFFF'FFFEu)}).drop();
    EXPECT_EQ(world.engine.deadline(), Time::max());
}

TEST(Sessions5, DisconnectChangesTheInterval) {
    World world;
    const ConnectAs as{.properties = with(property::session_expiry_interval, 5u)};
    world.join(Version::v5, "a", as).disconnect(Reason::success, with(property::session_expiry_interval, 10u));
    world.pass(9s);
    EXPECT_TRUE(world.has_session("a"));
    world.pass(1s);
    EXPECT_FALSE(world.has_session("a"));
    world.join(Version::v5, "b", as).disconnect(Reason::success, with(property::session_expiry_interval, 0u));
    EXPECT_FALSE(world.has_session("b"));
}

TEST(Sessions5, DisconnectCannotSetAnIntervalThatWasZero) {
    World world;
    auto& client = world.join(Version::v5, "a");
    client.disconnect(Reason::success, with(property::session_expiry_interval, 10u));
    client.expect_closed(Reason::protocol_error);
    EXPECT_FALSE(world.has_session("a"));
}

TEST(Sessions5, TheCapShortensTheInterval) {
    World world({.session_expiry_cap = 3s});
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::session_expiry_interval, 0xFFFF'FFFFu)});
    EXPECT_EQ(client.expect<core::Connack>()->properties.get(property::session_expiry_interval), 3U);
    client.disconnect(Reason::success, with(property::session_expiry_interval, 1'000u));
    world.pass(2'999ms);
    EXPECT_TRUE(world.has_session("a"));
    world.pass(1ms);
    EXPECT_FALSE(world.has_session("a"));
}

TEST(Sessions5, AnIntervalBelowTheCapIsNotRepeated) {
    World world({.session_expiry_cap = 3s});
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::session_expiry_interval, 3u)});
    EXPECT_FALSE(client.expect<core::Connack>()->properties.get(property::session_expiry_interval));
}

TEST(Sessions311, ASessionThatIsNotCleanNeverExpires) {
    World world;
    world.join(Version::v3_1_1, "a", {.clean_start = false}).drop(); // [MQTT-3.1.2-4] [MQTT-4.1.0-1]
    world.pass(24h * 365);
    EXPECT_TRUE(world.has_session("a"));
}

TEST(Sessions311, TheCapAppliesToo) {
    World world({.session_expiry_cap = 3s});
    world.join(Version::v3_1_1, "a", {.clean_start = false}).drop();
    world.pass(3s);
    EXPECT_FALSE(world.has_session("a"));
}

TEST(Sessions311, CleanSessionEndsASessionThatWasKept) {
    World world;
    world.join(Version::v3_1_1, "a", {.clean_start = false}).subscribed("t").drop();
    world.join(Version::v3_1_1, "a", {.clean_start = true}).drop(); // [MQTT3-3.1.2-6]
    EXPECT_FALSE(world.has_session("a"));
}

TEST_P(Sessions, SessionsSurviveWhenEveryConnectionIsClosed) {
    World world;
    auto& one = world.join(GetParam(), "one", keeping()).subscribed("t", qos_1);
    auto& two = world.join(GetParam(), "two", keeping());
    one.drop();
    two.publish("t", "x", {.qos = qos_1, .id = 5});
    two.drop();
    EXPECT_EQ(world.engine.statistics().connections, 0U);
    EXPECT_EQ(world.engine.statistics().sessions, 2U);
    auto& again = world.open(GetParam());
    again.connect("one", keeping());
    EXPECT_TRUE(again.expect<core::Connack>()->session_present);
    again.expect_publish("t", "x", qos_1);
}

TEST_P(Sessions, ForgetSessionsForgetsAll) {
    World world;
    world.join(GetParam(), "a", keeping()).subscribed("t").publish("r", "x", {.retain = true}).drop();
    EXPECT_EQ(world.engine.statistics().retained, 1U);
    world.engine.forget_sessions();
    EXPECT_EQ(world.engine.statistics().sessions, 0U);
    EXPECT_EQ(world.engine.statistics().retained, 0U);
    EXPECT_FALSE(world.engine.deadline());
    EXPECT_FALSE(present(world, "a", keeping()));
    world.join(GetParam(), "b").publish("t", "x").expect_nothing();
    EXPECT_TRUE(world.session("a").subscriptions.empty());
}

TEST_P(Sessions, ForgetSessionsClosesConnectionsThatAreStillThere) {
    World world;
    auto& client = world.join(GetParam(), "a", keeping());
    world.engine.forget_sessions();
    world.pump();
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(world.engine.statistics().connections, 0U);
}

TEST_P(Sessions, TheSnapshotShowsWhatASessionHolds) {
    World world;
    auto& client = world.join(GetParam(), "a", keeping());
    client.subscribed("b/#", qos_2).subscribed("a/+", qos_1);
    client.publish("x", "1", {.qos = qos_2, .id = 9}).publish("x", "2", {.qos = qos_2, .id = 3});
    auto& other = world.join(GetParam(), "p");
    other.publish("a/1", "x", {.qos = qos_1, .id = 1});
    const auto online = world.session("a");
    EXPECT_TRUE(online.connected);
    EXPECT_EQ(online.in_flight, 1U);
    EXPECT_EQ(online.inbound_qos2, (std::vector<std::uint16_t>{3, 9}));
    ASSERT_EQ(online.subscriptions.size(), 2U);
    EXPECT_EQ(online.subscriptions[0].filter, "a/+");
    EXPECT_EQ(online.subscriptions[0].options.qos, qos_1);
    client.drop();
    other.publish("b", "y", {.qos = qos_2, .id = 2});
    EXPECT_FALSE(world.session("a").connected);
    EXPECT_EQ(world.session("a").queued, 1U);
    EXPECT_EQ(world.session("a").in_flight, 1U);
}

} // namespace
} // namespace broker_test
