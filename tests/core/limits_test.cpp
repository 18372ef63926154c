// What the user knows of the server, merged with what its CONNACK tells; and the errors that name the value.
#include "core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tortoise;
using namespace tortoise::core;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::optional<Excess>& excess) { return excess ? excess->error().describe() : ""; }

Limits told(const Properties& properties, const PeerLimits& known) {
    Connack connack;
    connack.properties = properties;
    return Limits::of(connack, known);
}

TEST(MergedLimits, TheStricterHolds) {
    const auto properties = Properties{}
                                .set(property::maximum_qos, 1)
                                .set(property::maximum_packet_size, 1'000)
                                .set(property::receive_maximum, 7);
    const auto looser = told(properties, {});
    EXPECT_EQ(looser.maximum_qos, QoS::at_least_once);
    EXPECT_EQ(looser.packet_size, 1'000u);
    EXPECT_TRUE(looser.retain);
    const auto stricter = told(properties, {.maximum_qos = QoS::at_most_once,
                                            .retain = false,
                                            .shared_subscriptions = false,
                                            .packet_size = 500,
                                            .filters_per_subscribe = 8});
    EXPECT_EQ(stricter.maximum_qos, QoS::at_most_once);
    EXPECT_EQ(stricter.packet_size, 500u);
    EXPECT_FALSE(stricter.retain);
    EXPECT_FALSE(stricter.shared);
    EXPECT_EQ(stricter.filters_per_request, 8u);
}

TEST(MergedLimits, WithoutChecksOnlyWhatIsNoCheckIsLeft) {
    const auto limits = told(Properties{}
                                 .set(property::maximum_qos, 0)
                                 .set(property::maximum_packet_size, 10)
                                 .set(property::retain_available, 0)
                                 .set(property::receive_maximum, 7)
                                 .set(property::server_keep_alive, 30),
                             {.check = false, .filters_per_subscribe = 1});
    EXPECT_EQ(limits.maximum_qos, QoS::exactly_once);
    EXPECT_EQ(limits.packet_size, largest_packet);
    EXPECT_TRUE(limits.retain);
    EXPECT_GT(limits.filters_per_request, 1u);
    EXPECT_EQ(limits.receive_maximum, 7);
    EXPECT_EQ(limits.keep_alive, 30);
}

TEST(ExcessOfAMessage, NamesTheValueAndWhatIsAllowed) {
    const PeerLimits limits{.maximum_qos = QoS::at_least_once,
                            .retain = false,
                            .payload_size = 131'072,
                            .user_properties_size = 4,
                            .topic_size = 20,
                            .topic_levels = 8};
    const std::string large(129 * 1'024, 'x');
    const auto properties = Properties{}.add_user("unit", "C");
    EXPECT_EQ(text_of(excess(limits, {.topic = "a", .qos = QoS::exactly_once})),
              "QoS not supported (MQTT 0x9B): the QoS is 2; the server allows 1");
    EXPECT_EQ(excess(limits, {.topic = "a", .retain = true})->error().code, Reason::retain_not_supported);
    EXPECT_THAT(text_of(excess(limits, {.topic = "a", .payload = large})),
                testing::HasSubstr("the payload has 132096 bytes; the server allows 131072"));
    EXPECT_EQ(excess(limits, {.topic = "a", .payload = large})->error().code, Errc::packet_too_large);
    EXPECT_THAT(text_of(excess(limits, {.topic = "1/2/3/4/5/6/7/8/9"})),
                testing::HasSubstr("the topic has 9 levels; the server allows 8"));
    EXPECT_EQ(excess(limits, {.topic = "1/2/3/4/5/6/7/8/9"})->error().code, Errc::invalid_topic);
    EXPECT_THAT(text_of(excess(limits, {.topic = "123456789012345678901"})),
                testing::HasSubstr("the topic has 21 bytes; the server allows 20"));
    EXPECT_THAT(text_of(excess(limits, {.topic = "a", .properties = properties})),
                testing::HasSubstr("the user properties have 5 bytes; the server allows 4"));
    EXPECT_FALSE(excess(limits, {.topic = "1/2/3/4/5/6/7/8", .qos = QoS::at_least_once}));
}

TEST(ExcessOfAMessage, IsNotLookedForWithoutChecks) {
    const PeerLimits limits{.check = false, .maximum_qos = QoS::at_most_once, .payload_size = 0, .topic_levels = 1};
    EXPECT_FALSE(excess(limits, {.topic = "a/b", .payload = "x", .qos = QoS::exactly_once}));
    EXPECT_FALSE(excess(limits, TopicFilter("a/b/c", QoS::exactly_once)));
}

TEST(ExcessOfATopic, LeavesOutWhatDoesNotCount) {
    const PeerLimits limits{.topic_size = 10, .topic_levels = 2, .uncounted = "$aws/rules/"};
    EXPECT_FALSE(excess(limits, {.topic = "$aws/rules/any_name/a/b"}));
    EXPECT_EQ(excess(limits, {.topic = "$aws/rules/name/a/b/c"})->value, 3u);
    EXPECT_EQ(excess(limits, {.topic = "$aws/other/name"})->value, 15u);
    EXPECT_FALSE(excess(limits, {.topic = "$aws/rules/name_only"}));
    EXPECT_FALSE(excess(limits, TopicFilter("$share/a_long_group_name/a/b")));
    EXPECT_EQ(excess(limits, TopicFilter("$share/g/a/b/c"))->limit, Limit::filter_levels);
}

TEST(ExcessOfAFilter, IsAnInvalidFilterOrAQos) {
    const PeerLimits limits{.maximum_qos = QoS::at_least_once, .shared_subscriptions = false, .topic_levels = 3};
    EXPECT_EQ(excess(limits, TopicFilter("a/b/c/#"))->error().code, Errc::invalid_filter);
    EXPECT_EQ(excess(limits, TopicFilter("a", QoS::exactly_once))->error().code, Reason::qos_not_supported);
    EXPECT_EQ(excess(limits, TopicFilter("$share/g/a"))->error().code, Reason::shared_subscriptions_not_supported);
    EXPECT_FALSE(excess(limits, TopicFilter("a/b/#", QoS::at_least_once)));
}

TEST(ExcessOfAConnect, IsInItsIdentifierItsPropertiesOrItsWill) {
    const PeerLimits limits{.maximum_qos = QoS::at_least_once, .request_user_properties = false, .client_id_size = 5};
    const auto user = Properties{}.add_user("a", "b");
    EXPECT_THAT(text_of(excess(limits, Connect{.client_id = "longer"})),
                testing::HasSubstr("the client identifier has 6 bytes; the server allows 5"));
    EXPECT_EQ(excess(limits, Connect{.client_id = "short", .properties = user})->limit, Limit::request_user_properties);
    Connect connect{.client_id = "short"};
    connect.will = ConnectWill{"a", "", QoS::exactly_once, false, {}};
    EXPECT_EQ(excess(limits, connect)->limit, Limit::qos);
    connect.will->qos = QoS::at_least_once;
    EXPECT_FALSE(excess(limits, connect));
}

TEST(KeepAliveOfAPeer, IsKeptWithinItsBounds) {
    const PeerLimits limits{.least_keep_alive = 30s, .most_keep_alive = 1'200s};
    EXPECT_EQ(clamp_keep_alive(limits, 5s), 30s);
    EXPECT_EQ(clamp_keep_alive(limits, 60s), 60s);
    EXPECT_EQ(clamp_keep_alive(limits, 1'500s), 1'200s);
    EXPECT_EQ(clamp_keep_alive(limits, 0s), 1'200s) << "none is not allowed where there is a longest";
    EXPECT_EQ(clamp_keep_alive({.least_keep_alive = 30s}, 0s), 0s);
    EXPECT_EQ(clamp_keep_alive({.check = false, .most_keep_alive = 1s}, 60s), 60s);
}

} // namespace
