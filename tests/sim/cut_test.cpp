// One QoS 2 message, and the connection cut at every single octet of the conversation, in either direction, with the
// session kept or lost: the table of DESIGN, by exhaustion.
#include "sim/scenario.hpp"

namespace tortoise::sim {
namespace {

struct Fate {
    bool reached = false; // the conversation was long enough for that cut
    Post post;
    std::size_t received = 0;
};

// Client 0 publishes to client 1. The connection of `victim` is cut when `octets` octets have gone out in a direction;
// what is behind them is lost, and so is everything later.
Fate play(Version version, std::uint32_t victim, Side from, std::size_t octets, bool keep_session, QoS qos) {
    Scenario s;
    const auto sender = s.add(Scenario::plain("sender", version)), reader = s.add(Scenario::plain("reader", version));
    s.world.subscribe(reader, {{"a", qos}});
    s.world.run_for(1s);
    s.world.network.cut_after(*s.world.link(victim), from, octets);
    const auto token = s.world.publish(sender, {.topic = "a", .qos = qos});
    s.world.run_for(50ms);
    Fate fate;
    fate.reached = s.world.network.was_cut(*s.world.link(victim));
    if (fate.reached && !keep_session) {
        s.world.stop_broker();
        s.world.run_for(100ms);
        s.world.start_broker(true);
    } else if (fate.reached) {
        s.world.network.notice_everything(s.world.now());
    }
    s.world.run_for(10s);
    s.world.check_settled();
    fate.post = s.post(token);
    for (const auto& event : s.events(reader)) fate.received += event.starts_with("received");
    return fate;
}

class EveryOctet : public ::testing::TestWithParam<Version> {};
INSTANTIATE_TEST_SUITE_P(Versions, EveryOctet, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& version) { return version.param == Version::v5 ? "v5" : "v3_1_1"; });

void cut_everywhere(Version version, std::uint32_t victim, bool keep_session, QoS qos) {
    for (const Side from : {Side::client, Side::broker}) {
        std::size_t octets = 0;
        for (;; ++octets) {
            SCOPED_TRACE((from == Side::client ? "from the client, octet " : "from the broker, octet ") +
                         std::to_string(octets));
            const Fate fate = play(version, victim, from, octets, keep_session, qos);
            if (!fate.reached) break;
            if (keep_session) {
                EXPECT_EQ(fate.post.end, Post::End::delivered);
                EXPECT_GE(fate.received, 1u);
                if (qos == QoS::exactly_once) {
                    EXPECT_EQ(fate.post.routed, 1u); // [MQTT-4.3.3-10]
                    EXPECT_EQ(fate.received, 1u);
                }
                continue;
            }
            // The broker forgot everything, the reader's queue included: each message ends, and with the truth.
            EXPECT_NE(fate.post.end, Post::End::open);
            EXPECT_GE(fate.post.routed, 1u);
            if (fate.post.end == Post::End::undelivered) {
                EXPECT_EQ(fate.post.why, Errc::session_lost);
                EXPECT_EQ(fate.post.routed, 1u); // never published again
            }
        }
        EXPECT_GT(octets, 3u); // the conversation has that many octets in every direction
    }
}

TEST_P(EveryOctet, OfTheSenderWithTheSessionKept) { cut_everywhere(GetParam(), 0, true, QoS::exactly_once); }
TEST_P(EveryOctet, OfTheSenderWithTheSessionLost) { cut_everywhere(GetParam(), 0, false, QoS::exactly_once); }
TEST_P(EveryOctet, OfTheReaderWithTheSessionKept) { cut_everywhere(GetParam(), 1, true, QoS::exactly_once); }
TEST_P(EveryOctet, OfTheReaderWithTheSessionLost) { cut_everywhere(GetParam(), 1, false, QoS::exactly_once); }
TEST_P(EveryOctet, OfTheSenderAtQoS1) { cut_everywhere(GetParam(), 0, true, QoS::at_least_once); }
TEST_P(EveryOctet, OfTheReaderAtQoS1) { cut_everywhere(GetParam(), 1, true, QoS::at_least_once); }

} // namespace
} // namespace tortoise::sim
