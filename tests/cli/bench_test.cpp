// tortoise bench: what it counts and tells. How fast anything is, is not looked at.

#include "cli/tool.hpp"
#include <nlohmann/json.hpp>

namespace {

using test::Ended;
using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

/// The result that was printed.
Json result(const Ended& ended) {
    auto json = Json::parse(ended.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << ended.out << ended.err;
    return json;
}

class Bench : public test::Tool {
protected:
    using Tool::Tool;
    Ended bench(const Words& words) const { return run(at("bench", words)); }
    std::unique_ptr<test::Process> bench_sub(const Words& words) const {
        auto process = std::make_unique<test::Process>(at("bench", Words{"sub", "--json", "-d"} + words));
        EXPECT_TRUE(process->says("subscribed to")) << process->err();
        return process;
    }
    bool received(std::uint64_t messages) const {
        return soon([&](const auto& s) { return s.publishes_received >= messages; });
    }
};

void expect_figures(const Json& r, std::uint64_t count) {
    EXPECT_EQ(r["messages"], count);
    EXPECT_EQ(r["failed"], 0);
    EXPECT_EQ(r["drops"], 0);
    EXPECT_GT(r["seconds"], 0);
    EXPECT_NEAR(r["messages_per_second"].get<double>() * r["seconds"].get<double>(), static_cast<double>(count), 0.01);
    EXPECT_GE(r["cpu_ns_per_message"], 0);
}

void expect_latencies(const Json& r, std::uint64_t count) {
    EXPECT_EQ(r["latencies"], count);
    EXPECT_GT(r["p50_us"], 0);
    EXPECT_LE(r["p50_us"], r["p90_us"]);
    EXPECT_LE(r["p90_us"], r["p99_us"]);
    EXPECT_LE(r["p99_us"], r["p999_us"]);
    EXPECT_LE(r["p999_us"], r["max_us"]);
}

void expect_no_latencies(const Json& r) {
    EXPECT_EQ(r["latencies"], 0);
    for (const auto* name : {"latency", "p50_us", "p90_us", "p99_us", "p999_us", "max_us"})
        EXPECT_TRUE(r.contains(name) && r[name].is_null()) << name;
}

// ---- Each mode, with each QoS and version --------------------------------------------------------------------------

struct Way {
    std::string version;
    int qos;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.version << " QoS " << way.qos; }

class BenchBy : public Bench, public ::testing::WithParamInterface<Way> {
protected:
    static Words words(const Words& more) {
        return Words{"-V", GetParam().version, "-q", std::to_string(GetParam().qos)} + more;
    }
    static void expect_what_was_asked(const Json& r, const std::string& mode, std::uint64_t count) {
        EXPECT_EQ(r["bench"], mode);
        EXPECT_EQ(r["mqtt_version"], GetParam().version);
        EXPECT_EQ(r["qos"], GetParam().qos);
        EXPECT_EQ(r["count"], count);
        EXPECT_EQ(r["connections"], 1);
    }
};

TEST_P(BenchBy, PubCountsWhatReachedTheBroker) {
    const auto ended = bench(words({"pub", "--count", "3000", "--size", "100", "--json"}));
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, IsEmpty());
    const auto r = result(ended);
    expect_what_was_asked(r, "pub", 3000);
    EXPECT_EQ(r["size"], 100);
    EXPECT_EQ(r["window"], GetParam().version == "5" || GetParam().qos == 0 ? 1000 : 20);
    expect_figures(r, 3000);
    if (GetParam().qos == 0)
        expect_no_latencies(r);
    else
        expect_latencies(r, 3000);
    EXPECT_EQ(broker_.statistics().publishes_received, 3000u);
}

TEST_P(BenchBy, SubCountsWhatArrives) {
    auto sub = bench_sub(words({"--count", "2000"}));
    EXPECT_EQ(bench(words({"pub", "--count", "2500"})).code, 0);
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto r = result(ended);
    expect_what_was_asked(r, "sub", 2000);
    EXPECT_TRUE(r["size"].is_null());
    expect_figures(r, 2000);
    expect_latencies(r, 2000);
}

TEST_P(BenchBy, RttGetsBackWhatItPublishes) {
    for (const std::string window : {"1", "16"}) {
        const auto ended = bench(words({"rtt", "--count", "200", "--window", window, "--json"}));
        EXPECT_EQ(ended.code, 0);
        EXPECT_THAT(ended.err, IsEmpty());
        const auto r = result(ended);
        expect_what_was_asked(r, "rtt", 200);
        expect_figures(r, 200);
        expect_latencies(r, 200);
    }
    EXPECT_EQ(broker_.statistics().publishes_received, 400u);
}

INSTANTIATE_TEST_SUITE_P(All, BenchBy,
                         ::testing::Values(Way{"5", 0}, Way{"5", 1}, Way{"5", 2}, Way{"3.1.1", 0}, Way{"3.1.1", 1},
                                           Way{"3.1.1", 2}));

// ---- What can be asked for -----------------------------------------------------------------------------------------

TEST_F(Bench, ForPeopleItPrintsLines) {
    const auto ended = bench({"pub", "-q", "1", "--count", "100", "--size", "1"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, IsEmpty()); // no terminal: no progress
    EXPECT_THAT(ended.out, ::testing::MatchesRegex("pub: QoS 1, 1 connection, window 1000, 1 octet, MQTT 5, "
                                                   "127.0.0.1:[0-9]+\n"
                                                   "  messages    100\n"
                                                   "  time        [0-9.]+ s\n"
                                                   "  throughput  [0-9]+ messages/s\n"
                                                   "  CPU         [0-9]+ ns/message\n"
                                                   "  latency     p50 .* p99.9 .*, max .* \\(publish to PUBACK\\)\n"));
}

TEST_F(Bench, ConnectionsShareTheMessages) {
    for (const std::string mode : {"pub", "rtt"}) {
        for (const std::string qos : {"0", "1"}) {
            const auto before = broker_.statistics().publishes_received;
            const auto ended = bench({mode, "-q", qos, "--count", "100", "--connections", "3", "-i", "many", "--json"});
            EXPECT_EQ(ended.code, 0) << ended.err;
            const auto r = result(ended);
            EXPECT_EQ(r["connections"], 3);
            EXPECT_EQ(r["messages"], 100);
            EXPECT_EQ(broker_.statistics().publishes_received - before, 100u);
        }
    }
}

TEST_F(Bench, ConnectionsOfSubCountTogether) {
    auto sub = bench_sub({"--connections", "2", "--count", "200", "-t", "$share/readers/a/#"});
    ASSERT_TRUE(soon([](const auto& s) { return s.connections == 2; }));
    EXPECT_EQ(bench({"pub", "-t", "a/b", "-q", "1", "--count", "200"}).code, 0);
    EXPECT_EQ(result(sub->wait())["messages"], 200);
}

TEST_F(Bench, PayloadsOfAnySize) {
    for (const std::string size : {"0", "23", "24", "300000"}) {
        for (const std::string mode : {"pub", "rtt"}) {
            for (const std::string qos : {"0", "1"}) {
                const auto ended = bench({mode, "-q", qos, "--count", "5", "--size", size, "--json"});
                EXPECT_EQ(ended.code, 0) << ended.err;
                EXPECT_EQ(result(ended)["messages"], 5);
            }
        }
    }
}

TEST_F(Bench, WindowIsWhatIsUnderWayAtATime) {
    const auto r = result(bench({"pub", "-V", "3.1.1", "-q", "2", "--count", "500", "--window", "100", "--json"}));
    EXPECT_EQ(r["window"], 100);
    EXPECT_EQ(r["messages"], 500);
}

TEST_F(Bench, WindowWithoutAcknowledgementsHoldsNoMoreThanIsWrittenAtOnce) {
    const auto r = result(bench({"pub", "--count", "50", "--size", "99900", "--window", "10", "--json"}));
    EXPECT_EQ(r["window"], 2);
    EXPECT_EQ(r["messages"], 50);
}

TEST_F(Bench, TopicOfAUrl) {
    const auto url = "mqtt://127.0.0.1:" + port() + "/a/b";
    const auto ended = test::run(test::tortoise({"bench", "pub", "-L", url, "--count", "1", "--json"}));
    EXPECT_EQ(result(ended)["topic"], "a/b");
}

TEST_F(Bench, ProgressIsToldWhenAskedFor) {
    auto sub = bench_sub({"--count", "3", "--progress"});
    EXPECT_EQ(pub({"-t", "tortoise/bench", "-m", "x", "--repeat", "2"}).code, 0);
    EXPECT_TRUE(sub->says("tortoise bench sub: 2 of 3 messages, ")) << sub->err();
}

// ---- What cannot be said is null -----------------------------------------------------------------------------------

TEST_F(Bench, MessagesOfOthersHaveNoLatency) {
    auto sub = bench_sub({"--count", "2"});
    EXPECT_EQ(pub({"-t", "tortoise/bench", "-m", "24 octets and some more than that", "--repeat", "2"}).code, 0);
    const auto r = result(sub->wait());
    expect_figures(r, 2);
    expect_no_latencies(r);
}

TEST_F(Bench, RetainedMessagesCountAndHaveNoLatency) {
    auto sub = subscriber({"-t", "tortoise/bench", "-C", "1", "-N"});
    EXPECT_EQ(bench({"pub", "-q", "1", "--count", "1"}).code, 0);
    const auto stamped = sub->wait().out;
    ASSERT_EQ(stamped.size(), 64u);
    EXPECT_EQ(pub({"-t", "tortoise/bench", "-s", "-r", "-q", "1"}, stamped).code, 0);
    const auto r = result(bench({"sub", "--count", "1", "--json"}));
    EXPECT_EQ(r["messages"], 1);
    expect_no_latencies(r);
}

TEST_F(Bench, OneMessageHasNoRate) {
    auto sub = bench_sub({"--count", "1"});
    EXPECT_EQ(bench({"pub", "--count", "1"}).code, 0);
    const auto r = result(sub->wait());
    EXPECT_EQ(r["messages"], 1);
    EXPECT_TRUE(r["messages_per_second"].is_null());
    expect_latencies(r, 1);
}

// ---- Other ends ----------------------------------------------------------------------------------------------------

TEST_F(Bench, SubThatGetsTooFewSaysHowMany) {
    auto sub = bench_sub({"--count", "5", "--timeout", "1"});
    EXPECT_EQ(bench({"pub", "--count", "2"}).code, 0);
    const auto ended = sub->wait();
    EXPECT_EQ(ended.code, 27);
    EXPECT_THAT(ended.err, HasSubstr("tortoise bench: 2 of 5 messages arrived, and none for 1 s: --timeout sets"));
    const auto r = result(ended);
    EXPECT_EQ(r["count"], 5);
    expect_figures(r, 2);
}

TEST_F(Bench, SubThatGetsNothing) {
    const auto ended = bench({"sub", "--timeout", "0.1", "--json"});
    EXPECT_EQ(ended.code, 27);
    EXPECT_THAT(ended.err, HasSubstr("0 of 100000 messages arrived"));
    const auto r = result(ended);
    EXPECT_EQ(r["messages"], 0);
    EXPECT_EQ(r["seconds"], 0);
    EXPECT_TRUE(r["messages_per_second"].is_null());
    EXPECT_TRUE(r["cpu_ns_per_message"].is_null());
}

TEST_F(Bench, SignalsEndItWithWhatWasMeasured) {
    for (const int number : {SIGINT, SIGTERM}) {
        const auto before = broker_.statistics().publishes_received;
        test::Process pub(at("bench", {"pub", "-q", "1", "--count", "1000000000", "--json"}));
        ASSERT_TRUE(received(before + 2000));
        pub.signal(number);
        const auto ended = pub.wait();
        EXPECT_EQ(ended.code, 0);
        EXPECT_THAT(ended.err, IsEmpty());
        const auto r = result(ended);
        EXPECT_GT(r["messages"], 0);
        EXPECT_LT(r["messages"], r["count"]);
        expect_figures(r, r["messages"]);
    }
}

TEST_F(Bench, GoesOnWhenTheConnectionIsLost) {
    test::Process pub(at("bench", {"pub", "-q", "1", "--count", "1000000000", "--json"}));
    ASSERT_TRUE(received(1000));
    broker_.drop_connections();
    ASSERT_TRUE(pub.says("trying again"));
    ASSERT_TRUE(received(broker_.statistics().publishes_received + 5000));
    pub.signal(SIGINT);
    const auto ended = pub.wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto r = result(ended);
    EXPECT_EQ(r["drops"], 1);
    EXPECT_EQ(r["failed"], 0);
    EXPECT_GT(r["messages"], 1000);
}

TEST_F(Bench, WithoutAcknowledgementsALostConnectionLosesMessages) {
    test::Process pub(at("bench", {"pub", "--count", "1000000000", "--json"}));
    ASSERT_TRUE(received(1000));
    broker_.drop_connections();
    ASSERT_TRUE(pub.says("trying again"));
    ASSERT_TRUE(received(broker_.statistics().publishes_received + 5000));
    pub.signal(SIGINT);
    const auto ended = pub.wait();
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr(" of 1000000000 messages not delivered; the first: "));
    EXPECT_GT(result(ended)["failed"], 0);
}

TEST_F(Bench, FullOutputIsAnError) {
    std::string line;
    for (const auto& word : at("bench", {"pub", "--count", "1"})) line += "'" + word + "' ";
    const auto ended = test::run({"/bin/sh", "-c", line + "> /dev/full"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "tortoise bench: cannot write to standard output: No space left on device\n");
}

struct Denies {
    static tortoise::testing::BrokerOptions options() { return {.deny_subscribe = {"no/#"}, .deny_publish = {"#"}}; }
};
using DeniedBench = test::ToolWith<Denies>;

TEST_F(DeniedBench, RefusedMessagesAreCounted) {
    const auto ended = run(at("bench", {"pub", "-q", "1", "--count", "50", "--json"}));
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr("tortoise bench: 50 of 50 messages not delivered; the first: not delivered to "
                                     "'tortoise/bench': "));
    const auto r = result(ended);
    EXPECT_EQ(r["messages"], 0);
    EXPECT_EQ(r["failed"], 50);
    expect_no_latencies(r);
}

TEST_F(DeniedBench, RttWhoseMessagesAreRefusedEnds) {
    const auto ended = run(at("bench", {"rtt", "-q", "1", "--count", "50", "--json"}));
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr("1 of 50 messages not delivered"));
}

