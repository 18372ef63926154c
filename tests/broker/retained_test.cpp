#include "broker/world.hpp"

namespace broker_test {
namespace {

class Retaining : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Retaining, both_versions, version_name);

TEST_P(Retaining, TheLastMessageOfEachTopicIsSentToNewSubscribers) {
    World world;
    auto& pub = world.join(GetParam(), "p");
    pub.publish("a/1", "old", {.retain = true}).publish("a/1", "new", {.qos = qos_1, .id = 1, .retain = true});
    pub.publish("a/2", "x", {.retain = true}).publish("b", "y", {.retain = true}).publish("a/3", "not kept");
    auto& sub = world.join(GetParam(), "s").subscribed("a/+", qos_2);
    const auto first = sub.expect_publish("a/1", "new", qos_1); // [MQTT-3.3.1-5] [MQTT3-3.3.1-6] [MQTT5-3.3.1-9]
    EXPECT_TRUE(first->retain);                                 // [MQTT3-3.3.1-8]
    EXPECT_TRUE(sub.expect_publish("a/2", "x")->retain);
    sub.expect_nothing(); // [MQTT3-3.3.1-12] [MQTT5-3.3.1-8]
    EXPECT_EQ(world.engine.statistics().retained, 3U);
    EXPECT_EQ(world.engine.snapshot().retained, 3U);
}

TEST_P(Retaining, TheSubackComesFirst) {
    World world;
    world.join(GetParam(), "p").publish("t", "x", {.retain = true});
    auto& sub = world.join(GetParam(), "s").subscribe(1, {{"t", {}}, {"#", {}}});
    sub.expect<core::Suback>();
    sub.expect_publish("t", "x");
    sub.expect_publish("t", "x"); // as if subscribed one after the other [MQTT3-3.8.4-4] [MQTT5-3.8.4-5]
    sub.expect_nothing();
}

TEST_P(Retaining, LiveMessagesAreNotMarked) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t");
    world.join(GetParam(), "p").publish("t", "x", {.retain = true});
    EXPECT_FALSE(sub.expect_publish("t", "x")->retain); // [MQTT3-3.3.1-9] [MQTT5-3.3.1-12]
}

TEST_P(Retaining, AnEmptyPayloadClears) {
    World world;
    auto& live = world.join(GetParam(), "l").subscribed("t");
    auto& pub = world.join(GetParam(), "p").publish("t", "x", {.retain = true}).publish("t", "", {.retain = true});
    live.expect_publish("t", "x");
    EXPECT_FALSE(live.expect_publish("t", "")->retain); // [MQTT3-3.3.1-10] [MQTT5-3.3.1-6]
    auto& sub = world.join(GetParam(), "s").subscribed("t");
    sub.expect_nothing(); // [MQTT3-3.3.1-11] [MQTT5-3.3.1-7]
    EXPECT_EQ(world.engine.statistics().retained, 0U);
    pub.publish("t", "y", {.retain = true});
    EXPECT_EQ(world.engine.statistics().retained, 1U);
}

TEST_P(Retaining, AMessageThatIsNotRetainedChangesNothing) {
    World world;
    world.join(GetParam(), "p").publish("t", "kept", {.retain = true}).publish("t", "other").publish("t", "");
    world.join(GetParam(), "s").subscribed("t").expect_publish("t", "kept"); // [MQTT3-3.3.1-12] [MQTT5-3.3.1-8]
}

TEST_P(Retaining, AMessageOfQos0ReplacesToo) {
    World world;
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", "old", {.qos = qos_1, .id = 1, .retain = true}).publish("t", "new", {.retain = true});
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    sub.expect_publish("t", "new"); // [MQTT3-3.3.1-7]
    sub.expect_nothing();
}

TEST_P(Retaining, MessagesOutliveTheSessionOfTheirPublisher) {
    World world;
    world.join(GetParam(), "p").publish("t", "x", {.retain = true}).drop();
    EXPECT_FALSE(world.has_session("p"));
    world.join(GetParam(), "s").subscribed("t").expect_publish("t", "x"); // [MQTT3-3.1.2-7]
}

TEST_P(Retaining, ResubscribingSendsAgain) {
    World world;
    world.join(GetParam(), "p").publish("t", "x", {.retain = true});
    auto& sub = world.join(GetParam(), "s").subscribed("t");
    sub.expect_publish("t", "x");
    sub.subscribed("t");
    sub.expect_publish("t", "x"); // [MQTT3-3.8.4-3] [MQTT5-3.8.4-4]
}

TEST(Retaining5, RetainHandlingDecidesWhatASubscriptionGets) {
    World world;
    world.join(Version::v5, "p").publish("t", "x", {.retain = true});
    auto& sub = world.join(Version::v5, "s");
    sub.subscribed("t", {.retain_handling = RetainHandling::do_not_send}).expect_nothing();  // [MQTT-3.3.1-11]
    sub.subscribed("t", {.retain_handling = RetainHandling::send_if_new}).expect_nothing();  // [MQTT-3.3.1-10]
    sub.subscribed("t", {.retain_handling = RetainHandling::send}).expect_publish("t", "x"); // [MQTT-3.3.1-9]
    sub.subscribed("+", {.retain_handling = RetainHandling::send_if_new}).expect_publish("t", "x");
    sub.expect_nothing();
}

