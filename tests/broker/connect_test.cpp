#include "broker/world.hpp"

namespace broker_test {
namespace {

class Connecting : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Connecting, both_versions, version_name);

TEST_P(Connecting, ANewClientGetsAConnackWithoutSession) {
    World world;
    auto& client = world.open(GetParam());
    client.connect("a");
    const auto connack = client.expect<core::Connack>();
    EXPECT_EQ(connack->reason, Reason::success); // [MQTT3-3.1.4-4] [MQTT5-3.1.4-5] [MQTT-3.2.0-1]
    EXPECT_FALSE(connack->session_present);      // [MQTT3-3.2.2-1] [MQTT5-3.2.2-2]
    EXPECT_TRUE(connack->properties.octets() ==
                (v5() ? with(property::topic_alias_maximum, 65'535u) : Properties{}).view().octets());
    client.expect_nothing();
    EXPECT_EQ(world.engine.statistics().connections, 1U);
    EXPECT_EQ(world.engine.statistics().sessions, 1U);
}

TEST_P(Connecting, EveryLengthOfClientIdentifierIsAllowed) {
    World world;
    for (const std::size_t size : {1, 23, 24, 200, 65'535}) // [MQTT-3.1.3-5]
        world.join(GetParam(), std::string(size, 'x'));
    world.join(GetParam(), "0123456789abcdefABCDEFZ");
}

TEST_P(Connecting, AnEmptyClientIdentifierIsReplacedByAUniqueOne) {
    World world;
    auto& first = world.open(GetParam());
    auto& second = world.open(GetParam());
    first.connect("");
    second.connect("");
    const auto one = first.expect<core::Connack>();
    const auto two = second.expect<core::Connack>();
    EXPECT_EQ(one->reason, Reason::success); // [MQTT-3.1.3-6]
    EXPECT_EQ(two->reason, Reason::success);
    first.expect_nothing(); // the second did not take it over
    if (v5()) {
        const auto name = one->properties.get(property::assigned_client_identifier); // [MQTT5-3.1.3-7] [MQTT5-3.2.2-16]
        ASSERT_TRUE(name);
        EXPECT_NE(name, two->properties.get(property::assigned_client_identifier));
        EXPECT_TRUE(world.has_session(*name));
    }
}

TEST(Connecting311, AnEmptyClientIdentifierNeedsCleanSession) {
    World world;
    auto& client = world.open(Version::v3_1_1);
    client.connect("", {.clean_start = false});
    EXPECT_EQ(client.expect<core::Connack>()->reason, Reason::client_identifier_not_valid); // [MQTT3-3.1.3-8]
    EXPECT_TRUE(client.closed());                                                           // [MQTT3-3.1.3-9]
}

TEST(Connecting5, AnAssignedIdentifierCanBeUsedAgain) {
    World world;
    auto& first = world.open(Version::v5);
    first.connect("", {.properties = with(property::session_expiry_interval, 60u)});
    const auto connack = first.expect<core::Connack>();
    const auto name = std::string(*connack->properties.get(property::assigned_client_identifier));
    first.drop();
    auto& again = world.open(Version::v5);
    again.connect(name, {.clean_start = false});
    EXPECT_TRUE(again.expect<core::Connack>()->session_present);
}

TEST_P(Connecting, WhatComesBeforeConnectClosesTheConnection) {
    World world;
    auto& client = world.open(GetParam());
    client.send(core::Pingreq{});
    EXPECT_TRUE(client.closed());    // [MQTT-3.1.0-1]
    EXPECT_EQ(client.waiting(), 0U); // [MQTT-3.14.0-1]
}

TEST_P(Connecting, ASecondConnectClosesTheConnection) {
    World world;
    auto& client = world.join(GetParam(), "a");
    client.connect("a");
    client.expect_closed(Reason::protocol_error); // [MQTT-3.1.0-2] [MQTT-3.2.0-2]
}

TEST_P(Connecting, AConnectionWithoutConnectEndsAfterTenSeconds) {
    World world;
    auto& client = world.open(GetParam());
    client.send_raw("\x10");
    world.pass(9'999ms);
    EXPECT_FALSE(client.closed());
    world.pass(1ms);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(client.waiting(), 0U);
}

TEST_P(Connecting, ConnectMayArriveOctetByOctet) {
    World world;
    auto& client = world.open(GetParam());
    std::string octets;
    ASSERT_TRUE(core::encode(GetParam(), core::Connect{.version = GetParam(), .client_id = "slow"}, octets));
    for (const char octet : octets) client.send_raw({&octet, 1});
    EXPECT_EQ(client.expect<core::Connack>()->reason, Reason::success);
}

TEST_P(Connecting, PacketsMayFollowConnectAtOnce) {
    World world;
    auto& client = world.open(GetParam());
    std::string octets;
    ASSERT_TRUE(core::encode(GetParam(), core::Connect{.version = GetParam(), .client_id = "hasty"}, octets));
    ASSERT_TRUE(core::encode(GetParam(), core::Packet(core::Pingreq{}), octets));
    client.send_raw(octets);
    client.expect<core::Connack>();
    client.expect<core::Pingresp>(); // [MQTT-3.12.4-1]
}

TEST_P(Connecting, UsersNeedTheirPassword) {
    World world({.users = {{"anna", "secret"}}});
    auto& good = world.open(GetParam());
    good.connect("a", {.user_name = "anna", .password = "secret"});
    EXPECT_EQ(good.expect<core::Connack>()->reason, Reason::success);
    const std::vector<ConnectAs> refused = {{},
                                            {.user_name = "anna"},
                                            {.user_name = "anna", .password = "secre"},
                                            {.user_name = "anna", .password = ""},
                                            {.user_name = "otto", .password = "secret"}};
    for (const auto& as : refused) {
        auto& client = world.open(GetParam());
        client.connect("b", as);
        const auto connack = client.expect<core::Connack>();
        EXPECT_EQ(connack->reason, Reason::bad_user_name_or_password);
        EXPECT_FALSE(connack->session_present); // [MQTT3-3.2.2-4] [MQTT5-3.2.2-6]
        EXPECT_TRUE(client.closed());           // [MQTT3-3.2.2-5] [MQTT5-3.1.4-2] [MQTT5-3.2.2-7] [MQTT5-4.13.2-1]
    }
    EXPECT_FALSE(world.has_session("b"));
}

TEST_P(Connecting, AnyUserNameIsTakenWhenThereAreNoUsers) {
    World world;
    world.join(GetParam(), "a", {.user_name = "whoever", .password = "whatever"});
    world.join(GetParam(), "b", {.user_name = "whoever"});
}

TEST_P(Connecting, WhatFollowsARefusedConnectIsNotProcessed) {
    World world({.users = {{"anna", "secret"}}});
    auto& watcher = world.open(GetParam());
    watcher.connect("w", {.user_name = "anna", .password = "secret"});
    watcher.expect<core::Connack>();
    watcher.subscribed("#");
    auto& client = world.open(GetParam());
    std::string octets;
    ASSERT_TRUE(core::encode(GetParam(), core::Connect{.version = GetParam(), .client_id = "x"}, octets));
    ASSERT_TRUE(core::encode(GetParam(), core::Publish{.topic = "t", .payload = "p"}, octets));
    client.send_raw(octets);
    watcher.expect_nothing(); // [MQTT3-3.1.4-5] [MQTT5-3.1.4-6]
}

TEST(Connecting5, LaterVersionsAreAnsweredAsMqtt5) {
    World world;
    auto& client = world.open(Version::v5);
    client.send_raw(std::string_view("\x10\x0D\0\4MQTT\6\2\0\0\0\0\0", 15));
    EXPECT_EQ(client.expect<core::Connack>()->reason, Reason::unsupported_protocol_version); // [MQTT-3.1.2-2]
    EXPECT_TRUE(client.closed());
}

TEST(Connecting311, EarlierVersionsAreAnsweredAs311) {
    for (const auto connect : {std::string_view("\x10\x0F\0\6MQIsdp\3\2\0\0\0\1x", 17),
                               std::string_view("\x10\x0D\0\4MQTT\3\2\0\0\0\1x", 15)}) {
        World world;
        auto& client = world.open(Version::v3_1_1);
        client.send_raw(connect);
        EXPECT_EQ(client.expect<core::Connack>()->reason, Reason::unsupported_protocol_version); // [MQTT-3.1.2-2]
        EXPECT_TRUE(client.closed());
    }
}

TEST(Connecting5, AMalformedConnectIsRefusedWithItsReason) {
    const std::pair<std::string_view, Reason> wrong[] = {
        {{"\x10\x0D\0\4MQTT\5\3\0\0\0\0\0", 15}, Reason::malformed_packet},       // [MQTT-3.1.2-3]
        {{"\x10\x0D\0\4MQTT\5\x12\0\0\0\0\0", 15}, Reason::malformed_packet},     // [MQTT-3.1.2-11]
        {{"\x10\x0D\0\4MQTT\5\x22\0\0\0\0\0", 15}, Reason::malformed_packet},     // [MQTT-3.1.2-13]
        {{"\x11\x0D\0\4MQTT\5\2\0\0\0\0\0", 15}, Reason::malformed_packet},       // [MQTT-2.1.3-1]
        {{"\x10\x0D\0\4MQTT\5\x42\0\0\0\0\0", 15}, Reason::malformed_packet},     // [MQTT-3.1.2-19]
        {{"\x10\x0D\0\4MQTT\5\x82\0\0\0\0\0", 15}, Reason::malformed_packet},     // [MQTT-3.1.2-17]
        {{"\x10\x0F\0\4MQTT\5\2\0\0\0\0\0\0\0", 17}, Reason::malformed_packet},   // [MQTT-3.1.2-16] [MQTT-3.1.2-18]
        {{"\x10\x10\0\4MQTT\5\2\0\0\3\x21\0\0\0\0", 18}, Reason::protocol_error}, // Receive Maximum 0
    };
    for (const auto& [octets, reason] : wrong) {
        World world;
        auto& client = world.open(Version::v5);
        client.send_raw(octets);
        EXPECT_EQ(to_string(client.expect<core::Connack>()->reason), to_string(reason)); // [MQTT-3.1.4-1]
        EXPECT_TRUE(client.closed());
    }
}

TEST(Connecting5, TextsThatAreNotUtf8AreRefused) {
    for (const auto octets : {std::string_view("\x10\x0E\0\4MQTT\5\2\0\0\0\0\1\xFF", 16),            // [MQTT-3.1.3-4]
                              std::string_view("\x10\x13\0\4MQTT\5\6\0\0\0\0\1x\0\0\1\xFF\0\0", 21), // [MQTT-3.1.3-11]
                              std::string_view("\x10\x11\0\4MQTT\5\x82\0\0\0\0\1x\0\1\xFF", 19)}) {  // [MQTT-3.1.3-12]
        World world;
        auto& client = world.open(Version::v5);
        client.send_raw(octets);
        EXPECT_EQ(to_string(client.expect<core::Connack>()->reason), to_string(Reason::malformed_packet));
        EXPECT_TRUE(client.closed());
    }
}

TEST(Connecting311, AMalformedConnectIsClosedWithoutConnack) {
    for (const auto octets : {std::string_view("\x10\x0C\0\4MQTT\4\3\0\0\0\0", 14),       // [MQTT3-3.1.2-3]
                              std::string_view("\x10\x0C\0\4MQTT\4\x12\0\0\0\0", 14),     // [MQTT3-3.1.2-13]
                              std::string_view("\x10\x0C\0\4MQTT\4\x22\0\0\0\0", 14),     // [MQTT3-3.1.2-15]
                              std::string_view("\x10\x0E\0\4MQTT\4\x42\0\0\0\0\0\0", 16), // [MQTT3-3.1.2-22]
                              std::string_view("\x11\x0C\0\4MQTT\4\2\0\0\0\0", 14)}) {    // [MQTT3-2.2.2-2]
        World world;
        auto& client = world.open(Version::v3_1_1);
        client.send_raw(octets);
        EXPECT_TRUE(client.closed());    // [MQTT-3.1.4-1]
        EXPECT_EQ(client.waiting(), 0U); // [MQTT-3.2.2-6]
    }
}

TEST_P(Connecting, AnotherProtocolIsClosedWithoutAWord) {
    for (const auto octets : {std::string_view("GET / HTTP/1.1\r\n\r\n"),
                              std::string_view("\x10\x0C\0\4MqTT\4\2\0\0\0\0", 14), // [MQTT3-3.1.2-1] [MQTT5-3.1.2-1]
                              std::string_view("\x10\x02\0\4", 4)}) {
        World world;
        auto& client = world.open(GetParam());
        client.send_raw(octets);
        EXPECT_TRUE(client.closed());
        EXPECT_EQ(client.waiting(), 0U);
    }
}

TEST(Connecting5, ConnackTellsEveryLimit) {
    World world({.server_keep_alive = 30s,
                 .maximum_qos = qos_1,
                 .retain_available = false,
                 .wildcard_subscriptions = false,
                 .shared_subscriptions = false,
                 .subscription_identifiers = false,
                 .receive_maximum = 7,
                 .maximum_packet_size = 1'000,
                 .topic_alias_maximum = 5,
                 .session_expiry_cap = 100s});
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::session_expiry_interval, 101u)});
    const auto connack = client.expect<core::Connack>();
    const auto& told = connack->properties;
    EXPECT_EQ(told.get(property::server_keep_alive), 30U);
    EXPECT_EQ(told.get(property::maximum_qos), 1U); // [MQTT-3.2.2-9]
    EXPECT_EQ(told.get(property::retain_available), 0U);
    EXPECT_EQ(told.get(property::wildcard_subscription_available), 0U);
    EXPECT_EQ(told.get(property::shared_subscription_available), 0U);
    EXPECT_EQ(told.get(property::subscription_identifier_available), 0U);
    EXPECT_EQ(told.get(property::receive_maximum), 7U);
    EXPECT_EQ(told.get(property::maximum_packet_size), 1'000U);
    EXPECT_EQ(told.get(property::topic_alias_maximum), 5U);
    EXPECT_EQ(told.get(property::session_expiry_interval), 100U);
    EXPECT_FALSE(told.get(property::response_information));  // [MQTT-3.1.2-28]
    EXPECT_FALSE(told.get(property::authentication_method)); // [MQTT-4.12.0-6]
    EXPECT_FALSE(told.get(property::assigned_client_identifier));
}

TEST(Connecting311, ConnackHasNoPropertiesWhateverIsLimited) {
    World world({.server_keep_alive = 30s, .maximum_qos = qos_1, .receive_maximum = 7, .session_expiry_cap = 100s});
    world.join(Version::v3_1_1, "a", {.clean_start = false}).expect_nothing();
}

TEST(Connecting5, AnAuthenticationMethodIsRefused) {
    World world;
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::authentication_method, Octets("SCRAM-SHA-1"))});
    EXPECT_EQ(client.expect<core::Connack>()->reason,
              Reason::bad_authentication_method); // [MQTT-4.12.0-1]
    EXPECT_TRUE(client.closed());
}

TEST(Connecting5, AuthWithoutMethodIsAProtocolError) {
    World world;
    auto& client = world.join(Version::v5, "a");
    client.send_raw(std::string_view("\xF0\0", 2));
    client.expect_closed(Reason::protocol_error); // [MQTT-4.12.0-7]
}

TEST(Connecting5, ARefusalSaysWhyAlsoToThoseWhoDidNotAsk) {
    World world({.users = {{"anna", "secret"}}});
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::request_problem_information, 0u)});
    EXPECT_TRUE(client.expect<core::Connack>()->properties.get(property::reason_string));
}

