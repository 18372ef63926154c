// A program with a store dies after every single write to it, with what was sent then on its way or not, and another
// one goes on: what was accepted arrives, at QoS 2 once, in its order.
#include "sim/scenario.hpp"

namespace tortoise::sim {
namespace {

enum class Death { before_sending, while_sending, after_sending };

struct Cut {
    std::uint64_t write = 0; // after which one the program dies; counted from the first publish
    Death death = Death::before_sending;
    bool keep_session = true;
};

struct Outcome {
    bool reached = false; // there were that many writes
    std::vector<Post> posts;
    std::vector<std::string> received;
};

class Play {
public:
    Play(Version version, Cut cut) : cut_(cut) {
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
        s_.world.network.conditions.latency_min = s_.world.network.conditions.latency_max = 1ms;
        std::uint64_t first = 0;
        s_.world.on_kept = [&](std::uint32_t client, std::uint64_t write) {
            if (client != sender_) return;
            if (first == 0) first = write;
            if (write - first == cut_.write && !outcome_.reached) die();
        };
        std::vector<core::Token> tokens;
        for (const QoS qos : messages) tokens.push_back(s_.world.publish(sender_, {.topic = "a", .qos = qos}));
        s_.world.run_for(20s);
        s_.world.on_kept = {};
        s_.world.check_settled();
        for (const auto token : tokens) outcome_.posts.push_back(s_.post(token));
        for (const auto& event : s_.events(reader_))
            if (event.starts_with("received")) outcome_.received.push_back(event.substr(event.find("message")));
        return outcome_;
    }

    /// Now, or as soon as the octets that waited for the write are on their way, or have arrived.
    void die() {
        outcome_.reached = true;
        if (cut_.death == Death::before_sending) return restart();
        s_.world.on_item = [this](const Item& item) {
            if (item.what == What::chaos) restart();
        };
        s_.world.schedule.add(s_.world.now() + (cut_.death == Death::while_sending ? 500us : 2500us), What::chaos, 0);
    }

private:
    void restart() {
        if (!cut_.keep_session) {
            s_.world.stop_broker();
            s_.world.start_broker(true);
        }
        s_.world.crash_and_restart(sender_, plan_);
    }

    Cut cut_;
    Scenario s_;
    ClientPlan plan_;
    std::uint32_t sender_ = 0, reader_ = 0;
    Outcome outcome_;
};

class EveryWrite : public ::testing::TestWithParam<Version> {
protected:
    static void cut_everywhere(std::initializer_list<QoS> messages, bool keep_session) {
        for (const Death death : {Death::before_sending, Death::while_sending, Death::after_sending}) {
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
