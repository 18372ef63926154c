// Brokers that break the protocol, by a script against a connection.
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Ack;
using core::Auth;
using core::Connack;
using core::Connect;
using core::Disconnect;
using core::PacketType;
using core::Pingreq;
using core::Pingresp;
using core::Publish;
using core::Suback;
using core::Unsuback;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Part;
using testing::Raw;
using testing::Script;

Publish aliased(std::string_view topic, const Properties& alias) { return {.topic = topic, .properties = alias}; }

const Properties alias_1 = Properties{}.set(property::topic_alias, 1);
const Properties alias_17 = Properties{}.set(property::topic_alias, 17);
const Properties method = Properties{}.set(property::authentication_method, "SCRAM");
const Properties other_limits = Properties{}.set(property::receive_maximum, 1);
const std::string large(2000, 'x');

enum Versions { v3, v5, both };

// ---- Violations while the connection is up
// ---------------------------------------------------------------------------

/// What is on its way when the violation comes.
enum class Open { nothing, publish_1, publish_2, subscribe_2, unsubscribe };

struct Violation {
    std::string name;
    Versions versions;
    Open open;
    std::vector<Part> says; // the last one breaks the protocol
    Reason reason;
    std::string text;       // in the reason of Status::down
    std::size_t before = 0; // messages that came before it, and count
};

const Publish fine_2{.id = 1, .topic = "fine", .qos = QoS::exactly_once};
Publish fine(core::PacketId id) {
    auto publish = fine_2;
    publish.id = id;
    return publish;
}

constexpr auto malformed = Reason::malformed_packet;
constexpr auto protocol = Reason::protocol_error;