TEST(Connecting5, ARefusalLeavesTheReasonOutIfThereIsNoRoom) {
    World world({.users = {{"anna", "secret"}}});
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::maximum_packet_size, 5u)});
    const auto connack = client.expect<core::Connack>();
    EXPECT_EQ(connack->reason, Reason::bad_user_name_or_password);
    EXPECT_TRUE(connack->properties.empty()); // [MQTT-3.2.2-19]
}

TEST(Connecting5, AConnackThatTheClientCannotTakeIsNotSent) {
    World world;
    auto& client = world.open(Version::v5);
    client.connect("a", {.properties = with(property::maximum_packet_size, 5u)});
    EXPECT_TRUE(client.closed()); // [MQTT-3.1.2-24]
    EXPECT_EQ(client.waiting(), 0U);
    EXPECT_FALSE(world.has_session("a"));
}

TEST_P(Connecting, AConnectionIsTakenOverByItsClientIdentifier) {
    World world;
    auto& old = world.join(GetParam(), "same");
    auto& young = world.join(GetParam(), "same");
    old.expect_closed(Reason::session_taken_over); // [MQTT3-3.1.4-2] [MQTT5-3.1.4-3] [MQTT-3.1.3-2]
    young.send(core::Pingreq{});
    young.expect<core::Pingresp>();
    EXPECT_EQ(world.engine.statistics().sessions, 1U);
}

TEST(Connecting5, TakeOverWorksBetweenVersions) {
    World world;
    auto& old = world.join(Version::v5, "same", {.properties = with(property::session_expiry_interval, 60u)});
    auto& young = world.open(Version::v3_1_1);
    young.connect("same", {.clean_start = false});
    old.expect_closed(Reason::session_taken_over);
    EXPECT_TRUE(young.expect<core::Connack>()->session_present);
}

TEST_P(Connecting, OnlyServersSendConnack) {
    World world;
    for (const core::Packet& packet :
         {core::Packet(core::Connack{}), core::Packet(core::Suback{.id = 1, .reasons = {Reason::success}}),
          core::Packet(core::Pingresp{})}) {
        auto& client = world.join(GetParam(), "a");
        client.send(packet);
        client.expect_closed(Reason::protocol_error);
    }
}

} // namespace
} // namespace broker_test
