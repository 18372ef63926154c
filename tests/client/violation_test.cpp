// Brokers that break the protocol, and what they do seldom though they may: by a script against a connection.
#include "support/options.hpp"
#include <array>
#include <tortoise/core/codec.hpp>
#include <tortoise/testing/script.hpp>

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
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Part;
using testing::Raw;
using testing::Script;

#define ASSERT_FOLLOWED(script) ASSERT_TRUE((script).wait(patience)) << (script).report()

/// Octets, some of them null.
template <std::size_t n> Raw raw(const char (&octets)[n]) { return {std::string(octets, n - 1)}; }

Ack ack(PacketType type, core::PacketId id = 0, Reason reason = Reason::success) {
    return {.type = type, .id = id, .reason = reason};
}

Publish aliased(std::string_view topic, const Properties& alias) { return {.topic = topic, .properties = alias}; }

const Properties alias_1 = Properties{}.set(property::topic_alias, 1);
const Properties alias_17 = Properties{}.set(property::topic_alias, 17);
const Properties method = Properties{}.set(property::authentication_method, "SCRAM");
const Properties low_window = Properties{}.set(property::receive_maximum, 1);
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
        {"flags_of_a_pingresp", both, nothing, {raw("\xd8\x00")}, malformed, "PINGRESP"},
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
         "MQTT-3.3.1-4"},
        {"dup_at_qos_0",
         both,
         nothing,
         {raw("\x38\x04\x00\x01"
              "a\x00")},
         malformed,
         "MQTT-3.3.1-2"},
        {"a_wildcard_in_a_topic",
         both,
         nothing,
         {raw("\x30\x06\x00\x03"
              "a/#\x00")},
         Reason::topic_name_invalid,
         "MQTT-3.3.2-2"},
        {"a_topic_that_is_not_utf8", both, nothing, {raw("\x30\x05\x00\x02\xc1\xbf\x00")}, malformed, "MQTT-3.3.2-1"},
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
         "MQTT-3.3.2-8"},
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
        {"a_second_connack", both, nothing, {Connack{}}, protocol, "MQTT-3.2.0-2"},
        {"a_connack_with_other_limits", v5, nothing, {Connack{.properties = low_window}}, protocol, "MQTT-3.2.0-2"},
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
         "AUTH is not expected"},
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
         "MQTT-3.8.4-5"},
        {"a_suback_with_too_many_reasons",
         both,
         subscribe_2,
         {Suback{.reasons = std::vector<Reason>(3, Reason::success)}},
         protocol,
         "MQTT-3.8.4-5"},
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
    {"a_reason_that_does_not_exist", v5, raw("\x20\x03\x00\xff\x00"), protocol, "MQTT-3.2.2-8"},
    {"reserved_flags", both, raw("\x20\x02\x02\x00"), malformed, "CONNACK"},
    {"a_session_present_with_a_refusal", v3, raw("\x20\x02\x01\x05"), protocol, "MQTT-3.2.2-4"},
    {"a_session_after_a_clean_start", both, Connack{.session_present = true}, protocol, "MQTT-3.2.2-2"},
    {"receive_maximum_0", v5, raw("\x20\x06\x00\x00\x03\x21\x00\x00"), protocol, "Receive Maximum"},
    {"maximum_packet_size_0", v5, raw("\x20\x08\x00\x00\x05\x27\x00\x00\x00\x00"), protocol, "Maximum Packet Size"},
    {"maximum_qos_2", v5, raw("\x20\x05\x00\x00\x02\x24\x02"), protocol, "Maximum QoS"},
    {"a_connack_larger_than_our_maximum", both, raw("\x20\xff\xff\xff\x7f"), Reason::packet_too_large, "1000 octets"},
    {"a_publish_before_the_connack", both, Publish{.topic = "early"}, Errc::not_mqtt, "does not speak MQTT"},
    {"a_pingresp_before_the_connack", both, Pingresp{}, Errc::not_mqtt, "does not speak MQTT"},
    {"an_auth_that_nobody_began", v5, Auth{Reason::continue_authentication, method}, protocol, "AUTH before CONNACK"},
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

// ---- What a broker may do, though it seldom does
// ---------------------------------------------------------------------

