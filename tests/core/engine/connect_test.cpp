// CONNECT and CONNACK: what is said, what is refused, what is remembered.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Connecting : public BothVersions {
protected:
    EngineOptions options = plain(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Versions, Connecting, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Connecting, ConnectIsFirstAndSaysWhatWasAskedFor) {
    options.keep_alive = 33s;
    Peer peer{options};
    peer.engine.set_credentials({.user_name = "ada", .password = "secret"});
    peer.engine.set_will(Will{.topic = "gone", .payload = "bye", .qos = QoS::at_least_once, .retain = true});
    const auto c = peer.connect(); // [MQTT-3.1.0-1]
    EXPECT_EQ(c.version, GetParam());
    EXPECT_EQ(c.client_id, "test");
    EXPECT_EQ(c.keep_alive, 33);
    EXPECT_EQ(c.user_name, "ada");           // [MQTT3-3.1.2-19] [MQTT5-3.1.2-17]
    EXPECT_EQ(c.password, Octets("secret")); // [MQTT3-3.1.2-21] [MQTT5-3.1.2-19]
    ASSERT_TRUE(c.will);
    EXPECT_EQ(c.will->topic, "gone"); // [MQTT-3.1.2-9]
    EXPECT_EQ(c.will->payload, "bye");
    EXPECT_EQ(c.will->qos, QoS::at_least_once);
    EXPECT_TRUE(c.will->retain);
}

TEST_P(Connecting, AUserNameAloneIsAllowedAndNothingIsSentUnasked) {
    Peer peer{options};
    peer.engine.set_credentials({.user_name = "ada", .password = {}});
    const auto c = peer.connect();
    EXPECT_EQ(c.user_name, "ada");
    EXPECT_FALSE(c.password); // [MQTT3-3.1.2-20] [MQTT5-3.1.2-18]
    EXPECT_FALSE(c.will);
    Peer nobody{options};
    EXPECT_FALSE(nobody.connect().user_name); // [MQTT3-3.1.2-18] [MQTT5-3.1.2-16]
}

TEST_P(Connecting, CredentialsAndWillMayChangeBetweenConnects) {
    Peer peer{options};
    peer.engine.set_credentials({.user_name = "ada", .password = "1"});
    peer.connect();
    peer.engine.set_credentials({.user_name = "ada", .password = "2"});
    peer.engine.set_will(Will{.topic = "gone"});
    peer.lose_connection();
    const auto c = peer.connect(true);
    EXPECT_EQ(c.password, Octets("2"));
    EXPECT_TRUE(c.will);
}

TEST(ConnectingV5, SessionAndLimitsTravelAsProperties) {
    auto options = plain();
    options.session.expiry = 90s;
    options.receive_maximum = 7;
    options.maximum_packet_size = 1000;
    options.topic_alias_maximum = 3;
    options.connect_properties.add_user("site", "roof");
    Peer peer{options};
    peer.engine.set_will(Will{.topic = "gone", .delay = 12s});
    const auto c = peer.connect();
    EXPECT_EQ(c.properties.get(property::session_expiry_interval), 90u);
    EXPECT_EQ(c.properties.get(property::receive_maximum), 7u);
    EXPECT_EQ(c.properties.get(property::maximum_packet_size), 1000u);
    EXPECT_EQ(c.properties.get(property::topic_alias_maximum), 3u);
    EXPECT_EQ(c.properties.user("site"), "roof");
    EXPECT_EQ(c.will->properties.get(property::will_delay_interval), 12u);
}

TEST(ConnectingV5, CleanStartIsForTheFirstConnectThatIsAccepted) {
    auto options = plain();
    options.session.clean_start = true;
    Peer peer{options};
    peer.start();
    peer.open();
    EXPECT_TRUE(peer.sent<Connect>().clean_start);
    peer.close(); // no CONNACK came
    peer.forget_events();
    peer.pass(1s);
    EXPECT_TRUE(peer.connect(false).clean_start);
    peer.lose_connection();
    EXPECT_FALSE(peer.connect(true).clean_start);
}

