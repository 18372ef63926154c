// From many threads to one, in order, within a bound.
#include "io/mailbox.hpp"
#include <gmock/gmock.h>
#include <thread>

namespace tortoise::io {
namespace {

using Put = Mailbox::Put;
using ::testing::ElementsAre;

core::PublishRequest request(std::string_view topic, Octets payload = {}) {
    return {.topic = topic, .payload = payload};
}

/// Takes everything out, and writes down what it was.
std::vector<std::string> emptied(Mailbox& mailbox) {
    std::vector<std::string> out;
    Mailbox::Batch batch;
    while (mailbox.take(batch)) {
        while (!batch.empty()) {
            mailbox.next(
                batch,
                [&](const core::PublishRequest& p, Time) {
                    out.push_back(std::string(p.topic) + "=" + std::string(p.payload));
                },
                [&](Mailbox::Call call) {
                    call(nullptr);
                    out.push_back("call");
                });
        }
    }
    return out;
}

TEST(Mailbox, keepsTheOrderOfPublishesAndCalls) {
    Mailbox mailbox(1000);
    int calls = 0;
    mailbox.put(request("a", "1"), {});
    mailbox.put([&](const Error* ended) { calls += ended ? 0 : 1; });
    mailbox.put(request("b"), {});
    mailbox.put([&](const Error* ended) { calls += ended ? 0 : 1; });
    EXPECT_THAT(emptied(mailbox), ElementsAre("a=1", "call", "b=", "call"));
    EXPECT_EQ(calls, 2);
}

TEST(Mailbox, carriesEveryFieldOfAPublish) {
    Mailbox mailbox(1000);
    Properties properties;
    properties.set(property::content_type, "text");
    core::PublishRequest full{
        .topic = "t", .payload = std::string_view("\0x", 2), .qos = QoS::exactly_once, .retain = true};
    full.priority = -7;
    full.ttl = std::chrono::milliseconds(5);
    full.properties = properties;
    full.token = 42;
    const Time at(std::chrono::seconds(3));
    mailbox.put(full, at);
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    mailbox.next(
        batch,
        [&](const core::PublishRequest& p, Time when) {
            EXPECT_EQ(p.topic, "t");
            EXPECT_EQ(p.payload, std::string_view("\0x", 2));
            EXPECT_EQ(p.qos, QoS::exactly_once);
            EXPECT_TRUE(p.retain);
            EXPECT_EQ(p.priority, -7);
            EXPECT_EQ(p.ttl, Duration(std::chrono::milliseconds(5)));
            EXPECT_EQ(p.properties.get(property::content_type), "text");
            EXPECT_EQ(p.token, 42u);
            EXPECT_EQ(when, at);
        },
        [](Mailbox::Call) { ADD_FAILURE(); });
    EXPECT_TRUE(batch.empty());
}

TEST(Mailbox, keepsTheOrderOverChunksOfAllSizes) {
    Mailbox mailbox(64 << 20);
    std::vector<std::string> put;
    for (const std::size_t size : {1u, 7u, 900u, 5'000u, 63'000u, 200'000u, 3u, 70'000u}) {
        for (int i = 0; i < 50; ++i) {
            const std::string payload(size + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
            ASSERT_NE(mailbox.put(request("topic", payload), {}), Put::full);
            put.push_back("topic=" + payload);
        }
    }
    for (int round = 0; round < 3; ++round) { // with chunks that were used before
        EXPECT_TRUE(emptied(mailbox) == put);
        for (const auto& p : put) mailbox.put(request("topic", std::string_view(p).substr(6)), {});
    }
    EXPECT_EQ(mailbox.publishes(), 4 * put.size());
}

TEST(Mailbox, wakesItsConsumerOnceUntilItSleepsAgain) {
    Mailbox mailbox(1000);
    EXPECT_EQ(mailbox.put(request("a"), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("a"), {}), Put::taken);
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    EXPECT_EQ(mailbox.put(request("a"), {}), Put::taken) << "whoever takes comes again";
    ASSERT_TRUE(mailbox.take(batch));
    EXPECT_FALSE(mailbox.take(batch));
    EXPECT_EQ(mailbox.put(request("a"), {}), Put::taken_by_sleeper);
}

TEST(Mailbox, refusesWhatDoesNotFitUntilThereIsRoom) {
    Mailbox mailbox(1000);
    const std::string large(700, 'x');
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::full);
    EXPECT_EQ(mailbox.put([](const Error*) {}, 900), Put::full);
    EXPECT_EQ(mailbox.put([](const Error*) {}), Put::taken) << "what must get through does";
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::full) << "taken out is not consumed";
    mailbox.next(
        batch, [](const core::PublishRequest&, Time) {}, [](Mailbox::Call) {});
    mailbox.give_back(batch);
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::taken);
}

TEST(Mailbox, takesOneThatIsLargerThanItsBoundIfItIsEmpty) {
    Mailbox mailbox(10);
    EXPECT_EQ(mailbox.put(request("a", std::string(100, 'x')), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("b"), {}), Put::full);
}

TEST(Mailbox, letsUrgentCallsOvertake) {
    Mailbox mailbox(10);
    mailbox.put(request("a", std::string(100, 'x')), {});
    int urgent = 0;
    EXPECT_EQ(mailbox.put_urgent([&](const Error*) { ++urgent; }), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put_urgent([&](const Error*) { ++urgent; }), Put::taken);
    std::vector<Mailbox::Call> calls;
    ASSERT_TRUE(mailbox.take_urgent(calls));
    for (auto& call : calls) call(nullptr);
    EXPECT_EQ(urgent, 2);
    calls.clear();
    EXPECT_FALSE(mailbox.take_urgent(calls));
}

TEST(Mailbox, thatIsClosedRefusesAndCanStillBeEmptied) {
    Mailbox mailbox(1000);
    mailbox.put(request("a", "1"), {});
    mailbox.close();
    EXPECT_EQ(mailbox.put(request("b"), {}), Put::closed);
    EXPECT_EQ(mailbox.put([](const Error*) {}), Put::closed);
    EXPECT_EQ(mailbox.put_urgent([](const Error*) {}), Put::closed);
    EXPECT_THAT(emptied(mailbox), ElementsAre("a=1"));
}

TEST(Mailbox, losesNothingAmongThreads) {
    Mailbox mailbox(1 << 24);
    constexpr int threads = 4, each = 5'000;
    std::vector<std::thread> producers;
    std::atomic<int> wakes{0};
    for (int t = 0; t < threads; ++t) {
        producers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                const auto payload = std::to_string(i);
                if (mailbox.put(request(std::to_string(t), payload), {}) == Put::taken_by_sleeper) ++wakes;
            }
        });
    }
    std::vector<int> next(threads, 0);
    Mailbox::Batch batch;
    for (int taken = 0; taken < threads * each;) {
        if (!mailbox.take(batch)) std::this_thread::yield();
        for (; !batch.empty(); ++taken) {
            mailbox.next(
                batch,
                [&](const core::PublishRequest& p, Time) {
                    auto& expected = next[static_cast<std::size_t>(p.topic[0] - '0')];
                    EXPECT_EQ(p.payload, std::to_string(expected++));
                },
                [](Mailbox::Call) {});
        }
    }
    for (auto& p : producers) p.join();
    EXPECT_GE(wakes, 1);
}

} // namespace
} // namespace tortoise::io
