// Packets that were made where the user publishes go as they are, if nothing is in the way.
#include "core/engine/peer.hpp"
#include "core/publish_run.hpp"

namespace tortoise::core::testing {
namespace {

class Run : public BothVersions {
protected:
    static PublishRequest request(std::string_view topic, Octets payload = {}) {
        return {.topic = topic, .payload = payload};
    }
    /// Of requests that fit.
    PublishRun run_of(const std::vector<PublishRequest>& requests) {
        PublishRun run;
        octets_.clear();
        for (const auto& one : requests) {
            const auto size = run_size(GetParam(), one), at = octets_.size();
            octets_.resize(at + size);
            write_to_run(GetParam(), one, octets_.data() + at);
            ++run.count;
            run.largest = std::max(run.largest, static_cast<std::uint32_t>(size));
            run.retained |= one.retain;
        }
        run.octets = octets_;
        return run;
    }
    PublishRun any_run() { return run_of({request("a", "1")}); }
    EngineOptions options() const { return plain(GetParam()); }
    bool v5() const { return GetParam() == Version::v5; }

private:
    std::string octets_;
};
INSTANTIATE_TEST_SUITE_P(, Run, ::testing::ValuesIn(both_versions), version_name);

/// Of what MQTT 3.1.1 brokers cannot say.
class RunOnMqtt5 : public Run {};
INSTANTIATE_TEST_SUITE_P(, RunOnMqtt5, ::testing::Values(Version::v5), version_name);

TEST_P(Run, IsWhatTheCodecWouldMake) {
    const std::string large(20'000, 'x'), topic(300, 't');
    auto retained = request("grüße/über", "ja");
    retained.retain = true;
    for (const auto& one : {request("a"), request("a/b", "1"), request(topic, large), retained}) {
        std::string encoded;
        ASSERT_TRUE(encode(GetParam(), Publish{0, one.topic, one.payload, one.qos, one.retain, false, {}}, encoded));
        EXPECT_EQ(run_of({one}).octets, encoded);
    }
}

TEST_P(Run, ComesApartAgain) {
    auto retained = request("grüße/über", "ja");
    retained.retain = true;
    const std::string large(20'000, 'x');
    const std::vector<PublishRequest> all = {request("a"), retained, request("b", large), request("c", "!")};
    auto rest = run_of(all).octets;
    for (const auto& one : all) {
        const auto same = take_from_run(GetParam(), rest);
        EXPECT_EQ(same.topic, one.topic);
        EXPECT_EQ(same.payload, one.payload);
        EXPECT_EQ(same.retain, one.retain);
        EXPECT_EQ(same.qos, QoS::at_most_once);
    }
    EXPECT_TRUE(rest.empty());
}

TEST_P(Run, GoesAsItIsWhenNothingIsInTheWay) {
    Peer peer(options());
    peer.connect();
    peer.forget_events();
    EXPECT_TRUE(peer.engine.pass(peer.now, run_of({request("a"), request("b")})));
    EXPECT_FALSE(peer.engine.has_output()) << "the shell has it";
    EXPECT_EQ(peer.engine.counters().sent_at_most_once, 2u);
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Run, IsASignOfLife) {
    auto keeping = options();
    keeping.keep_alive = 10s;
    Peer peer(keeping);
    peer.connect();
    peer.pass(9s);
    peer.message("from/the/broker", QoS::at_most_once);
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
    peer.pass(9s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Run, WaitsForAConnection) {
    Peer peer(options());
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
    peer.start();
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
    peer.open();
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run())) << "before CONNACK";
    peer.close();
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(Run, DoesNotOvertakeWhatIsQueued) {
    auto narrow = options();
    narrow.max_in_flight = 1;
    Peer peer(narrow);
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run())) << "in flight is not in the way";
    peer.publish("b", QoS::at_least_once);
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
    peer.puback(peer.sent<Publish>().id);
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(Run, DoesNotOvertakeWhatIsSentAgain) {
    auto lasting = options();
    lasting.session = {.clean_start = false, .expiry = 1h};
    lasting.output_high_water = 1; // one packet at a time
    Peer peer(lasting);
    peer.connect();
    for (int i = 0; i < 3; ++i) peer.publish("a", QoS::at_least_once);
    peer.lose_connection();
    peer.forget_sent();
    peer.writes_hang = true;
    peer.connect(true);
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(Run, WaitsWhileMuchIsUnwritten) {
    auto low = options();
    low.output_high_water = 100;
    Peer peer(low);
    peer.connect();
    const std::string payload(100, 'x');
    EXPECT_TRUE(peer.engine.pass(peer.now, run_of({request("a", payload)})));
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run())) << "the run is output too";
    peer.wrote(104 + (v5() ? 1 : 0));
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(RunOnMqtt5, OfRetainedMessagesNeedsABrokerThatTakesThem) {
    Peer peer(options());
    peer.connect(false, Properties{}.set(property::retain_available, 0));
    auto retained = request("a", "1");
    retained.retain = true;
    EXPECT_FALSE(peer.engine.pass(peer.now, run_of({request("a"), retained})));
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(RunOnMqtt5, OfLargePacketsNeedsABrokerThatTakesThem) { // [MQTT-3.2.2-15]
    Peer peer(options());
    peer.connect(false, Properties{}.set(property::maximum_packet_size, 50));
    const std::string payload(60, 'x');
    EXPECT_FALSE(peer.engine.pass(peer.now, run_of({request("a"), request("a", payload), request("a")})));
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(RunOnMqtt5, LeavesAliasesToTheEngine) {
    for (const auto aliases : {TopicAliases::automatic, TopicAliases::off}) {
        auto with = options();
        with.topic_aliases = aliases;
        Peer peer(with);
        peer.connect(false, Properties{}.set(property::topic_alias_maximum, 5));
        EXPECT_EQ(peer.engine.pass(peer.now, any_run()), aliases == TopicAliases::off);
    }
}

TEST_P(Run, KeepsToThePace) {
    for (const auto& limits : {PeerLimits{.publishes = {100, 0}}, PeerLimits{.octets = {100'000, 0}}}) {
        auto slow = options();
        slow.limits = limits;
        Peer peer(slow);
        peer.connect();
        EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
    }
}

TEST_P(Run, IsNotSentByOneWhoStops) {
    Peer peer(options());
    peer.connect();
    peer.publish("a", QoS::at_least_once);
    peer.stop(10s);
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
}

TEST_P(Run, WaitsForTheConnectionWithNewCredentials) {
    Peer peer(options());
    peer.engine.set_credentials({}, peer.now + 10s);
    peer.connect();
    peer.publish("a", QoS::at_least_once); // in flight when they have to be renewed
    EXPECT_TRUE(peer.engine.pass(peer.now, any_run()));
    peer.pass(11s);
    EXPECT_FALSE(peer.engine.pass(peer.now, any_run()));
}

} // namespace
} // namespace tortoise::core::testing
