// The scripted server: what it does, and what it says when its client does something else.
#include "support/certificates.hpp"
#include "support/script.hpp"
#include "testing/raw_client.hpp"
#include <latch>
#include <thread>

namespace tortoise::test {
namespace {

using core::Ack;
using core::Connack;
using core::Connect;
using core::Disconnect;
using core::PacketType;
using core::Pingreq;
using core::Pingresp;
using core::Publish;
using ::testing::AllOf;
using ::testing::EndsWith;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Raw;
using testing::Script;
using ::testing::StartsWith;

constexpr auto at_once = std::chrono::seconds(0);

std::string encoded(const core::Packet& packet, Version version = Version::v5) {
    std::string octets;
    EXPECT_TRUE(core::encode(version, packet, octets));
    return octets;
}

/// The text of the failure that the script ends with.
std::string failure_of(const Script& script) {
    const auto went = script.wait(patience);
    EXPECT_FALSE(went);
    EXPECT_NE(went.error().code, Errc::timeout) << went.error().text;
    return went.error().text;
}

/// Until this line of the source. For the numbers in failures.
std::string line(unsigned number) { return "(script_test.cpp:" + std::to_string(number) + ")"; }

class Scripts : public BothVersions {
protected:
    Script script;
    Connect hello(std::string_view id = "me") const { return {.version = version(), .client_id = id}; }
};

// ---- Following -----------------------------------------------------------------------------------------------------

TEST_P(Scripts, areDialoguesInTheVersionOfTheClient) {
    script.expect_connect({.version = version(), .client_id = "me", .clean_start = true, .keep_alive = 0});
    script.send(Connack{}).expect(Pingreq{}).send(Pingresp{});
    RawClient client(script.port());
    client.send(hello());
    EXPECT_EQ(client.receive(4).substr(0, 4), encoded(Connack{}, version()).substr(0, 4));
    if (version() == Version::v5) client.receive(1);
    client.send(Pingreq{});
    EXPECT_EQ(client.receive(2), encoded(Pingresp{}));
    ASSERT_FOLLOWED(script);
    EXPECT_THAT(script.report(), StartsWith("every step is done\n"));
}

TEST_P(Scripts, areFollowedByConnections) {
    Recorder recorder;
    script.expect_connect({.version = version()}).send(Connack{});
    script.expect_subscribe({"rooms/+", "doors/#"})
        .send(core::Suback{.reasons = {Reason::success, Reason::granted_qos_1}});
    script.send(Publish{.topic = "rooms/hall", .payload = "21"});
    script.expect_publish({.topic = "doors/front", .payload = "open", .qos = QoS::exactly_once, .duplicate = false});
    script.send(Ack{.type = PacketType::pubrec}).expect(Ack{.type = PacketType::pubrel});
    script.send(Ack{.type = PacketType::pubcomp});
    Connection c{options(recorder, script.url())};
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{{"rooms/+", QoS::at_most_once}, {"doors/#", QoS::at_least_once}})
                    .wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_TRUE(c.publish("doors/front", "open", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_FOLLOWED(script);
    script.expect(PacketType::disconnect).expect_close();
    EXPECT_TRUE(c.stop().wait(patience));
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, keepWhatArrivesBeforeItIsExpected) {
    RawClient client(script.port());
    client.send(Octets(encoded(hello(), version()) + encoded(Pingreq{}) + encoded(Publish{.topic = "a"}, version())));
    script.expect_connect();
    ASSERT_FOLLOWED(script);
    script.expect(Pingreq{}).expect_publish({.topic = "a"});
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, sendSeveralPacketsAndRawOctetsInOneWrite) {
    script.expect_connect().send({Connack{}, Raw{"\xff\x01"}, Pingresp{}}).close();
    RawClient client(script.port());
    client.send(hello());
    const auto expected = encoded(Connack{}, version()) + "\xff\x01" + encoded(Pingresp{});
    EXPECT_EQ(client.receive(1000), expected);
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, splitWhatTheySend) {
    const std::string payload(1000, 'x');
    script.expect_connect().split(1).send(Connack{}).send(Publish{.topic = "a", .payload = payload}).split(0);
    script.send(Pingresp{}).close();
    RawClient client(script.port());
    client.send(hello());
    EXPECT_EQ(client.receive(10'000), encoded(Connack{}, version()) +
                                          encoded(Publish{.topic = "a", .payload = payload}, version()) +
                                          encoded(Pingresp{}));
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, answerWithTheIdentifierThatTheyReceived) {
    script.expect_connect().send(Connack{});
    script.expect_publish({.qos = QoS::at_least_once}).expect(Pingreq{}).send(Ack{.type = PacketType::puback});
    RawClient client(script.port());
    client.send(hello());
    client.send(Publish{.id = 777, .topic = "a", .qos = QoS::at_least_once}, version());
    client.send(Pingreq{});
    const auto expected = encoded(Connack{}, version()) + encoded(Ack{.id = 777}, version());
    EXPECT_EQ(client.receive(expected.size()), expected);
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, replyToAnythingThatCameOnTheConnection) {
    script.expect_connect();
    for (int i = 0; i < 2; ++i) script.expect_publish();
    for (const std::size_t which : {2, 1})
        script.reply([which](auto received) { return Ack{.id = std::get<Publish>(received[which]).id}; });
    RawClient client(script.port());
    client.send(hello());
    client.send(Publish{.id = 5, .topic = "a", .qos = QoS::at_least_once}, version());
    client.send(Publish{.id = 6, .topic = "a", .qos = QoS::at_least_once}, version());
    const auto expected = encoded(Ack{.id = 6}, version()) + encoded(Ack{.id = 5}, version());
    EXPECT_EQ(client.receive(expected.size()), expected);
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, waitForGatesAndOpenThem) {
    Gate answer, seen;
    std::atomic<bool> called{false};
    script.expect_connect().open(seen).silence_until(answer).call([&] { called = true; }).send(Connack{});
    RawClient client(script.port());
    client.send(hello());
    ASSERT_TRUE(seen.wait(patience));
    EXPECT_EQ(script.wait(at_once).error().code, Errc::timeout);
    EXPECT_FALSE(called);
    answer.open();
    ASSERT_FOLLOWED(script);
    EXPECT_TRUE(called);
    script.await(answer).await(Gate()).expect_any(); // one is open for good, the other never
    EXPECT_EQ(script.wait(at_once).error().code, Errc::timeout);
}

TEST_P(Scripts, serveOneClientAfterTheOther) {
    script.expect_connect({.client_id = "first"}).close();
    script.expect_connect({.client_id = "second"}).drop();
    script.expect_connect({.client_id = "third"}).expect_close();
    script.accept().expect_connect({.client_id = "fourth"}).accept().expect_connect({.client_id = "fifth"});
    RawClient first(script.port()), second(script.port());
    first.send(hello("first"));
    second.send(hello("second"));
    EXPECT_EQ(first.end(), RawClient::End::in_order);
    EXPECT_EQ(second.end(), RawClient::End::reset);
    RawClient third(script.port());
    third.send(hello("third"));
    third.close();
    RawClient fourth(script.port());
    fourth.send(hello("fourth"));
    RawClient fifth(script.port());
    fifth.send(hello("fifth"));
    EXPECT_EQ(fourth.end(), RawClient::End::reset); // by accept()
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, tellWhatPassed) {
    script.expect_connect().send(Connack{}).expect_publish().expect_close();
    RawClient client(script.port());
    client.send(hello());
    client.receive(encoded(Connack{}, version()).size());
    client.send(Publish{.topic = "a", .payload = "secret"}, version());
    client.close();
    ASSERT_FOLLOWED(script);
    const auto version_name = std::string(to_string(version()));
    EXPECT_THAT(script.transcript(), AllOf(StartsWith("          (127.0.0.1:"), HasSubstr(" connected)\n"),
                                           HasSubstr("  client: CONNECT client_id=\"me\" version=" + version_name +
                                                     " clean_start keep_alive=0\n"
                                                     "  script: CONNACK reason=\"success\"\n"
                                                     "  client: PUBLISH qos=0 topic=\"a\" payload=6 bytes\n"),
                                           EndsWith(" closed the connection)\n")));
}

// ---- Failing -------------------------------------------------------------------------------------------------------

TEST_P(Scripts, thatExpectAnotherPacketFailReadably) {
    script.expect_connect().send(Connack{});
    script.expect(Publish{.topic = "b", .payload = "12"});
    const unsigned here = __LINE__ - 1;
    RawClient client(script.port());
    client.send(hello());
    client.receive(encoded(Connack{}, version()).size());
    client.send(Publish{.topic = "a", .payload = "1"}, version());
    const auto text = failure_of(script);
    EXPECT_THAT(text, StartsWith("step 3 " + line(here) +
                                 " failed\n"
                                 "  expected: PUBLISH qos=0 topic=\"b\" payload=2 bytes\n"
                                 "  arrived:  PUBLISH qos=0 topic=\"a\" payload=1 byte\n"));
    EXPECT_THAT(text, HasSubstr("\nSo far:\n          (127.0.0.1:"));
    EXPECT_THAT(text, HasSubstr("\n  script: CONNACK reason=\"success\"\n  client: PUBLISH "));
    EXPECT_EQ(text, script.report());
    EXPECT_THAT(script.wait(patience).error().describe(), StartsWith("the script was not followed: step 3 "));
    EXPECT_EQ(client.end(), RawClient::End::reset); // nobody is left hanging
    EXPECT_FALSE(RawClient(script.port()).connected());
}

struct Mismatch {
    std::string name;
    std::function<void(Script&)> expects;
    std::string says;
};
// What arrives each time: CONNECT client_id="me", then this.
const Publish arriving{.id = 9, .topic = "a", .payload = "12345", .qos = QoS::at_least_once};

class Mismatches : public ::testing::TestWithParam<Mismatch> {};

TEST_P(Mismatches, areSaid) {
    Script script;
    script.expect_connect();
    GetParam().expects(script);
    RawClient client(script.port());
    client.send(Connect{.client_id = "me"});
    client.send(arriving);
    EXPECT_THAT(
        failure_of(script),
        HasSubstr("\n  expected: " + GetParam().says.substr(0, GetParam().says.find('|')) +
                  "\n  arrived:  PUBLISH id=9 qos=1 topic=\"a\" payload=5 bytes\n" +
                  (GetParam().says.find('|') == std::string::npos
                       ? "So far:"
                       : "            " + GetParam().says.substr(GetParam().says.find('|') + 1) + "\nSo far:")));
}

Publish like_arriving(std::string_view payload, core::PacketId id = 9) {
    auto publish = arriving;
    publish.payload = payload;
    publish.id = id;
    return publish;
}

INSTANTIATE_TEST_SUITE_P(
    , Mismatches,
    ::testing::Values(
        Mismatch{"type", [](Script& s) { s.expect(PacketType::pingreq); }, "PINGREQ"},
        Mismatch{"connect", [](Script& s) { s.expect_connect({.client_id = "you"}); }, "CONNECT client_id=\"you\""},
        Mismatch{"topic", [](Script& s) { s.expect_publish({.topic = "b"}); }, "PUBLISH topic=\"b\""},
        Mismatch{"qos", [](Script& s) { s.expect_publish({.qos = QoS::exactly_once}); }, "PUBLISH qos=2"},
        Mismatch{"retain", [](Script& s) { s.expect_publish({.retain = true}); }, "PUBLISH retain=yes"},
        Mismatch{"duplicate", [](Script& s) { s.expect_publish({.duplicate = true}); }, "PUBLISH dup=yes"},
        Mismatch{"field_payload", [](Script& s) { s.expect_publish({.payload = "12x45"}); },
                 "PUBLISH payload=5 bytes|the payloads differ from octet 2 on"},
        Mismatch{"payload", [](Script& s) { s.expect(like_arriving("1234x")); },
                 "PUBLISH id=9 qos=1 topic=\"a\" payload=5 bytes|the payloads differ from octet 4 on"},
        Mismatch{"any_id", [](Script& s) { s.expect(like_arriving("123", 0)); },
                 "PUBLISH qos=1 topic=\"a\" payload=3 bytes (any identifier)|the payloads differ from octet 3 on"},
        Mismatch{"other_id", [](Script& s) { s.expect(like_arriving("12345", 8)); },
                 "PUBLISH id=8 qos=1 topic=\"a\" payload=5 bytes"},
        Mismatch{"subscribe",
                 [](Script& s) {
                     s.expect_subscribe({"a", "b"});
                 },
                 "SUBSCRIBE filter=\"a\" filter=\"b\""},
        Mismatch{"function",
                 [](Script& s) {
                     s.expect_that<Publish>("a PUBLISH about the weather",
                                            [](const Publish& p) { return p.topic == "weather"; });
                 },
                 "a PUBLISH about the weather"},
        Mismatch{"close", [](Script& s) { s.expect_close(); }, "the end of the connection"},
        Mismatch{"silence", [](Script& s) { s.silence_until(Gate()); }, "nothing, until a gate is open"}),
    [](const auto& test) { return test.param.name; });

TEST_P(Scripts, thatExpectSilenceSeeWhatWasSentBeforeTheGateOpened) {
    for (int i = 0; i < 50; ++i) {
        Script quiet;
        Gate gate, greeted;
        quiet.expect_connect().open(greeted).silence_until(gate);
        RawClient client(quiet.port());
        client.send(hello());
        ASSERT_TRUE(greeted.wait(patience));
        client.send(Pingreq{});
        gate.open();
        EXPECT_THAT(failure_of(quiet), HasSubstr("\n  arrived:  PINGREQ\n"));
    }
}

TEST_P(Scripts, thatExpectSilenceDoNotTakeTheEndForIt) {
    script.expect_connect().silence_until(Gate());
    RawClient client(script.port());
    client.send(hello());
    client.close();
    EXPECT_THAT(failure_of(script), HasSubstr("\n  arrived:  nothing, but 127.0.0.1:"));
}

TEST_P(Scripts, whoseClientGoesAwayFail) {
    script.expect_connect().expect(Pingreq{});
    RawClient client(script.port());
    client.send(hello());
    client.close();
    EXPECT_THAT(failure_of(script), AllOf(HasSubstr("\n  expected: PINGREQ\n  arrived:  nothing; 127.0.0.1:"),
                                          HasSubstr(" closed the connection\n")));
}

TEST_P(Scripts, sayWhatIsMissingWhenTheTimeIsOver) {
    script.expect_connect().send(Connack{}).expect(Pingreq{});
    auto went = script.wait(at_once);
    EXPECT_EQ(went.error().code, Errc::timeout);
    EXPECT_THAT(went.error().text, AllOf(StartsWith("step 1 (script_test.cpp:"), HasSubstr(") is not done\n"),
                                         HasSubstr("  expected: CONNECT\n  arrived:  no client\n")));
    RawClient client(script.port());
    client.send(hello());
    EXPECT_EQ(client.receive(2).size(), 2u); // of the CONNACK
    EXPECT_THAT(script.report(), AllOf(HasSubstr("step 3 "), HasSubstr("  expected: PINGREQ\n  arrived:  nothing\n")));
    client.send(Pingreq{});
    ASSERT_FOLLOWED(script); // a time-out is not the end
}

TEST_P(Scripts, thatCannotBeEncodedFailAtThatStep) {
    script.expect_connect().send(Publish{.topic = "a/#"});
    RawClient client(script.port());
    client.send(hello());
    EXPECT_THAT(failure_of(script), AllOf(StartsWith("step 2 "),
                                          HasSubstr("\n  to send: PUBLISH qos=0 topic=\"a/#\" payload=0 bytes\n"
                                                    "  problem:  PUBLISH qos=0 topic=\"a/#\" payload=0 bytes cannot be "
                                                    "sent: topic name invalid (MQTT 0x90): [MQTT-")));
}

TEST_P(Scripts, haveNoIdentifierToAnswerWithBeforeOneArrived) {
    script.expect_connect().send(Ack{});
    RawClient client(script.port());
    client.send(hello());
    EXPECT_THAT(failure_of(script), HasSubstr("PUBACK id=0 reason=\"success\" cannot be sent: "));
}

TEST_P(Scripts, whoseFunctionsThrowFail) {
    script.expect_connect().call([] { throw std::runtime_error("no such luck"); });
    RawClient client(script.port());
    client.send(hello());
    EXPECT_THAT(failure_of(script), HasSubstr("\n  to call a function\n  problem:  it threw: no such luck\n"));
    Script other;
    other.expect_connect().reply([](auto) -> core::Packet { throw 1; });
    RawClient another(other.port());
    another.send(hello());
    EXPECT_THAT(failure_of(other), HasSubstr("\n  to send: a reply\n  problem:  it threw something"));
}

TEST_P(Scripts, hidePayloadsUnlessAskedAndPasswordsAlways) {
    for (const bool show : {false, true}) {
        Script shy({.show_payloads = show});
        shy.expect_connect({.password = "sesame"}).expect(Publish{.topic = "a", .payload = "red"});
        RawClient client(shy.port());
        auto connect = hello();
        connect.user_name = "ann";
        connect.password = "sesame";
        client.send(connect);
        client.send(Publish{.topic = "a", .payload = "blue"}, version());
        const auto text = failure_of(shy);
        EXPECT_THAT(text, Not(HasSubstr("sesame")));
        EXPECT_EQ(text.find("blue") != std::string::npos, show) << text;
        EXPECT_EQ(text.find("red") != std::string::npos, show) << text;
    }
    script.expect_connect({.user_name = "ann", .password = "sesame"});
    RawClient client(script.port());
    auto connect = hello();
    connect.user_name = "ann";
    connect.password = "simsalabim";
    client.send(connect);
    EXPECT_THAT(failure_of(script),
                AllOf(HasSubstr("expected: CONNECT user_name=\"ann\" password=(hidden)\n"),
                      HasSubstr("the password is another one, or missing\n"), Not(HasSubstr("sesame"))));
}

// ---- Hostile clients -----------------------------------------------------------------------------------------------

TEST_P(Scripts, showWhatIsNoPacket) {
    script.expect_connect().expect_any();
    RawClient client(script.port());
    client.send(hello());
    client.send(Octets("\x00\x01!", 3));
    EXPECT_THAT(failure_of(script),
                AllOf(HasSubstr("\n  expected: a packet, whichever\n"),
                      HasSubstr("\n  arrived:  nothing; 3 octets: 00 01 21, which is no packet: malformed packet")));
}

TEST_P(Scripts, doNotTakeWhatIsNoPacketForTheEnd) {
    script.expect_connect().expect_close();
    RawClient client(script.port());
    client.send(hello());
    client.send(Octets("\xd0\xff\xff\xff\xff\xff", 6));
    client.close();
    EXPECT_THAT(failure_of(script), HasSubstr("which is no packet"));
}

TEST_P(Scripts, sendToAClientThatIsGoneWithoutAFailure) {
    Gate gone;
    script.expect_connect().await(gone).send(Connack{}).send(
        Publish{.topic = "a", .payload = std::string(1'000'000, 'x')});
    script.expect_close();
    RawClient client(script.port());
    client.send(hello());
    client.close();
    gone.open();
    ASSERT_FOLLOWED(script);
}

TEST_P(Scripts, doNotKeepAllThatAClientSaysUnasked) {
    Gate never;
    script.expect_connect().await(never);
    RawClient client(script.port());
    client.send(hello());
    std::string pings;
    for (int i = 0; i < 50'000; ++i) pings += encoded(Pingreq{});
    std::latch sent(1);
    std::thread sender([&] { // until the script takes no more
        while (client.send(Octets(pings))) {
        }
        sent.count_down();
    });
    // Nothing to wait for: it is to be alive, and able to end.
    EXPECT_EQ(script.wait(at_once).error().code, Errc::timeout);
    EXPECT_LT(script.transcript().size(), 100'000u);
    script.call([] {});
    never.open();
    ASSERT_FOLLOWED(script);
    script.drop();
    ASSERT_FOLLOWED(script);
    sent.wait();
    sender.join();
}

TEST_P(Scripts, cutWhatIsVeryLong) {
    script.expect_connect().expect(Pingreq{});
    RawClient client(script.port());
    client.send(hello());
    client.send(Publish{.topic = std::string(60'000, 't'), .payload = std::string(60'000, 'p')}, version());
    EXPECT_LT(failure_of(script).size(), 3'000u);
}

TEST_P(Scripts, endWhereverTheyStand) {
    for (int steps = 0; steps < 6; ++steps) {
        Gate gate;
        std::unique_ptr<RawClient> client;
        {
            Script brief;
            client = std::make_unique<RawClient>(brief.port());
            client->send(hello());
            if (steps > 0) brief.expect_connect();
            if (steps > 1) brief.split(1).send(Publish{.topic = "a", .payload = std::string(100'000, 'x')});
            if (steps > 2) brief.silence_until(gate);
            if (steps > 3) brief.await(gate);
            if (steps > 4) brief.expect_close().accept();
        }
        gate.open(); // of what is gone
        EXPECT_NE(client->end(), RawClient::End::none);
    }
}

TORTOISE_BOTH_VERSIONS(Scripts);

// ---- Listening -----------------------------------------------------------------------------------------------------

TEST(ScriptPlaces, areTcpTlsAndUnixSockets) {
    const Authority authority;
    const auto identity = authority.issue();
    const testing::BrokerTls tls{.certificate = identity.certificate(), .key = identity.key()};
    const std::string path = "/tmp/tortoise-script-" + std::to_string(::getpid());
    for (const auto& options : {testing::ScriptOptions{.host = "::1"}, testing::ScriptOptions{.tls = tls},
                                testing::ScriptOptions{.unix_path = path}}) {
        Script script(options);
        ASSERT_TRUE(script.ok()) << script.ok().error().describe();
        script.expect_connect().send(Connack{});
        Recorder recorder;
        auto o = options_for(script.url(), Version::v5, recorder);
        o.tls = {.ca_certificates = {authority.certificate()}};
        Connection c{std::move(o)};
        EXPECT_TRUE(c.wait_until_up(patience));
        script.drop();
        EXPECT_TRUE(recorder.wait_for(Status::down));
        ASSERT_FOLLOWED(script);
    }
}

TEST(ScriptPlaces, thatCannotBeHadAreAnError) {
    Script first;
    Script second({.port = first.port()});
    ASSERT_FALSE(second.ok());
    second.expect_connect();
    EXPECT_EQ(second.wait(patience).error().code, std::errc::address_in_use);
    EXPECT_THAT(second.report(), HasSubstr("cannot listen on 127.0.0.1:"));
    Script third({.tls = testing::BrokerTls{.certificate_file = "/no/such/file"}});
    third.expect_connect();
    EXPECT_EQ(third.wait(patience).error().code, Errc::tls_configuration);
    EXPECT_THAT(third.transcript(), ::testing::IsEmpty());
}

} // namespace
} // namespace tortoise::test
