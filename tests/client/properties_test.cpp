// What MQTT 5 says beside the matter: what users can say, and what they get to read. docs/mqtt5.md has the table.
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Connack;
using core::Connect;
using core::Disconnect;
using core::PacketType;

class Properties5 : public ::testing::Test {
protected:
    Recorder recorder;
    testing::Script script;
    const Properties why = Properties{}.set(property::reason_string, "because").add_user("tenant", "7");

    ConnectionOptions options() { return options_for(script.url(), Version::v5, recorder); }
    static void expect_why(PropertiesView p) {
        EXPECT_EQ(p.get(property::reason_string), "because");
        EXPECT_EQ(p.user("tenant"), "7");
    }
    testing::Script& connected(const Properties& told = {}) {
        return script.expect_connect().send(Connack{.properties = told});
    }
};

TEST_F(Properties5, OfConnectAndItsWill) {
    script.expect_that<Connect>("CONNECT with everything", [](const Connect& c) {
        return c.properties.user("site") == "roof" && c.properties.get(property::request_problem_information) == 0u &&
               c.properties.get(property::request_response_information) == 1u && c.will &&
               c.will->properties.get(property::content_type) == "text/plain" &&
               c.will->properties.get(property::will_delay_interval) == 3u && c.will->properties.user("a") == "b";
    });
    script.send(Connack{});
    auto o = options();
    o.connect_properties.set(property::request_problem_information, 0)
        .set(property::request_response_information, 1)
        .add_user("site", "roof");
    o.will = Will{.topic = "gone",
                  .delay = 3s,
                  .properties = Properties{}.set(property::content_type, "text/plain").add_user("a", "b")};
    Connection c{std::move(o)};
    ASSERT_FOLLOWED(script);
}

TEST_F(Properties5, OfConnackThatAcceptsAndThatRefuses) {
    auto told = why;
    told.set(property::maximum_qos, 1).set(property::response_information, "replies/7");
    script.expect_connect().send(Connack{.reason = Reason::server_busy, .properties = why}).expect_close();
    connected(told);
    Connection c{options()};
    const auto info = c.ready().wait(patience);
    ASSERT_TRUE(info);
    expect_why(info->properties);
    EXPECT_EQ(info->properties.view().get(property::maximum_qos), 1u);
    EXPECT_EQ(info->properties.view().get(property::response_information), "replies/7");
    const auto refused = recorder.seen().statuses.front();
    EXPECT_EQ(refused.reason.text, "because");
    expect_why(refused.properties);
}

