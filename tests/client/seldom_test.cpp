// What brokers seldom do, though they may, by a script against a connection.
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Ack;
using core::Connack;
using core::Disconnect;
using core::PacketType;
using core::Pingreq;
using core::Pingresp;
using core::Publish;
using core::Suback;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Script;

const Properties low_window = Properties{}.set(property::receive_maximum, 1);
const std::string large(2000, 'x');

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

// awslabs/aws-iot-device-sdk-cpp-v2 435: what was acknowledged is settled, whatever happens to the connection then.
TEST_P(Seldom, aPubackRightBeforeTheEndIsNotForgotten) {
    auto o = options(recorder, script.url());
    o.session.clean_start = false;
    auto c = up(std::move(o));
    script.expect_publish({.topic = "done"}).send(ack(PacketType::puback)).drop();
    script.expect_connect().send(Connack{.session_present = true});
    EXPECT_TRUE(c.publish("done", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for(Status::up, 2)) << script.report();
    script.expect(Pingreq{}).send(Pingresp{}); // what is sent again comes first
    EXPECT_TRUE(c.ping().wait(patience)) << script.report();
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
    auto o = options(recorder, script.url());
    o.max_redirects = 0;
    auto c = up(std::move(o));
    const auto seen = recorder.seen();
    std::vector<std::error_code> codes;
    for (const auto& status : seen.statuses)
        if (status.status == Status::down) codes.push_back(status.reason.code);
    EXPECT_EQ(codes, std::vector<std::error_code>(reasons.begin(), reasons.end()));
}

TORTOISE_BOTH_VERSIONS(Seldom);

// ---- MQTT 5
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
    Gate resent[2];
    script.drop().expect_connect().send(Connack{.session_present = true, .properties = low_window});
    for (int i = 0; i < 2; ++i) {
        script.expect_publish({.topic = i == 0 ? "a" : "b", .duplicate = true}).open(resent[i]);
        // A ping waits for no window: what arrives after it was not sent before its time.
        script.expect(Pingreq{}).send({Pingresp{}, ack(PacketType::puback)});
    }
    script.expect_publish({.topic = "c", .duplicate = true}).send(ack(PacketType::puback));
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_TRUE(resent[i].wait(patience)) << script.report();
        c.ping();
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

// boostorg/mqtt5 37: what was published before the limit was known is checked when it is.
TEST_P(SeldomV5, aMessageThatIsTooLargeForTheBrokerIsRefusedThoughItWasQueuedBefore) {
    const auto small = Properties{}.set(property::maximum_packet_size, 100);
    Connection c{options(recorder, script.url())};
    const auto too_large = c.publish("a", large, {.qos = QoS::at_least_once});
    const auto fits = c.publish("b", "", {.qos = QoS::at_least_once});
    script.expect_connect().send(Connack{.properties = small});
    script.expect_publish({.topic = "b"}).send(ack(PacketType::puback));
    EXPECT_EQ(too_large.wait(patience).error().code, Errc::packet_too_large);
    EXPECT_TRUE(fits.wait(patience)) << script.report();
    expect_well(c);
}

// faststream-community/zMQTT 72: a place in the window is freed by the broker, not by who gave up waiting.
TEST_P(SeldomV5, aCancelledPublishKeepsItsPlaceInTheReceiveMaximum) {
    script.expect_connect().send(Connack{.properties = low_window});
    Connection c{options(recorder, script.url())};
    ASSERT_TRUE(c.wait_until_up(patience)) << script.report();
    script.expect_publish({.topic = "a"});
    const auto first = c.publish("a", "", {.qos = QoS::at_least_once});
    ASSERT_FOLLOWED(script);
    first.cancel();
    const auto second = c.publish("b", "", {.qos = QoS::at_least_once});
    EXPECT_EQ(first.wait(patience).error().code, Errc::cancelled);
    script.expect(Pingreq{}).send({Pingresp{}, ack(PacketType::puback)});
    script.expect_publish({.topic = "b"}).send(ack(PacketType::puback));
    c.ping(); // overtakes what waits for the window
    EXPECT_TRUE(second.wait(patience)) << script.report();
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