TEST_F(DeniedBench, RttWhoseMessagesDoNotComeBackEnds) {
    const auto ended = run(at("bench", {"rtt", "-V", "3.1.1", "-q", "0", "--timeout", "0.2"}));
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr("0 of 10000 messages came back, and none for 0.2 s"));
}

TEST_F(DeniedBench, RefusedSubscription) {
    for (const Words& words : {Words{"sub", "-t", "no/#"}, Words{"rtt", "-t", "no"}}) {
        const auto ended = run(at("bench", words));
        EXPECT_EQ(ended.code, 5);
        EXPECT_THAT(ended.err, HasSubstr("tortoise bench: the broker refused the subscription to 'no/"));
        EXPECT_THAT(ended.out, IsEmpty());
    }
}

struct TakesLittle {
    static tortoise::testing::BrokerOptions options() { return {.maximum_packet_size = 1000}; }
};
using BenchOfLittle = test::ToolWith<TakesLittle>;

TEST_F(BenchOfLittle, MessagesThatAreTooLargeAreCounted) {
    for (const std::string qos : {"0", "1"}) {
        const auto ended = run(at("bench", {"pub", "-q", qos, "--count", "3000", "--size", "2000", "--json"}));
        EXPECT_EQ(ended.code, 6);
        EXPECT_THAT(ended.err,
                    AllOf(HasSubstr("3000 of 3000 messages not delivered"), HasSubstr("takes smaller messages only")));
        const auto r = result(ended);
        EXPECT_EQ(r["messages"], 0);
        EXPECT_EQ(r["failed"], 3000);
    }
}

} // namespace
