// A peer that reads no more: what waits keeps its bounds, and the queue its policy.
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include <tortoise/core/work_list.hpp>

namespace tortoise::test {
namespace {

class DeafPeer : public BothVersions {
protected:
    DeafServer server{connack(version())};
    Recorder recorder;
    const std::string kibibyte = std::string(1024, 'x');

    /// How many of QoS 0 are taken before one is refused.
    int taken_of(const std::string& payload, Connection& c) {
        for (int taken = 0;; ++taken) {
            const auto delivery = c.publish("t", payload);
            if (*delivery.peek()) continue;
            EXPECT_EQ(delivery.peek()->error().code, Errc::queue_full);
            return taken;
        }
    }
    /// Most of them have to give way, for there is room for ten.
    void expect_the_oldest_to_give_way(Connection& c) {
        std::vector<Delivery> deliveries;
        for (int i = 0; i < 20'000; ++i) deliveries.push_back(c.publish("t", kibibyte, {.qos = QoS::at_least_once}));
        const auto result = deliveries[19'000].wait(patience);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::displaced) << result.error().describe();
        EXPECT_FALSE(deliveries.back().done()) << "the newest are kept";
    }
};

TEST_P(DeafPeer, isNotSentMoreThanTheQueueHasRoomForInOctets) {
    Connection c{options(recorder, server.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_LT(taken_of(std::string(1 << 20, 'x'), c), 500);
}

TEST_P(DeafPeer, isNotSentMoreThanTheQueueHasRoomForInMessages) {
    Connection c{options(recorder, server.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_LT(taken_of(kibibyte, c), 40'000) << "the sockets' buffers take some thousand";
}

TEST_P(DeafPeer, letsTheOldestGiveWay) {
    auto o = options(recorder, server.url());
    o.queue = {.messages = 10, .overflow = Overflow::drop_oldest};
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    expect_the_oldest_to_give_way(c);
}

TEST_P(DeafPeer, leavesItToAWorkListOfOnesOwnWhoGivesWay) {
    auto o = options(recorder, server.url());
    o.work_list = [] { return core::make_work_list({.messages = 10, .overflow = Overflow::drop_oldest}).release(); };
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    expect_the_oldest_to_give_way(c);
}

TORTOISE_BOTH_VERSIONS(DeafPeer);

} // namespace
} // namespace tortoise::test
