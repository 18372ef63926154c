#include "broker/world.hpp"

#include <algorithm>

namespace broker_test {
namespace {

class Subscribing : public BothVersions {
protected:
    using Reasons = std::vector<Reason>;
    static Reason refused(Reason reason) { return v5() ? reason : Reason::unspecified_error; }
};
INSTANTIATE_TEST_SUITE_P(Versions, Subscribing, both_versions, version_name);

TEST_P(Subscribing, EachFilterIsGrantedInOrder) {
    World world;
    auto& client = world.join(GetParam(), "a");
    client.subscribe(0x1234, {{"a", {.qos = qos_2}}, {"b/+", {.qos = qos_0}}, {"c/#", {.qos = qos_1}}});
    const auto suback = client.expect<core::Suback>(); // [MQTT-3.8.4-1]
    EXPECT_EQ(suback->id, 0x1234);                     // [MQTT-3.8.4-2] [MQTT3-2.3.1-7] [MQTT5-2.2.1-6]
    // [MQTT3-3.8.4-4] [MQTT3-3.8.4-5] [MQTT5-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] [MQTT-3.9.3-1]
    EXPECT_EQ(suback->reasons, (Reasons{Reason::granted_qos_2, Reason::success, Reason::granted_qos_1}));
    EXPECT_TRUE(suback->properties.empty());
}

TEST_P(Subscribing, WildcardsMatchAsSpecified) {
    const struct {
        const char* filter;
        const char* topic;
        bool match;
    } cases[] = {
        {"#", "a", true},        {"#", "/", true},      {"a/#", "a", true},     {"a/#", "a/b/c", true},
        {"a/#", "ab", false},    {"+", "a", true},      {"+", "/a", false},     {"+/+", "/a", true},
        {"/+", "/a", true},      {"a/+", "a", false},   {"a/+", "a/", true},    {"a/+/c", "a/b/c", true},
        {"a/+/c", "a//c", true}, {"a/b", "a/B", false}, {"a/b", "a/b/", false}, {"$x/#", "$x/y", true},
        {"+/y", "$x/y", false},  {"#", "$x", false},    {"$x/+", "$x/y", true},
    };
    for (const auto& [filter, topic, match] : cases) {
        World world;
        auto& sub = world.join(GetParam(), "s").subscribed(filter);
        world.join(GetParam(), "p").publish(topic, "x");
        EXPECT_EQ(sub.waiting(), match ? 1U : 0U) << filter << " " << topic; // [MQTT-4.7.2-1]
    }
}

TEST_P(Subscribing, OverlappingFiltersGetOneCopyWithTheHighestQos) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("a/#", qos_0).subscribed("a/+", qos_2).subscribed("a/b", qos_1);
    world.join(GetParam(), "p").publish("a/b", "x", {.qos = qos_2, .id = 1});
    sub.expect_publish("a/b", "x", qos_2); // [MQTT5-3.3.4-2] [MQTT3-3.3.5-1]
    sub.expect_nothing();
}

TEST_P(Subscribing, OverlappingFiltersGetACopyEachIfAskedFor) {
    World world({.one_copy_per_subscription = true});
    auto& sub = world.join(GetParam(), "s").subscribed("a/#", qos_0).subscribed("a/+", qos_2).subscribed("a/b", qos_1);
    world.join(GetParam(), "p").publish("a/b", "x", {.qos = qos_2, .id = 1});
    std::vector<QoS> got;
    for (int i = 0; i < 3; ++i) got.push_back(sub.expect<core::Publish>()->qos);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, (std::vector{qos_0, qos_1, qos_2}));
    sub.expect_nothing();
}

TEST_P(Subscribing, ResubscribingReplaces) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2).subscribed("t", qos_0);
    world.join(GetParam(), "p").publish("t", "x", {.qos = qos_2, .id = 1});
    sub.expect_publish("t", "x", qos_0); // [MQTT3-3.8.4-3] [MQTT5-3.8.4-3]
    sub.expect_nothing();
    EXPECT_EQ(world.session("s").subscriptions.size(), 1U);
}

TEST_P(Subscribing, ResubscribingLosesNoMessage) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    auto& pub = world.join(GetParam(), "p");
    for (PacketId i = 1; i <= 10; ++i) {
        pub.publish("t", "x", {.qos = qos_1, .id = i});
        sub.subscribe(i, {{"t", {.qos = qos_1}}});
    }
    EXPECT_EQ(sub.count(PacketType::publish), 10U); // [MQTT3-3.8.4-3] [MQTT5-3.8.4-4]
}

