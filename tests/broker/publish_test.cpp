/// Messages that clients send to the broker, and who gets them.

#include "broker/world.hpp"

namespace broker_test {
namespace {

class Publishing : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Publishing, both_versions, version_name);

TEST_P(Publishing, Qos0ReachesTheSubscriber) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("a/b", qos_2);
    auto& pub = world.join(GetParam(), "p").publish("a/b", "hello");
    const auto got = sub.expect_publish("a/b", "hello", qos_0); // [MQTT-3.3.2-3] [MQTT-4.3.1-1]
    EXPECT_FALSE(got->duplicate);                               // [MQTT-3.3.1-2]
    EXPECT_FALSE(got->retain);
    sub.expect_nothing();
    pub.expect_nothing();
    EXPECT_EQ(world.engine.statistics().publishes_received, 1U);
    EXPECT_EQ(world.engine.statistics().publishes_sent, 1U);
}

TEST_P(Publishing, Qos1IsAcknowledgedAndForwarded) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    auto& pub = world.join(GetParam(), "p").publish("t", "x", {.qos = qos_1, .id = 513});
    pub.expect_ack(PacketType::puback, 513); // [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT3-2.3.1-6] [MQTT5-2.2.1-5]
    const auto got = sub.expect_publish("t", "x", qos_1);
    EXPECT_NE(got->id, 0);        // [MQTT-2.2.1-4]
    EXPECT_FALSE(got->duplicate); // [MQTT5-4.3.2-2]
    sub.ack(PacketType::puback, got->id).expect_nothing();
    EXPECT_EQ(world.session("s").in_flight, 0U);
}

TEST_P(Publishing, AReusedIdentifierOfQos1IsANewMessageEvenWithDup) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_1);
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", "1", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1);
    pub.publish("t", "1", {.qos = qos_1, .id = 1, .duplicate = true}).expect_ack(PacketType::puback, 1);
    sub.expect_publish("t", "1", qos_1);
    EXPECT_FALSE(sub.expect_publish("t", "1", qos_1)->duplicate); // [MQTT3-4.3.2-2] [MQTT5-4.3.2-5] [MQTT-3.3.1-3]
}

TEST_P(Publishing, Qos2IsForwardedOnce) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2);
    auto& pub = world.join(GetParam(), "p").publish("t", "x", {.qos = qos_2, .id = 4});
    pub.expect_ack(PacketType::pubrec, 4); // [MQTT-4.3.3-8]
    const auto got = sub.expect_publish("t", "x", qos_2);
    EXPECT_FALSE(got->duplicate); // [MQTT5-4.3.3-2]
    pub.publish("t", "x", {.qos = qos_2, .id = 4, .duplicate = true}).expect_ack(PacketType::pubrec, 4);
    pub.publish("t", "x", {.qos = qos_2, .id = 4}).expect_ack(PacketType::pubrec, 4);
    sub.expect_nothing();                                              // [MQTT-4.3.3-10]
    pub.ack(PacketType::pubrel, 4).expect_ack(PacketType::pubcomp, 4); // [MQTT-4.3.3-11]
    pub.publish("t", "y", {.qos = qos_2, .id = 4, .duplicate = true}).expect_ack(PacketType::pubrec, 4);
    sub.expect_publish("t", "y", qos_2); // [MQTT3-4.3.3-2] [MQTT5-4.3.3-12]
}

TEST_P(Publishing, AQos2IdentifierIsRememberedOverConnections) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2);
    auto& pub = world.join(GetParam(), "p", keeping()).publish("t", "x", {.qos = qos_2, .id = 4});
    pub.drop();
    sub.expect_publish("t", "x", qos_2);
    auto& again = world.join(GetParam(), "p", keeping());
    again.publish("t", "x", {.qos = qos_2, .id = 4, .duplicate = true}).expect_ack(PacketType::pubrec, 4);
    sub.expect_nothing();
    again.ack(PacketType::pubrel, 4).expect_ack(PacketType::pubcomp, 4);
    EXPECT_TRUE(world.session("p").inbound_qos2.empty());
}

TEST_P(Publishing, AnUnknownPubrelIsAnswered) {
    World world;
    auto& pub = world.join(GetParam(), "p").ack(PacketType::pubrel, 77);
    pub.expect_ack(PacketType::pubcomp, 77,
                   v5() ? Reason::packet_identifier_not_found : Reason::success); // [MQTT-3.7.2-1]
}

TEST_P(Publishing, TheQosIsTheLowerOfMessageAndSubscription) {
    World world;
    auto& sub = world.join(GetParam(), "s");
    sub.subscribed("0/#", qos_0).subscribed("1/#", qos_1).subscribed("2/#", qos_2);
    auto& pub = world.join(GetParam(), "p");
    for (const int granted : {0, 1, 2}) {
        for (const int sent : {0, 1, 2}) {
            const auto id = static_cast<PacketId>(sent == 0 ? 0 : 10 * granted + sent);
            const auto topic = std::to_string(granted) + "/t";
            pub.publish(topic, "x", {.qos = static_cast<QoS>(sent), .id = id});
            sub.expect_publish(topic, "x",
                               static_cast<QoS>(std::min(granted, sent))); // [MQTT3-3.8.4-6] [MQTT5-3.8.4-8]
        }
    }
}