class Seldom : public BothVersions {
protected:
    Script script;
    Recorder recorder;
    bool is_v5() const { return version() == Version::v5; }

    Connection up(ConnectionOptions o) {
        script.expect_connect().send(Connack{});
        Connection c{std::move(o)};
        EXPECT_TRUE(c.wait_until_up(patience)) << script.report();
        return c;
    }
    Connection up() { return up(options(recorder, script.url())); }
    /// It is up, and was not down in between.
    void expect_well(Connection& c) {
        EXPECT_TRUE(script.wait(patience)) << script.report(); // so that the ping comes behind everything else
        script.expect(Pingreq{}).send(Pingresp{});
        EXPECT_TRUE(c.ping().wait(patience)) << script.report();
        EXPECT_TRUE(script.wait(patience)) << script.report();
        EXPECT_EQ(recorder.seen().count(Status::down), 0u);
    }
};

TEST_P(Seldom, aPubackAfterItsPublisherGaveUpWaitingCountsAndOneAfterCancelDoesNoHarm) {
    auto c = up();
    script.expect_publish({.topic = "late"}).expect_publish({.topic = "withdrawn"});
    const auto late = c.publish("late", "", {.qos = QoS::at_least_once});
    const auto withdrawn = c.publish("withdrawn", "", {.qos = QoS::at_least_once});
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(late.wait(1ms).error().code, Errc::timeout);
    withdrawn.cancel();
    EXPECT_EQ(withdrawn.wait(patience).error().code, Errc::cancelled);
    for (const std::size_t which : {1, 2})
        script.reply([which](auto got) { return ack(PacketType::puback, std::get<Publish>(got[which]).id); });
    EXPECT_TRUE(late.wait(patience));
    expect_well(c);
}

TEST_P(Seldom, aQos2FlowWhosePublisherCancelledIsFinished) {
    auto c = up();
    script.expect_publish({.qos = QoS::exactly_once});
    const auto withdrawn = c.publish("withdrawn", "", {.qos = QoS::exactly_once});
    ASSERT_FOLLOWED(script);
    withdrawn.cancel();
    EXPECT_EQ(withdrawn.wait(patience).error().code, Errc::cancelled);
    script.send(ack(PacketType::pubrec)).expect(ack(PacketType::pubrel)).send(ack(PacketType::pubcomp));
    expect_well(c);
}

TEST_P(Seldom, acknowledgementsThatNobodyAwaitsAreIgnored) {
    auto c = up();
    script.send(
        {ack(PacketType::puback, 9), ack(PacketType::pubcomp, 9), Suback{.id = 9, .reasons = {Reason::success}}});
    // [MQTT-4.3.3-8] and its counterpart: these two have an answer, so that the other side can end what it remembers.
    script.send(ack(PacketType::pubrec, 9)).expect_that<Ack>("a PUBREL for 9", [](const Ack& a) {
        return a.type == PacketType::pubrel && a.id == 9;
    });
    script.send(ack(PacketType::pubrel, 9)).expect_that<Ack>("a PUBCOMP for 9", [](const Ack& a) {
        return a.type == PacketType::pubcomp && a.id == 9;
    });
    expect_well(c);
}

