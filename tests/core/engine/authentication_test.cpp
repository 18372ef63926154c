// Enhanced authentication: whose turn it is, before CONNACK and again while up; and what breaks it.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

Properties says(std::string_view method, std::string_view data = {}) {
    Properties properties;
    properties.set(property::authentication_method, method);
    if (!data.empty()) properties.set(property::authentication_data, data);
    return properties;
}

class Authenticating5 : public ::testing::Test {
protected:
    Peer peer{plain()};

    /// CONNECT was sent, with a method.
    void ask() {
        peer.set_authentication("PROOF", "hello");
        peer.start();
        peer.open();
        peer.forget_sent();
    }
    void challenge(std::string_view data = "who?") {
        peer.send(Auth{Reason::continue_authentication, says("PROOF", data)});
    }
    void up() {
        ask();
        peer.send(Connack{false, Reason::success, says("PROOF")});
        peer.event<AuthenticationSucceeded>();
        peer.accept_authentication();
        peer.event<Up>();
    }
};

TEST_F(Authenticating5, GoesRoundAsOftenAsTheBrokerLikes) {
    peer.set_authentication("PROOF", "hello");
    peer.start();
    peer.open();
    const auto connect = peer.sent<Connect>();
    EXPECT_EQ(connect.properties.get(property::authentication_method), "PROOF");
    EXPECT_EQ(connect.properties.get(property::authentication_data), "hello");
    for (const std::string round : {"1", "2"}) {
        challenge("question " + round);
        EXPECT_EQ(peer.event<AuthenticationContinued>().data, "question " + round);
        EXPECT_TRUE(peer.silent()); // it is the user's turn
        peer.continue_authentication("answer " + round);
        const auto auth = peer.sent<Auth>();
        EXPECT_EQ(auth.reason, Reason::continue_authentication);                  // [MQTT-4.12.0-3]
        EXPECT_EQ(auth.properties.get(property::authentication_method), "PROOF"); // [MQTT-4.12.0-5]
        EXPECT_EQ(auth.properties.get(property::authentication_data), "answer " + round);
    }
    peer.send(Connack{true, Reason::success, says("PROOF", "me too")});
    EXPECT_EQ(peer.event<AuthenticationSucceeded>().data, "me too");
    EXPECT_FALSE(peer.engine.is_up());
    peer.accept_authentication();
    EXPECT_TRUE(peer.event<Up>().info.session_present);
}

// What is published, subscribed and pinged meanwhile waits. [MQTT-3.1.2-30]
TEST_F(Authenticating5, NothingButAuthIsSentBeforeConnack) {
    ask();
    peer.publish("a", QoS::at_most_once);
    peer.publish("a", QoS::at_least_once);
    peer.subscribe({{"b"}});
    challenge();
    peer.event<AuthenticationContinued>();
    peer.ping();
    peer.pass(5s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.continue_authentication("me");
    peer.sent<Auth>();
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_F(Authenticating5, WithoutDataNoneIsSent) {
    peer.set_authentication("PROOF");
    peer.start();
    peer.open();
    EXPECT_FALSE(peer.sent<Connect>().properties.get(property::authentication_data));
    challenge({});
    EXPECT_EQ(peer.event<AuthenticationContinued>().data, "");
    peer.continue_authentication({});
    EXPECT_FALSE(peer.sent<Auth>().properties.get(property::authentication_data));
}

// Until the user believes that the broker is who it should be, nothing of it counts.
TEST_F(Authenticating5, WhatComesBehindConnackWaitsForTheVerdict) {
    ask();
    std::string octets;
    ASSERT_TRUE(encode(Version::v5, Packet(Connack{false, Reason::success, says("PROOF")}), octets));
    ASSERT_TRUE(encode(Version::v5, Publish{.topic = "a", .payload = "1"}, octets));
    std::string second;
    ASSERT_TRUE(encode(Version::v5, Publish{.topic = "a", .payload = "2"}, second));
    peer.send_octets(octets + second.substr(0, 3));
    peer.send_octets(second.substr(3));
    peer.event<AuthenticationSucceeded>();
    EXPECT_TRUE(peer.quiet());
    EXPECT_FALSE(peer.engine.wants_input());
    peer.accept_authentication();
    peer.event<Up>();
    EXPECT_EQ(peer.event<Received>().message.payload, "1");
    EXPECT_EQ(peer.event<Received>().message.payload, "2");
    EXPECT_TRUE(peer.engine.wants_input());
}

TEST_F(Authenticating5, ABrokerThatIsNotBelievedIsLeft) {
    ask();
    std::string octets;
    ASSERT_TRUE(encode(Version::v5, Packet(Connack{false, Reason::success, says("PROOF")}), octets));
    ASSERT_TRUE(encode(Version::v5, Publish{.topic = "a"}, octets));
    peer.send_octets(octets);
    peer.event<AuthenticationSucceeded>();
    peer.fail_authentication(make_error(Reason::not_authorized, "an impostor"));
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::unspecified_error);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.text, "an impostor");
    EXPECT_FALSE(down.was_up);
    EXPECT_TRUE(peer.quiet());
}