TEST_P(Subscribing, UnsubscribingStopsNewMessages) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2).subscribed("u");
    auto& pub = world.join(GetParam(), "p").publish("t", "1", {.qos = qos_2, .id = 1});
    const auto id = sub.expect_publish("t", "1", qos_2)->id;
    sub.send(core::Unsubscribe{.id = 0x4321, .filters = {"t", "never", "u"}});
    const auto unsuback = sub.expect<core::Unsuback>();
    EXPECT_EQ(unsuback->id,
              0x4321); // [MQTT3-3.10.4-4] [MQTT3-2.3.1-7] [MQTT5-3.10.4-4] [MQTT5-3.10.4-5] [MQTT5-2.2.1-6]
    if (v5()) {        // [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2]
        EXPECT_EQ(unsuback->reasons, (Reasons{Reason::success, Reason::no_subscription_existed, Reason::success}));
    }
    pub.publish("t", "2", {.qos = qos_2, .id = 2}).publish("u", "3");
    sub.expect_nothing();                                               // [MQTT-3.10.4-2]
    sub.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id); // [MQTT-3.10.4-3]
    sub.ack(PacketType::pubcomp, id).expect_nothing();
}

TEST_P(Subscribing, UnsubscribingComparesFiltersCharacterByCharacter) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("a/b");
    sub.send(core::Unsubscribe{.id = 1, .filters = {"a/+", "A/b", "a/b/"}});
    sub.expect<core::Unsuback>(); // [MQTT3-3.10.4-5] [MQTT5-3.10.4-5]
    world.join(GetParam(), "p").publish("a/b", "x");
    sub.expect_publish("a/b", "x"); // [MQTT-3.10.4-1]
}

TEST_P(Subscribing, AMessageUnderWayIsDeliveredAfterUnsubscribing) {
    World world;
    world.join(GetParam(), "s", keeping()).subscribed("t", qos_1).drop();
    world.join(GetParam(), "p").publish("t", "x", {.qos = qos_1, .id = 1});
    auto& sub = world.join(GetParam(), "s", keeping());
    sub.send(core::Unsubscribe{.id = 1, .filters = {"t"}});
    sub.expect_publish("t", "x", qos_1);
    sub.expect<core::Unsuback>();
}

TEST_P(Subscribing, DeniedFiltersAreRefusedOneByOne) {
    World world({.deny_subscribe = {"secret/#", "a/+/c", "exact"}});
    auto& client = world.join(GetParam(), "a");
    const auto no = refused(Reason::not_authorized);
    const struct {
        const char* filter;
        bool granted;
    } cases[] = {{"secret", false}, {"secret/#", false}, {"secret/+/x", false}, {"secrets/#", true}, {"#", true},
                 {"a/b/c", false},  {"a/+/c", false},    {"a/#", true},         {"a/b/d", true},     {"exact", false},
                 {"exact/x", true}, {"+", true},         {"a/b/c/d", true},     {"a/b", true}};
    std::vector<core::Subscribe::Entry> entries;
    Reasons expected;
    for (const auto& [filter, granted] : cases) {
        entries.push_back({filter, {}});
        expected.push_back(granted ? Reason::success : no);
    }
    client.subscribe(1, entries);
    EXPECT_EQ(client.expect<core::Suback>()->reasons, expected);
    client.publish("exact", "x"); // "#" and "+" match it: one copy
    client.expect_publish("exact", "x");
    client.expect_nothing();
}

TEST(Subscribing5, ARefusedFilterSaysWhyToThoseWhoAsked) {
    World world({.deny_subscribe = {"no"}});
    for (const bool asked : {true, false}) {
        auto& client =
            world.join(Version::v5, "a", {.properties = with(property::request_problem_information, asked ? 1u : 0u)});
        client.subscribe(1, {{"no", {}}});
        EXPECT_EQ(client.expect<core::Suback>()->properties.get(property::reason_string).has_value(),
                  asked); // [MQTT-3.1.2-29]
    }
    auto& small = world.join(Version::v5, "a", {.properties = with(property::maximum_packet_size, 20u)});
    small.subscribe(1, {{"no", {}}});
    EXPECT_TRUE(small.expect<core::Suback>()->properties.empty()); // [MQTT-3.9.2-1]
}

TEST(Subscribing5, AnAnswerLargerThanTheClientTakesEndsTheConnection) {
    World world;
    auto& client = world.join(Version::v5, "a", {.properties = with(property::maximum_packet_size, 20u)});
    std::vector<core::Subscribe::Entry> entries(20, {"t", {}});
    client.subscribe(1, entries);
    EXPECT_TRUE(client.closed()); // [MQTT-3.1.2-24]
    EXPECT_EQ(client.waiting(), 0U);
}

TEST_P(Subscribing, SharedFiltersAreJudgedByTheirInnerFilter) {
    World world({.deny_subscribe = {"secret/#"}});
    auto& client = world.join(GetParam(), "a").subscribe(1, {{"$share/g/secret/x", {}}, {"$share/g/open", {}}});
    EXPECT_EQ(client.expect<core::Suback>()->reasons, (Reasons{refused(Reason::not_authorized), Reason::success}));
}

