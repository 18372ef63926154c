// tortoise broker: each option, seen from outside; its one line; its end.

#include "cli/tool.hpp"

#include <sys/stat.h>
#include <tortoise/profile.hpp>

namespace {

using test::Ended;
using test::Process;
using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

/// The broker as a process of its own, on a free port.
class Broker {
public:
    explicit Broker(const Words& words = {}) : process_(test::tortoise(Words{"broker", "--port", "0"} + words)) {
        if (!process_.says("listening on")) throw std::runtime_error("the broker does not start: " + process_.err());
    }
    std::string port() const {
        const auto& line = process_.out();
        return line.substr(line.rfind(':') + 1, line.size() - line.rfind(':') - 2);
    }
    Words at(const std::string& command, const Words& words) const {
        return test::tortoise({command, "-h", "127.0.0.1", "-p", port()}) + words;
    }
    Ended pub(const Words& words) const { return test::run(at("pub", words)); }
    Ended sub(const Words& words) const { return test::run(at("sub", words)); }
    Process& process() { return process_; }

private:
    Process process_;
};

TEST(BrokerCommand, SaysWhereItListensAndStopsAtASignal) {
    for (const int number : {SIGINT, SIGTERM}) {
        Broker broker;
        EXPECT_THAT(broker.process().out(), MatchesRegex("listening on 127\\.0\\.0\\.1:[0-9]+\n"));
        broker.process().signal(number);
        const auto ended = broker.process().wait();
        EXPECT_EQ(ended.code, 0);
        EXPECT_EQ(ended.err, "");
    }
}

TEST(BrokerCommand, StopsWithClientsConnected) {
    Broker broker;
    Process sub(broker.at("sub", {"-t", "a", "-d"}));
    ASSERT_TRUE(sub.says("subscribed to a"));
    broker.process().signal(SIGTERM);
    EXPECT_EQ(broker.process().wait().code, 0);
    EXPECT_TRUE(sub.says("trying again"));
}

TEST(BrokerCommand, PortInUseIsAnErrorThatSaysWhatToDo) {
    const Broker first;
    const auto ended = test::run(test::tortoise({"broker", "--port", first.port()}));
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise broker: cannot listen on 127.0.0.1:" + first.port() + ": "),
                                 HasSubstr("is another broker running there?")));
}

TEST(BrokerCommand, AddressOfAnotherMachineIsAnError) {
    const auto ended = test::run(test::tortoise({"broker", "--port", "0", "--host", "192.0.2.1"}));
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, StartsWith("tortoise broker: cannot listen on 192.0.2.1:0: "));
}

TEST(BrokerCommand, Users) {
    const Broker broker({"--user", "anna:se:cret", "--user", "ben:"});
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x"}).code, 4);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-u", "anna", "-P", "no"}).code, 4);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-u", "anna", "-P", "se:cret"}).code, 0);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-u", "ben", "-P", ""}).code, 0);
}

TEST(BrokerCommand, UsersOfAFile) {
    const test::TemporaryDirectory directory;
    const Broker broker({"--users", directory.file("users", "# who may\n\nanna:one\r\nben:two")});
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x"}).code, 4);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-u", "anna", "-P", "one"}).code, 0);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-u", "ben", "-P", "two"}).code, 0);
}

TEST(BrokerCommand, FileOfUsersThatIsWrong) {
    const test::TemporaryDirectory directory;
    const auto path = directory.file("users", "anna:one\nsecret\n");
    const auto ended = test::run(test::tortoise({"broker", "--port", "0", "--users", path}));
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "tortoise broker: " + path + ":2: a line is NAME:PASSWORD\n");
    const auto absent = test::run(test::tortoise({"broker", "--port", "0", "--users", "/no/such/file"}));
    EXPECT_EQ(absent.code, 1);
    EXPECT_EQ(absent.err, "tortoise broker: cannot read /no/such/file: No such file or directory\n");
}

TEST(BrokerCommand, DeniedFilters) {
    const Broker broker({"--deny-subscribe", "s/#", "--deny-subscribe", "t", "--deny-publish", "p/+"});
    EXPECT_EQ(broker.sub({"-t", "s/1", "-E"}).code, 5);
    EXPECT_EQ(broker.sub({"-t", "t", "-E"}).code, 5);
    EXPECT_EQ(broker.sub({"-t", "p/1", "-E"}).code, 0);
    EXPECT_EQ(broker.pub({"-t", "p/1", "-m", "x", "-q", "1"}).code, 6);
    EXPECT_EQ(broker.pub({"-t", "s/1", "-m", "x", "-q", "1"}).code, 0);
}

TEST(BrokerCommand, MaximumQos) {
    const Broker broker({"--maximum-qos", "1"});
    EXPECT_THAT(broker.sub({"-t", "a", "-q", "2", "-E", "-d"}).err, HasSubstr("subscribed to a (QoS 1)"));
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-q", "1"}).code, 0);
}

TEST(BrokerCommand, RetainOff) {
    for (const Words& words : {Words{"--retain", "off"}, Words{"--no-retain"}})
        EXPECT_EQ(Broker(words).pub({"-t", "a", "-m", "x", "-r", "-q", "1"}).code, 6);
    EXPECT_EQ(Broker({"--retain", "on"}).pub({"-t", "a", "-m", "x", "-r", "-q", "1"}).code, 0);
}

