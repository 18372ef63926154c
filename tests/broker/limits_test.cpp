/// What the broker enforces: keep alive, receive maximum, packet size, QoS, topic aliases, and packets that break a
/// rule.

#include "broker/world.hpp"

namespace broker_test {
namespace {

class Limits : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Limits, both_versions, version_name);

TEST_P(Limits, ASilentClientIsClosedAfterOneAndAHalfKeepAlives) {
    World world;
    auto& client = world.join(GetParam(), "c", {.keep_alive = 10});
    world.pass(14'999ms);
    client.expect_nothing();
    world.pass(1ms);
    client.expect_closed(Reason::keep_alive_timeout); // [MQTT3-3.1.2-24] [MQTT5-3.1.2-22] [MQTT5-3.2.2-22]
}

TEST_P(Limits, EveryPacketKeepsAConnectionAlive) {
    World world;
    auto& client = world.join(GetParam(), "c", {.keep_alive = 10});
    for (int i = 0; i < 10; ++i) {
        world.pass(14s);
        client.publish("t", "x");
    }
    client.expect_nothing();
    world.pass(15s);
    client.expect_closed(Reason::keep_alive_timeout);
}

TEST_P(Limits, PartOfAPacketDoesNotKeepAConnectionAlive) {
    World world;
    auto& client = world.join(GetParam(), "c", {.keep_alive = 10});
    world.pass(14s);
    client.send_raw("\x30");
    world.pass(1s);
    client.expect_closed(Reason::keep_alive_timeout);
}

TEST_P(Limits, KeepAliveZeroIsForEver) {
    World world;
    auto& client = world.join(GetParam(), "c");
    EXPECT_FALSE(world.engine.deadline());
    world.pass(24h * 365);
    client.expect_nothing();
}

TEST_P(Limits, ServerKeepAliveIsInPlaceOfTheClients) {
    World world({.server_keep_alive = 4s});
    auto& client = world.join(GetParam(), "c", {.keep_alive = 10});
    world.pass(6s);
    if (v5()) { // [MQTT5-3.1.2-21]
        client.expect_closed(Reason::keep_alive_timeout);
    } else {
        client.expect_nothing();
        world.pass(9s);
        EXPECT_TRUE(client.closed());
    }
}

TEST(Limits5, ServerKeepAliveHoldsForThoseWithoutOne) {
    World world({.server_keep_alive = 4s});
    auto& client = world.join(Version::v5, "c");
    world.pass(6s);
    client.expect_closed(Reason::keep_alive_timeout);
}

TEST(Limits5, TheReceiveMaximumOfTheBrokerIsEnforced) {
    World world({.receive_maximum = 2});
    auto& client = world.join(Version::v5, "c");
    for (PacketId id = 1; id <= 2; ++id) {
        client.publish("t", "x", {.qos = qos_2, .id = id});
        client.expect_ack(PacketType::pubrec, id, Reason::no_matching_subscribers);
    }
    client.publish("t", "x", {.qos = qos_2, .id = 1, .duplicate = true}); // not a further message
    client.expect_ack(PacketType::pubrec, 1);
    client.publish("t", "x"); // QoS 0 has no quota
    client.ack(PacketType::pubrel, 1).expect_ack(PacketType::pubcomp, 1);
    client.publish("t", "x", {.qos = qos_1, .id = 3})
        .expect_ack(PacketType::puback, 3, Reason::no_matching_subscribers);
    client.publish("t", "x", {.qos = qos_2, .id = 4})
        .expect_ack(PacketType::pubrec, 4, Reason::no_matching_subscribers);
    client.publish("t", "x", {.qos = qos_2, .id = 5});
    client.expect_closed(Reason::receive_maximum_exceeded); // [MQTT-3.3.4-7]
}

TEST(Limits5, TheLargestReceiveMaximumIsEnforcedToo) {
    World world;
    auto& client = world.join(Version::v5, "c");
    for (int id = 1; id <= 65'535; ++id) client.publish("t", "x", {.qos = qos_2, .id = static_cast<PacketId>(id)});
    EXPECT_EQ(client.waiting(), 65'535U);
    // No identifier is left: the client has to take one that is in use.
    client.publish("t", "x", {.qos = qos_2, .id = 1});
    EXPECT_TRUE(client.closed());
    while (client.waiting() > 1) client.expect<core::Ack>();
    client.expect_closed(Reason::receive_maximum_exceeded);
}

TEST(Limits5, Qos1CountsTooWhenQos2FillsTheWindow) {
    World world({.receive_maximum = 1});
    auto& client = world.join(Version::v5, "c");
    client.publish("t", "x", {.qos = qos_2, .id = 1})
        .expect_ack(PacketType::pubrec, 1, Reason::no_matching_subscribers);
    client.publish("t", "x", {.qos = qos_1, .id = 2}).expect_closed(Reason::receive_maximum_exceeded);
}

TEST(Limits5, TheWindowIsNewWithEachConnection) {
    World world({.receive_maximum = 1});
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 60u)};
    auto& client = world.join(Version::v5, "c", as);
    client.publish("t", "x", {.qos = qos_2, .id = 1})
        .expect_ack(PacketType::pubrec, 1, Reason::no_matching_subscribers);
    client.drop();
    auto& again = world.join(Version::v5, "c", as);
    again.publish("t", "x", {.qos = qos_2, .id = 1, .duplicate = true}).expect_ack(PacketType::pubrec, 1);
    again.ack(PacketType::pubrel, 1).expect_ack(PacketType::pubcomp, 1);
    again.publish("t", "x", {.qos = qos_2, .id = 2}).expect_ack(PacketType::pubrec, 2, Reason::no_matching_subscribers);
    EXPECT_EQ(world.session("c").inbound_qos2, std::vector<std::uint16_t>{2});
}

TEST(Limits311, ThereIsNoReceiveMaximum) {
    World world({.receive_maximum = 2});
    auto& client = world.join(Version::v3_1_1, "c");
    for (PacketId id = 1; id <= 100; ++id)
        client.publish("t", "x", {.qos = qos_2, .id = id}).expect_ack(PacketType::pubrec, id);
}

TEST_P(Limits, PacketsAboveTheMaximumSizeEndTheConnection) {
    World world({.maximum_packet_size = 100});
    auto& client = world.join(GetParam(), "c");
    client.publish("t", std::string(v5() ? 94 : 95, 'x')); // 100 octets
    client.expect_nothing();
    client.publish("t", std::string(v5() ? 95 : 96, 'x'));
    client.expect_closed(Reason::packet_too_large);
}

TEST_P(Limits, AConnectAboveTheMaximumSizeIsNotReadToItsEnd) {
    World world({.maximum_packet_size = 100});
    auto& client = world.open(GetParam());
    client.send_raw(std::string_view("\x10\xFF\xFF\xFF\x7F", 5));
    EXPECT_TRUE(client.closed());
}

TEST_P(Limits, QosAboveTheMaximumEndsTheConnection) {
    World world({.maximum_qos = qos_1});
    auto& client = world.join(GetParam(), "c");
    client.publish("t", "x", {.qos = qos_1, .id = 1});
    client.expect<core::Ack>();
    client.publish("t", "x", {.qos = qos_2, .id = 2});
    client.expect_closed(Reason::qos_not_supported);
}

TEST(Limits5, AliasesOfAClientAreResolved) {
    World world({.topic_alias_maximum = 10});
    auto& sub = world.join(Version::v5, "s").subscribed("#");
    auto& pub = world.join(Version::v5, "p");
    const auto alias = [](std::uint32_t number) {
        return PublishAs{.properties = with(property::topic_alias, number)};
    };
    pub.publish("a", "1", alias(1)).publish("b", "2", alias(10)).publish("", "3", alias(1)).publish("", "4", alias(10));
    sub.expect_publish("a", "1");
    sub.expect_publish("b", "2");
    EXPECT_TRUE(sub.expect_publish("a", "3")->properties.empty()); // aliases are of one connection
    sub.expect_publish("b", "4");                                  // [MQTT-3.3.2-12]
    pub.publish("c", "5", alias(1)).publish("", "6", alias(1));
    sub.expect_publish("c", "5");
    sub.expect_publish("c", "6");
}

TEST(Limits5, AliasesOfADifferentConnectionAreUnknown) {
    World world;
    const ConnectAs as{.clean_start = false, .properties = with(property::session_expiry_interval, 60u)};
    const PublishAs alias{.properties = with(property::topic_alias, 1u)};
    world.join(Version::v5, "p", as).publish("a", "1", alias).drop();
    world.join(Version::v5, "p", as).publish("", "2", alias).expect_closed(Reason::protocol_error); // [MQTT-3.3.2-7]
}

TEST(Limits5, InvalidAliasesEndTheConnection) {
    World world({.topic_alias_maximum = 10});
    world.join(Version::v5, "p")
        .publish("a", "1", {.properties = with(property::topic_alias, 11u)})
        .expect_closed(Reason::topic_alias_invalid);
    auto& zero = world.join(Version::v5, "p");
    zero.send_raw(std::string_view("\x30\x07\0\1a\3\x23\0\0", 9));
    zero.expect_closed(Reason::topic_alias_invalid); // [MQTT-3.3.2-8]
    World none({.topic_alias_maximum = 0});
    auto& client = none.open(Version::v5);
    client.connect("p");
    EXPECT_FALSE(client.expect<core::Connack>()->properties.get(property::topic_alias_maximum));
    client.publish("a", "1", {.properties = with(property::topic_alias, 1u)})
        .expect_closed(Reason::topic_alias_invalid);
}

TEST(Limits5, ADeniedMessageStillSetsItsAlias) {
    World world({.deny_publish = {"secret"}});
    auto& sub = world.join(Version::v5, "s").subscribed("#");
    const PublishAs alias{.properties = with(property::topic_alias, 1u)};
    world.join(Version::v5, "p")
        .publish("secret", "1", alias)
        .publish("", "2", alias)
        .publish("open", "3", alias)
        .publish("", "4", alias);
    sub.expect_publish("open", "3");
    sub.expect_publish("open", "4");
}

TEST(Limits5, ClientsThatAllowAliasesGetThem) {
    World world;
    auto& sub =
        world.join(Version::v5, "s", {.properties = with(property::topic_alias_maximum, 2u)}).subscribed("#", qos_1);
    auto& pub = world.join(Version::v5, "p");
    const auto next = [&](std::string_view topic, std::string_view sent_topic, std::uint32_t alias) {
        pub.publish(topic, "x", {.qos = qos_1, .id = 1});
        const auto got = sub.expect_publish(sent_topic, "x", qos_1);
        EXPECT_EQ(got->properties.get(property::topic_alias), alias); // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
    };
    next("a", "a", 1);
    next("a", "", 1);
    next("b", "b", 2);
    next("a", "", 1);
    next("b", "", 2);
    next("c", "c", 1); // the oldest is given away
    next("c", "", 1);
    next("b", "", 2);
    next("a", "a", 2);
    next("b", "b", 1);
}

TEST(Limits5, ClientsThatDoNotAllowAliasesGetNone) {
    World world;
    auto& sub = world.join(Version::v5, "s").subscribed("#");
    auto& pub = world.join(Version::v5, "p");
    for (int i = 0; i < 3; ++i) {
        pub.publish("a", "x");
        EXPECT_TRUE(sub.expect_publish("a", "x")->properties.empty()); // [MQTT-3.1.2-27]
    }
}

TEST(Limits5, AMessageThatDoesNotFitWithItsAliasIsSentWithout) {
    World world;
    const auto limits = with(property::topic_alias_maximum, 5u).set(property::maximum_packet_size, 50u);
    auto& sub = world.join(Version::v5, "s", {.properties = limits}).subscribed("#");
    auto& pub = world.join(Version::v5, "p");
    const std::string payload(44, 'x'); // 2 header, 3 topic, 1 properties
    pub.publish("t", payload);
    EXPECT_TRUE(sub.expect_publish("t", payload)->properties.empty());
    pub.publish("t", "short");
    EXPECT_EQ(sub.expect_publish("t", "short")->properties.get(property::topic_alias), 1U);
}

TEST(Limits5, RedeliveryDoesNotUseAliasesOfTheOldConnection) {
    World world;
    const ConnectAs as{.clean_start = false,
                       .properties =
                           with(property::topic_alias_maximum, 5u).set(property::session_expiry_interval, 60u)};
    auto& sub = world.join(Version::v5, "s", as).subscribed("t", qos_1);
    world.join(Version::v5, "p").publish("t", "1", {.qos = qos_1, .id = 1}).publish("t", "2", {.qos = qos_1, .id = 2});
    sub.expect_publish("t", "1", qos_1);
    sub.expect_publish("", "2", qos_1);
    sub.drop();
    auto& again = world.join(Version::v5, "s", as);
    again.expect_publish("t", "1", qos_1); // [MQTT-3.3.2-7]
    again.expect_publish("", "2", qos_1);
}

TEST(Limits5, ASubscriptionIdentifierFromAClientIsAProtocolError) {
    World world;
    auto& client =
        world.join(Version::v5, "p").publish("t", "x", {.properties = with(property::subscription_identifier, 1u)});
    client.expect_closed(Reason::protocol_error); // [MQTT-3.3.4-6]
}

TEST_P(Limits, PacketsThatBreakARuleEndTheConnection) {
    const std::pair<std::string_view, Reason> v5_packets[] = {
        {{"\x36\x06\0\1t\0\1\0", 8}, Reason::malformed_packet},               // [MQTT-3.3.1-4]
        {{"\x38\x04\0\1t\0", 6}, Reason::malformed_packet},                   // [MQTT-3.3.1-2]
        {{"\x30\x04\0\1+\0", 6}, Reason::topic_name_invalid},                 // [MQTT-3.3.2-2] [MQTT-4.7.0-1]
        {{"\x30\x04\0\1\xFF\0", 6}, Reason::malformed_packet},                // [MQTT-3.3.2-1] [MQTT-1.5.4-1]
        {{"\x30\x04\0\1\0\0", 6}, Reason::malformed_packet},                  // [MQTT-1.5.4-2] [MQTT-4.7.3-2]
        {{"\x30\x03\0\0\0", 5}, Reason::protocol_error},                      // neither topic nor alias
        {{"\x32\x06\0\1t\0\0\0", 8}, Reason::protocol_error},                 // identifier 0
        {{"\x60\x02\0\1", 4}, Reason::malformed_packet},                      // [MQTT-3.6.1-1]
        {{"\x62\x03\0\1\1", 5}, Reason::protocol_error},                      // [MQTT-3.6.2-1]
        {{"\x40\x03\0\1\1", 5}, Reason::protocol_error},                      // [MQTT-3.4.2-1]
        {{"\xC1\0", 2}, Reason::malformed_packet},                            // [MQTT-2.1.3-1]
        {{"\xE1\0", 2}, Reason::malformed_packet},                            // [MQTT5-3.14.1-1]
        {{"\xF1\0", 2}, Reason::malformed_packet},                            // [MQTT-3.15.1-1]
        {{"\xE0\1\1", 3}, Reason::protocol_error},                            // [MQTT-3.14.2-1]
        {{"\0\0", 2}, Reason::malformed_packet},                              // type 0
        {{"\x30\x80\x80\x80\x80\1", 6}, Reason::malformed_packet},            // Remaining Length of five octets
        {{"\x30\x08\0\1t\4\x08\0\1\xFF", 10}, Reason::malformed_packet},      // [MQTT-3.3.2-13]
        {{"\x30\x08\0\1t\4\x03\0\1\xFF", 10}, Reason::malformed_packet},      // [MQTT-3.3.2-19]
        {{"\x30\x84\0\0\1t\0", 7}, Reason::malformed_packet},                 // [MQTT-1.5.5-1]
        {{"\x30\x08\0\1t\4\x08\0\1#", 10}, Reason::protocol_error},           // [MQTT-3.3.2-14]
        {{"\x30\x0B\0\1t\7\x26\0\1\xFF\0\1v", 13}, Reason::malformed_packet}, // [MQTT-1.5.7-1]
    };
    const std::string_view v3_packets[] = {
        {"\x36\x05\0\1t\0\1", 7},
        {"\x38\x03\0\1t", 5},
        {"\x30\x03\0\1+", 5},    // [MQTT3-4.7.1-1]
        {"\x30\x03\0\1\xFF", 5}, // [MQTT3-1.5.3-1]
        {"\x30\x03\0\1\0", 5},   // [MQTT3-1.5.3-2]
        {"\x30\x02\0\0", 4},
        {"\x32\x05\0\1t\0\0", 7}, // [MQTT3-2.3.1-1]
        {"\x60\x02\0\1", 4},
        {"\xC1\0", 2}, // [MQTT3-2.2.2-2]
        {"\xE1\0", 2}, // [MQTT3-3.14.1-1]
        {"\xF0\0", 2},
        {"\0\0", 2},
        {"\x30\x80\x80\x80\x80\1", 6},
        {"\x40\x03\0\1\0", 5},
        {"\xC0\1\0", 3},
    };
    World world;
    auto& watcher = world.join(GetParam(), "w").subscribed("#");
    std::string behind;
    ASSERT_TRUE(core::encode(GetParam(), core::Publish{.topic = "behind", .payload = "x"}, behind));
    if (v5()) {
        for (const auto& [octets, reason] : v5_packets)
            // [MQTT5-4.13.1-1] [MQTT5-4.13.2-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]
            world.join(GetParam(), "a").send_raw(std::string(octets) + behind).expect_closed(reason);
    } else {
        for (const auto octets : v3_packets)
            world.join(GetParam(), "a")
                .send_raw(std::string(octets) + behind)
                .expect_closed(Reason::success); // [MQTT-4.8.0-1]
    }
    watcher.expect_nothing();
}

TEST(Limits5, ADisconnectSaysWhyIfThereIsRoom) {
    World world;
    for (const std::uint32_t size : {30u, 1'000u}) {
        auto& client = world.join(Version::v5, "c", {.properties = with(property::maximum_packet_size, size)});
        client.send_raw(std::string_view("\x36\x06\0\1t\0\1\0", 8));
        const auto disconnect = client.expect<core::Disconnect>();
        EXPECT_EQ(disconnect->properties.get(property::reason_string).has_value(),
                  size > 30);                                                        // [MQTT-3.14.2-3]
        EXPECT_FALSE(disconnect->properties.get(property::session_expiry_interval)); // [MQTT-3.14.2-2]
    }
}

TEST(Limits5, AnswersFitIntoTheSmallestPackets) {
    World world({.topic_alias_maximum = 0}); // it would not fit into CONNACK
    auto& small = world.join(Version::v5, "c", {.properties = with(property::maximum_packet_size, 6u)});
    small.ack(PacketType::pubrec, 9);
    // [MQTT-3.6.2-2]
    EXPECT_TRUE(small.expect_ack(PacketType::pubrel, 9, Reason::packet_identifier_not_found)->properties.empty());
    small.ack(PacketType::pubrel, 9);
    // [MQTT-3.7.2-2]
    EXPECT_TRUE(small.expect_ack(PacketType::pubcomp, 9, Reason::packet_identifier_not_found)->properties.empty());
    small.send(core::Unsubscribe{.id = 1, .filters = {"t"}});
    EXPECT_TRUE(small.expect<core::Unsuback>()->properties.empty()); // [MQTT-3.11.2-1]
    small.subscribe(2, {{"t", {}}});
    EXPECT_TRUE(small.expect<core::Suback>()->properties.empty());
    small.expect_nothing();
}

TEST_P(Limits, SubscriptionsOfASessionAreBounded) {
    World world;
    auto& client = world.join(GetParam(), "c");
    std::vector<std::string> filters(1'000);
    for (int block = 0; block < 100; ++block) {
        std::vector<core::Subscribe::Entry> entries;
        for (int i = 0; i < 1'000; ++i) {
            filters[static_cast<std::size_t>(i)] = std::to_string(block) + "/" + std::to_string(i);
            entries.push_back({filters[static_cast<std::size_t>(i)], {}});
        }
        client.subscribe(1, entries);
        ASSERT_EQ(client.expect<core::Suback>()->reasons, std::vector(1'000, Reason::success));
    }
    client.subscribe(1, {{"one more", {}}, {"7/7", {.qos = qos_1}}});
    EXPECT_EQ(client.expect<core::Suback>()->reasons,
              (std::vector{v5() ? Reason::quota_exceeded : Reason::unspecified_error, Reason::granted_qos_1}));
}

TEST_P(Limits, PingIsAnswered) {
    World world;
    auto& client = world.join(GetParam(), "c").send(core::Pingreq{});
    client.expect<core::Pingresp>(); // [MQTT-3.12.4-1]
    client.expect_nothing();
}

} // namespace
} // namespace broker_test