// It may have begun a new session before its proof failed: what is in flight is not taken for known.
TEST_F(Authenticating5, ASessionOfABrokerThatWasNotBelievedMayBeANewOne) {
    up();
    peer.message("a", QoS::exactly_once, 7, "first");
    peer.acknowledge(peer.event<Received>().id);
    peer.lose_connection();
    peer.open();
    peer.send(Connack{false, Reason::success, says("PROOF")});
    peer.event<AuthenticationSucceeded>();
    peer.fail_authentication(make_error(Reason::not_authorized, "no proof"));
    peer.close();
    peer.event<Down>();
    peer.pass(1s);
    peer.open();
    peer.forget_sent();
    peer.send(Connack{true, Reason::success, says("PROOF")});
    peer.event<AuthenticationSucceeded>();
    peer.accept_authentication();
    peer.event<Up>();
    peer.message("a", QoS::exactly_once, 7, "another");
    EXPECT_EQ(peer.event<Received>().message.payload, "another");
}

TEST_F(Authenticating5, ARefusalIsTheBrokersError) {
    ask();
    challenge();
    peer.event<AuthenticationContinued>();
    peer.continue_authentication("wrong");
    peer.send(Connack{false, Reason::not_authorized, {}});
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Reason::not_authorized);
}

TEST_F(Authenticating5, AnAnswerThatCannotBeGivenEndsTheAttempt) {
    ask();
    challenge();
    peer.event<AuthenticationContinued>();
    peer.fail_authentication(make_error(Errc::timeout, "the card reader sleeps"));
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.text, "the card reader sleeps");
}

TEST_F(Authenticating5, TakesNoLongerThanTheConnectTimeout) {
    ask();
    challenge();
    peer.event<AuthenticationContinued>();
    peer.pass(peer.options.connect_timeout);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto why = peer.event<Down>().why;
    EXPECT_EQ(why.code, Errc::connect_timeout);
    EXPECT_NE(why.text.find("authentication"), std::string::npos) << why.text;
    peer.continue_authentication("too late");
    EXPECT_TRUE(peer.silent());
}

TEST_F(Authenticating5, EachAttemptBeginsAnew) {
    ask();
    challenge();
    peer.event<AuthenticationContinued>();
    peer.close();
    peer.event<Down>();
    peer.continue_authentication("late");
    peer.accept_authentication();
    peer.fail_authentication(make_error(Errc::timeout));
    EXPECT_TRUE(peer.silent());
    peer.set_authentication("PROOF", "again");
    peer.pass(2s);
    peer.open();
    EXPECT_EQ(peer.sent<Connect>().properties.get(property::authentication_data), "again");
    EXPECT_EQ(peer.engine.snapshot().authentication, "asked");
}

// ---- What breaks it -------------------------------------------------------------------------------------------------

class AuthenticationBroken5 : public Authenticating5 {
protected:
    void expect_end(const Error& why) { EXPECT_EQ(why.code, Reason::protocol_error) << why.describe(); }
};

TEST_F(AuthenticationBroken5, AnotherMethodInAuth) {
    ask();
    peer.send(Auth{Reason::continue_authentication, says("OTHER")}); // [MQTT-4.12.0-5]
    peer.close();
    expect_end(peer.event<Down>().why);
}

TEST_F(AuthenticationBroken5, AnotherOrNoMethodInConnack) {
    for (const auto& properties : {says("OTHER"), Properties{}}) {
        Peer one{plain()};
        one.set_authentication("PROOF");
        one.start();
        one.open();
        one.send(Connack{false, Reason::success, properties}); // [MQTT-4.12.0-5]
        one.close();
        expect_end(one.event<Down>().why);
    }
}

TEST_F(AuthenticationBroken5, AMethodInConnackThatNobodyAskedFor) {
    peer.start();
    peer.open();
    peer.send(Connack{false, Reason::success, says("PROOF")}); // [MQTT-4.12.0-6]
    peer.close();
    expect_end(peer.event<Down>().why);
}

TEST_F(AuthenticationBroken5, AuthThatNobodyAskedFor) {
    peer.start();
    peer.open();
    challenge(); // [MQTT-4.12.0-6]
    peer.close();
    expect_end(peer.event<Down>().why);
}