TEST(Retaining5, ATakenUpSubscriptionIsNotNew) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 60u)};
    world.join(Version::v5, "p").publish("t", "x", {.retain = true});
    world.join(Version::v5, "s", as).subscribed("t", {.retain_handling = RetainHandling::do_not_send}).drop();
    world.join(Version::v5, "s", as).subscribed("t", {.retain_handling = RetainHandling::send_if_new}).expect_nothing();
}

TEST(Retaining5, NoLocalHoldsForRetainedMessagesToo) {
    World world;
    auto& client = world.join(Version::v5, "a").publish("t", "own", {.retain = true});
    world.join(Version::v5, "b").publish("u", "other", {.retain = true});
    client.subscribed("#", {.no_local = true});
    client.expect_publish("u", "other"); // [MQTT-3.8.3-3]
    client.expect_nothing();
}

TEST(Retaining5, PropertiesAndIdentifiersAreSent) {
    World world;
    world.join(Version::v5, "p").publish("t", "x", {.retain = true, .properties = Properties{}.add_user("k", "v")});
    auto& sub = world.join(Version::v5, "s").subscribed("t", {}, 5);
    const auto got = sub.expect_publish("t", "x");
    EXPECT_EQ(got->properties.user("k"), "v"); // [MQTT-3.3.2-17]
    EXPECT_EQ(got->properties.get(property::subscription_identifier), 5U);
}

TEST(Retaining5, ARetainedMessageExpires) {
    World world;
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x", {.retain = true, .properties = with(property::message_expiry_interval, 10u)});
    world.pass(4s);
    auto& early = world.join(Version::v5, "e").subscribed("t");
    EXPECT_EQ(early.expect_publish("t", "x")->properties.get(property::message_expiry_interval), 6U); // [MQTT-3.3.2-6]
    world.pass(6s);
    EXPECT_EQ(world.engine.statistics().retained, 0U);
    world.join(Version::v5, "s").subscribed("t").expect_nothing(); // [MQTT-3.3.2-5]
    EXPECT_FALSE(world.engine.deadline());
}

TEST(Retaining5, ANewerMessageTakesTheExpiryOfTheOlderAway) {
    World world;
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x", {.retain = true, .properties = with(property::message_expiry_interval, 10u)});
    pub.publish("t", "y", {.retain = true});
    world.pass(20s);
    world.join(Version::v5, "s").subscribed("t").expect_publish("t", "y");
}

TEST_P(Retaining, EveryKindOfFilterFindsItsTopics) {
    World world;
    auto& pub = world.join(GetParam(), "p");
    for (const auto* topic : {"a", "a/", "a/b", "a/b/c", "a0", "a-b", "ab", "/a", "b", "$s/a", "$s"})
        pub.publish(topic, "x", {.retain = true});
    const std::pair<const char*, std::vector<std::string>> cases[] = {
        {"#", {"/a", "a", "a-b", "a/", "a/b", "a/b/c", "a0", "ab", "b"}},
        {"+", {"a", "a-b", "a0", "ab", "b"}},
        {"a", {"a"}},
        {"a/#", {"a", "a/", "a/b", "a/b/c"}},
        {"a/+", {"a/", "a/b"}},
        {"+/b", {"a/b"}},
        {"a/+/c", {"a/b/c"}},
        {"/+", {"/a"}},
        {"$s/#", {"$s", "$s/a"}},
        {"$s/+", {"$s/a"}},
        {"a/b/c/#", {"a/b/c"}},
        {"c", {}},
    };
    for (const auto& [filter, topics] : cases) {
        auto& sub = world.join(GetParam(), "s").subscribed(filter);
        for (const auto& topic : topics) sub.expect_publish(topic, "x"); // [MQTT-4.7.2-1] [MQTT3-3.3.1-6]
        EXPECT_EQ(sub.waiting(), 0U) << filter;
    }
}

TEST_P(Retaining, RetainCanBeUnavailable) {
    World world({.retain_available = false});
    auto& pub = world.join(GetParam(), "p").publish("t", "x", {.retain = true});
    pub.expect_closed(Reason::retain_not_supported);
    EXPECT_EQ(world.engine.statistics().retained, 0U);
}

TEST(RetainingMixed, AcrossVersions) {
    World world;
    world.join(Version::v5, "p")
        .publish("t", "x", {.qos = qos_2, .id = 1, .retain = true, .properties = Properties{}.add_user("k", "v")});
    auto& old = world.join(Version::v3_1_1, "s").subscribed("t", qos_1);
    EXPECT_TRUE(old.expect_publish("t", "x", qos_1)->retain);
    world.join(Version::v3_1_1, "q").publish("u", "y", {.retain = true});
    EXPECT_TRUE(world.join(Version::v5, "v").subscribed("u").expect_publish("u", "y")->retain);
}

TEST_P(Retaining, RetainedMessagesWaitForAFullOutput) {
    World world;
    auto& pub = world.join(GetParam(), "p");
    const std::string payload(100'000, 'x');
    for (int i = 100; i < 150; ++i) pub.publish("t/" + std::to_string(i), payload, {.retain = true});
    auto& sub = world.join(GetParam(), "s");
    sub.reads = false;
    sub.subscribe(1, {{"#", {}}});
    EXPECT_GT(world.session("s").queued, 35U);
    sub.read_all();
    sub.expect<core::Suback>();
    for (int i = 100; i < 150; ++i) sub.expect_publish("t/" + std::to_string(i), payload);
}

} // namespace
} // namespace broker_test