TEST_P(Publishing, TopicsAndPayloadsOfEverySizePass) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("#", qos_1);
    auto& pub = world.join(GetParam(), "p");
    const std::string long_topic(65'535, 't');
    const std::string large(3'000'000, '\xFF');
    pub.publish(long_topic, "")
        .publish("/", std::string_view("\0\n", 2))
        .publish("large", large, {.qos = qos_1, .id = 1});
    sub.expect_publish(long_topic, "");
    sub.expect_publish("/", std::string_view("\0\n", 2));
    sub.expect_publish("large", large, qos_1);
}

TEST_P(Publishing, ATopicIsNotNormalized) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("A").subscribed("caf\u00e9").subscribed("\uFEFFa");
    auto& pub = world.join(GetParam(), "p");
    pub.publish("a", "1").publish("cafe\u0301", "2").publish("A", "3").publish("\uFEFFa", "4");
    sub.expect_publish("A", "3");       // [MQTT-4.7.3-4]
    sub.expect_publish("\uFEFFa", "4"); // [MQTT3-1.5.3-3] [MQTT5-1.5.4-3]
    sub.expect_nothing();
}

TEST_P(Publishing, OrderIsKeptForEachTopicAndQos) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("t", qos_2);
    auto& pub = world.join(GetParam(), "p");
    for (PacketId id = 1; id <= 30; ++id) {
        const auto qos = static_cast<QoS>(id % 3);
        pub.publish("t", std::to_string(id), {.qos = qos, .id = qos == qos_0 ? PacketId{0} : id});
    }
    for (PacketId id = 1; id <= 30; ++id)
        sub.expect_publish("t", std::to_string(id),
                           static_cast<QoS>(id % 3)); // [MQTT3-4.6.0-5] [MQTT3-4.6.0-6] [MQTT5-4.6.0-5] [MQTT5-4.6.0-6]
}

TEST_P(Publishing, ADeniedTopicIsNotForwarded) {
    World world({.deny_publish = {"secret/#"}});
    auto& sub = world.join(GetParam(), "s").subscribed("#", qos_2);
    auto& pub = world.join(GetParam(), "p");
    const auto refused = v5() ? Reason::not_authorized : Reason::success; // [MQTT3-3.3.5-2]
    pub.publish("secret", "0");
    pub.expect_nothing();
    pub.publish("secret/a", "1", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1, refused); // [MQTT-3.4.2-1]
    pub.publish("secret/b", "2", {.qos = qos_2, .id = 2}).expect_ack(PacketType::pubrec, 2, refused); // [MQTT-3.5.2-1]
    EXPECT_EQ(world.session("p").inbound_qos2.size(), v5() ? 0U : 1U);
    if (!v5()) pub.ack(PacketType::pubrel, 2).expect_ack(PacketType::pubcomp, 2);
    sub.expect_nothing();
    pub.publish("secrets", "3");
    sub.expect_publish("secrets", "3");
}

TEST(Publishing5, ARefusedQos2IdentifierIsFree) {
    World world({.deny_publish = {"secret"}});
    auto& sub = world.join(Version::v5, "s").subscribed("#", qos_2);
    auto& pub = world.join(Version::v5, "p");
    pub.publish("secret", "x", {.qos = qos_2, .id = 2}).expect_ack(PacketType::pubrec, 2, Reason::not_authorized);
    pub.publish("open", "y", {.qos = qos_2, .id = 2}).expect_ack(PacketType::pubrec, 2);
    sub.expect_publish("open", "y", qos_2); // [MQTT-4.3.3-9]
}

TEST(Publishing5, AMessageThatExpiredIsReleasedAllTheSame) {
    World world;
    world.join(Version::v5, "s", {.properties = with(property::session_expiry_interval, 60u)})
        .subscribed("t", qos_2)
        .drop();
    auto& pub = world.join(Version::v5, "p");
    const auto brief = with(property::message_expiry_interval, 1u);
    pub.publish("t", "x", {.qos = qos_2, .id = 1, .properties = brief}).expect_ack(PacketType::pubrec, 1);
    world.pass(2s);
    pub.ack(PacketType::pubrel, 1).expect_ack(PacketType::pubcomp, 1); // [MQTT-4.3.3-13]
}

TEST(Publishing5, ARefusalSaysWhyToThoseWhoAsked) {
    World world({.deny_publish = {"secret"}});
    for (const bool asked : {true, false}) {
        auto& pub =
            world.join(Version::v5, "p", {.properties = with(property::request_problem_information, asked ? 1u : 0u)});
        pub.publish("secret", "x", {.qos = qos_1, .id = 1});
        const auto puback = pub.expect_ack(PacketType::puback, 1, Reason::not_authorized);
        EXPECT_EQ(puback->properties.get(property::reason_string).has_value(), asked); // [MQTT-3.1.2-29]
    }
}

