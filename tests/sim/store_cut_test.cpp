// A program with a store dies after every single write to it, with what was sent then on its way or not, and another
// one goes on: what was accepted arrives, at QoS 2 once, in its order.
#include "sim/killer.hpp"

namespace tortoise::sim {
namespace {

struct Outcome {
    bool reached = false; // there were that many writes
    std::vector<Post> posts;
    std::vector<std::string> received;
};

class Play {
public:
    Play(Version version, Fate fate) : fate_(fate) {
        auto options = Scenario::plain("sender", version);
        options.persistent = true;
        plan_ = {.engine = options, .disk_takes = 3ms};
        sender_ = s_.world.add_client(plan_);
        s_.world.start(sender_);
        s_.world.run_for(100ms);
        reader_ = s_.add(Scenario::plain("reader", version));
        s_.world.subscribe(reader_, {{"a", QoS::exactly_once}});
        s_.world.run_for(1s);
        s_.events(reader_);
    }

    Outcome publish(std::initializer_list<QoS> messages) {
        const Killer killer(s_.world, sender_, plan_, fate_);
        std::vector<core::Token> tokens;
        for (const QoS qos : messages) tokens.push_back(s_.world.publish(sender_, {.topic = "a", .qos = qos}));
        s_.world.run_for(20s);
        outcome_.reached = killer.reached();
        s_.world.check_settled();
        for (const auto token : tokens) outcome_.posts.push_back(s_.post(token));
        for (const auto& event : s_.events(reader_))
            if (event.starts_with("received")) outcome_.received.push_back(event.substr(event.find("message")));
        return outcome_;
    }

private:
    Fate fate_;
    Scenario s_;
    ClientPlan plan_;
    std::uint32_t sender_ = 0, reader_ = 0;
    Outcome outcome_;
};

class EveryWrite : public ::testing::TestWithParam<Version> {
protected:
    static void cut_everywhere(std::initializer_list<QoS> messages, bool keep_session) {
        for (const Death death : all_deaths) {
            std::uint64_t write = 0;
            for (;; ++write) {
                SCOPED_TRACE("after write " + std::to_string(write) + ", death " +
                             std::to_string(static_cast<int>(death)));
                const auto outcome = Play(GetParam(), {write, death, keep_session}).publish(messages);
                if (!outcome.reached) break;
                for (const auto& post : outcome.posts) {
                    if (post.qos == QoS::at_most_once) continue; // lost with the connection, for all that we know
                    if (!post.accepted && post.end == Post::End::undelivered) continue; // it died before that
                    EXPECT_GE(post.routed, 1u);
                    if (keep_session && post.qos == QoS::exactly_once) {
                        EXPECT_EQ(post.routed, 1u); // [MQTT-4.3.3-10]
                    }
                }
            }
            EXPECT_GE(write, 2u);
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, EveryWrite, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& version) { return version.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(EveryWrite, OfOneMessageAtQoS1) { cut_everywhere({QoS::at_least_once}, true); }
TEST_P(EveryWrite, OfOneMessageAtQoS2) { cut_everywhere({QoS::exactly_once}, true); }
TEST_P(EveryWrite, OfAnotherSession) { cut_everywhere({QoS::exactly_once, QoS::at_least_once}, false); }
TEST_P(EveryWrite, OfSeveralMessages) {
    cut_everywhere({QoS::exactly_once, QoS::at_least_once, QoS::exactly_once, QoS::at_most_once, QoS::at_least_once},
                   true);
}

} // namespace
} // namespace tortoise::sim
