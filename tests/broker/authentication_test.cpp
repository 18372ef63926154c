// Enhanced authentication, the broker's side, with a method of the test's own.
#include "broker/world.hpp"

namespace broker_test {
namespace {

/// "open" is let in at once; "riddle" is asked for "42"; all else is refused.
class Riddle final : public tortoise::testing::BrokerAuthentication {
public:
    Step step(Octets data) override {
        if (data == "open") return {Step::Kind::accept, "welcome"};
        if (data == "riddle" && !std::exchange(asked_, true)) return {Step::Kind::go_on, "6 times 7"};
        if (data == "42" && asked_) return {Step::Kind::accept, "right"};
        return {};
    }

private:
    bool asked_ = false;
};

BrokerOptions riddles() {
    BrokerOptions options;
    options.authentication = [](std::string_view method) -> tortoise::testing::BrokerAuthentication* {
        return method == "RIDDLE" ? new Riddle : nullptr;
    };
    return options;
}

Properties says(std::string_view data, std::string_view method = "RIDDLE") {
    Properties properties;
    properties.set(property::authentication_method, method);
    if (!data.empty()) properties.set(property::authentication_data, data);
    return properties;
}

class Authenticating5 : public ::testing::Test {
protected:
    World world{riddles()};
    Client& client = world.open(Version::v5);