TEST(Publishing5, ARefusalIsShortForAClientWithLittleRoom) {
    World world({.deny_publish = {"secret"}});
    auto& pub = world.join(Version::v5, "p", {.properties = with(property::maximum_packet_size, 20u)});
    pub.publish("secret", "x", {.qos = qos_1, .id = 1});
    EXPECT_TRUE(pub.expect_ack(PacketType::puback, 1, Reason::not_authorized)->properties.empty()); // [MQTT-3.4.2-2]
    pub.publish("secret", "x", {.qos = qos_2, .id = 1});
    EXPECT_TRUE(pub.expect_ack(PacketType::pubrec, 1, Reason::not_authorized)->properties.empty()); // [MQTT-3.5.2-2]
}

TEST_P(Publishing, NobodyListeningIsToldOnMqtt5) {
    World world;
    auto& pub = world.join(GetParam(), "p");
    const auto nobody = v5() ? Reason::no_matching_subscribers : Reason::success;
    pub.publish("t", "x", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1, nobody);
    pub.publish("t", "x", {.qos = qos_2, .id = 2}).expect_ack(PacketType::pubrec, 2, nobody);
    pub.ack(PacketType::pubrel, 2).expect_ack(PacketType::pubcomp, 2); // [MQTT-4.3.3-11]
}

TEST_P(Publishing, AnOfflineSubscriberCounts) {
    World world;
    world.join(GetParam(), "s", keeping()).subscribed("t", qos_1).drop();
    auto& pub = world.join(GetParam(), "p");
    pub.publish("t", "x", {.qos = qos_1, .id = 1}).expect_ack(PacketType::puback, 1);
}

TEST_P(Publishing, Qos0IsNotKeptForThoseWhoAreAway) {
    World world;
    world.join(GetParam(), "s", keeping()).subscribed("t", qos_1).drop();
    world.join(GetParam(), "p").publish("t", "0").publish("t", "1", {.qos = qos_1, .id = 1});
    auto& sub = world.join(GetParam(), "s", keeping());
    sub.expect_publish("t", "1", qos_1);
    sub.expect_nothing();
}

TEST(Publishing5, EveryPropertyIsForwardedUnaltered) {
    World world;
    auto& sub = world.join(Version::v5, "s").subscribed("t", qos_1);
    Properties properties;
    properties.set(property::payload_format_indicator, 1u)
        .set(property::content_type, "text/plain")
        .set(property::response_topic, "reply/here")
        .set(property::correlation_data, std::string_view("\0\xFF", 2))
        .add_user("b", "1")
        .add_user("a", "2")
        .add_user("b", "3");
    auto& pub = world.join(Version::v5, "p").publish("t", "x", {.qos = qos_1, .id = 1, .properties = properties});
    pub.expect_ack(PacketType::puback, 1);
    // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
    EXPECT_EQ(sub.expect_publish("t", "x", qos_1)->properties, properties.view());
    // With an alias the message takes another way through the broker.
    properties.set(property::topic_alias, 3u);
    pub.publish("t", "x", {.properties = properties});
    properties.remove(PropertyId::topic_alias);
    EXPECT_EQ(sub.expect_publish("t", "x")->properties, properties.view());
}

TEST(PublishingMixed, PropertiesAreDroppedTowards311) {
    World world;
    auto& sub = world.join(Version::v3_1_1, "s").subscribed("t", qos_2);
    auto& pub = world.join(Version::v5, "p");
    pub.publish("t", "x",
                {.qos = qos_2, .id = 1, .properties = Properties{}.add_user("k", "v").set(property::topic_alias, 1u)});
    sub.expect_publish("t", "x", qos_2);
    pub.publish("", "y", {.properties = with(property::topic_alias, 1u)});
    sub.expect_publish("t", "y");
}

TEST(PublishingMixed, From311ToMqtt5) {
    World world;
    auto& sub = world.join(Version::v5, "s").subscribed("t", {.qos = qos_2, .retain_as_published = true}, 17);
    world.join(Version::v3_1_1, "p").publish("t", "x", {.qos = qos_2, .id = 1, .retain = true});
    const auto got = sub.expect_publish("t", "x", qos_2);
    EXPECT_TRUE(got->retain);
    EXPECT_EQ(got->properties, with(property::subscription_identifier, 17u).view());
}

TEST_P(Publishing, DollarTopicsAreOrdinaryButForWildcards) {
    World world;
    auto& sub = world.join(GetParam(), "s").subscribed("#").subscribed("+/a");
    auto& own = world.join(GetParam(), "o").subscribed("$x/#");
    world.join(GetParam(), "p").publish("$x/a", "1");
    sub.expect_nothing(); // [MQTT-4.7.2-1]
    own.expect_publish("$x/a", "1");
}

} // namespace
} // namespace broker_test
