// The library and the command against ejabberd, a broker that nobody of the other two had a hand in. It takes a while
// to start: each test tells a whole story.

#include "interop/brokers.hpp"
#include "interop/collector.hpp"
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using test::patience;
using test::Process;
using test::Words;
using tortoise::Connection;
using tortoise::ConnectionOptions;
using tortoise::QoS;
using tortoise::Version;

const std::string qualities[] = {"0", "1", "2"};

class WithEjabberd : public ::testing::TestWithParam<Version> {
protected:
    Words common(const Words& words) const {
        return broker_.at() + Words{"-V", GetParam() == Version::v5 ? "5" : "311", "-u", "u", "-P", "p"} + words;
    }
    Words ours(const std::string& command, const Words& words) const {
        return Words{TORTOISE_PROGRAM, command} + common(words);
    }
    void publish(const Words& words) const {
        const auto ended = test::run(ours("pub", words));
        ASSERT_EQ(ended.code, 0) << ended.err;
    }
    /// A subscriber to ROOT/# that is seen to be subscribed: it printed the retained message ROOT/ready.
    std::unique_ptr<Process> subscriber(const Words& program, const std::string& root, const Words& words) const {
        publish({"-t", root + "/ready", "-m", "ready", "-r", "-q", "1"});
        auto process = std::make_unique<Process>(program + common({"-t", root + "/#", "-F", "%t %q %r %p;"}) + words);
        EXPECT_TRUE(process->says("ready;")) << process->err();
        return process;
    }

    ConnectionOptions options(const std::string& client_id) const {
        ConnectionOptions o;
        o.server = broker_.url();
        o.version = GetParam();
        o.client_id = client_id;
        o.user_name = "u";
        o.password = "p";
        o.backoff = {.min = 10ms, .max = 100ms};
        o.handler = tortoise::make_handler<tortoise::Handler>();
        return o;
    }

    test::Ejabberd broker_;
    test::TemporaryDirectory directory_;
};

TEST_P(WithEjabberd, TheCommandPublishesSubscribesKeepsAndLeavesAWill) {
    const std::string large(1u << 20, '\xA5');
    const auto path = directory_.file("large", large);
    const Words tool{TORTOISE_PROGRAM, "sub"}, other{"stdbuf", "-o0", "mosquitto_sub"};
    for (const auto& qos : qualities) {
        for (const auto& program : {tool, other}) {
            const auto root = (program == tool ? "tool" : "other") + qos;
            auto sub = subscriber(program, root, {"-q", qos, "-C", "4"});
            publish({"-t", root + "/a", "-q", qos, "-m", "x"});
            publish({"-t", root + "/large", "-q", qos, "-f", path});
            const auto theirs = test::run(Words{"mosquitto_pub"} + common({"-t", root + "/b", "-q", qos, "-m", "y"}));
            EXPECT_EQ(theirs.code, 0) << theirs.err;
            const auto ended = sub->wait();
            EXPECT_EQ(ended.code, 0) << ended.err;
            for (const auto& line : {root + "/a " + qos + " 0 x;", root + "/large " + qos + " 0 " + large + ";",
                                     root + "/b " + qos + " 0 y;"})
                EXPECT_TRUE(ended.out.find(line) != std::string::npos) << line.substr(0, 20) << " is missing";
        }
    }
    for (const auto& qos : qualities) { // retained: replaced, removed
        publish({"-t", "kept" + qos + "/a", "-q", qos, "-m", "old", "-r"});
        publish({"-t", "kept" + qos + "/a", "-q", qos, "-m", "new", "-r"});
        publish({"-t", "kept" + qos + "/b", "-q", qos, "-m", "gone", "-r"});
        publish({"-t", "kept" + qos + "/b", "-q", qos, "-n", "-r"});
        auto sub = subscriber(tool, "kept" + qos, {"-q", qos, "-C", "3"});
        publish({"-t", "kept" + qos + "/c", "-q", qos, "-m", "fresh"});
        const auto ended = sub->wait();
        EXPECT_THAT(ended.out, ::testing::HasSubstr("/a " + qos + " 1 new;"));
        EXPECT_THAT(ended.out, ::testing::EndsWith("/c " + qos + " 0 fresh;\n"));
    }
    for (const auto& qos : qualities) {
        const auto root = "lost" + qos;
        auto sub = subscriber(tool, root, {"-q", qos, "-C", "3"});
        Process lost(ours("pub", {"-t", root + "/alive", "-q", "1", "-l", "--will-topic", root + "/will",
                                  "--will-payload", "gone", "--will-qos", qos}));
        lost.write("here\n");
        ASSERT_TRUE(sub->says("here;")) << lost.err();
        lost.crash();
        EXPECT_THAT(sub->wait().out, ::testing::HasSubstr(root + "/will " + qos + " 0 gone;"));
    }
}

TEST_P(WithEjabberd, ASessionIsResumedWithWhatCameMeanwhile) {
    test::Inbox inbox;
    auto keeping = options("keeper");
    keeping.session.clean_start = false;
    keeping.handler = tortoise::make_handler<test::Collector>(&inbox);
    Connection publisher(options("publisher"));
    const auto publish = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            const auto qos = i % 2 == 0 ? QoS::at_least_once : QoS::exactly_once;
            const auto receipt = publisher.publish("session/t", std::to_string(i), {.qos = qos}).wait(patience);
            EXPECT_TRUE(receipt) << receipt.error().describe();
        }
    };
    {
        Connection first(keeping);
        const auto grant = first.subscribe({"session/#", QoS::exactly_once}).wait(patience);
        ASSERT_TRUE(grant) << grant.error().describe();
        EXPECT_EQ(grant->granted, QoS::exactly_once);
        publish(0, 10);
        ASSERT_EQ(inbox.wait_for(10).size(), 10u);
        // The second answer shows that the broker has had the last PUBCOMP.
        for (int i = 0; i < 2; ++i) ASSERT_TRUE(first.ping().wait(patience));
    }
    publish(10, 20);
    Connection second(keeping);
    const auto up = second.wait_until_up(patience);
    ASSERT_TRUE(up) << up.error().describe();
    publish(20, 30);
    std::vector<std::string> payloads, expected;
    for (const auto& message : inbox.wait_for(30)) payloads.push_back(message.payload);
    for (int i = 0; i < 30; ++i) expected.push_back(std::to_string(i));
    EXPECT_EQ(payloads, expected);
}

INSTANTIATE_TEST_SUITE_P(Version, WithEjabberd, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& row) { return row.param == Version::v5 ? "V5" : "V311"; });

} // namespace