std::vector<Violation> violations() {
    using enum Open;
    std::vector<Violation> all = {
        // octets
        {"an_endless_remaining_length",
         both,
         nothing,
         {raw("\x30\xff\xff\xff\xff\x7f")},
         malformed,
         "Remaining Length"},
        {"packet_type_0", both, nothing, {raw("\x00\x00")}, malformed, ""},
        {"flags_of_a_pingresp", both, nothing, {raw("\xd8\x00")}, malformed, "PINGRESP"}, // [MQTT3-2.2.2-2]
                                                                                          // [MQTT5-2.1.3-1]
        {"a_pingresp_with_a_body", both, nothing, {raw("\xd0\x01!")}, malformed, "PINGRESP"},
        {"a_puback_that_ends_early", both, nothing, {raw("\x40\x01\x00")}, malformed, "PUBACK"},
        {"a_packet_larger_than_our_maximum",
         both,
         nothing,
         {Publish{.topic = "a", .payload = large}},
         Reason::packet_too_large,
         "1000 octets"},
        // PUBLISH
        {"a_publish_of_qos_3",
         both,
         nothing,
         {raw("\x36\x06\x00\x01"
              "a\x00\x01\x00")},
         malformed,
         "MQTT-3.3.1-4"}, // [MQTT-3.3.1-4]
        {"dup_at_qos_0",
         both,
         nothing,
         {raw("\x38\x04\x00\x01"
              "a\x00")},
         malformed,
         "MQTT-3.3.1-2"}, // [MQTT-3.3.1-2]
        {"a_wildcard_in_a_topic",
         both,
         nothing,
         {raw("\x30\x06\x00\x03"
              "a/#\x00")},
         Reason::topic_name_invalid,
         "MQTT-3.3.2-2"}, // [MQTT-3.3.2-2]
        {"a_topic_that_is_not_utf8",
         both,
         nothing,
         {raw("\x30\x05\x00\x02\xc1\xbf\x00")},
         malformed,
         "MQTT-3.3.2-1"}, // [MQTT-3.3.2-1]
        {"a_publish_with_identifier_0",
         both,
         nothing,
         {raw("\x32\x06\x00\x01"
              "a\x00\x00\x00")},
         protocol,
         "MQTT-2."},
        {"a_topic_longer_than_its_packet",
         both,
         nothing,
         {raw("\x30\x04\xff\xff"
              "ab")},
         malformed,
         "PUBLISH"},
        {"a_property_twice",
         v5,
         nothing,
         {raw("\x30\x08\x00\x01"
              "a\x04\x01\x00\x01\x00")},
         protocol,
         "Payload Format Indicator"},
        {"an_unknown_property",
         v5,
         nothing,
         {raw("\x30\x06\x00\x01"
              "a\x02\x7f\x00")},
         malformed,
         ""},
        {"no_topic_and_no_alias", v5, nothing, {raw("\x30\x03\x00\x00\x00")}, protocol, ""},
        // topic aliases (mqttjs/MQTT.js PR 2060)
        {"topic_alias_0",
         v5,
         nothing,
         {raw("\x30\x07\x00\x01"
              "a\x03\x23\x00\x00")},
         Reason::topic_alias_invalid,
         "MQTT-3.3.2-8"}, // [MQTT-3.3.2-8]
        {"an_alias_without_a_topic", v5, nothing, {aliased("", alias_1)}, Reason::topic_alias_invalid, "topic alias 1"},
        {"an_alias_above_our_maximum",
         v5,
         nothing,
         {aliased("a", alias_1), aliased("", alias_1), aliased("b", alias_17)},
         Reason::topic_alias_invalid,
         "topic alias 17",
         2},
        // our Receive Maximum (MQTT.js PR 2065)
        {"more_than_our_receive_maximum",
         v5,
         nothing,
         {fine(1), fine(2), fine(3)},
         Reason::receive_maximum_exceeded,
         "more than 2 unacknowledged",
         2},
        {"a_pubrel_ahead_of_our_pubrec",
         both,
         nothing,
         {fine(1), ack(PacketType::pubrel, 1)},
         protocol,
         "PUBREL ahead",
         1},
        // packets that are out of place
        {"a_second_connack", both, nothing, {Connack{}}, protocol, "MQTT-3.2.0-2"}, // [MQTT5-3.2.0-2]
        {"a_connack_with_other_limits", v5, nothing, {Connack{.properties = other_limits}}, protocol, "MQTT-3.2.0-2"},
        {"a_flood_of_connacks", both, nothing, std::vector<Part>(10'000, Connack{}), protocol, "MQTT-3.2.0-2"},
        {"a_connect", both, nothing, {Connect{.client_id = "you"}}, protocol, "CONNECT is not expected"},
        {"a_connect_of_a_version_to_come",
         both,
         nothing,
         {raw("\x10\x0c\x00\x04MQTT\x09\x02\x00\x00\x00\x00")},
         protocol,
         "CONNECT is not expected"},
        {"a_subscribe", both, nothing, {core::Subscribe{1, {{"a", {}}}, {}}}, protocol, "SUBSCRIBE is not expected"},
        {"an_unsubscribe", both, nothing, {core::Unsubscribe{1, {"a"}, {}}}, protocol, "UNSUBSCRIBE is not expected"},
        {"a_pingreq", both, nothing, {Pingreq{}}, protocol, "PINGREQ is not expected"},
        {"a_disconnect_in_3_1_1", v3, nothing, {Disconnect{}}, protocol, "DISCONNECT is not expected"},
        {"an_auth_in_3_1_1", v3, nothing, {raw("\xf0\x00")}, malformed, ""},
        {"an_auth_that_nobody_began",
         v5,
         nothing,
         {Auth{Reason::continue_authentication, method}},
         protocol,
         "AUTH, which was not asked for"},
        // acknowledgements of the wrong type, and of the wrong length (MQTT.js PR 2061)
        {"a_pubrec_for_a_qos_1_publish", both, publish_1, {ack(PacketType::pubrec)}, protocol, "which awaits another"},
        {"a_pubcomp_for_a_qos_1_publish",
         both,
         publish_1,
         {ack(PacketType::pubcomp)},
         protocol,
         "which awaits another"},
        {"a_suback_for_a_publish",
         both,
         publish_1,
         {Suback{.reasons = {Reason::success}}},
         protocol,
         "which awaits another"},
        {"a_puback_for_a_qos_2_publish", both, publish_2, {ack(PacketType::puback)}, protocol, "which awaits another"},
        {"a_pubcomp_before_the_pubrec", both, publish_2, {ack(PacketType::pubcomp)}, protocol, "which awaits another"},
        {"a_puback_for_a_subscribe", both, subscribe_2, {ack(PacketType::puback)}, protocol, "which awaits another"},
        {"a_suback_for_an_unsubscribe",
         both,
         unsubscribe,
         {Suback{.reasons = {Reason::success}}},
         protocol,
         "which awaits another"},
        {"a_suback_with_too_few_reasons",
         both,
         subscribe_2,
         {Suback{.reasons = {Reason::success}}},
         protocol,
         "MQTT-3.8.4-"}, // [MQTT3-3.8.4-5] [MQTT5-3.8.4-6]
        {"a_suback_with_too_many_reasons",
         both,
         subscribe_2,
         {Suback{.reasons = std::vector<Reason>(3, Reason::success)}},
         protocol,
         "MQTT-3.8.4-"}, // [MQTT3-3.8.4-5] [MQTT5-3.8.4-6]
        {"a_suback_with_a_reason_that_is_none", both, subscribe_2, {raw("\x90\x05\x00\x01\x00\x03\x03")}, protocol, ""},
        {"an_unsuback_with_too_many_reasons",
         v5,
         unsubscribe,
         {Unsuback{.reasons = std::vector<Reason>(2, Reason::success)}},
         protocol,
         "without a reason per filter"},
    };
    return all;
}

class WhileUp : public ::testing::TestWithParam<std::tuple<Violation, Version>> {
protected:
    const Violation& violation() const { return std::get<0>(GetParam()); }
    Version version() const { return std::get<1>(GetParam()); }

    /// Begins what is to be on its way, and lets the script see it.
    void begin(Connection& c, Script& script) const {
        switch (violation().open) {
        case Open::nothing: break;
        case Open::publish_1:
        case Open::publish_2: {
            const auto qos = violation().open == Open::publish_1 ? QoS::at_least_once : QoS::exactly_once;
            script.expect_publish({.topic = "ours", .qos = qos});
            c.publish("ours", "", {.qos = qos});
            break;
        }
        case Open::subscribe_2:
            script.expect_subscribe({"one", "two"});
            c.subscribe(std::vector<TopicFilter>{"one", "two"});
            break;
        case Open::unsubscribe:
            script.expect_subscribe({"one"}).send(Suback{.reasons = {Reason::success}});
            EXPECT_TRUE(c.subscribe("one").wait(patience));
            script.expect(PacketType::unsubscribe);
            c.unsubscribe("one");
            break;
        }
    }
};

// [MQTT3-4.8.0-1] [MQTT5-4.13.2-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]
TEST_P(WhileUp, theyEndTheConnectionAndWhatStandsBehindIsDropped) {
    Recorder recorder;
    Script script;
    script.expect_connect().send(Connack{});
    auto o = options_for(script.url(), version(), recorder);
    o.maximum_packet_size = 1000;
    o.receive_maximum = 2;
    Connection c{std::move(o)};
    ASSERT_TRUE(c.wait_until_up(patience));
    begin(c, script);
    auto says = violation().says;
    says.push_back(Publish{.topic = "behind"});
    says.push_back(ack(PacketType::puback, 1));
    script.send(says);
    if (version() == Version::v5) script.expect(Disconnect{.reason = violation().reason});
    script.expect_close();
    script.expect_connect().send(Connack{}); // and comes back
    ASSERT_TRUE(recorder.wait_for(Status::up, 2)) << script.report();
    ASSERT_FOLLOWED(script);

    const auto seen = recorder.seen();
    ASSERT_EQ(seen.count(Status::down), 1u);
    const auto down = std::find_if(seen.statuses.begin(), seen.statuses.end(),
                                   [](const auto& s) { return s.status == Status::down; });
    EXPECT_EQ(down->reason.code, violation().reason) << down->reason.describe();
    EXPECT_THAT(down->reason.text, Not(IsEmpty()));
    EXPECT_THAT(down->reason.describe(), HasSubstr(violation().text));
    EXPECT_TRUE(down->retry_in);
    ASSERT_EQ(seen.messages.size(), violation().before);
    for (const auto& message : seen.messages) EXPECT_NE(message.topic, "behind");
}

std::vector<std::tuple<Violation, Version>> in_its_versions() {
    std::vector<std::tuple<Violation, Version>> all;
    for (const auto& violation : violations()) {
        if (violation.versions != v5) all.emplace_back(violation, Version::v3_1_1);
        if (violation.versions != v3) all.emplace_back(violation, Version::v5);
    }
    return all;
}
INSTANTIATE_TEST_SUITE_P(Violations, WhileUp, ::testing::ValuesIn(in_its_versions()), [](const auto& test) {
    return std::get<0>(test.param).name + (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
});

// ---- Instead of a CONNACK
// --------------------------------------------------------------------------------------------

struct Greeting {
    std::string name;
    Versions versions;
    Part says;
    std::error_code code;
    std::string text;
};

const std::vector<Greeting> greetings = {
    {"return_code_7", v3, raw("\x20\x02\x00\x07"), protocol, "CONNACK"},
    {"return_code_255", v3, raw("\x20\x02\x00\xff"), protocol, "CONNACK"},
    {"a_reason_that_does_not_exist", v5, raw("\x20\x03\x00\xff\x00"), protocol, "MQTT-3.2.2-8"}, // [MQTT5-3.2.2-8]
    {"reserved_flags", both, raw("\x20\x02\x02\x00"), malformed, "CONNACK"},
    {"a_session_present_with_a_refusal", v3, raw("\x20\x02\x01\x05"), protocol, "MQTT-3.2.2-4"}, // [MQTT3-3.2.2-4]
    {"a_session_after_a_clean_start", both, Connack{.session_present = true}, protocol,
     "session present after a clean start"}, // [MQTT3-3.2.2-1] [MQTT5-3.2.2-4]
    {"receive_maximum_0", v5, raw("\x20\x06\x00\x00\x03\x21\x00\x00"), protocol, "Receive Maximum"},
    {"maximum_packet_size_0", v5, raw("\x20\x08\x00\x00\x05\x27\x00\x00\x00\x00"), protocol, "Maximum Packet Size"},
    {"maximum_qos_2", v5, raw("\x20\x05\x00\x00\x02\x24\x02"), protocol, "Maximum QoS"},
    {"a_connack_larger_than_our_maximum", both, raw("\x20\xff\xff\xff\x7f"), Reason::packet_too_large, "1000 octets"},
    {"a_publish_before_the_connack", both, Publish{.topic = "early"}, Errc::not_mqtt, "does not speak MQTT"},
    {"a_pingresp_before_the_connack", both, Pingresp{}, Errc::not_mqtt, "does not speak MQTT"},
    {"an_auth_that_nobody_began", v5, Auth{Reason::continue_authentication, method}, protocol,
     "AUTH, which was not asked for"},
    {"half_a_connack_and_silence", both, raw("\x20\x02"), Errc::connect_timeout, "no CONNACK in time"},
};

class InsteadOfConnack : public ::testing::TestWithParam<std::tuple<Greeting, Version>> {};

TEST_P(InsteadOfConnack, itEndsTheAttemptAndTheNextOneSucceeds) {
    const auto& [greeting, version] = GetParam();
    Recorder recorder;
    Script script;
    script.expect_connect().send({greeting.says}).expect_close();
    script.expect_connect().send(Connack{});
    auto o = options_for(script.url(), version, recorder);
    o.maximum_packet_size = 1000;
    if (greeting.code == Errc::connect_timeout) o.connect_timeout = 50ms;
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::up)) << script.report();
    ASSERT_FOLLOWED(script);
    const auto seen = recorder.seen();
    const auto down = std::find_if(seen.statuses.begin(), seen.statuses.end(),
                                   [](const auto& s) { return s.status == Status::down; });
    ASSERT_NE(down, seen.statuses.end());
    EXPECT_EQ(down->reason.code, greeting.code) << down->reason.describe();
    EXPECT_THAT(down->reason.describe(), HasSubstr(greeting.text));
    EXPECT_TRUE(down->retry_in);
    EXPECT_THAT(seen.messages, IsEmpty());
}

std::vector<std::tuple<Greeting, Version>> greetings_in_their_versions() {
    std::vector<std::tuple<Greeting, Version>> all;
    for (const auto& greeting : greetings) {
        if (greeting.versions != v5) all.emplace_back(greeting, Version::v3_1_1);
        if (greeting.versions != v3) all.emplace_back(greeting, Version::v5);
    }
    return all;
}
INSTANTIATE_TEST_SUITE_P(Violations, InsteadOfConnack, ::testing::ValuesIn(greetings_in_their_versions()),
                         [](const auto& test) {
                             return std::get<0>(test.param).name +
                                    (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
                         });

} // namespace
} // namespace tortoise::test