TEST_P(Seldom, aSubackAfterTheReplyTimeoutCounts) {
    auto o = options(recorder, script.url());
    o.reply_timeout = 20ms;
    auto c = up(std::move(o));
    script.expect_subscribe({"a"}).expect_subscribe({"a"}); // asked again
    for (const std::size_t which : {1, 2})
        script.reply([which](auto got) {
            return Suback{.id = std::get<core::Subscribe>(got[which]).id, .reasons = {Reason::granted_qos_1}};
        });
    const auto granted = c.subscribe({"a", QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(granted) << granted.error().describe() << script.report();
    EXPECT_EQ(granted->granted, QoS::at_least_once);
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(recorder.seen().count(Status::down), 0u);
}

TEST_P(Seldom, aPingrespThatNobodyAskedForAnswersNoLaterPing) {
    auto c = up();
    script.send({Pingresp{}, Pingresp{}, Publish{.topic = "seen"}});
    ASSERT_TRUE(recorder.wait_for_messages(1));
    Gate answer;
    script.expect(Pingreq{}).silence_until(answer).send(Pingresp{});
    const auto ping = c.ping();
    EXPECT_EQ(ping.wait(1ms).error().code, Errc::timeout);
    answer.open();
    EXPECT_TRUE(ping.wait(patience));
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(recorder.seen().count(Status::down), 0u);
}

TEST_P(Seldom, everyAnswerInPiecesOfAnOctetIsUnderstood) {
    script.split(1);
    auto c = up();
    script.expect_publish().send(ack(PacketType::puback)).send(Publish{.topic = "a", .payload = large});
    EXPECT_TRUE(c.publish("b", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().messages[0].payload, large);
    expect_well(c);
}

TEST_P(Seldom, aResetInTheMiddleOfAPacketLosesNothing) {
    auto o = options(recorder, script.url());
    o.session.clean_start = false;
    auto c = up(std::move(o));
    script.expect_publish({.duplicate = false}).send(raw("\x40\x02\x00")).drop();
    script.expect_connect({.clean_start = false}).send(Connack{.session_present = true});
    script.expect_publish({.topic = "kept", .payload = "x", .duplicate = true}).send(ack(PacketType::puback));
    const auto kept = c.publish("kept", "x", {.qos = QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(kept) << script.report();
    EXPECT_EQ(kept->attempts, 2u);
    ASSERT_FOLLOWED(script);
}

TEST_P(Seldom, aRefusedConnackIsAReasonAndTheNextAttemptIsMade) {
    const auto reasons = is_v5() ? std::vector{Reason::unspecified_error,
                                               Reason::server_busy,
                                               Reason::banned,
                                               Reason::use_another_server,
                                               Reason::server_moved,
                                               Reason::quota_exceeded,
                                               Reason::bad_user_name_or_password,
                                               Reason::connection_rate_exceeded}
                                 : std::vector{Reason::client_identifier_not_valid, Reason::server_unavailable,
                                               Reason::bad_user_name_or_password, Reason::not_authorized};
    const auto elsewhere = Properties{}.set(property::server_reference, "other.example:1883");
    for (const auto reason : reasons) {
        const bool moved = reason == Reason::use_another_server || reason == Reason::server_moved;
        script.expect_connect();
        script.send(Connack{.reason = reason, .properties = moved ? elsewhere.view() : PropertiesView{}})
            .expect_close();
    }
    auto c = up();
    const auto seen = recorder.seen();
    std::vector<std::error_code> codes;
    for (const auto& status : seen.statuses)
        if (status.status == Status::down) codes.push_back(status.reason.code);
    EXPECT_EQ(codes, std::vector<std::error_code>(reasons.begin(), reasons.end()));
}

TORTOISE_BOTH_VERSIONS(Seldom);

// ---- Only MQTT 5
// -----------------------------------------------------------------------------------------------------

class SeldomV5 : public Seldom {};

TEST_P(SeldomV5, aDisconnectOfTheServerIsItsReasonAndTheConnectionComesBack) {
    using enum Reason;
    const std::vector reasons = {unspecified_error,
                                 malformed_packet,
                                 protocol_error,
                                 implementation_specific_error,
                                 not_authorized,
                                 server_busy,
                                 server_shutting_down,
                                 keep_alive_timeout,
                                 session_taken_over,
                                 topic_filter_invalid,
                                 topic_name_invalid,
                                 receive_maximum_exceeded,
                                 topic_alias_invalid,
                                 packet_too_large,
                                 message_rate_too_high,
                                 quota_exceeded,
                                 administrative_action,
                                 payload_format_invalid,
                                 retain_not_supported,
                                 qos_not_supported,
                                 use_another_server,
                                 server_moved,
                                 shared_subscriptions_not_supported,
                                 connection_rate_exceeded,
                                 maximum_connect_time,
                                 subscription_identifiers_not_supported,
                                 wildcard_subscriptions_not_supported};
    const auto why = Properties{}.set(property::reason_string, "because");
    for (const auto reason : reasons)
        script.expect_connect().send({Connack{}, Disconnect{reason, why}, Publish{.topic = "behind"}}).expect_close();
    script.expect_connect().send({Connack{}, Disconnect{}}).expect_close();
    Connection c{options(recorder, script.url())};
    script.expect_connect().send(Connack{});
    ASSERT_TRUE(recorder.wait_for(Status::up, reasons.size() + 2)) << script.report();
    ASSERT_FOLLOWED(script);
    const auto seen = recorder.seen();
    std::vector<std::error_code> codes, expected(reasons.begin(), reasons.end());
    expected.push_back(Errc::connection_lost); // a normal disconnection
    for (const auto& status : seen.statuses) {
        if (status.status != Status::down) continue;
        codes.push_back(status.reason.code);
        EXPECT_TRUE(status.retry_in);
        EXPECT_THAT(status.reason.text, HasSubstr(codes.size() < expected.size() ? "because" : "DISCONNECT"));
    }
    EXPECT_EQ(codes, expected);
    EXPECT_THAT(seen.messages, IsEmpty());
}

// eclipse-mosquitto/mosquitto 1822: what is sent again after a reconnect obeys the new connection's limit.
TEST_P(SeldomV5, aReceiveMaximumThatIsLowerAfterAReconnectIsObeyed) {
    auto c = up();
    std::vector<Delivery> deliveries;
    for (const auto* topic : {"a", "b", "c"}) {
        script.expect_publish({.topic = topic});
        deliveries.push_back(c.publish(topic, "", {.qos = QoS::at_least_once}));
    }
    Gate resent[2], next[2];
    script.drop().expect_connect().send(Connack{.session_present = true, .properties = low_window});
    for (int i = 0; i < 2; ++i) {
        script.expect_publish({.topic = i == 0 ? "a" : "b", .duplicate = true}).open(resent[i]);
        // QoS 0 waits for no window: when it is through, whatever else may go has gone.
        script.expect_publish({.topic = "meanwhile"}).silence_until(next[i]).send(ack(PacketType::puback));
    }
    script.expect_publish({.topic = "c", .duplicate = true}).send(ack(PacketType::puback));
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_TRUE(resent[i].wait(patience)) << script.report();
        c.publish("meanwhile");
        next[i].open();
        ASSERT_TRUE(deliveries[i].wait(patience)) << script.report();
    }
    EXPECT_TRUE(deliveries[2].wait(patience)) << script.report();
    ASSERT_FOLLOWED(script);
}

// MQTT.js PR 2062: what one CONNACK allowed does not outlive its connection.
TEST_P(SeldomV5, limitsOfAConnackEndWithItsConnection) {
    const auto small = Properties{}.set(property::maximum_packet_size, 100).set(property::maximum_qos, 1);
    script.expect_connect().send(Connack{.properties = small});
    Connection c{options(recorder, script.url())};
    ASSERT_TRUE(c.wait_until_up(patience)) << script.report();
    EXPECT_EQ(c.publish("a", large, {.qos = QoS::at_least_once}).wait(patience).error().code, Errc::packet_too_large);
    EXPECT_EQ(c.publish("a", "", {.qos = QoS::exactly_once}).wait(patience).error().code, Reason::qos_not_supported);
    script.drop().expect_connect().send(Connack{});
    ASSERT_TRUE(recorder.wait_for(Status::up, 2)) << script.report();
    script.expect_publish({.payload = large, .qos = QoS::exactly_once}).send(ack(PacketType::pubrec));
    script.expect(ack(PacketType::pubrel)).send(ack(PacketType::pubcomp));
    EXPECT_TRUE(c.publish("a", large, {.qos = QoS::exactly_once}).wait(patience)) << script.report();
    ASSERT_FOLLOWED(script);
}

// eclipse-mosquitto/mosquitto 3587: brokers that answer PUBREC with "quota exceeded".
TEST_P(SeldomV5, aPubrecWithAnErrorIsThatMessagesEndAndNothingElses) {
    auto c = up();
    script.expect_publish().send(ack(PacketType::pubrec, 0, Reason::quota_exceeded));
    const auto refused = c.publish("a", "", {.qos = QoS::exactly_once}).wait(patience);
    EXPECT_EQ(refused.error().code, Reason::quota_exceeded);
    expect_well(c); // and no PUBREL
}

INSTANTIATE_TEST_SUITE_P(, SeldomV5, ::testing::Values(Version::v5), name_of);

} // namespace
} // namespace tortoise::test
