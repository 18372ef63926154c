// The life of a handler: begun and ended once for each life of its connection; and nothing is left of a connection.
#include "support/options.hpp"
#include "support/resident.hpp"
#include <cstdlib>

namespace tortoise::test {
namespace {

/// Counts its lives.
struct Counted : Handler {
    struct Counts {
        std::atomic<int> made{0}, gone{0}, begun{0}, ended{0}, out_of_turn{0};
    };
    explicit Counted(Counts* c) : counts(c) { ++counts->made; }
    ~Counted() override { ++counts->gone; }
    void init(Connection&) override {
        ++counts->begun;
        if (std::exchange(state, 1) != 0) ++counts->out_of_turn;
    }
    void terminate(const Error&) noexcept override {
        ++counts->ended;
        if (std::exchange(state, 2) != 1) ++counts->out_of_turn;
    }
    Actions connection(Connection&, const StatusInfo&) override { return in_turn(); }
    Actions subscription(Connection&, const FilterStatus&) override { return in_turn(); }
    Actions message(Connection&, const MessageView& m) override {
        in_turn();
        if (m.text() == "crash") throw std::runtime_error("ouch");
        return {};
    }
    Actions in_turn() {
        if (state != 1) ++counts->out_of_turn;
        return {};
    }
    Counts* const counts;
    int state = 0;
};

class HandlerLife : public BothVersions {
protected:
    ConnectionOptions counted() {
        auto o = options(Recorder(), broker.url());
        o.client_id = "counted";
        o.handler = make_handler<Counted>(&counts);
        o.subscriptions = {{"t", QoS::at_least_once}};
        return o;
    }
    void expect_lives(int lives) {
        EXPECT_EQ(counts.made, lives);
        EXPECT_EQ(counts.begun, lives);
        EXPECT_EQ(counts.ended, lives);
        EXPECT_EQ(counts.gone, lives);
        EXPECT_EQ(counts.out_of_turn, 0);
    }
    testing::Broker broker;
    Counted::Counts counts;
};

TEST_P(HandlerLife, isOneOverReconnects) {
    {
        Connection c{counted()};
        for (int i = 0; i < 5; ++i) {
            ASSERT_TRUE(c.wait_until_up(patience));
            auto lost = c.ping();
            c.reconnect();
            static_cast<void>(lost.wait(patience));
            ASSERT_TRUE(c.subscribe("x").wait(patience));
        }
    }
    expect_lives(1);
}

TEST_P(HandlerLife, isOnePerLifeUnderASupervisor) {
    constexpr int crashes = 20;
    {
        Supervisor s({.max_restarts = crashes});
        ASSERT_TRUE(s.start({.connection = counted()}));
        Connection outsider{options(Recorder(), broker.url())};
        for (int i = 0; i < crashes; ++i) {
            while (counts.made <= i) std::this_thread::yield();
            auto c = find_connection("counted");
            while (!c || !c->subscribe({"t", QoS::at_least_once}).wait(patience)) c = find_connection("counted");
            ASSERT_TRUE(outsider.publish("t", "crash", {.qos = QoS::at_least_once}).wait(patience));
            while (counts.made <= i + 1) std::this_thread::yield();
        }
    }
    expect_lives(crashes + 1);
}

TEST_P(HandlerLife, neverBeginsIfTheOptionsAreRefused) {
    auto o = counted();
    o.server = "gopher://x";
    { Connection c{std::move(o)}; }
    expect_lives(0);
}

TORTOISE_BOTH_VERSIONS(HandlerLife);

// TORTOISE_TEST_CYCLES=100000 for the whole of it.
TEST(Cycles, ofConnectingAndDisconnectingLeaveMemoryFlat) {
    const char* const wanted = std::getenv("TORTOISE_TEST_CYCLES");
    const int cycles = wanted ? std::atoi(wanted) : 1000;
    testing::Broker broker;
    const auto cycle = [&](int i) {
        ConnectionOptions o{.client_id = "cycle", .server = broker.url()};
        o.session.expiry = 0s;
        o.subscriptions = {{"t"}};
        Connection c{std::move(o)};
        ASSERT_TRUE(c.ready().wait(patience)) << i;
        ASSERT_TRUE(c.publish("t", "x", {.qos = QoS::at_least_once}).wait(patience)) << i;
    };
    const int warm_up = std::max(cycles / 10, 200);
    for (int i = 0; i < warm_up; ++i) cycle(i);
    const auto before = resident_kib();
    for (int i = 0; i < cycles; ++i) cycle(i);
    const auto after = resident_kib();
    std::printf("%d cycles: %ld KiB before, %ld KiB after\n", cycles, before, after);
    // 100 bytes lost per cycle would be 9.5 MiB in 100,000; sanitizers keep what was freed, so that there it says
    // nothing.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(after - before, 4096);
#endif
}

} // namespace
} // namespace tortoise::test
