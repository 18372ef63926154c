/// The broker in the guise of a cloud: its limits, and what it does about clients that go beyond them.

#include "broker/clouds.hpp"

#include <gmock/gmock.h>

namespace broker_test {
namespace {

TEST(Profiles, AreListed) {
    const auto names = tortoise::testing::broker_profiles();
    EXPECT_THAT(std::vector(names.begin(), names.end()),
                ::testing::ElementsAre("aws", "azure-event-grid", "azure-iot-hub", "emqx-serverless", "portable"));
}

// ---- AWS IoT Core --------------------------------------------------------------------------------------------------

class Aws : public BothVersions {
protected:
    World world{like("aws")};
    Client& client = world.join(GetParam(), "c", {.keep_alive = 60});
};
INSTANTIATE_TEST_SUITE_P(Versions, Aws, both_versions, version_name);

TEST_P(Aws, DoesNotAnswerAPublishOfQos2) {
    client.publish("t", "x", {.qos = qos_2, .id = 1});
    if (v5()) return client.expect_closed(Reason::qos_not_supported); // it was told of the Maximum QoS
    client.expect_nothing();
    client.publish("t", "y", {.qos = qos_1, .id = 2});
    client.expect_ack(PacketType::puback, 2);
}

TEST_P(Aws, DoesNotAnswerASubscribeOfQos2) {
    client.subscribe(1, filters({"a"}, qos_2));
    if (v5()) {
        EXPECT_THAT(client.expect<core::Suback>()->reasons, ::testing::ElementsAre(Reason::granted_qos_1));
        return;
    }
    client.expect_nothing();
    EXPECT_TRUE(world.session("c").subscriptions.empty());
}

TEST_P(Aws, EndsTheConnectionOfWhoSendsMoreThan128KiB) {
    client.publish("t", std::string(128 * 1024, 'x'), {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1, v5() ? Reason::no_matching_subscribers : Reason::success);
    client.publish("t", std::string(129 * 1024, 'x'), {.qos = qos_1, .id = 2});
    client.expect_closed(Reason::packet_too_large);
}

TEST_P(Aws, TakesEightLevelsAndNotNine) {
    client.publish("1/2/3/4/5/6/7/8", "x");
    client.publish("$aws/rules/name/1/2/3/4/5/6/7/8", "x"); // the prefix does not count
    client.expect_nothing();
    client.publish("1/2/3/4/5/6/7/8/9", "x");
    client.expect_closed(Reason::topic_name_invalid);
}

TEST_P(Aws, TakesTopicsOf256BytesAndNotMore) {
    client.publish(std::string(256, 't'), "x");
    client.expect_nothing();
    client.publish(std::string(257, 't'), "x");
    client.expect_closed(Reason::topic_name_invalid);
}

TEST_P(Aws, TakesEightFiltersInASubscribeAndNotNine) {
    const auto eight = numbered(8), nine = numbered(9);
    client.subscribe(1, filters(eight));
    EXPECT_EQ(client.expect<core::Suback>()->reasons.size(), 8u);
    client.subscribe(2, filters(nine));
    client.expect_closed(Reason::quota_exceeded);
}

TEST_P(Aws, EndsTheConnectionAtThe51stSubscription) {
    for (int i = 0; i < 50; ++i) client.subscribed("f" + std::to_string(i));
    client.subscribed("f0"); // again
    client.subscribe(60, filters({"one more"}));
    client.expect_closed(Reason::quota_exceeded);
}

TEST_P(Aws, LosesWhatComesTooFastAndSaysNothing) {
    auto& reader = world.join(GetParam(), "reader");
    reader.subscribed("t", qos_1);
    for (core::PacketId i = 1; i <= 150; ++i) client.publish("t", "x", {.qos = qos_1, .id = i});
    EXPECT_EQ(client.waiting(), 100u);
    EXPECT_EQ(reader.waiting(), 100u);
    world.pass(10ms); // another one
    client.publish("t", "x", {.qos = qos_1, .id = 200});
    client.publish("t", "x", {.qos = qos_1, .id = 201});
    EXPECT_EQ(client.waiting(), 101u);
    EXPECT_FALSE(client.closed());
}

TEST_P(Aws, LosesOctetsThatComeTooFast) {
    const std::string large(128 * 1024 - 16, 'x');
    for (core::PacketId i = 1; i <= 6; ++i) client.publish("t", large, {.qos = qos_1, .id = i});
    EXPECT_EQ(client.waiting(), 4u); // 512 KiB
    world.pass(1s);
    client.publish("t", large, {.qos = qos_1, .id = 9});
    EXPECT_EQ(client.waiting(), 5u);
}

TEST_P(Aws, HashDoesNotMatchItsParent) {
    client.subscribed("a/#");
    client.subscribed("$share/g/b/#");
    auto& other = world.join(GetParam(), "other");
    other.publish("a", "parent").publish("b", "parent").publish("a/b", "child").publish("b/c", "shared child");
    client.expect_publish("a/b", "child");
    client.expect_publish("b/c", "shared child");
    client.expect_nothing();
}

TEST_P(Aws, WildcardSubscriptionsGetNoRetainedMessages) {
    world.join(GetParam(), "other").publish("a/b", "kept", {.retain = true});
    client.subscribed("a/+").subscribed("a/#");
    client.expect_nothing();
    client.subscribed("a/b");
    client.expect_publish("a/b", "kept");
}

TEST_P(Aws, ReservedTopicsCannotBeRetained) {
    client.publish("$aws/things/x", "y", {.retain = true});
    client.expect_closed(Reason::retain_not_supported);
}

TEST_P(Aws, ConnectsOfAnIdentifierMayNotComeFasterThanOneEachSecond) {
    world.join(GetParam(), "x");
    world.join(GetParam(), "x"); // a little closer is let pass; it takes the session over
    auto& third = world.open(GetParam());
    third.connect("x");
    EXPECT_EQ(third.expect<core::Connack>()->reason,
              v5() ? Reason::connection_rate_exceeded : Reason::server_unavailable);
    EXPECT_TRUE(third.closed());
    world.join(GetParam(), "y"); // another one may
    world.pass(1s);
    world.join(GetParam(), "x");
}

TEST_P(Aws, TheOlderConnectionOfAnIdentifierEnds) {
    world.join(GetParam(), "c");
    client.expect_closed(Reason::session_taken_over);
}

TEST_P(Aws, ClientIdentifiersHave128BytesAtMost) {
    world.join(GetParam(), std::string(128, 'c'));
    auto& longer = world.open(GetParam());
    longer.connect(std::string(129, 'c'));
    EXPECT_EQ(longer.expect<core::Connack>()->reason, Reason::client_identifier_not_valid);
    EXPECT_TRUE(longer.closed()); // [MQTT3-3.1.3-9] [MQTT5-3.1.3-8]
}

TEST_P(Aws, KeepAlivesAreBetween30And1200Seconds) {
    auto& hasty = world.join(GetParam(), "hasty", {.keep_alive = 5});
    auto& calm = world.join(GetParam(), "calm"); // 0: for ever
    world.pass(44s);
    hasty.expect_nothing();
    world.pass(1s);
    hasty.expect_closed(Reason::keep_alive_timeout);
    world.pass(1'800s - 45s - 1ms);
    calm.expect_nothing();
    world.pass(1ms);
    calm.expect_closed(Reason::keep_alive_timeout);
}

TEST_P(Aws, KeepsSessionsForAnHour) {
    auto as = keeping();
    if (v5()) as.properties.set(property::session_expiry_interval, 86'400);
    world.join(GetParam(), "kept", as).drop();
    world.pass(59min);
    EXPECT_TRUE(world.has_session("kept"));
    world.pass(1min);
    EXPECT_FALSE(world.has_session("kept"));
}

TEST(AwsConnack, TellsMqtt5ClientsWhatCanBeTold) {
    World world(like("aws"));
    auto& client = world.open(Version::v5);
    client.connect("c", {.keep_alive = 5});
    const auto connack = client.expect<core::Connack>();
    const auto& told = connack->properties;
    EXPECT_EQ(told.get(property::maximum_qos), 1u);
    EXPECT_EQ(told.get(property::receive_maximum), 100u);
    EXPECT_EQ(told.get(property::server_keep_alive), 30u);
    EXPECT_EQ(told.get(property::subscription_identifier_available), 0u);
}

// ---- Azure Event Grid ----------------------------------------------------------------------------------------------

class EventGrid : public BothVersions {
protected:
    World world{like("azure-event-grid")};
    Client& client = world.join(GetParam(), "c", {.keep_alive = 60});
};
INSTANTIATE_TEST_SUITE_P(Versions, EventGrid, both_versions, version_name);

TEST_P(EventGrid, EndsTheConnectionAtAPublishOfQos2) {
    client.publish("t", "x", {.qos = qos_2, .id = 1});
    client.expect_closed(Reason::qos_not_supported);
}

TEST_P(EventGrid, GrantsQos1InPlaceOfQos2) {
    client.subscribe(1, filters({"a"}, qos_2));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ::testing::ElementsAre(Reason::granted_qos_1));
}

TEST_P(EventGrid, TakesTenFiltersInASubscribeAnd50PerSession) {
    const auto eleven = numbered(11);
    client.subscribe(1, filters(eleven));
    const auto refused = client.expect<core::Suback>();
    EXPECT_EQ(refused->reasons, std::vector(11, v5() ? Reason::quota_exceeded : Reason::unspecified_error));
    for (int i = 0; i < 50; ++i) {
        world.pass(200ms);
        client.subscribed("f" + std::to_string(i));
    }
    world.pass(200ms);
    client.subscribe(2, filters({"one more"}));
    EXPECT_TRUE(is_refusal(client.expect<core::Suback>()->reasons.at(0)));
    EXPECT_FALSE(client.closed());
}

TEST_P(EventGrid, TakesFiveSubscribesEachSecond) {
    for (int i = 0; i < 5; ++i) client.subscribed("f" + std::to_string(i));
    client.subscribe(9, filters({"a"}));
    EXPECT_TRUE(is_refusal(client.expect<core::Suback>()->reasons.at(0)));
    world.pass(200ms);
    client.subscribed("a");
}

TEST_P(EventGrid, RefusesPublishesThatComeTooFast) {
    for (core::PacketId i = 1; i <= 1'000; ++i) client.publish("t", "x", {.qos = qos_1, .id = i});
    EXPECT_EQ(client.waiting(), 1'000u);
    while (client.waiting() > 0) client.expect<core::Ack>();
    client.publish("t", "x", {.qos = qos_1, .id = 1'001});
    if (v5())
        client.expect_ack(PacketType::puback, 1'001, Reason::quota_exceeded);
    else
        client.expect_closed(Reason::quota_exceeded);
}

TEST_P(EventGrid, TakesTopicsOf15LevelsAndNoSharedFilters) {
    client.subscribe(1, filters({"$share/g/a"}));
    if (v5())
        client.expect_closed(Reason::shared_subscriptions_not_supported);
    else
        EXPECT_TRUE(is_refusal(client.expect<core::Suback>()->reasons.at(0)));
    auto& other = world.join(GetParam(), "other");
    other.publish("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", "x");
    other.expect_nothing();
    other.publish("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "x");
    other.expect_closed(Reason::topic_name_invalid);
}

TEST(EventGridConnect, NeedsAnIdentifierAndTakesNoUserProperties) {
    World world(like("azure-event-grid"));
    auto& nameless = world.open(Version::v5);
    nameless.connect("");
    EXPECT_EQ(nameless.expect<core::Connack>()->reason, Reason::client_identifier_not_valid);
    auto& talkative = world.open(Version::v5);
    talkative.connect("c", {.properties = Properties{}.add_user("a", "b")});
    EXPECT_EQ(talkative.expect<core::Connack>()->reason, Reason::implementation_specific_error);
}

TEST(EventGridAck, ThatRefusesAMessageEndsTheConnection) {
    World world(like("azure-event-grid"));
    auto& client = world.join(Version::v5, "c");
    client.subscribed("t", qos_1);
    world.join(Version::v5, "other").publish("t", "x", {.qos = qos_1, .id = 1});
    const auto id = client.expect<core::Publish>()->id;
    client.ack(PacketType::puback, id, Reason::not_authorized);
    client.expect_closed(Reason::implementation_specific_error);
}

// ---- Others --------------------------------------------------------------------------------------------------------

class Emqx : public BothVersions {
protected:
    World world{like("emqx-serverless")};
};
INSTANTIATE_TEST_SUITE_P(Versions, Emqx, both_versions, version_name);

TEST_P(Emqx, LetsNobodyInWithoutAName) {
    auto& nobody = world.open(GetParam());
    nobody.connect("c");
    EXPECT_EQ(nobody.expect<core::Connack>()->reason, Reason::not_authorized);
    world.join(GetParam(), "c", named("ann"));
}

TEST_P(Emqx, TakesTenPublishesEachSecondTenLevelsTenSubscriptionsAndQos2) {
    auto& client = world.join(GetParam(), "c", named("ann"));
    for (int i = 0; i < 10; ++i) client.subscribed("f" + std::to_string(i));
    client.subscribe(99, filters({"one more"}));
    EXPECT_TRUE(is_refusal(client.expect<core::Suback>()->reasons.at(0)));
    client.publish("t", "x", {.qos = qos_2, .id = 1});
    client.expect_ack(PacketType::pubrec, 1, v5() ? Reason::no_matching_subscribers : Reason::success);
    for (int i = 0; i < 9; ++i) client.publish("t", "x");
    client.publish("t", "x", {.qos = qos_1, .id = 2});
    client.expect_ack(PacketType::puback, 2, v5() ? Reason::quota_exceeded : Reason::success);
    world.pass(100ms);
    client.publish("1/2/3/4/5/6/7/8/9/10/11", "x");
    client.expect_closed(Reason::topic_name_invalid);
}

TEST(IotHubConnect, IsByMqtt311WithAnIdentifierAndAUserName) {
    World world(like("azure-iot-hub"));
    const auto answer = [&](Version version, const std::string& id, const ConnectAs& as) {
        auto& client = world.open(version);
        client.connect(id, as);
        const auto reason = client.expect<core::Connack>()->reason;
        EXPECT_TRUE(client.closed());
        return reason;
    };
    EXPECT_EQ(answer(Version::v5, "c", named("hub/c")), Reason::unsupported_protocol_version);
    EXPECT_EQ(answer(Version::v3_1_1, "c", {}), Reason::not_authorized);
    EXPECT_EQ(answer(Version::v3_1_1, "", named("hub/c")), Reason::client_identifier_not_valid);
    EXPECT_EQ(answer(Version::v3_1_1, std::string(129, 'c'), named("hub/c")), Reason::client_identifier_not_valid);
    world.join(Version::v3_1_1, std::string(128, 'c'), named("hub/c"));
}

class IotHub : public ::testing::Test {
protected:
    World world{like("azure-iot-hub")};
    Client& client = world.join(Version::v3_1_1, "c", named("hub/c"));
};

TEST_F(IotHub, EndsTheConnectionAtAPublishOfQos2) {
    client.publish("t", "x", {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1);
    client.publish("t", "x", {.qos = qos_2, .id = 2});
    client.expect_closed(Reason::qos_not_supported);
}

TEST_F(IotHub, GrantsQos1InPlaceOfQos2) {
    client.subscribe(1, filters({"a"}, qos_2));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ::testing::ElementsAre(Reason::granted_qos_1));
}

TEST_F(IotHub, RefusesTheSixthSubscription) {
    const auto six = numbered(6);
    client.subscribe(1, filters(six));
    EXPECT_THAT(client.expect<core::Suback>()->reasons,
                ::testing::ElementsAre(Reason::success, Reason::success, Reason::success, Reason::success,
                                       Reason::success, Reason::unspecified_error));
    client.subscribed("f0"); // again
    client.subscribe(2, filters({"f6"}));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ::testing::ElementsAre(Reason::unspecified_error));
    client.send(core::Unsubscribe{.id = 3, .filters = {"f0"}});
    EXPECT_EQ(client.expect<core::Unsuback>()->id, 3);
    client.subscribed("f6");
    EXPECT_FALSE(client.closed());
}

TEST_F(IotHub, RefusesSharedFilters) {
    client.subscribe(1, filters({"$share/g/a"}));
    EXPECT_THAT(client.expect<core::Suback>()->reasons, ::testing::ElementsAre(Reason::unspecified_error));
    EXPECT_FALSE(client.closed());
}

TEST_F(IotHub, Takes256KiBAndNotMore) {
    client.publish("t", std::string(256 * 1024, 'x'), {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1);
    client.publish("t", std::string(256 * 1024 + 1, 'x'), {.qos = qos_1, .id = 2});
    client.expect_closed(Reason::packet_too_large);
}

TEST_F(IotHub, TakesTopicsOfAnyLengthAndDepth) {
    client.publish("devices/c/messages/events/" + std::string(1'000, '/'), "x", {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1);
    client.publish(std::string(10'000, 't'), "x", {.qos = qos_1, .id = 2});
    client.expect_ack(PacketType::puback, 2);
}

TEST_F(IotHub, AllowsKeepAlivesOf1177SecondsAtMost) {
    world.pass(1'765'500ms - 1ms); // one and a half times as long
    client.expect_nothing();
    world.pass(1ms);
    client.expect_closed(Reason::keep_alive_timeout);
}

TEST(Profiles, CanBeMadeStricterAndNotLooser) {
    World world({.profile = "aws", .maximum_qos = qos_2, .receive_maximum = 10});
    auto& client = world.open(Version::v5);
    client.connect("c");
    const auto connack = client.expect<core::Connack>();
    EXPECT_EQ(connack->properties.get(property::maximum_qos), 1u);
    EXPECT_EQ(connack->properties.get(property::receive_maximum), 10u);
}

TEST(Profiles, WithoutOneNothingIsLimited) {
    World world;
    auto& client = world.join(Version::v3_1_1, "c");
    for (core::PacketId i = 1; i <= 2'000; ++i) client.publish("a/b/c/d/e/f/g/h/i/j", "x", {.qos = qos_1, .id = i});
    EXPECT_EQ(client.waiting(), 2'000u);
    const auto many = numbered(500);
    client.subscribe(1, filters(many));
    EXPECT_EQ(client.count(PacketType::suback), 1u);
}

} // namespace
} // namespace broker_test
