/// The broker that takes what every cloud takes, and no more: a program that runs on it can move.

#include "broker/clouds.hpp"

namespace broker_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class Portable : public BothVersions {
protected:
    static bool refused(Reason reason) { return reason == (v5() ? Reason::quota_exceeded : Reason::unspecified_error); }
    World world{like("portable")};
    Client& client = world.join(GetParam(), "c", {.keep_alive = 60});
};
INSTANTIATE_TEST_SUITE_P(Versions, Portable, both_versions, version_name);

TEST_P(Portable, EndsTheConnectionAtAPublishOfQos2AndGrantsQos1) {
    client.subscribe(1, filters({"a"}, qos_2));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ElementsAre(Reason::granted_qos_1));
    client.publish("a", "x", {.qos = qos_2, .id = 1});
    client.expect_closed(Reason::qos_not_supported);
}

TEST_P(Portable, Takes64KiBAndNotMore) {
    client.publish("t", std::string(64 * 1024, 'x'), {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1, v5() ? Reason::no_matching_subscribers : Reason::success);
    client.publish("t", std::string(64 * 1024 + 1, 'x'), {.qos = qos_1, .id = 2});
    client.expect_closed(Reason::packet_too_large);
}

TEST_P(Portable, TakesTopicsOf256BytesAndEightLevels) {
    client.publish(std::string(256, 't'), "x").publish("1/2/3/4/5/6/7/8", "x");
    client.expect_nothing();
    client.publish(std::string(257, 't'), "x");
    client.expect_closed(Reason::topic_name_invalid);
    auto& deep = world.join(GetParam(), "deep");
    deep.publish("1/2/3/4/5/6/7/8/9", "x");
    deep.expect_closed(Reason::topic_name_invalid);
}

TEST_P(Portable, RefusesFiltersThatAreTooLongOrTooDeep) {
    client.subscribed(std::string(256, 'f')).subscribed("1/2/3/4/5/6/7/#");
    core::PacketId id = 0;
    for (const auto& filter : {std::string(257, 'f'), std::string("1/2/3/4/5/6/7/8/#")}) {
        client.subscribe(++id, filters({filter}));
        EXPECT_THAT(client.expect<core::Suback>()->reasons,
                    ElementsAre(v5() ? Reason::topic_filter_invalid : Reason::unspecified_error));
    }
    EXPECT_FALSE(client.closed());
}

TEST_P(Portable, TakesEightFiltersInASubscribeAndTenInAll) {
    const auto nine = numbered(9), eight = numbered(8);
    client.subscribe(1, filters(nine));
    const auto all = client.expect<core::Suback>();
    EXPECT_EQ(all->reasons.size(), 9u);
    EXPECT_THAT(all->reasons, Each(::testing::Truly(refused)));
    client.subscribe(2, filters(eight));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, Each(Reason::success));
    client.subscribed("f8").subscribed("f9");
    world.pass(1s);
    client.subscribe(3, filters({"one more"}));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ElementsAre(::testing::Truly(refused)));
    EXPECT_FALSE(client.closed());
}

TEST_P(Portable, TakesFiveSubscribesEachSecond) {
    for (int i = 0; i < 5; ++i) client.subscribed("f" + std::to_string(i));
    client.subscribe(9, filters({"f0"}));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ElementsAre(::testing::Truly(refused)));
    world.pass(200ms);
    client.subscribed("f0");
}

TEST_P(Portable, TakesNoSharedFilters) {
    client.subscribe(1, filters({"$share/g/a"}));
    if (v5()) return client.expect_closed(Reason::shared_subscriptions_not_supported);
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ElementsAre(Reason::unspecified_error));
}

TEST_P(Portable, TakesTenPublishesEachSecondAndWhatIsFasterIsGone) {
    auto& reader = world.join(GetParam(), "reader");
    reader.subscribed("t", qos_1);
    for (core::PacketId id = 1; id <= 10; ++id) {
        client.publish("t", "x", {.qos = qos_1, .id = id});
        client.expect_ack(PacketType::puback, id);
    }
    client.publish("t", "x", {.qos = qos_1, .id = 11}); // on MQTT 3.1.1 there is no word for it
    client.expect_ack(PacketType::puback, 11, v5() ? Reason::quota_exceeded : Reason::success);
    EXPECT_EQ(reader.waiting(), 10u);
    world.pass(100ms);
    client.publish("t", "x", {.qos = qos_1, .id = 12});
    client.expect_ack(PacketType::puback, 12);
    EXPECT_EQ(reader.waiting(), 11u);
}