TEST_P(Subscribing, TheMaximumQosIsGrantedAtMost) {
    World world({.maximum_qos = qos_1});
    auto& client = world.join(GetParam(), "a");
    client.subscribe(1, {{"a", {.qos = qos_2}}, {"b", {.qos = qos_0}}}); // [MQTT-3.2.2-10]
    EXPECT_EQ(client.expect<core::Suback>()->reasons, (Reasons{Reason::granted_qos_1, Reason::success}));
}

TEST_P(Subscribing, WhatIsNotAvailableIsAProtocolErrorOrAFailure) {
    const struct {
        BrokerOptions options;
        const char* filter;
        Reason reason;
    } cases[] = {{{.wildcard_subscriptions = false}, "a/+", Reason::wildcard_subscriptions_not_supported},
                 {{.wildcard_subscriptions = false}, "$share/g/#", Reason::wildcard_subscriptions_not_supported},
                 {{.shared_subscriptions = false}, "$share/g/a", Reason::shared_subscriptions_not_supported}};
    for (const auto& [options, filter, reason] : cases) {
        World world(options);
        auto& client = world.join(GetParam(), "a").subscribe(1, {{"plain", {}}, {filter, {}}});
        if (v5()) {
            client.expect_closed(reason);
        } else {
            EXPECT_EQ(client.expect<core::Suback>()->reasons,
                      (Reasons{Reason::success, Reason::unspecified_error})); // [MQTT3-3.8.3-2]
        }
    }
}

TEST(Subscribing5, SubscriptionIdentifiersCanBeUnavailable) {
    World world({.subscription_identifiers = false});
    world.join(Version::v5, "a")
        .subscribe(1, {{"t", {}}}, 5)
        .expect_closed(Reason::subscription_identifiers_not_supported);
}

TEST(Subscribing5, SubscriptionIdentifiersOfEveryMatchingFilterAreSent) {
    World world;
    auto& sub = world.join(Version::v5, "s")
                    .subscribed("a/#", {}, 1)
                    .subscribed("a/+", {}, 268'435'455)
                    .subscribed("+/b")
                    .subscribed("x", {}, 9);
    world.join(Version::v5, "p").publish("a/b", "x");
    std::vector<std::uint32_t> ids;
    const auto got = sub.expect_publish("a/b", "x");
    for (const auto& property : got->properties) ids.push_back(property.number);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<std::uint32_t>{1, 268'435'455})); // [MQTT-3.3.4-3] [MQTT-3.3.4-4]
}

TEST(Subscribing5, EachCopyHasTheIdentifierOfItsSubscription) {
    World world({.one_copy_per_subscription = true});
    auto& sub = world.join(Version::v5, "s").subscribed("a/#", {}, 1).subscribed("a/+", {}, 2).subscribed("+/b");
    world.join(Version::v5, "p").publish("a/b", "x");
    std::vector<std::optional<std::uint32_t>> ids;
    for (int i = 0; i < 3; ++i)
        ids.push_back(sub.expect_publish("a/b", "x")->properties.get(property::subscription_identifier));
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<std::optional<std::uint32_t>>{std::nullopt, 1, 2})); // [MQTT-3.3.4-5]
}

TEST(Subscribing5, ResubscribingReplacesTheIdentifier) {
    World world;
    auto& sub = world.join(Version::v5, "s").subscribed("t", {}, 1).subscribed("t", {}, 2);
    auto& pub = world.join(Version::v5, "p").publish("t", "x");
    EXPECT_EQ(sub.expect_publish("t", "x")->properties, with(property::subscription_identifier, 2u).view());
    sub.subscribed("t");
    pub.publish("t", "y");
    EXPECT_TRUE(sub.expect_publish("t", "y")->properties.empty());
}

TEST(Subscribing5, NoLocalKeepsOwnMessagesAway) {
    World world;
    auto& client = world.join(Version::v5, "a").subscribed("t", {.no_local = true});
    client.publish("t", "own", {.qos = qos_1, .id = 1});
    client.expect_ack(PacketType::puback, 1, Reason::no_matching_subscribers);
    client.expect_nothing(); // [MQTT-3.8.3-3]
    world.join(Version::v5, "b").publish("t", "other");
    client.expect_publish("t", "other");
}

TEST(Subscribing5, NoLocalIsOfOneSubscriptionOnly) {
    World world;
    auto& client =
        world.join(Version::v5, "a").subscribed("t", {.qos = qos_2, .no_local = true}, 1).subscribed("+", qos_0);
    client.publish("t", "own");
    EXPECT_TRUE(client.expect_publish("t", "own")->properties.empty());
}