TEST_F(Properties5, OfAcknowledgements) {
    connected();
    script.expect_publish().send(core::Ack{PacketType::puback, 0, Reason::no_matching_subscribers, why});
    script.expect_publish()
        .send(core::Ack{PacketType::pubrec})
        .expect(PacketType::pubrel)
        .send(core::Ack{PacketType::pubcomp, 0, Reason::success, why});
    script.expect_publish().send(core::Ack{PacketType::pubrec, 0, Reason::quota_exceeded, why});
    Connection c{options()};
    const auto once = c.publish("a", "", {.qos = QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(once);
    EXPECT_EQ(once->reason, Reason::no_matching_subscribers);
    EXPECT_EQ(once->text, "because");
    expect_why(once->properties);
    const auto twice = c.publish("a", "", {.qos = QoS::exactly_once}).wait(patience);
    ASSERT_TRUE(twice);
    expect_why(twice->properties);
    const auto refused = c.publish("a", "", {.qos = QoS::exactly_once}).wait(patience);
    EXPECT_EQ(refused.error().code, Reason::quota_exceeded);
    EXPECT_EQ(refused.error().text, "because");
    ASSERT_FOLLOWED(script);
}

TEST_F(Properties5, OfSubscribeAndUnsubscribeAndTheirAnswers) {
    connected();
    script
        .expect_that<core::Subscribe>("SUBSCRIBE of ann",
                                      [](const core::Subscribe& s) { return s.properties.user("who") == "ann"; })
        .send(core::Suback{.reasons = {Reason::granted_qos_1}, .properties = why});
    script.expect_subscribe().send(core::Suback{.reasons = {Reason::not_authorized}, .properties = why});
    script
        .expect_that<core::Unsubscribe>("UNSUBSCRIBE of ann",
                                        [](const core::Unsubscribe& s) { return s.properties.user("who") == "ann"; })
        .send(core::Unsuback{.reasons = {Reason::not_authorized}, .properties = why});
    auto o = options();
    o.subscribe_properties.add_user("who", "ann");
    Connection c{std::move(o)};
    const auto grant = c.subscribe({"a", QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(grant);
    expect_why(grant->properties);
    const auto refused = c.subscribe("b").wait(patience);
    EXPECT_EQ(refused.error().code, Reason::not_authorized);
    EXPECT_EQ(refused.error().text, "because");
    const auto kept = c.unsubscribe("a").wait(patience);
    ASSERT_FALSE(kept);
    EXPECT_EQ(kept.error().code, Reason::not_authorized);
    EXPECT_EQ(kept.error().text, "because");
    ASSERT_FOLLOWED(script);
}

TEST_F(Properties5, OfPublishInBothDirections) {
    testing::Broker broker;
    Connection c{options_for(broker.url(), Version::v5, recorder)};
    ASSERT_TRUE(c.subscribe("a").wait(patience));
    auto properties = Properties{}.set(property::payload_format_indicator, 1).set(property::content_type, "text/plain");
    properties.set(property::response_topic, "b")
        .set(property::correlation_data, "7")
        .add_user("k", "v")
        .add_user("k", "w");
    c.publish("a", "x", {.ttl = 60s, .properties = properties});
    ASSERT_TRUE(recorder.wait_for_messages(1));
    const auto message = recorder.seen().messages.front();
    const PropertiesView got = message.properties;
    EXPECT_EQ(got.get(property::payload_format_indicator), 1u);
    EXPECT_EQ(got.get(property::content_type), "text/plain");
    EXPECT_EQ(got.get(property::response_topic), "b");
    EXPECT_EQ(got.get(property::correlation_data), "7");
    EXPECT_TRUE(got.get(property::message_expiry_interval));
    int users = 0;
    for (const auto& p : got) users += p.name == "k";
    EXPECT_EQ(users, 2);
}

TEST_F(Properties5, OfTheBrokersDisconnect) {
    connected().send(Disconnect{.reason = Reason::administrative_action, .properties = why}).expect_close();
    Connection c{options()};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    const auto status = recorder.seen().statuses.back();
    EXPECT_EQ(status.reason.code, Reason::administrative_action);
    EXPECT_EQ(status.reason.text, "because");
    expect_why(status.properties);
}

TEST_F(Properties5, OfOurDisconnect) {
    connected();
    script.expect_that<Disconnect>("DISCONNECT with all of it", [](const Disconnect& d) {
        return d.reason == Reason::disconnect_with_will && d.properties.get(property::session_expiry_interval) == 90u &&
               d.properties.get(property::reason_string) == "because" && d.properties.user("tenant") == "7";
    });
    Connection c{options()};
    ASSERT_TRUE(c.ready().wait(patience));
    ASSERT_TRUE(
        c.stop({}, {.reason = Reason::disconnect_with_will, .properties = why, .session_expiry = 90s}).wait(patience));
    ASSERT_FOLLOWED(script);
}

TEST_F(Properties5, OfOurDisconnectDoNotRaiseASessionExpiryOfZero) {
    connected();
    script.expect_that<Disconnect>("DISCONNECT without expiry", [](const Disconnect& d) {
        return !d.properties.get(property::session_expiry_interval); // [MQTT-3.14.2-2]
    });
    auto o = options();
    o.session.expiry = 0s;
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    ASSERT_TRUE(c.stop({}, {.session_expiry = 90s}).wait(patience));
    ASSERT_FOLLOWED(script);
}

TEST_F(Properties5, ThatMakeNoSenseInDisconnectStopNothing) {
    connected();
    Connection c{options()};
    ASSERT_TRUE(c.ready().wait(patience));
    const auto stopped = [&](DisconnectOptions o) { return c.stop({}, std::move(o)).wait(patience); };
    EXPECT_EQ(stopped({.reason = Reason::granted_qos_1}).error().code, Errc::invalid_option);
    EXPECT_EQ(stopped({.properties = Properties{}.set(property::content_type, "x")}).error().code,
              Errc::invalid_option);
    EXPECT_EQ(stopped({.session_expiry = 10ms}).error().code, Errc::invalid_option);
    EXPECT_EQ(c.status(), Status::up);
}

TEST_F(Properties5, OfSubscribeAreUserPropertiesOnly) {
    auto o = options();
    o.subscribe_properties.set(property::content_type, "x");
    EXPECT_EQ(Connection{o}.error().code, Errc::invalid_option);
    o.subscribe_properties = Properties{}.add_user("a", "b");
    o.version = Version::v3_1_1;
    EXPECT_EQ(Connection{o}.error().code, Errc::invalid_option);
}

// It has no word for it but silence.
TEST(Properties311, TheWillIsPublishedIfThereIsNoDisconnect) {
    testing::Broker broker;
    Recorder recorder;
    Connection other{options_for(broker.url(), Version::v3_1_1, recorder)};
    ASSERT_TRUE(other.subscribe("gone").wait(patience));
    auto o = options_for(broker.url(), Version::v3_1_1, Recorder{});
    o.will = Will{.topic = "gone"};
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_EQ(c.stop({}, {.reason = Reason::quota_exceeded}).wait(patience).error().code, Errc::invalid_option);
    ASSERT_TRUE(c.stop({}, {.reason = Reason::disconnect_with_will}).wait(patience));
    EXPECT_TRUE(recorder.wait_for_messages(1));
}

} // namespace
} // namespace tortoise::test
