/// Shared subscriptions: each message to one member of the group. [MQTT-4.8.2]

#include "broker/world.hpp"

#include <algorithm>

namespace broker_test {
namespace {

class Sharing : public BothVersions {
protected:
    static void publish_many(World& world, int count, QoS qos = qos_1) {
        auto& pub = world.join(GetParam(), "publisher");
        for (int i = 1; i <= count; ++i)
            pub.publish("t", std::to_string(i), {.qos = qos, .id = static_cast<PacketId>(qos == qos_0 ? 0 : i)});
        pub.drop();
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Sharing, both_versions, version_name);

TEST_P(Sharing, MembersTakeTurns) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t", qos_1);
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_1);
    auto& c = world.join(GetParam(), "c").subscribed("$share/g/t", qos_1);
    publish_many(world, 9);
    EXPECT_EQ(a.waiting(), 3U);
    EXPECT_EQ(b.waiting(), 3U);
    EXPECT_EQ(c.waiting(), 3U);
}

TEST_P(Sharing, EachGroupAndEachFilterGetsItsOwnCopy) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t");
    auto& b = world.join(GetParam(), "b").subscribed("$share/h/t");
    auto& c = world.join(GetParam(), "c").subscribed("$share/g/+");
    auto& d = world.join(GetParam(), "d").subscribed("t");
    publish_many(world, 1, qos_0);
    for (auto* client : {&a, &b, &c, &d}) {
        client->expect_publish("t", "1");
        client->expect_nothing();
    }
}

TEST_P(Sharing, OwnAndSharedSubscriptionsAreApart) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t", qos_1).subscribed("t", qos_2);
    publish_many(world, 1, qos_2);
    std::vector<QoS> got{a.expect<core::Publish>()->qos, a.expect<core::Publish>()->qos};
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, (std::vector{qos_1, qos_2}));
    a.expect_nothing();
}

TEST_P(Sharing, TheGrantedQosOfTheMemberHolds) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t", qos_0);
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_2);
    publish_many(world, 2, qos_2);
    EXPECT_EQ(a.expect<core::Publish>()->qos, qos_0); // [MQTT-4.8.2-3]
    EXPECT_EQ(b.expect<core::Publish>()->qos, qos_2);
}

TEST_P(Sharing, RetainedMessagesAreNotSent) {
    World world;
    world.join(GetParam(), "p").publish("t", "x", {.retain = true});
    world.join(GetParam(), "a").subscribed("$share/g/t").expect_nothing();
}

TEST(Sharing5, SubscriptionIdentifiersAreSent) {
    World world;
    auto& a = world.join(Version::v5, "a").subscribed("$share/g/t", {}, 12);
    world.join(Version::v5, "p").publish("t", "x");
    EXPECT_EQ(a.expect_publish("t", "x")->properties, with(property::subscription_identifier, 12u).view());
}

TEST_P(Sharing, UnsubscribingLeavesTheGroup) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t");
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t");
    a.send(core::Unsubscribe{.id = 1, .filters = {"$share/g/t"}});
    a.expect<core::Unsuback>();
    publish_many(world, 2, qos_0);
    a.expect_nothing();
    EXPECT_EQ(b.waiting(), 2U);
    b.send(core::Unsubscribe{.id = 1, .filters = {"$share/g/t"}});
    publish_many(world, 1, qos_0);
    EXPECT_EQ(b.count(PacketType::publish), 2U);
}

TEST_P(Sharing, WhoIsConnectedIsPreferred) {
    World world;
    world.join(GetParam(), "away", keeping()).subscribed("$share/g/t", qos_1).drop();
    auto& here = world.join(GetParam(), "here").subscribed("$share/g/t", qos_1);
    publish_many(world, 4);
    EXPECT_EQ(here.waiting(), 4U);
    EXPECT_EQ(world.session("away").queued, 0U);
}

TEST_P(Sharing, WhenAllAreAwayMessagesAreKeptForOne) {
    World world;
    world.join(GetParam(), "a", keeping()).subscribed("$share/g/t", qos_1).drop();
    world.join(GetParam(), "b", keeping()).subscribed("$share/g/t", qos_0).drop();
    publish_many(world, 3);
    EXPECT_EQ(world.session("a").queued, 3U);
    EXPECT_EQ(world.session("b").queued, 0U);
    auto& a = world.join(GetParam(), "a", keeping());
    for (const auto* payload : {"1", "2", "3"}) a.expect_publish("t", payload, qos_1);
}

TEST_P(Sharing, AMemberThatLeavesHandsOnWhatItDidNotGet) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t", qos_1);
    a.reads = false;
    auto& pub = world.join(GetParam(), "p");
    const std::string block(1'100'000, 'x');
    pub.publish("t", block, {.qos = qos_1, .id = 1});
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_1);
    for (PacketId i = 2; i <= 5; ++i) pub.publish("t", std::to_string(i), {.qos = qos_1, .id = i});
    EXPECT_EQ(b.waiting(), 2U);
    a.drop();
    // All four small ones, and the large one, which was not acknowledged and whose session is over.
    EXPECT_EQ(b.count(PacketType::publish), 5U);
    b.expect<core::Publish>();
    b.expect<core::Publish>();
    EXPECT_FALSE(b.expect_publish("t", block, qos_1)->duplicate);
}

