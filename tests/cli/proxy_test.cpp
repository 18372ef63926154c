// tortoise proxy, and the faults and captures that it shares with tortoise broker.

#include "cli/tool.hpp"

namespace {

using test::Process;
using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

/// What begins with `listening on`, and its port.
class Listener {
public:
    explicit Listener(const Words& words) : process_(test::tortoise(words)) {
        if (!process_.says("listening on")) throw std::runtime_error("it does not start: " + process_.err());
    }
    std::string port() const {
        const auto& line = process_.out();
        return line.substr(line.rfind(':') + 1, line.size() - line.rfind(':') - 2);
    }
    test::Ended pub(const Words& words) const {
        return test::run(test::tortoise({"pub", "-h", "127.0.0.1", "-p", port(), "-t", "a", "-m", "private"}) + words);
    }
    test::Ended stop() {
        process_.signal(SIGTERM);
        return process_.wait();
    }

private:
    Process process_;
};

class ProxyCommand : public test::Tool {};

TEST_F(ProxyCommand, PassesOnByItsRulesAndTellsHowOftenTheyApplied) {
    Listener proxy({"proxy", "--listen", "0", "--to", "127.0.0.1:" + port(), "--fault",
                    "refuse PUBLISH reason=quota-exceeded nth=1 on=a/#", "--fault", "delay PINGREQ 1s"});
    const auto refused = proxy.pub({"-q", "1"});
    EXPECT_EQ(refused.code, 6);
    EXPECT_THAT(refused.err, HasSubstr("quota exceeded"));
    EXPECT_EQ(proxy.pub({"-q", "1"}).code, 0);
    const auto ended = proxy.stop();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, MatchesRegex("listening on mqtt://127\\.0\\.0\\.1:[0-9]+\n"
                                        "refuse PUBLISH reason=quota-exceeded on=a/# nth=1: applied to 1 of 2\n"
                                        "delay PINGREQ 1s: applied to 0 of 0\n"));
    EXPECT_EQ(ended.err, "");
}

TEST_F(ProxyCommand, WritesCapturesInTheEnd) {
    const test::TemporaryDirectory directory;
    const auto text = directory.file("traffic.txt", ""), pcap = directory.file("traffic.pcap", "");
    Listener proxy({"proxy", "--listen", "127.0.0.1:0", "--to", "mqtt://127.0.0.1:" + port(), "--capture", text,
                    "--capture", pcap});
    EXPECT_EQ(proxy.pub({"-q", "1"}).code, 0);
    EXPECT_EQ(proxy.stop().code, 0);
    const auto read = [](const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_THAT(read(text), HasSubstr("client: PUBLISH id=1 qos=1 topic=\"a\" payload=7 bytes"));
    EXPECT_THAT(read(pcap), StartsWith("\xA1\xB2\xC3\xD4"));
    EXPECT_EQ(read(pcap).find("private"), std::string::npos);
}

TEST(FaultsOfTheBrokerCommand, Apply) {
    Listener broker({"broker", "--port", "0", "--fault", "refuse PUBLISH reason=quota-exceeded"});
    EXPECT_EQ(broker.pub({"-q", "2"}).code, 6);
    const auto ended = broker.stop();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.out, HasSubstr("refuse PUBLISH reason=quota-exceeded: applied to 1 of 1\n"));
}

TEST(FaultsOnTheCommandLine, ThatMakeNoSenseAreNamed) {
    for (const Words& words : {Words{"broker", "--port", "0"}, Words{"proxy", "--to", "localhost"}}) {
        const auto ended = test::run(test::tortoise(words + Words{"--fault", "drop PUBBACK nth=3"}));
        EXPECT_EQ(ended.code, 2);
        EXPECT_THAT(ended.err, AllOf(HasSubstr("--fault 'drop PUBBACK nth=3': 'PUBBACK' is no packet"),
                                     HasSubstr("PUBLISH, PUBACK")));
    }
}

TEST(ProxyUsage, SaysWhatIsWrong) {
    const auto proxy = [](const Words& words) { return test::run(test::tortoise(Words{"proxy"} + words)); };
    EXPECT_EQ(proxy({}).code, 2);
    EXPECT_THAT(proxy({}).err, HasSubstr("--to"));
    EXPECT_THAT(proxy({"--to", "ftp://x"}).err, HasSubstr("--to: "));
    EXPECT_EQ(proxy({"--to", "ftp://x"}).code, 2);
    EXPECT_THAT(proxy({"--to", "x", "--listen", "door"}).err, HasSubstr("--listen takes [HOST:]PORT, not 'door'"));
    EXPECT_EQ(proxy({"--to", "x", "--listen", "99999"}).code, 2);
}

TEST_F(ProxyCommand, ThatCannotListenOrWriteSaysSo) {
    const auto taken = test::run(test::tortoise({"proxy", "--to", "x", "--listen", port()}));
    EXPECT_EQ(taken.code, 1);
    EXPECT_THAT(taken.err, HasSubstr("cannot listen on 127.0.0.1:" + port()));
    Listener proxy({"proxy", "--listen", "0", "--to", "x", "--capture", "/no/such/directory/a.txt"});
    const auto ended = proxy.stop();
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("cannot write '/no/such/directory/a.txt'"));
}

} // namespace
