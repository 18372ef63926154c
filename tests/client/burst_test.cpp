// Many publishes at once, which go to the loop as runs of packets, and what comes between and behind them.
#include "support/options.hpp"

namespace tortoise::test {
namespace {

class Burst : public BothVersions {
protected:
    testing::Broker broker;
    Recorder recorder;
};

/// Its number, and filling.
std::string payload_of(int number, std::size_t size) {
    auto payload = std::to_string(number) + ' ';
    payload.resize(std::max(payload.size(), size), 'x');
    return payload;
}

TEST_P(Burst, keepsTheOrderOfEachQosWhateverTheSizes) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.subscribe({"numbers", QoS::exactly_once}).wait(patience));
    constexpr int count = 6'000;
    constexpr std::size_t sizes[] = {0, 10, 400, 3'000, 70'000};
    const auto qos_of = [](int i) { return i / 50 % 4 == 3 ? static_cast<QoS>(i % 3) : QoS::at_most_once; };
    for (int i = 0; i < count; ++i)
        c.publish("numbers", payload_of(i, sizes[i % 200 == 0 ? 4 : i % 4]), {.qos = qos_of(i)});
    ASSERT_TRUE(recorder.wait_for_messages(count));
    int last[3] = {-1, -1, -1};
    for (const auto& message : recorder.seen().messages) {
        const int number = std::stoi(message.payload);
        ASSERT_EQ(message.payload, payload_of(number, sizes[number % 200 == 0 ? 4 : number % 4]));
        ASSERT_EQ(message.qos, qos_of(number));
        EXPECT_GT(number, std::exchange(last[static_cast<int>(message.qos)], number));
    }
}

// The loop comes again by itself for a while, and then has to be woken.
TEST_P(Burst, isFollowedByASingleOneAtAnyTime) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.subscribe({"numbers", QoS::at_most_once}).wait(patience));
    int published = 0;
    for (int round = 0; round < 300; ++round) {
        for (int i = 0; i < 100; ++i, ++published) c.publish("numbers", std::to_string(published));
        for (int i = 0; i < round; ++i) std::this_thread::yield();
        c.publish("numbers", std::to_string(published++));
        ASSERT_TRUE(recorder.wait_for_messages(static_cast<std::size_t>(published))) << "round " << round;
    }
}

TEST_P(Burst, isSentWhenTheConnectionIsThere) {
    Connection c{options(recorder, broker.url())};
    for (int i = 0; i < 500; ++i) c.publish("early", std::to_string(i), {.retain = i == 499});
    ASSERT_TRUE(c.wait_until_up(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    ASSERT_TRUE(c.subscribe({"early", QoS::at_most_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().messages[0].payload, "499");
    EXPECT_EQ(c.statistics().published, 500u);
}

TEST_P(Burst, isToldOfWhenTheConnectionStops) {
    Connection c{options(recorder, "unix:///nobody/is/here")};
    for (int i = 0; i < 200; ++i) c.publish("a", std::to_string(i));
    ASSERT_TRUE(c.stop().wait(patience));
    EXPECT_EQ(recorder.seen().undelivered.size(), 200u);
}

TEST_P(Burst, ofAPipeIsCountedToItsLast) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.wait_until_up(patience));
    Pipe pipe(c, {.window = 64});
    for (int i = 0; i < 5'000; ++i)
        ASSERT_TRUE(pipe.publish("a", std::to_string(i), {.qos = static_cast<QoS>(i % 10 == 0)}));
    const auto report = pipe.await(patience);
    ASSERT_TRUE(report) << report.error().describe();
    EXPECT_EQ(report->delivered, 5'000u);
    EXPECT_EQ(report->failed, 0u);
}

TORTOISE_BOTH_VERSIONS(Burst);

} // namespace
} // namespace tortoise::test