TEST(Subscribing5, RetainAsPublishedKeepsTheFlag) {
    World world;
    auto& plain = world.join(Version::v5, "a").subscribed("t");
    auto& keeps = world.join(Version::v5, "b").subscribed("t", {.retain_as_published = true});
    auto& pub = world.join(Version::v5, "p").publish("t", "1", {.retain = true}).publish("t", "2");
    EXPECT_FALSE(plain.expect_publish("t", "1")->retain); // [MQTT-3.3.1-12]
    EXPECT_TRUE(keeps.expect_publish("t", "1")->retain);  // [MQTT-3.3.1-13]
    EXPECT_FALSE(plain.expect_publish("t", "2")->retain);
    EXPECT_FALSE(keeps.expect_publish("t", "2")->retain);
    pub.expect_nothing();
}

TEST(Subscribing5, OneSubscriptionThatKeepsTheFlagIsEnoughForTheCopy) {
    World world;
    auto& a = world.join(Version::v5, "a").subscribed("t", {.retain_as_published = true}).subscribed("+");
    auto& b = world.join(Version::v5, "b").subscribed("t").subscribed("+", {.retain_as_published = true});
    world.join(Version::v5, "p").publish("t", "x", {.retain = true});
    EXPECT_TRUE(a.expect_publish("t", "x")->retain);
    EXPECT_TRUE(b.expect_publish("t", "x")->retain);
}

TEST_P(Subscribing, MalformedSubscribesCloseTheConnection) {
    const std::pair<std::string_view, Reason> v5_packets[] = {
        {{"\x80\x07\0\1\0\0\1a\0", 9}, Reason::malformed_packet},       // [MQTT-3.8.1-1]
        {{"\x82\x03\0\1\0", 5}, Reason::protocol_error},                // [MQTT5-3.8.3-2]
        {{"\x82\x07\0\1\0\0\1a\x40", 9}, Reason::malformed_packet},     // [MQTT-3.8.3-5]
        {{"\x82\x07\0\1\0\0\1a\x03", 9}, Reason::malformed_packet},     // QoS 3
        {{"\x82\x07\0\1\0\0\1\xFF\0", 9}, Reason::malformed_packet},    // [MQTT5-3.8.3-1]
        {{"\x82\x07\0\0\0\0\1a\0", 9}, Reason::protocol_error},         // identifier 0
        {{"\x82\x08\0\1\0\0\2a#\0", 10}, Reason::topic_filter_invalid}, // [MQTT5-4.7.1-1]
        {{"\xA0\x06\0\1\0\0\1a", 8}, Reason::malformed_packet},         // [MQTT-3.10.1-1]
        {{"\xA2\x03\0\1\0", 5}, Reason::protocol_error},                // [MQTT-3.10.3-2]
        {{"\xA2\x06\0\1\0\0\1\xFF", 8}, Reason::malformed_packet},      // [MQTT5-3.10.3-1]
    };
    const std::string_view v3_packets[] = {
        {"\x80\x06\0\1\0\1a\0", 8},   // [MQTT3-3.8.1-1]
        {"\x82\x02\0\1", 4},          // [MQTT3-3.8.3-3]
        {"\x82\x06\0\1\0\1a\x04", 8}, // [MQTT3-3.8.3-4]
        {"\x82\x07\0\1\0\2a#\0", 9},  // [MQTT3-4.7.1-2]
        {"\xA0\x05\0\1\0\1a", 7},     // [MQTT3-3.10.1-1]
        {"\xA2\x02\0\1", 4},
    };
    World world;
    if (v5()) {
        for (const auto& [octets, reason] : v5_packets)
            world.join(GetParam(), "a").send_raw(octets).expect_closed(reason); // [MQTT-4.13.1-1]
    } else {
        for (const auto octets : v3_packets)
            world.join(GetParam(), "a").send_raw(octets).expect_closed(Reason::success); // [MQTT3-4.8.0-1]
    }
}

TEST(Subscribing5, NoLocalOnASharedSubscriptionIsAProtocolError) {
    World world;
    auto& client = world.join(Version::v5, "a");
    client.send_raw(std::string_view("\x82\x10\0\1\0\0\x0A$share/g/t\4", 18));
    client.expect_closed(Reason::protocol_error); // [MQTT-3.8.3-4]
}

TEST(Subscribing5, MalformedShareNamesCloseTheConnection) {
    World world;
    for (const std::string filter : {"$share/a+/t", "$share/#/t", "$share/a", "$share//t", "$share/a/"}) {
        std::string packet = "\x82";
        packet += static_cast<char>(6 + filter.size());
        packet += std::string_view("\0\1\0\0", 4);
        packet += static_cast<char>(filter.size());
        auto& client = world.join(Version::v5, "a").send_raw(packet + filter + std::string(1, '\0'));
        EXPECT_TRUE(client.closed()) << filter; // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
    }
}

} // namespace
} // namespace broker_test