    void ask() { client.connect("a", {.properties = says("riddle")}); }
    void join() {
        client.connect("a", {.properties = says("open")});
        client.expect<core::Connack>();
    }
    void expect_refused(Reason reason) {
        EXPECT_EQ(client.expect<core::Connack>()->reason, reason);
        EXPECT_EQ(client.waiting(), 0u);
        EXPECT_TRUE(client.closed());
        EXPECT_FALSE(world.has_session("a"));
    }
};

TEST_F(Authenticating5, OneStepMayBeEnough) {
    client.connect("a", {.properties = says("open")});
    const auto connack = client.expect<core::Connack>();
    EXPECT_EQ(connack->reason, Reason::success);
    EXPECT_EQ(connack->properties.get(property::authentication_method), "RIDDLE"); // [MQTT-4.12.0-5]
    EXPECT_EQ(connack->properties.get(property::authentication_data), "welcome");
}

TEST_F(Authenticating5, MoreIsAskedForByAuth) {
    ask();
    const auto auth = client.expect<core::Auth>();
    EXPECT_EQ(auth->reason, Reason::continue_authentication);                   // [MQTT-4.12.0-2]
    EXPECT_EQ(auth->properties.get(property::authentication_method), "RIDDLE"); // [MQTT-4.12.0-5]
    EXPECT_EQ(auth->properties.get(property::authentication_data), "6 times 7");
    EXPECT_FALSE(world.has_session("a"));
    client.send(core::Auth{Reason::continue_authentication, says("42")});
    EXPECT_EQ(client.expect<core::Connack>()->properties.get(property::authentication_data), "right");
    EXPECT_TRUE(world.session("a").connected);
}

// What CONNECT asked for counts when the authentication has ended.
TEST_F(Authenticating5, TheConnectIsNotForgottenMeanwhile) {
    auto properties = says("riddle");
    properties.set(property::session_expiry_interval, 60);
    client.connect("a", {.will = core::ConnectWill{"gone", "bye"}, .properties = properties});
    client.expect<core::Auth>();
    client.send(core::Auth{Reason::continue_authentication, says("42")});
    client.expect<core::Connack>();
    auto& other = world.open(Version::v5);
    other.connect("b", {.properties = says("open")}).expect<core::Connack>();
    other.subscribed("gone");
    client.drop();
    other.expect_publish("gone", "bye");
    EXPECT_TRUE(world.has_session("a"));
}

TEST_F(Authenticating5, AnUnknownMethodIsRefused) {
    client.connect("a", {.properties = says("open", "OTHER")});
    expect_refused(Reason::bad_authentication_method); // [MQTT-4.12.0-1]
}

TEST_F(Authenticating5, AWrongAnswerIsRefused) {
    ask();
    client.expect<core::Auth>();
    client.send(core::Auth{Reason::continue_authentication, says("41")});
    expect_refused(Reason::not_authorized); // [MQTT-4.12.0-4]
}

TEST_F(Authenticating5, WhoDoesNotAuthenticateIsNotLetIn) {
    client.connect("a");
    expect_refused(Reason::not_authorized);
    auto& old = world.open(Version::v3_1_1);
    old.connect("b");
    EXPECT_EQ(old.expect<core::Connack>()->reason, Reason::not_authorized);
}

TEST(AuthenticatingUsers5, AreLetInByPasswordToo) {
    auto options = riddles();
    options.users = {{"ann", "sesame"}};
    World world{options};
    world.join(Version::v5, "a", {.user_name = "ann", .password = "sesame"});
    world.join(Version::v3_1_1, "b", {.user_name = "ann", .password = "sesame"});
    world.join(Version::v5, "c", {.properties = says("open")}).expect_nothing();
}

TEST_F(Authenticating5, NothingButAuthAndDisconnectMayComeBetween) {
    const auto riddle = says("riddle"), right = says("42"), other = says("42", "OTHER");
    const core::Packet wrong[] = {core::Publish{.topic = "a"}, core::Pingreq{},
                                  core::Auth{Reason::reauthenticate, riddle}, core::Auth{Reason::success, right},
                                  core::Auth{Reason::continue_authentication, other}};
    for (const auto& packet : wrong) {
        auto& one = world.open(Version::v5);
        one.connect("b", {.properties = says("riddle")}).expect<core::Auth>();
        one.send(packet);
        EXPECT_EQ(one.expect<core::Connack>()->reason, Reason::protocol_error) << core::print(packet);
        EXPECT_TRUE(one.closed());
    }
    auto& leaves = world.open(Version::v5);
    leaves.connect("b", {.properties = says("riddle")}).expect<core::Auth>();
    leaves.send(core::Disconnect{});
    EXPECT_EQ(leaves.waiting(), 0u);
    EXPECT_TRUE(leaves.closed());
    auto& mangled = world.open(Version::v5);
    mangled.connect("b", {.properties = says("riddle")}).expect<core::Auth>();
    mangled.send_raw(Octets("\xF1\x00", 2));
    EXPECT_EQ(mangled.expect<core::Connack>()->reason, Reason::malformed_packet);
}

TEST_F(Authenticating5, WhoDoesNotAnswerIsNotWaitedForLongerThanForAConnect) {
    ask();
    client.expect<core::Auth>();
    world.pass(11s);
    EXPECT_TRUE(client.closed());
}

// ---- Again ---------------------------------------------------------------------------------------------------------

TEST_F(Authenticating5, AgainWhileEverythingGoesOn) {
    join();
    client.subscribed("x");
    client.send(core::Auth{Reason::reauthenticate, says("riddle")});
    EXPECT_EQ(client.expect<core::Auth>()->reason, Reason::continue_authentication);
    client.publish("x", "1").expect_publish("x", "1");
    client.send(core::Auth{Reason::continue_authentication, says("42")});
    const auto auth = client.expect<core::Auth>();
    EXPECT_EQ(auth->reason, Reason::success);
    EXPECT_EQ(auth->properties.get(property::authentication_method), "RIDDLE"); // [MQTT-4.12.0-5]
    client.publish("x", "2").expect_publish("x", "2");
    client.send(core::Auth{Reason::reauthenticate, says("open")});
    EXPECT_EQ(client.expect<core::Auth>()->reason, Reason::success);
}

TEST_F(Authenticating5, AgainInVainIsTheEnd) {
    join();
    client.send(core::Auth{Reason::reauthenticate, says("nonsense")});
    client.expect_closed(Reason::not_authorized); // [MQTT-4.12.1-2]
}

TEST_F(Authenticating5, OutOfItsTurnIsTheEnd) {
    const auto right = says("42"), other = says("open", "OTHER");
    const core::Packet wrong[] = {core::Auth{Reason::continue_authentication, right},
                                  core::Auth{Reason::success, right}, core::Auth{Reason::success, {}},
                                  core::Auth{Reason::reauthenticate, other}};
    for (const auto& packet : wrong) {
        auto& one = world.open(Version::v5);
        one.connect("b", {.properties = says("open")}).expect<core::Connack>();
        one.send(packet);
        one.expect_closed(Reason::protocol_error);
    }
    join();
    client.send(core::Auth{Reason::reauthenticate, says("riddle")});
    client.expect<core::Auth>();
    client.send(core::Auth{Reason::reauthenticate, says("riddle")});
    client.expect_closed(Reason::protocol_error);
}

TEST_F(Authenticating5, WithoutAMethodInConnectThereIsNoAuth) {
    auto options = riddles();
    options.users = {{"ann", "sesame"}};
    World other{options};
    auto& one = other.join(Version::v5, "a", {.user_name = "ann", .password = "sesame"});
    one.send(core::Auth{Reason::reauthenticate, says("open")});
    one.expect_closed(Reason::protocol_error);
}

} // namespace
} // namespace broker_test