TEST(ConnectingV3, CleanSessionIsSaidAtEveryConnect) {
    auto options = plain(Version::v3_1_1);
    options.session.clean_start = true;
    Peer peer{options};
    EXPECT_TRUE(peer.connect(false).clean_start);
    peer.lose_connection();
    EXPECT_TRUE(peer.connect(false).clean_start);
}

TEST(ConnectingV3, ACleanSessionTakesNothingFromTheOneBefore) {
    auto options = plain(Version::v3_1_1);
    options.session.clean_start = true;
    Peer peer{options};
    peer.connect(false);
    const Token released = peer.publish("a", QoS::exactly_once);
    peer.pubrec(peer.sent<Publish>().id);
    peer.sent_ack(PacketType::pubrel);
    peer.message("b", QoS::exactly_once, 1, "old");
    peer.acknowledge(peer.event<Received>().id);
    peer.forget_sent();
    peer.lose_connection();
    peer.connect(false);
    EXPECT_EQ(peer.event<Undelivered>().token, released);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.message("b", QoS::exactly_once, 1, "new");
    EXPECT_EQ(peer.event<Received>().message.payload, "new"); // [MQTT-3.1.2-6]
}

TEST_P(Connecting, UpTellsSessionVersionAndKeepAlive) {
    options.keep_alive = 20s;
    Peer peer{options};
    peer.start();
    peer.open();
    peer.send(Connack{true, Reason::success, {}});
    const auto up = peer.event<Up>();
    EXPECT_TRUE(up.info.session_present);
    EXPECT_EQ(up.info.version, GetParam());
    EXPECT_EQ(up.info.client_id, "test");
    EXPECT_EQ(up.info.keep_alive, 20s);
    EXPECT_TRUE(peer.engine.is_up());
}

TEST(ConnectingV5, AnAssignedClientIdentifierIsUsedFromThenOn) {
    auto options = plain();
    options.client_id.clear();
    Peer peer{options};
    peer.start();
    peer.open();
    EXPECT_EQ(peer.sent<Connect>().client_id, "");
    const auto assigned = Properties{}.set(property::assigned_client_identifier, "made-up-17");
    peer.send(Connack{false, Reason::success, assigned});
    EXPECT_EQ(peer.event<Up>().info.client_id, "made-up-17"); // [MQTT-3.1.3-2]
    peer.lose_connection();
    EXPECT_EQ(peer.connect(true).client_id, "made-up-17");
}

TEST_P(Connecting, ASessionPresentAfterACleanStartIsAViolation) {
    options.session.clean_start = true;
    Peer peer{options};
    peer.start();
    peer.open();
    peer.send(Connack{true, Reason::success, {}}); // [MQTT5-3.2.2-4]
    EXPECT_FALSE(peer.engine.is_up());
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Reason::protocol_error);
}

TEST_P(Connecting, AnythingBeforeConnackIsAViolation) {
    Peer peer{options};
    peer.start();
    peer.open();
    peer.message("a", QoS::at_most_once); // [MQTT-3.2.0-1]
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Reason::protocol_error);
}

TEST_P(Connecting, ASecondConnackIsAViolation) {
    Peer peer{options};
    peer.connect();
    peer.send(Connack{false, Reason::success, {}}); // [MQTT-3.2.0-2]
    EXPECT_EQ(peer.wish.kind, Wish::close);
    if (GetParam() == Version::v5) {
        EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::protocol_error);
    }
}

TEST_P(Connecting, NoConnackInTimeEndsTheAttempt) {
    options.connect_timeout = 4s;
    Peer peer{options};
    peer.start();
    peer.pass(3s);
    peer.open();
    peer.sent<Connect>();
    peer.pass(999ms);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ms); // counted from the wish to open
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::connect_timeout);
    EXPECT_FALSE(down.was_up);
    EXPECT_TRUE(down.retry_in);
}

TEST_P(Connecting, ATransportThatNeverOpensEndsTheAttempt) {
    options.connect_timeout = 4s;
    Peer peer{options};
    peer.start();
    peer.pass(4s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Errc::connect_timeout);
}

struct Refusal {
    Reason reason;
    Retry retry;
};