TEST_F(AuthenticationBroken5, TwoChallengesAtATime) {
    ask();
    challenge("1");
    challenge("2");
    peer.close();
    peer.event<AuthenticationContinued>();
    expect_end(peer.event<Down>().why);
}

TEST_F(AuthenticationBroken5, ConnackAheadOfTheAnswer) {
    ask();
    challenge();
    peer.send(Connack{false, Reason::success, says("PROOF")});
    peer.close();
    peer.event<AuthenticationContinued>();
    expect_end(peer.event<Down>().why);
}

TEST_F(AuthenticationBroken5, ReasonsThatAreNotTheServersToGive) {
    for (const auto reason : {Reason::success, Reason::reauthenticate}) {
        Peer one{plain()};
        one.set_authentication("PROOF");
        one.start();
        one.open();
        one.send(Auth{reason, says("PROOF")}); // [MQTT-3.15.2-1]
        one.close();
        expect_end(one.event<Down>().why);
    }
}

TEST_F(AuthenticationBroken5, OtherPacketsBeforeConnack) {
    ask();
    challenge();
    peer.send(Publish{.topic = "a"});
    peer.close();
    peer.event<AuthenticationContinued>();
    expect_end(peer.event<Down>().why);
}

TEST(Authenticating311, AuthIsNoPacketOfThisVersion) {
    Peer peer{plain(Version::v3_1_1)};
    peer.set_authentication("PROOF"); // is not for this version
    peer.start();
    peer.open();
    EXPECT_TRUE(peer.sent<Connect>().properties.empty());
    peer.send_octets(Octets("\xF0\x00", 2));
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Reason::malformed_packet);
    peer.reauthenticate({"PROOF"});
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).code, Errc::connection_lost);
}

// ---- Again, while up -----------------------------------------------------------------------------------------------

class Reauthenticating5 : public Authenticating5 {
protected:
    void begin() {
        up();
        peer.forget_sent();
        peer.reauthenticate({"PROOF", "once more"});
    }
};

TEST_F(Reauthenticating5, LeavesTheConnectionInUse) {
    begin();
    const auto auth = peer.sent<Auth>();
    EXPECT_EQ(auth.reason, Reason::reauthenticate);
    EXPECT_EQ(auth.properties.get(property::authentication_method), "PROOF"); // [MQTT-4.12.1-1]
    EXPECT_EQ(auth.properties.get(property::authentication_data), "once more");
    peer.publish("a", QoS::at_least_once);
    peer.puback(peer.sent<Publish>().id);
    peer.event<Delivered>();
    challenge();
    peer.event<AuthenticationContinued>();
    peer.message("b", QoS::at_most_once);
    peer.event<Received>();
    peer.continue_authentication("me");
    EXPECT_EQ(peer.sent<Auth>().reason, Reason::continue_authentication);
    peer.send(Auth{Reason::success, says("PROOF", "and me")});
    EXPECT_EQ(peer.event<AuthenticationSucceeded>().data, "and me");
    peer.message("b", QoS::at_most_once); // the one that was believed until now
    peer.event<Received>();
    peer.accept_authentication();
    EXPECT_FALSE(peer.event<Reauthenticated>().why_not);
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.is_up());
    peer.reauthenticate({"PROOF"}); // as often as one likes
    EXPECT_EQ(peer.sent<Auth>().reason, Reason::reauthenticate);
}

TEST_F(Reauthenticating5, RefusedItEnds) {
    begin();
    peer.send(Disconnect{Reason::not_authorized, {}});
    peer.close();
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).code, Reason::not_authorized);
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Reason::not_authorized);
    EXPECT_TRUE(down.was_up);
}

TEST_F(Reauthenticating5, ABrokerThatIsNotBelievedAnyMoreIsLeft) {
    begin();
    peer.forget_sent();
    peer.send(Auth{Reason::success, says("PROOF", "nonsense")});
    peer.event<AuthenticationSucceeded>();
    peer.fail_authentication(make_error(Reason::not_authorized, "nonsense"));
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::unspecified_error);
    EXPECT_EQ(peer.wish.kind, Wish::close); // [MQTT-4.12.1-2]
    peer.close();
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).text, "nonsense");
    peer.event<Down>();
}

TEST_F(Reauthenticating5, TakesNoLongerThanTheConnectTimeout) {
    begin();
    peer.forget_sent();
    peer.pass(peer.options.connect_timeout);
    peer.sent<Disconnect>();
    peer.close();
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).code, Errc::timeout);
    EXPECT_EQ(peer.event<Down>().why.code, Errc::timeout);
}

