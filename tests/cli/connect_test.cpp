// No connection: which exit code, and which words. The same for pub, sub and bench.

#include "cli/peer.hpp"
#include "cli/tool.hpp"

namespace {

using test::Peer;
using test::Words;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class NoConnection : public test::Tool, public ::testing::WithParamInterface<const char*> {
protected:
    using Tool::Tool;
    test::Ended run(const Words& words) const {
        const std::string command = GetParam();
        const Words rest = command == "pub"     ? Words{"-t", "a", "-m", "x"}
                           : command == "bench" ? Words{"pub"}
                                                : Words{"-t", "a"};
        return test::run(test::tortoise(Words{command} + words + rest));
    }
    static std::string name() { return std::string("tortoise ") + GetParam() + ": "; }
};

class NoBroker : public NoConnection {};

TEST_P(NoBroker, RefusedConnectionSaysWhereAndHowToGetABroker) {
    const auto ended = run({"-h", "127.0.0.1", "-p", "1"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_EQ(ended.err, name() + "connection refused by 127.0.0.1:1: is a broker listening there? "
                                  "start one with 'tortoise broker'\n");
}

TEST_P(NoBroker, UnresolvableHostIsNamed) {
    const auto ended = run({"-h", "no-such-host.invalid"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, StartsWith(name() + "cannot find the host of no-such-host.invalid:1883: check its name"));
}

TEST_P(NoBroker, WebServerIsNotTakenForABroker) {
    const Peer peer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Peer::Then::closes);
    const auto ended = run({"-h", "127.0.0.1", "-p", peer.port()});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err,
                AllOf(StartsWith(name() + "what answers at 127.0.0.1:" + peer.port() + " is not an MQTT broker"),
                      HasSubstr("HTTP"), EndsWith("check the port (-p)\n")));
}

TEST_P(NoBroker, SilentPeerIsLeftAfterTheTimeOut) {
    const Peer peer("", Peer::Then::stays);
    const auto ended = run({"-h", "127.0.0.1", "-p", peer.port(), "--connect-timeout", "0.2"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err,
                AllOf(StartsWith(name() + "no answer from 127.0.0.1:" + peer.port()), HasSubstr("--connect-timeout")));
}

TEST_P(NoBroker, PeerThatHangsUpIsAskedAfter) {
    const Peer peer("", Peer::Then::closes);
    const auto ended = run({"-h", "127.0.0.1", "-p", peer.port()});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("closed the connection without an answer"));
}

TEST_P(NoBroker, UrlWithoutSenseIsWrongUsage) {
    for (const std::string url :
         {"mqtt://", "mqtt://:1883", "mqtt://h:0", "mqtt://h:99999", "http://h", "mqtt://h:1:2"}) {
        const auto ended = run({"--url", url});
        EXPECT_EQ(ended.code, 2) << url;
        EXPECT_THAT(ended.err, StartsWith(name())) << url;
    }
}

TEST_P(NoBroker, QuietSaysNothing) {
    const auto ended = run({"-h", "127.0.0.1", "-p", "1", "--quiet"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Command, NoBroker, ::testing::Values("pub", "sub", "bench"));

class Refused : public NoConnection {
protected:
    Refused() : NoConnection({.users = {{"anna", "secret"}}}) {}
    Words server() const { return {"-h", "127.0.0.1", "-p", port()}; }
};

TEST_P(Refused, WithoutCredentials) {
    const auto ended = run(server());
    EXPECT_EQ(ended.code, 4);
    EXPECT_THAT(ended.err, AllOf(StartsWith(name() + "the broker at 127.0.0.1:" + port() + " refused the connection: "),
                                 EndsWith("check the user name (-u) and the password (-P)\n")));
}

TEST_P(Refused, WithAWrongPasswordWhichIsNotShown) {
    for (const std::string version : {"5", "3.1.1"}) {
        const auto ended = run(server() + Words{"-u", "anna", "-P", "wrong-pass", "-V", version, "-d"});
        EXPECT_EQ(ended.code, 4);
        EXPECT_THAT(ended.err, AllOf(HasSubstr("refused the connection"), ::testing::Not(HasSubstr("wrong-pass"))));
    }
}

INSTANTIATE_TEST_SUITE_P(Command, Refused, ::testing::Values("pub", "sub", "bench"));

class Accepted : public test::Tool {
protected:
    Accepted() : Tool({.users = {{"anna", "sec:ret/@"}}}) {}
};

TEST_F(Accepted, WithUserAndPassword) {
    EXPECT_EQ(pub({"-t", "a", "-m", "x", "-u", "anna", "-P", "sec:ret/@"}).code, 0);
    EXPECT_EQ(pub({"-t", "a", "-m", "x", "-u", "anna", "-P", "sec:ret/@", "-V", "3.1.1"}).code, 0);
}

TEST_F(Accepted, WithAUrlThatHoldsEverything) {
    const auto url = "mqtt://anna:sec%3Aret%2F%40@127.0.0.1:" + port();
    EXPECT_EQ(test::run(test::tortoise({"pub", "-L", url + "/rooms/hall", "-m", "on", "-r"})).code, 0);
    const auto ended = test::run(test::tortoise({"sub", "--url", url + "/rooms/#", "-C", "1", "-v"}));
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, "rooms/hall on\n");
}

TEST(Retry, GetsThroughWhenTheBrokerComesUp) {
    tortoise::testing::Broker broker;
    const auto port = std::to_string(broker.port());
    broker.stop();
    test::Process pub(
        test::tortoise({"pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "late", "-q", "1", "--retry"}));
    ASSERT_TRUE(pub.says("connection refused by")) << pub.err();
    ASSERT_TRUE(pub.says("; trying again"));
    ASSERT_TRUE(broker.start());
    EXPECT_EQ(pub.wait().code, 0);
    EXPECT_EQ(broker.statistics().publishes_received, 1u);
}

TEST(Retry, WaitHoldsForAnAbsentBrokerToo) {
    const auto ended =
        test::run(test::tortoise({"sub", "-h", "127.0.0.1", "-p", "1", "-t", "a", "--retry", "-W", "0.2"}));
    EXPECT_EQ(ended.code, 27);
}

} // namespace
