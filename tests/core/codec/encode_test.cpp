/// What encode refuses, and how packets are fitted to MQTT 3.1.1.

#include <gtest/gtest.h>

#include <tortoise/core/codec.hpp>

#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

constexpr auto v3 = Version::v3_1_1;
constexpr auto v5 = Version::v5;
constexpr auto qos3 = static_cast<QoS>(3);

std::string long_text() { return std::string(65'536, 'x'); }

struct Refused {
    const char* what;
    Version version;
    Packet packet;
    std::error_code code;
    const char* number; // the statement as a tag, "" if there is none
};

void expect_refused(const std::vector<Refused>& rows) {
    for (const auto& row : rows) {
        SCOPED_TRACE(std::string(row.what) + " in MQTT " + std::string(to_string(row.version)));
        std::string out = "before";
        const auto done = encode(row.version, row.packet, out);
        EXPECT_EQ(out, "before");
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, row.code) << done.error().describe();
        const auto& text = done.error().text;
        const std::string number = *row.number ? "[MQTT" + std::string(row.number + 6) : ""; // without the version
        EXPECT_EQ(text.starts_with("[") ? text.substr(0, text.find(']') + 1) : "", number) << text;
    }
}

TEST(EncodeViolation, Connect) {
    const auto text = long_text();
    Properties not_here, poisoned, will_of_connect;
    not_here.set(property::topic_alias, 1u);
    poisoned.set(property::receive_maximum, 70'000u);
    will_of_connect.set(property::session_expiry_interval, 1u);
    const auto connect = [](Version v) { return Connect{.version = v}; };
    const auto with_will = [](Version v, ConnectWill will) { return Connect{.version = v, .will = will}; };
    auto password_alone = connect(v3), big_password = connect(v5), big_id = connect(v3), bad_id = connect(v5),
         bad_user = connect(v5), wrong_place = connect(v5), poison = connect(v5), on_v3 = connect(v3);
    password_alone.password = "p";
    big_password.password = text;
    big_id.client_id = text;
    bad_id.client_id = "\xFF";
    bad_user.user_name = Octets("\0", 1);
    wrong_place.properties = not_here;
    poison.properties = poisoned;
    on_v3.properties = will_of_connect;
    expect_refused({
        {"unknown version", v5, connect(Version{6}), Reason::unsupported_protocol_version, "[MQTT5-3.1.2-2]"},
        {"password alone", v3, password_alone, Reason::malformed_packet, "[MQTT3-3.1.2-22]"},
        {"password too long", v5, big_password, Reason::malformed_packet, ""},
        {"client identifier too long", v3, big_id, Reason::malformed_packet, ""},
        {"client identifier not UTF-8", v5, bad_id, Reason::malformed_packet, "[MQTT5-3.1.3-4]"},
        {"user name with U+0000", v5, bad_user, Reason::malformed_packet, "[MQTT5-1.5.4-2]"},
        {"property of PUBLISH", v5, wrong_place, Reason::malformed_packet, ""},
        {"property that cannot be encoded", v5, poison, Reason::malformed_packet, ""},
        {"properties in 3.1.1", v3, on_v3, Errc::not_supported, ""},
        {"will QoS 3", v5, with_will(v5, {.topic = "w", .qos = qos3}), Reason::malformed_packet, "[MQTT5-3.1.2-12]"},
        {"will QoS 3", v3, with_will(v3, {.topic = "w", .qos = qos3}), Reason::malformed_packet, "[MQTT3-3.1.2-14]"},
        {"will topic empty", v5, with_will(v5, {}), Reason::topic_name_invalid, "[MQTT5-4.7.3-1]"},
        {"will topic with wildcard", v3, with_will(v3, {.topic = "a/#"}), Reason::topic_name_invalid,
         "[MQTT3-4.7.1-1]"},
        {"will payload too long", v3, with_will(v3, {.topic = "w", .payload = text}), Reason::malformed_packet, ""},
        {"will properties of CONNECT", v5, with_will(v5, {.topic = "w", .properties = will_of_connect}),
         Reason::malformed_packet, ""},
        {"will properties in 3.1.1", v3, with_will(v3, {.topic = "w", .properties = will_of_connect}),
         Errc::not_supported, ""},
    });
}

TEST(EncodeViolation, Publish) {
    const auto text = long_text();
    Properties subscription, alias_0, response;
    subscription.set(property::subscription_identifier, 0u);
    alias_0.set(property::topic_alias, 0u);
    response.set(property::response_topic, "a/#");
    expect_refused({
        {"QoS 3", v5, Publish{.id = 1, .topic = "t", .qos = qos3}, Reason::malformed_packet, "[MQTT5-3.3.1-4]"},
        {"DUP, QoS 0", v3, Publish{.topic = "t", .duplicate = true}, Reason::malformed_packet, "[MQTT3-3.3.1-2]"},
        {"identifier, QoS 0", v3, Publish{.id = 1, .topic = "t"}, Reason::malformed_packet, "[MQTT3-2.3.1-5]"},
        {"identifier, QoS 0", v5, Publish{.id = 1, .topic = "t"}, Reason::malformed_packet, "[MQTT5-2.2.1-2]"},
        {"no identifier, QoS 1", v5, Publish{.topic = "t", .qos = QoS::at_least_once}, Reason::protocol_error,
         "[MQTT5-2.2.1-3]"},
        {"no topic", v3, Publish{}, Reason::topic_name_invalid, "[MQTT3-4.7.3-1]"},
        {"neither topic nor alias", v5, Publish{}, Reason::protocol_error, ""},
        {"wildcard", v5, Publish{.topic = "a/+"}, Reason::topic_name_invalid, "[MQTT5-3.3.2-2]"},
        {"long topic", v5, Publish{.topic = text}, Reason::malformed_packet, "[MQTT5-4.7.3-3]"},
        {"topic not UTF-8", v3, Publish{.topic = "\xC3"}, Reason::malformed_packet, "[MQTT3-3.3.2-1]"},
        {"alias 0", v5, Publish{.topic = "t", .properties = alias_0}, Reason::topic_alias_invalid, "[MQTT5-3.3.2-8]"},
        {"identifier 0", v5, Publish{.topic = "t", .properties = subscription}, Reason::protocol_error, ""},
        {"response topic", v5, Publish{.topic = "t", .properties = response}, Reason::protocol_error,
         "[MQTT5-3.3.2-14]"},
        {"properties in 3.1.1", v3, Publish{.topic = "t", .properties = response}, Errc::not_supported, ""},
    });
}

TEST(EncodeViolation, Acknowledgements) {
    Properties text;
    text.set(property::reason_string, "no");
    const auto refusal = Reason::not_authorized;
    expect_refused({
        {"not an acknowledgement", v5, Ack{.type = PacketType::suback, .id = 1}, Errc::invalid_option, ""},
        {"no identifier", v3, Ack{.type = PacketType::pubrel}, Reason::protocol_error, "[MQTT3-2.3.1-1]"},
        {"wrong reason", v5, Ack{.type = PacketType::pubcomp, .id = 1, .reason = refusal}, Reason::protocol_error,
         "[MQTT5-3.7.2-1]"},
        {"refusal in 3.1.1", v3, Ack{.type = PacketType::puback, .id = 1, .reason = refusal}, Errc::not_supported, ""},
        {"properties in 3.1.1", v3, Ack{.type = PacketType::puback, .id = 1, .properties = text}, Errc::not_supported,
         ""},
        {"no identifier", v5, Suback{.reasons = {refusal}}, Reason::protocol_error, "[MQTT5-2.2.1-3]"},
        {"no reason", v3, Suback{.id = 1}, Reason::protocol_error, ""},
        {"wrong reason", v5, Suback{.id = 1, .reasons = {Reason{3}}}, Reason::protocol_error, "[MQTT5-3.9.3-2]"},
        {"no reason", v5, Unsuback{.id = 1}, Reason::protocol_error, ""},
        {"wrong reason", v5, Unsuback{.id = 1, .reasons = {Reason::granted_qos_1}}, Reason::protocol_error,
         "[MQTT5-3.11.3-2]"},
        {"no identifier", v3, Unsuback{}, Reason::protocol_error, "[MQTT3-2.3.1-1]"},
        {"Session Present", v3, Connack{.session_present = true, .reason = refusal}, Reason::protocol_error,
         "[MQTT3-3.2.2-4]"},
        {"wrong reason", v5, Connack{.reason = Reason::server_shutting_down}, Reason::protocol_error,
         "[MQTT5-3.2.2-8]"},
        {"properties in 3.1.1", v3, Connack{.properties = text}, Errc::not_supported, ""},
    });
}

TEST(EncodeViolation, Subscriptions) {
    const auto subscribe = [](Subscribe::Entry entry) { return Subscribe{.id = 1, .entries = {entry}}; };
    const auto bad_retain = static_cast<RetainHandling>(3);
    expect_refused({
        {"nothing", v3, Subscribe{.id = 1}, Reason::protocol_error, "[MQTT3-3.8.3-3]"},
        {"nothing", v5, Subscribe{.id = 1}, Reason::protocol_error, "[MQTT5-3.8.3-2]"},
        {"no identifier", v5, Subscribe{.entries = {{"a", {}}}}, Reason::protocol_error, "[MQTT5-2.2.1-3]"},
        {"empty filter", v5, subscribe({}), Reason::topic_filter_invalid, "[MQTT5-4.7.3-1]"},
        {"a#", v3, subscribe({"a#", {}}), Reason::topic_filter_invalid, "[MQTT3-4.7.1-2]"},
        {"$share//a", v5, subscribe({"$share//a", {}}), Reason::topic_filter_invalid, "[MQTT5-4.8.2-1]"},
        {"QoS 3", v5, subscribe({"a", {.qos = qos3}}), Reason::malformed_packet, ""},
        {"No Local, shared", v5, subscribe({"$share/g/a", {.no_local = true}}), Reason::protocol_error,
         "[MQTT5-3.8.3-4]"},
        {"Retain Handling 3", v5, subscribe({"a", {.retain_handling = bad_retain}}), Reason::protocol_error, ""},
        {"options in 3.1.1", v3, subscribe({"a", {.no_local = true}}), Errc::not_supported, ""},
        {"options in 3.1.1", v3, subscribe({"a", {.retain_as_published = true}}), Errc::not_supported, ""},
        {"nothing", v3, Unsubscribe{.id = 1}, Reason::protocol_error, "[MQTT3-3.10.3-2]"},
        {"+a", v5, Unsubscribe{.id = 1, .filters = {"+a"}}, Reason::topic_filter_invalid, "[MQTT5-4.7.1-2]"},
    });
}

TEST(EncodeViolation, DisconnectAndAuth) {
    Properties text;
    text.set(property::reason_string, "no");
    expect_refused({
        {"reason in 3.1.1", v3, Disconnect{.reason = Reason::protocol_error}, Errc::not_supported, ""},
        {"wrong reason", v5, Disconnect{.reason = Reason::banned}, Reason::protocol_error, "[MQTT5-3.14.2-1]"},
        {"properties in 3.1.1", v3, Disconnect{.properties = text}, Errc::not_supported, ""},
        {"AUTH in 3.1.1", v3, Auth{}, Reason::malformed_packet, ""},
        {"wrong reason", v5, Auth{.reason = Reason::banned}, Reason::protocol_error, "[MQTT5-3.15.2-1]"},
        {"no method", v5, Auth{.reason = Reason::reauthenticate}, Reason::protocol_error, ""},
    });
}

std::string encoded(Version version, const Packet& packet) {
    std::string out;
    const auto done = encode(version, packet, out);
    EXPECT_TRUE(done) << done.error().describe();
    return out;
}

// 3.1.1 has six return codes; a refusal that it does not know says at least whether to try again.
TEST(Encode311, RefusalsOfConnackAreMappedToTheNearestReturnCode) {
    const std::pair<Reason, int> rows[] = {
        {Reason::success, 0},
        {Reason::unsupported_protocol_version, 1},
        {Reason::client_identifier_not_valid, 2},
        {Reason::server_unavailable, 3},
        {Reason::bad_user_name_or_password, 4},
        {Reason::not_authorized, 5},
        {Reason::server_busy, 3},
        {Reason::quota_exceeded, 3},
        {Reason::connection_rate_exceeded, 3},
        {Reason::use_another_server, 3},
        {Reason::server_moved, 3},
        {Reason::unspecified_error, 3},
        {Reason::implementation_specific_error, 3},
        {Reason::malformed_packet, 3},
        {Reason::protocol_error, 3},
        {Reason::bad_authentication_method, 4},
        {Reason::banned, 5},
        {Reason::topic_name_invalid, 5},
        {Reason::packet_too_large, 5},
        {Reason::payload_format_invalid, 5},
        {Reason::retain_not_supported, 5},
        {Reason::qos_not_supported, 5},
    };
    for (const auto& [reason, code] : rows)
        EXPECT_EQ(encoded(v3, Connack{.reason = reason}).back(), code) << to_string(reason);
}

TEST(Encode311, EveryRefusalOfSubackIsTheOneThereIs) {
    EXPECT_EQ(hex(encoded(v3, Suback{.id = 1, .reasons = {Reason::granted_qos_1, Reason::not_authorized}})),
              hex(octets("90 04 0001 01 80")));
}

TEST(Encode311, UnsubackHasNoReasons) {
    EXPECT_EQ(hex(encoded(v3, Unsuback{.id = 1, .reasons = {Reason::no_subscription_existed}})),
              hex(octets("B0 02 0001")));
}

TEST(Encode311, AnAcknowledgementLosesAReasonThatIsNoRefusal) {
    EXPECT_EQ(hex(encoded(v3, Ack{.id = 1, .reason = Reason::no_matching_subscribers})), hex(octets("40 02 0001")));
}

TEST(Encode, TheFormsWithoutAVariantGiveTheSame) {
    const Publish publish{.id = 5, .topic = "a/b", .payload = "hello", .qos = QoS::exactly_once};
    const Ack ack{.type = PacketType::pubrel, .id = 5, .reason = Reason::packet_identifier_not_found};
    std::string out;
    ASSERT_TRUE(encode(v5, publish, out));
    ASSERT_TRUE(encode(v5, ack, out));
    EXPECT_EQ(out, encoded(v5, publish) + encoded(v5, ack));
}

// One allocation at most, and geometric growth: a burst of publishes into one buffer costs no more than its octets.
TEST(Encode, ABufferGrowsGeometrically) {
    std::string out;
    std::size_t growths = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto before = out.capacity();
        ASSERT_TRUE(encode(v5, Publish{.topic = "a/b", .payload = "hello"}, out));
        growths += out.capacity() != before;
    }
    EXPECT_LT(growths, 40u);
}

} // namespace
} // namespace tortoise::core