TEST_F(Reauthenticating5, OneThatEndedInTimeLeavesNoTimer) {
    begin();
    peer.send(Auth{Reason::success, says("PROOF")});
    peer.event<AuthenticationSucceeded>();
    peer.accept_authentication();
    peer.event<Reauthenticated>();
    peer.forget_sent();
    for (int i = 0; i < 10; ++i) {
        peer.pass(peer.options.connect_timeout);
        while (!peer.silent()) {
            peer.sent<Pingreq>();
            peer.send(Pingresp{});
        }
    }
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_F(Reauthenticating5, OneAtATime) {
    begin();
    peer.sent<Auth>();
    peer.reauthenticate({"PROOF"});
    EXPECT_TRUE(peer.silent());
    EXPECT_TRUE(peer.quiet());
}

TEST_F(Reauthenticating5, ByAnotherMethodOrWithoutOneIsRefusedHere) {
    up();
    peer.forget_sent();
    peer.reauthenticate({"OTHER"}); // [MQTT-4.12.1-1]
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).code, Errc::invalid_option);
    Peer other{plain()};
    other.connect();
    other.reauthenticate({"PROOF"}); // [MQTT-4.12.0-7]
    EXPECT_EQ(other.event<Reauthenticated>().why_not.value_or(Error{}).code, Errc::not_supported);
    EXPECT_TRUE(other.silent());
    EXPECT_TRUE(peer.silent());
}

TEST_F(Reauthenticating5, WhatTheBrokerMustNotSayEndsTheConnection) {
    const auto right = says("PROOF"), other = says("OTHER");
    const Packet wrong[] = {Auth{Reason::reauthenticate, right}, Auth{Reason::success, other},
                            Auth{Reason::success, {}}, Auth{Reason::continue_authentication, other}};
    for (const auto& packet : wrong) {
        Peer one{plain()};
        one.set_authentication("PROOF");
        one.start();
        one.open();
        one.send(Connack{false, Reason::success, says("PROOF")});
        one.event<AuthenticationSucceeded>();
        one.accept_authentication();
        one.event<Up>();
        one.reauthenticate({"PROOF"});
        one.forget_sent();
        one.send(packet);
        EXPECT_EQ(one.sent<Disconnect>().reason, Reason::protocol_error) << print(packet);
        one.close();
        EXPECT_TRUE(one.event<Reauthenticated>().why_not);
        EXPECT_EQ(one.event<Down>().why.code, Reason::protocol_error);
    }
}

TEST_F(Reauthenticating5, AuthWhileNothingIsUnderWayEndsTheConnection) {
    up();
    peer.forget_sent();
    challenge();
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::protocol_error);
}

TEST_F(Reauthenticating5, IsNotLargerThanTheBrokerTakes) {
    ask();
    auto told = says("PROOF");
    told.set(property::maximum_packet_size, 40);
    peer.send(Connack{false, Reason::success, told});
    peer.event<AuthenticationSucceeded>();
    peer.accept_authentication();
    peer.event<Up>();
    peer.forget_sent();
    peer.reauthenticate({"PROOF", std::string(100, 'x')});
    peer.sent<Disconnect>();
    peer.close();
    EXPECT_EQ(peer.event<Reauthenticated>().why_not.value_or(Error{}).code, Errc::packet_too_large);
}

// ---- Credentials that end ------------------------------------------------------------------------------------------

TEST_F(Reauthenticating5, IsDueWhenCredentialsEnd) {
    peer.engine.set_credentials({.user_name = "ada"}, peer.now + 60s);
    ask();
    peer.send(Connack{false, Reason::success, says("PROOF")});
    peer.event<AuthenticationSucceeded>();
    peer.accept_authentication(peer.now + 20s); // sooner than the credentials
    peer.event<Up>();
    peer.pass(19s);
    EXPECT_TRUE(peer.quiet());
    peer.pass(1s);
    peer.event<RenewalDue>();
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.reauthenticate({"PROOF"});
    peer.send(Auth{Reason::success, says("PROOF")});
    peer.event<AuthenticationSucceeded>();
    peer.accept_authentication(peer.now + 5s);
    peer.event<Reauthenticated>();
    peer.pass(5s);
    peer.event<RenewalDue>();
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_F(Reauthenticating5, IsDueByTheCredentialsIfNothingElseIsKnown) {
    peer.engine.set_credentials({.user_name = "ada"}, peer.now + 30s);
    up();
    peer.pass(30s);
    peer.event<RenewalDue>();
}

} // namespace
} // namespace tortoise::core::testing
