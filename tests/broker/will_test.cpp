#include "broker/world.hpp"

namespace broker_test {
namespace {

class Wills : public BothVersions {
protected:
    static ConnectAs with_will(core::ConnectWill will = {.topic = "will", .payload = "gone"}) {
        auto as = keeping();
        as.will = will;
        return as;
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Wills, both_versions, version_name);

TEST_P(Wills, AWillIsPublishedWhenTheConnectionBreaks) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will", qos_2);
    auto& client = world.join(GetParam(), "c", with_will({.topic = "will", .payload = "gone", .qos = qos_1}));
    watcher.expect_nothing();
    client.drop();
    EXPECT_FALSE(
        watcher.expect_publish("will", "gone", qos_1)->retain); // [MQTT3-3.1.2-8] [MQTT5-3.1.2-7] [MQTT5-3.1.2-8]
    watcher.expect_nothing();
    world.pass(24h); // only once; [MQTT-3.1.2-10]
    watcher.expect_nothing();
}

TEST_P(Wills, WithoutAWillNothingIsPublished) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("#");
    world.join(GetParam(), "c").drop();
    watcher.expect_nothing(); // [MQTT3-3.1.2-12]
}

TEST_P(Wills, DisconnectTakesTheWillAway) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will");
    auto& client = world.join(GetParam(), "c", with_will()).disconnect();
    EXPECT_TRUE(client.closed());
    world.pass(24h);
    watcher.expect_nothing(); // [MQTT-3.14.4-3] [MQTT-3.1.2-10]
}

TEST_P(Wills, NothingBehindDisconnectIsProcessed) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("#");
    auto& client = world.join(GetParam(), "c", with_will());
    std::string octets;
    ASSERT_TRUE(core::encode(GetParam(), core::Packet(core::Disconnect{}), octets));
    ASSERT_TRUE(core::encode(GetParam(), core::Publish{.topic = "t", .payload = "x"}, octets));
    client.send_raw(octets);
    EXPECT_TRUE(client.closed());
    watcher.expect_nothing();
}

TEST(Wills5, DisconnectWithWillPublishesIt) {
    World world;
    auto& watcher = world.join(Version::v5, "w").subscribed("will");
    for (const auto reason : {Reason::disconnect_with_will, Reason::unspecified_error}) {
        auto& client = world.join(Version::v5, "c", {.will = core::ConnectWill{.topic = "will", .payload = "gone"}});
        client.disconnect(reason);
        EXPECT_TRUE(client.closed());
        watcher.expect_publish("will", "gone");
    }
}

TEST_P(Wills, AViolationPublishesTheWill) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will");
    auto& client = world.join(GetParam(), "c", with_will());
    client.connect("c");
    EXPECT_TRUE(client.closed());
    watcher.expect_publish("will", "gone");
}

TEST_P(Wills, SilencePublishesTheWill) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will");
    auto as = with_will();
    as.keep_alive = 10;
    world.join(GetParam(), "c", as);
    world.pass(15s);
    watcher.expect_publish("will", "gone");
}

TEST_P(Wills, TakingOverPublishesTheWill) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will");
    world.join(GetParam(), "c", with_will());
    world.join(GetParam(), "c", keeping());
    watcher.expect_publish("will", "gone");
    watcher.expect_nothing();
}

TEST_P(Wills, AWillIsRetainedIfAskedFor) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("will");
    world.join(GetParam(), "c", with_will({.topic = "will", .payload = "gone", .retain = true})).drop();
    EXPECT_FALSE(watcher.expect_publish("will", "gone")->retain);
    EXPECT_TRUE(world.join(GetParam(), "x")
                    .subscribed("will")
                    .expect_publish("will", "gone")
                    ->retain); // [MQTT3-3.1.2-17] [MQTT5-3.1.2-15]
}

TEST_P(Wills, AWillThatIsNotRetainedIsNotKept) {
    World world;
    world.join(GetParam(), "c", with_will()).drop();
    world.join(GetParam(), "x").subscribed("will").expect_nothing(); // [MQTT3-3.1.2-16] [MQTT5-3.1.2-14]
}

TEST_P(Wills, AWillReachesItsOwnSession) {
    World world;
    world.join(GetParam(), "c", with_will({.topic = "will", .payload = "gone", .qos = qos_1}))
        .subscribed("will", qos_1)
        .drop();
    world.join(GetParam(), "c", keeping()).expect_publish("will", "gone", qos_1);
}

TEST_P(Wills, WillsAreOfTheirConnection) {
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("#");
    world.join(GetParam(), "c", with_will()).disconnect();
    world.join(GetParam(), "c", keeping()).drop();
    watcher.expect_nothing();
    world.join(GetParam(), "c", with_will({.topic = "will", .payload = "second"})).drop();
    watcher.expect_publish("will", "second");
}

class DelayedWills : public ::testing::Test {
protected:
    static ConnectAs delayed(std::uint32_t delay, std::uint32_t session_expiry, bool clean_start = false) {
        return {.clean_start = clean_start,
                .will = core::ConnectWill{.topic = "will", .payload = "gone", .properties = delay_of(delay)},
                .properties = with(property::session_expiry_interval, session_expiry)};
    }
    static PropertiesView delay_of(std::uint32_t delay) {
        static std::deque<Properties> kept; // the view has to outlive the options
        return kept.emplace_back(with(property::will_delay_interval, delay)).view();
    }
    static ConnectAs without_will() {
        return {.clean_start = false, .properties = with(property::session_expiry_interval, 600u)};
    }

    World world;
    Client& watcher = world.join(Version::v5, "w").subscribed("will");
};