TEST_P(Portable, ConnectsOfAnIdentifierMayNotComeFasterThanOneEachSecond) {
    world.join(GetParam(), "x");
    world.join(GetParam(), "x"); // a little closer is let pass
    auto& third = world.open(GetParam());
    third.connect("x");
    EXPECT_EQ(third.expect<core::Connack>()->reason,
              v5() ? Reason::connection_rate_exceeded : Reason::server_unavailable);
    world.pass(1s);
    world.join(GetParam(), "x");
}

TEST_P(Portable, IdentifiersAreGivenAndHave128BytesAtMost) {
    world.join(GetParam(), std::string(128, 'c'));
    for (const auto& id : {std::string(), std::string(129, 'c')}) {
        auto& other = world.open(GetParam());
        other.connect(id);
        EXPECT_EQ(other.expect<core::Connack>()->reason, Reason::client_identifier_not_valid);
        EXPECT_TRUE(other.closed());
    }
}

TEST_P(Portable, KeepAlivesAreBetween30And1160Seconds) {
    auto& hasty = world.join(GetParam(), "hasty", {.keep_alive = 5});
    auto& calm = world.join(GetParam(), "calm"); // 0: for ever
    world.pass(45s - 1ms);
    hasty.expect_nothing();
    world.pass(1ms);
    hasty.expect_closed(Reason::keep_alive_timeout);
    world.pass(1'740s - 45s - 1ms);
    calm.expect_nothing();
    world.pass(1ms);
    calm.expect_closed(Reason::keep_alive_timeout);
}

TEST_P(Portable, KeepsSessionsForAnHourAndAHundredMessagesForEach) {
    auto as = keeping();
    as.keep_alive = 60;
    if (v5()) as.properties.set(property::session_expiry_interval, 86'400);
    world.join(GetParam(), "kept", as).subscribed("t", qos_1).drop();
    for (core::PacketId id = 1; id <= 101; ++id) {
        world.pass(1s); // also a sign of life
        client.publish("t", "x", {.qos = qos_1, .id = id});
        client.expect<core::Ack>();
    }
    EXPECT_EQ(world.session("kept").queued, 100u);
    world.pass(1h - 101s - 1ms);
    EXPECT_TRUE(world.has_session("kept"));
    world.pass(1ms);
    EXPECT_FALSE(world.has_session("kept"));
}

TEST_P(Portable, HashDoesNotMatchItsParentAndWildcardsGetNothingRetained) {
    auto& other = world.join(GetParam(), "other");
    other.publish("a/b", "kept", {.retain = true});
    client.subscribed("a/#");
    other.publish("a", "parent").publish("a/b", "child");
    client.expect_publish("a/b", "child");
    client.expect_nothing();
    client.subscribed("a/b");
    client.expect_publish("a/b", "kept");
}

TEST_P(Portable, ReservedTopicsCannotBeRetained) {
    client.publish("$x/y", "z", {.retain = true});
    client.expect_closed(Reason::retain_not_supported);
}

TEST(PortableMqtt5, ToldWhatCanBeTold) {
    World world(like("portable"));
    auto& client = world.open(Version::v5);
    client.connect("c", {.keep_alive = 5});
    const auto connack = client.expect<core::Connack>();
    const auto& told = connack->properties;
    EXPECT_EQ(told.get(property::maximum_qos), 1u);
    EXPECT_EQ(told.get(property::receive_maximum), 32u);
    EXPECT_EQ(told.get(property::server_keep_alive), 30u);
    EXPECT_EQ(told.get(property::subscription_identifier_available), 0u);
    EXPECT_EQ(told.get(property::shared_subscription_available), 0u);
}

TEST(PortableMqtt5, TakesUserPropertiesInPublishOnly) {
    World world(like("portable"));
    auto& talkative = world.open(Version::v5);
    talkative.connect("c", {.properties = Properties{}.add_user("a", "b")});
    EXPECT_EQ(talkative.expect<core::Connack>()->reason, Reason::implementation_specific_error);
    auto& client = world.join(Version::v5, "d");
    client.publish("t", "x", {.qos = qos_1, .id = 1, .properties = Properties{}.add_user("a", "b")});
    client.expect_ack(PacketType::puback, 1, Reason::no_matching_subscribers);
}

TEST(PortableMqtt5, AnAckThatRefusesAMessageEndsTheConnection) {
    World world(like("portable"));
    auto& client = world.join(Version::v5, "c");
    client.subscribed("t", qos_1);
    world.join(Version::v5, "other").publish("t", "x", {.qos = qos_1, .id = 1});
    const auto id = client.expect<core::Publish>()->id;
    client.ack(PacketType::puback, id, Reason::not_authorized);
    client.expect_closed(Reason::implementation_specific_error);
}

} // namespace
} // namespace broker_test