TEST_P(Sharing, AMemberThatStaysKeepsWhatIsInFlightAndHandsOnTheRest) {
    World world;
    auto& a = world.join(GetParam(), "a", keeping()).subscribed("$share/g/t", qos_1);
    publish_many(world, 1);
    a.expect_publish("t", "1", qos_1);
    a.reads = false;
    const std::string block(1'100'000, 'x');
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", block, {.qos = qos_1, .id = 1}).publish("t", "waits", {.qos = qos_1, .id = 2});
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_1);
    EXPECT_EQ(world.session("a").queued, 1U);
    a.drop();
    b.expect_publish("t", "waits", qos_1);
    b.expect_nothing();
    auto& again = world.join(GetParam(), "a", keeping());
    EXPECT_TRUE(again.expect_publish("t", "1", qos_1)->duplicate);
    again.expect_publish("t", block, qos_1);
    again.expect_nothing();
}

TEST_P(Sharing, TheLastMemberThatStaysKeepsEverything) {
    World world;
    auto& a = world.join(GetParam(), "a", keeping()).subscribed("$share/g/t", qos_1);
    a.reads = false;
    const std::string block(1'100'000, 'x');
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", block, {.qos = qos_1, .id = 1})
        .publish("t", "2", {.qos = qos_1, .id = 2})
        .publish("t", "3", {.qos = qos_1, .id = 3});
    a.drop();
    EXPECT_EQ(world.session("a").queued, 2U);
    auto& again = world.join(GetParam(), "a", keeping());
    EXPECT_TRUE(again.expect_publish("t", block, qos_1)->duplicate);
    again.expect_publish("t", "2", qos_1);
    again.expect_publish("t", "3", qos_1);
}

TEST_P(Sharing, Qos2InFlightIsNotGivenToAnotherMember) {
    World world;
    auto& a = world.join(GetParam(), "a").subscribed("$share/g/t", qos_2);
    publish_many(world, 1, qos_2);
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_2);
    a.expect_publish("t", "1", qos_2);
    a.drop();
    b.expect_nothing(); // [MQTT-4.8.2-5]
}

TEST_P(Sharing, Qos2InFlightIsCompletedWithItsMember) {
    World world;
    auto& a = world.join(GetParam(), "a", keeping()).subscribed("$share/g/t", qos_2);
    publish_many(world, 1, qos_2);
    auto& b = world.join(GetParam(), "b").subscribed("$share/g/t", qos_2);
    const auto id = a.expect_publish("t", "1", qos_2)->id;
    a.drop();
    b.expect_nothing();
    EXPECT_EQ(world.join(GetParam(), "a", keeping()).expect_publish("t", "1", qos_2)->id, id); // [MQTT-4.8.2-4]
}

TEST(Sharing5, ARefusedMessageIsNotGivenToAnotherMember) {
    World world;
    auto& a = world.join(Version::v5, "a").subscribed("$share/g/t", qos_2);
    world.join(Version::v5, "p").publish("t", "1", {.qos = qos_1, .id = 1}).publish("t", "2", {.qos = qos_2, .id = 2});
    auto& b = world.join(Version::v5, "b").subscribed("$share/g/t", qos_2);
    a.ack(PacketType::puback, a.expect_publish("t", "1", qos_1)->id, Reason::unspecified_error);
    a.ack(PacketType::pubrec, a.expect_publish("t", "2", qos_2)->id, Reason::unspecified_error);
    b.expect_nothing(); // [MQTT-4.8.2-6]
    a.drop();
    b.expect_nothing();
}

TEST(Sharing5, ExpiredMessagesAreNotHandedOn) {
    World world;
    const ConnectAs as{.properties = with(property::session_expiry_interval, 60u)};
    world.join(Version::v5, "a", as).subscribed("$share/g/t", qos_1).drop();
    world.join(Version::v5, "p")
        .publish("t", "x", {.qos = qos_1, .id = 1, .properties = with(property::message_expiry_interval, 10u)});
    auto& b = world.join(Version::v5, "b").subscribed("$share/g/t", qos_1);
    world.pass(60s);
    EXPECT_FALSE(world.has_session("a"));
    b.expect_nothing();
}

TEST(Sharing5, WhatAnExpiredSessionHeldIsHandedOn) {
    World world;
    const ConnectAs as{.properties = with(property::session_expiry_interval, 60u)};
    world.join(Version::v5, "a", as).subscribed("$share/g/t", qos_1).drop();
    world.join(Version::v5, "p").publish("t", "x", {.qos = qos_1, .id = 1});
    auto& b = world.join(Version::v5, "b").subscribed("$share/g/t", qos_1);
    b.expect_nothing();
    world.pass(60s);
    b.expect_publish("t", "x", qos_1);
}

TEST_P(Sharing, ManyMembersComeAndGo) {
    World world;
    std::vector<Client*> members;
    for (int i = 0; i < 20; ++i) {
        members.push_back(&world.join(GetParam(), "m" + std::to_string(i), keeping()));
        members.back()->subscribed("$share/g/t", qos_1);
    }
    for (int i = 0; i < 20; i += 2) members[static_cast<std::size_t>(i)]->drop();
    publish_many(world, 20);
    for (int i = 1; i < 20; i += 2) EXPECT_EQ(members[static_cast<std::size_t>(i)]->count(PacketType::publish), 2U);
    for (int i = 1; i < 20; i += 2) members[static_cast<std::size_t>(i)]->drop();
    publish_many(world, 20);
    std::size_t kept = 0;
    for (const auto& session : world.engine.snapshot().sessions) kept += session.queued;
    EXPECT_EQ(kept, 20U);
}

} // namespace
} // namespace broker_test