TEST_F(DelayedWills, TheWillWaits) {
    world.join(Version::v5, "c", delayed(10, 600)).drop();
    world.pass(9'999ms);
    watcher.expect_nothing();
    world.pass(1ms);
    EXPECT_TRUE(watcher.expect_publish("will", "gone")->properties.empty());
    world.pass(24h);
    watcher.expect_nothing();
}

TEST_F(DelayedWills, ComingBackInTimeTakesItAway) {
    world.join(Version::v5, "c", delayed(10, 600)).drop();
    world.pass(9s);
    world.join(Version::v5, "c", without_will()).drop();
    world.pass(1h);
    watcher.expect_nothing(); // [MQTT5-3.1.3-9]
}

TEST_F(DelayedWills, TakingOverInTimeTakesItAway) {
    world.join(Version::v5, "c", delayed(10, 600));
    world.join(Version::v5, "c", without_will());
    world.pass(1h);
    watcher.expect_nothing();
}

TEST_F(DelayedWills, TheEndOfTheSessionIsSooner) {
    world.join(Version::v5, "c", delayed(10, 5)).drop();
    world.pass(4'999ms);
    watcher.expect_nothing();
    world.pass(1ms);
    watcher.expect_publish("will", "gone");
    EXPECT_FALSE(world.has_session("c"));
    world.pass(1h);
    watcher.expect_nothing();
}

TEST_F(DelayedWills, ASessionWithoutExpiryDoesNotDelay) {
    world.join(Version::v5, "c", delayed(10, 0)).drop();
    watcher.expect_publish("will", "gone");
}

TEST_F(DelayedWills, CleanStartEndsTheSessionAndPublishes) {
    world.join(Version::v5, "c", delayed(10, 600)).drop();
    world.join(Version::v5, "c");
    watcher.expect_publish("will", "gone");
}

TEST_F(DelayedWills, ExpiryOfTheSessionSetByDisconnectCounts) {
    auto& client = world.join(Version::v5, "c", delayed(10, 600));
    client.disconnect(Reason::disconnect_with_will, with(property::session_expiry_interval, 2u));
    world.pass(2s);
    watcher.expect_publish("will", "gone");
}

TEST(Wills5, WillPropertiesAreForwarded) {
    World world;
    auto& watcher = world.join(Version::v5, "w").subscribed("will");
    Properties properties;
    properties.set(property::payload_format_indicator, 1u)
        .set(property::content_type, "text/plain")
        .set(property::response_topic, "r")
        .set(property::correlation_data, "c")
        .add_user("b", "1")
        .add_user("a", "2")
        .add_user("b", "3");
    world
        .join(Version::v5, "c",
              {.will = core::ConnectWill{.topic = "will", .payload = "gone", .properties = properties}})
        .drop();
    EXPECT_EQ(watcher.expect_publish("will", "gone")->properties, properties.view()); // [MQTT-3.1.3-10]
}

TEST(Wills5, TheExpiryOfAWillBeginsWhenItIsPublished) {
    World world;
    world.join(Version::v5, "w", {.properties = with(property::session_expiry_interval, 6'000u)})
        .subscribed("will", qos_1)
        .drop();
    const auto properties = with(property::message_expiry_interval, 100u).set(property::will_delay_interval, 50u);
    world.join(Version::v5, "c",
               {.will = core::ConnectWill{.topic = "will", .payload = "gone", .qos = qos_1, .properties = properties},
                .properties = with(property::session_expiry_interval, 600u)});
    world.pass(1h);
    world.join(Version::v5, "c").drop(); // takes over and ends the session: published now
    world.pass(30s);
    auto& watcher = world.join(Version::v5, "w",
                               {.clean_start = false, .properties = with(property::session_expiry_interval, 6'000u)});
    EXPECT_EQ(watcher.expect_publish("will", "gone", qos_1)->properties,
              with(property::message_expiry_interval, 70u).view());
}

TEST(WillsMixed, TowardsTheOtherVersion) {
    World world;
    auto& old = world.join(Version::v3_1_1, "w").subscribed("will");
    auto& young = world.join(Version::v5, "x").subscribed("will");
    const auto properties = with(property::content_type, Octets("text/plain"));
    world.join(Version::v5, "c", {.will = core::ConnectWill{.topic = "will", .payload = "1", .properties = properties}})
        .drop();
    old.expect_publish("will", "1");
    young.expect_publish("will", "1");
    world.join(Version::v3_1_1, "c", {.will = core::ConnectWill{.topic = "will", .payload = "2"}}).drop();
    old.expect_publish("will", "2");
    EXPECT_TRUE(young.expect_publish("will", "2")->properties.empty());
}

TEST_P(Wills, AWillBeyondTheLimitsIsRefused) {
    const struct {
        BrokerOptions options;
        core::ConnectWill will;
        Reason v5;
    } cases[] = {
        {{.maximum_qos = qos_1}, {.topic = "w", .qos = qos_2}, Reason::qos_not_supported},           // [MQTT-3.2.2-12]
        {{.retain_available = false}, {.topic = "w", .retain = true}, Reason::retain_not_supported}, // [MQTT-3.2.2-13]
        {{.deny_publish = {"w"}}, {.topic = "w"}, Reason::not_authorized},
    };
    for (const auto& [options, will, reason] : cases) {
        World world(options);
        auto& client = world.open(GetParam());
        client.connect("c", {.will = will});
        EXPECT_EQ(to_string(client.expect<core::Connack>()->reason), to_string(v5() ? reason : Reason::not_authorized));
        EXPECT_TRUE(client.closed());
        EXPECT_FALSE(world.has_session("c"));
    }
}

} // namespace
} // namespace broker_test
