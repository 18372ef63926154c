// Many connections, many threads.
#include "support/options.hpp"
#include <thread>

namespace tortoise::test {
namespace {

TEST(Runtime, carriesAHundredConnectionsOnTwoThreads) {
    testing::Broker broker;
    Runtime runtime(2);
    EXPECT_EQ(runtime.threads(), 2u);
    Recorder recorder;
    std::vector<Connection> connections;
    constexpr int count = 100;
    for (int i = 0; i < count; ++i) {
        auto o = options_for(broker.url(), i % 2 ? Version::v5 : Version::v3_1_1, recorder);
        o.subscriptions = {{"to/" + std::to_string(i), QoS::at_least_once}};
        connections.emplace_back(std::move(o), runtime);
    }
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == count; }));
    EXPECT_EQ(broker.statistics().connections, std::uint64_t{count});
    for (int i = 0; i < count; ++i) {
        connections[i].publish("to/" + std::to_string((i + 1) % count), "x", {.qos = QoS::at_least_once});
    }
    ASSERT_TRUE(recorder.wait_for_messages(count));
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2 * count));
    connections.clear();
    EXPECT_EQ(recorder.seen().terminated.size(), std::size_t{count});
}

class Threads : public BothVersions {};

TEST_P(Threads, mayAllPublishAtTheSameTime) {
    testing::Broker broker;
    Recorder recorder;
    auto o = options(recorder, broker.url());
    o.client_id = "busy";
    o.session.clean_start = false;
    o.subscriptions = {{"thread/#", QoS::exactly_once}};
    Connection c{std::move(o)};
    constexpr int threads = 4, each = 500;
    std::atomic<int> delivered{0};
    std::vector<std::thread> publishers;
    for (int t = 0; t < threads; ++t) {
        publishers.emplace_back([&, t] {
            const auto topic = "thread/" + std::to_string(t);
            for (int i = 0; i < each; ++i) {
                auto d = c.publish(topic, std::to_string(i), {.qos = i % 2 ? QoS::exactly_once : QoS::at_least_once});
                if (i % 100 == 99) {
                    EXPECT_TRUE(d.wait(patience));
                }
                d.on_done([&](const Result<Receipt>& r) { delivered += r ? 1 : 0; });
                static_cast<void>(c.status());
                static_cast<void>(c.error());
                if (i % 50 == 0) c.subscribe("also/" + topic + std::to_string(i));
                if (i % 50 == 25) static_cast<void>(c.subscriptions());
            }
        });
    }
    ASSERT_TRUE(recorder.wait_for_messages(threads * each / 2));
    broker.drop_connections();
    for (auto& p : publishers) p.join();
    ASSERT_TRUE(c.stop(patience).wait(patience));
    EXPECT_EQ(delivered, threads * each);
    EXPECT_EQ(c.subscriptions().size(), 1u + threads * each / 50);
}

TORTOISE_BOTH_VERSIONS(Threads);

} // namespace
} // namespace tortoise::test