TEST(BrokerCommand, MaximumPacketSize) {
    const Broker broker({"--maximum-packet-size", "100"});
    EXPECT_EQ(broker.pub({"-t", "a", "-m", std::string(200, 'x'), "-q", "1"}).code, 6);
    EXPECT_EQ(broker.pub({"-t", "a", "-m", std::string(50, 'x'), "-q", "1"}).code, 0);
}

TEST(BrokerCommand, SessionExpiryCap) {
    const Broker broker({"--session-expiry-cap", "0"});
    const Words session = {"-t", "a", "-q", "1", "-c", "-i", "keeper", "-d"};
    ASSERT_EQ(broker.sub(session + Words{"-E"}).code, 0);
    EXPECT_THAT(broker.sub(session + Words{"-E"}).err, HasSubstr("new session"));
}

TEST(BrokerCommand, Copies) {
    for (const auto& [copies, count] : {std::pair<std::string, std::size_t>{"one", 1}, {"each", 2}}) {
        const Broker broker({"--copies", copies});
        Process sub(broker.at("sub", {"-t", "a", "-t", "+", "-T", "end", "-v", "-d"}));
        ASSERT_TRUE(sub.says("subscribed to a"));
        ASSERT_TRUE(sub.says("subscribed to +"));
        ASSERT_EQ(broker.pub({"-t", "a", "-m", "x"}).code, 0);
        ASSERT_EQ(broker.pub({"-t", "b", "-m", "last"}).code, 0);
        ASSERT_TRUE(sub.says("b last\n"));
        std::size_t found = 0;
        for (auto at = sub.out().find("a x\n"); at != std::string::npos; at = sub.out().find("a x\n", at + 1)) ++found;
        EXPECT_EQ(found, count) << copies;
    }
}

/// What CONNACK told, seen through the library.
TEST(BrokerCommand, LimitsAreTold) {
    const Broker broker({"--server-keep-alive", "17", "--receive-maximum", "1", "--topic-alias-maximum", "0"});
    tortoise::Connection connection({.server = "mqtt://127.0.0.1:" + broker.port()});
    const auto up = connection.wait_until_up(test::patience);
    ASSERT_TRUE(up) << up.error().describe();
    EXPECT_EQ(up->keep_alive, std::chrono::seconds(17));
    EXPECT_EQ(broker.pub({"-t", "a", "-l", "-q", "2"}).code, 0);
}

TEST(BrokerCommand, ListensOnIPv6) {
    Process broker(test::tortoise({"broker", "--port", "0", "--host", "::1"}));
    if (!broker.says("listening on [::1]:")) { // a machine without IPv6: the error names the address
        EXPECT_NE(broker.err().find("::1"), std::string::npos) << broker.err();
        return;
    }
    const auto line = broker.out();
    const auto port = line.substr(line.rfind(':') + 1, line.size() - line.rfind(':') - 2);
    EXPECT_EQ(test::run(test::tortoise({"pub", "-h", "::1", "-p", port, "-t", "a", "-m", "x", "-q", "1"})).code, 0);
    EXPECT_EQ(test::run(test::tortoise({"pub", "-L", "mqtt://[::1]:" + port + "/a", "-m", "x", "-q", "1"})).code, 0);
}

TEST(BrokerCommand, BehavesLikeACloud) {
    const Broker broker({"--profile", "aws"});
    EXPECT_EQ(broker.pub({"-t", "1/2/3/4/5/6/7/8", "-m", "x", "-q", "1"}).code, 0);
    const auto refused = broker.pub({"-t", "1/2/3/4/5/6/7/8/9", "-m", "x", "-q", "1", "--timeout", "1"});
    EXPECT_EQ(refused.code, 6);
    EXPECT_THAT(refused.err, HasSubstr("timed out; the connection: topic name invalid"));
    EXPECT_EQ(broker.pub({"-t", "a", "-m", "x", "-q", "2"}).code, 6);
}

TEST(BrokerCommand, ListsTheCloudsThatItKnows) {
    const auto ended = test::run(test::tortoise({"broker", "--port", "0", "--profile", "nimbus"}));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("nimbus"), HasSubstr("aws"), HasSubstr("azure-event-grid"),
                                 HasSubstr("emqx-serverless")));
}

TEST(BrokerCommand, MakesCertificatesForATest) {
    const test::TemporaryDirectory directory;
    const auto ca = directory.file("ca.pem", "an old one");
    const auto files = ca.substr(0, ca.rfind('/'));
    const Broker broker({"--profile", "aws", "--test-certificates", files});
    tortoise::ConnectionOptions o;
    o.client_id = "door";
    o.server = "mqtts://127.0.0.1:" + broker.port();
    o.tls = {.ca_file = ca, .certificate_file = files + "/device.pem", .key_file = files + "/device.key"};
    tortoise::Connection door{tortoise::apply(tortoise::profiles::aws(), o).value()};
    EXPECT_TRUE(door.wait_until_up(test::patience)) << door.error().describe();
    struct stat status {};
    ASSERT_EQ(::stat((files + "/device.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(BrokerCommand, SaysWhyItCannotWriteCertificates) {
    const test::TemporaryDirectory directory;
    const auto file = directory.file("file", "not a directory");
    const auto ended = test::run(test::tortoise({"broker", "--port", "0", "--test-certificates", file}));
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("cannot write '" + file + "/ca.pem'"));
}

} // namespace
