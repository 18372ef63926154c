// The broker dies fifty times under load, and keeps its sessions: nothing is lost, and QoS 2 comes once.
#include "support/options.hpp"
#include <map>
#include <thread>

namespace tortoise::test {
namespace {

class Killing : public BothVersions {};

TEST_P(Killing, theBrokerLosesNothingAndDoublesNothingOfQos2) {
    constexpr int kills = 50;
    testing::Broker broker;

    struct Arrived {
        std::mutex mutex;
        std::map<std::string, int> qos_1, qos_2; // how often each payload came
    } arrived;
    struct Counting : Handler {
        explicit Counting(Arrived* a) : to(a) {}
        Actions message(Connection&, const MessageView& m) override {
            std::lock_guard lock(to->mutex);
            ++(m.qos == QoS::exactly_once ? to->qos_2 : to->qos_1)[std::string(m.payload)];
            return {};
        }
        Arrived* to;
    };
    const auto kept = [&](const char* id, HandlerFactory handler) {
        auto o = options_for(broker.url(), version(), Recorder());
        o.client_id = id;
        o.session.clean_start = false;
        o.handler = std::move(handler);
        return o;
    };
    auto receiving = kept("receiver", make_handler<Counting>(&arrived));
    receiving.subscriptions = {{"load/+", QoS::exactly_once}};
    Connection receiver{std::move(receiving)};
    // Once it is there, the session holds the subscription over every kill.
    auto subscribed = receiver.subscribe({"load/+", QoS::exactly_once}).wait(patience);
    ASSERT_TRUE(subscribed) << subscribed.error().describe();

    Recorder watching;
    Connection sender{kept("sender", watching.factory())};
    std::atomic<bool> enough{false};
    std::atomic<int> delivered{0}, failed{0};
    int published = 0;
    std::thread load([&] {
        while (!enough) {
            // Never more than a window of them, so that the queue does not refuse any.
            if (published - delivered - failed > 200) {
                std::this_thread::yield();
                continue;
            }
            const auto qos = published % 2 ? QoS::exactly_once : QoS::at_least_once;
            sender.publish("load/x", std::to_string(published++), {.qos = qos}).on_done([&](const auto& r) {
                ++(r ? delivered : failed);
            });
        }
    });
    for (int i = 0; i < kills; ++i) {
        ASSERT_TRUE(watching.wait_for(Status::up, static_cast<std::size_t>(i) + 1));
        const int before = delivered;
        while (delivered < before + 20 && failed == 0) std::this_thread::yield(); // let it do some work
        broker.stop();
        ASSERT_TRUE(broker.start());
    }
    enough = true;
    load.join();
    ASSERT_TRUE(sender.stop(patience).wait(patience));
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(delivered, published);

    // The last of what the broker has for the receiver: a message sent after all others, in order.
    Recorder last_words;
    Connection last{kept("last", last_words.factory())};
    ASSERT_TRUE(last.publish("load/x", "the end", {.qos = QoS::exactly_once}).wait(patience));
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto ended = [&] {
        std::lock_guard lock(arrived.mutex);
        return arrived.qos_2.contains("the end");
    };
    while (!ended() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_TRUE(receiver.stop(patience).wait(patience));

    std::lock_guard lock(arrived.mutex);
    for (int i = 0; i < published; ++i) {
        if (i % 2)
            ASSERT_EQ(arrived.qos_2[std::to_string(i)], 1) << i;
        else
            ASSERT_GE(arrived.qos_1[std::to_string(i)], 1) << i;
    }
    EXPECT_EQ(arrived.qos_2["the end"], 1);
}

TORTOISE_BOTH_VERSIONS(Killing);

} // namespace
} // namespace tortoise::test