void refuse(Version version, Refusal refusal) {
    SCOPED_TRACE(std::string(to_string(refusal.reason)));
    auto options = plain(version);
    options.backoff = {.min = 1ms, .max = 100s, .stable_after = 30s};
    Peer peer{options};
    peer.start();
    const Token token = peer.publish("a", QoS::at_least_once);
    peer.open();
    peer.send(Connack{false, refusal.reason, {}});
    EXPECT_EQ(peer.wish.kind, Wish::close); // [MQTT-4.13.2-1]
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, refusal.reason);
    EXPECT_FALSE(down.was_up);
    EXPECT_EQ(down.attempt, 1u);
    if (refusal.retry == Retry::fatal) {
        EXPECT_FALSE(down.retry_in);
        EXPECT_EQ(peer.event<Undelivered>().token, token);
        EXPECT_EQ(peer.event<Stopped>().why.code, refusal.reason);
        return;
    }
    ASSERT_TRUE(down.retry_in);
    if (refusal.retry == Retry::retry) {
        EXPECT_LE(*down.retry_in, 1ms);
    }
    EXPECT_LE(*down.retry_in, 100s);
    peer.pass(*down.retry_in);
    EXPECT_EQ(peer.wish.kind, Wish::open);
}

TEST(ConnectingV5, RefusalsAreRetriedSlowlyOrFatalByTheirReason) {
    for (const Refusal refusal : {Refusal{Reason::server_unavailable, Retry::retry},
                                  {Reason::server_busy, Retry::retry},
                                  {Reason::connection_rate_exceeded, Retry::retry},
                                  {Reason::bad_user_name_or_password, Retry::slow},
                                  {Reason::not_authorized, Retry::slow},
                                  {Reason::banned, Retry::slow},
                                  {Reason::client_identifier_not_valid, Retry::slow},
                                  {Reason::unsupported_protocol_version, Retry::fatal},
                                  {Reason::bad_authentication_method, Retry::fatal}})
        refuse(Version::v5, refusal);
}

TEST(ConnectingV3, RefusalsAreRetriedSlowlyOrFatalByTheirReason) {
    for (const Refusal refusal : {Refusal{Reason::server_unavailable, Retry::retry},
                                  {Reason::bad_user_name_or_password, Retry::slow},
                                  {Reason::not_authorized, Retry::slow},
                                  {Reason::client_identifier_not_valid, Retry::slow},
                                  {Reason::unsupported_protocol_version, Retry::fatal}})
        refuse(Version::v3_1_1, refusal);
}

TEST(ConnectingV3, AReturnCodeThatTheVersionDoesNotKnowIsAFailedAttemptLikeOthers) {
    for (const char code : {'\6', '\7', '\xff'}) {
        Peer peer{plain(Version::v3_1_1)};
        peer.start();
        peer.open();
        peer.sent<Connect>();
        peer.send_octets(std::string("\x20\x02\x00", 3) + code);
        EXPECT_EQ(peer.wish.kind, Wish::close);
        peer.close();
        const auto down = peer.event<Down>();
        EXPECT_EQ(down.why.code, Reason::protocol_error);
        EXPECT_NE(down.why.text.find("return code " + std::to_string(static_cast<unsigned char>(code))),
                  std::string::npos)
            << down.why.text;
        EXPECT_TRUE(down.retry_in);
    }
}

TEST_P(Connecting, TheUserMayClassifyErrors) {
    options.classify = [](const Error&) noexcept { return Retry::fatal; };
    Peer peer{options};
    peer.start();
    peer.close(make_error(Errc::host_not_found));
    EXPECT_FALSE(peer.event<Down>().retry_in);
    EXPECT_EQ(peer.event<Stopped>().why.code, Errc::host_not_found);
    EXPECT_FALSE(peer.engine.deadline());
}

TEST_P(Connecting, AConnectionLostBeforeTheConnackLeavesTheSessionUncertain) {
    Peer peer{options};
    peer.connect();
    const Token asked = peer.subscribe({{"f", QoS::at_least_once}});
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    EXPECT_EQ(peer.event<Subscribed>().token, asked);
    peer.event<FilterChanged>();
    peer.become_uncertain();
    peer.connect(true);
    EXPECT_EQ(peer.sent<Subscribe>().entries.at(0).filter, "f");
}

} // namespace
} // namespace tortoise::core::testing
