// From many threads to one, in order, within a bound.
#include "core/publish_run.hpp"
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

std::string words(const core::PublishRequest& p) { return std::string(p.topic) + "=" + std::string(p.payload); }

/// What is in the run, in its order.
std::vector<std::string> words(core::PublishRun run, Version version = Version::v5) {
    std::vector<std::string> out;
    while (!run.octets.empty()) out.push_back(words(core::take_from_run(version, run.octets)));
    EXPECT_EQ(out.size(), run.count);
    return out;
}

constexpr auto no_publish = [](const core::PublishRequest&, Time) { ADD_FAILURE(); };
constexpr auto no_run = [](const core::PublishRun&, core::Token) { ADD_FAILURE(); };
constexpr auto no_call = [](Mailbox::Call) { ADD_FAILURE(); };

/// Takes everything out, and writes down what it was.
std::vector<std::string> emptied(Mailbox& mailbox) {
    std::vector<std::string> out;
    Mailbox::Batch batch;
    while (mailbox.take(batch)) {
        while (!batch.empty()) {
            mailbox.next(
                batch, [&](const core::PublishRequest& p, Time) { out.push_back(words(p)); },
                [&](const core::PublishRun& run, core::Token) {
                    for (auto& one : words(run)) out.push_back(std::move(one));
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
    Mailbox mailbox(Version::v5, 1000);
    int calls = 0;
    mailbox.put(request("a", "1"), {});
    mailbox.put([&](const Error* ended) { calls += ended ? 0 : 1; });
    mailbox.put(request("b"), {});
    mailbox.put([&](const Error* ended) { calls += ended ? 0 : 1; });
    EXPECT_THAT(emptied(mailbox), ElementsAre("a=1", "call", "b=", "call"));
    EXPECT_EQ(calls, 2);
}

TEST(Mailbox, carriesEveryFieldOfAPublish) {
    Mailbox mailbox(Version::v5, 1000);
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
        no_run, no_call);
    EXPECT_TRUE(batch.empty());
}

struct Taken {
    std::vector<std::string> words;
    std::size_t largest;
    bool retained;
    core::Token token;
    friend bool operator==(const Taken&, const Taken&) = default;
};

std::vector<Taken> runs(Mailbox& mailbox, Version version) {
    std::vector<Taken> out;
    Mailbox::Batch batch;
    while (mailbox.take(batch)) {
        while (!batch.empty()) {
            const auto run = [&](const core::PublishRun& r, core::Token token) {
                out.push_back({words(r, version), r.largest, r.retained, token});
            };
            mailbox.next(batch, no_publish, run, no_call);
        }
    }
    return out;
}

TEST(Mailbox, makesARunOfPlainPublishesOfOneToken) {
    for (const auto version : {Version::v3_1_1, Version::v5}) {
        Mailbox mailbox(version, 10'000);
        const std::size_t more = version == Version::v5 ? 1 : 0; // the length of no properties
        const std::string large(200, 'x');
        auto kept = request("retained", "!");
        kept.retain = true;
        auto others = request("other", large);
        others.token = 7;
        for (const auto& one : {request("a", "1"), request("b"), kept, others, others, request("a", "2")})
            mailbox.put(one, {});
        const std::size_t of_kept = 2 + 2 + 8 + 1 + more, of_others = 3 + 2 + 5 + 200 + more,
                          of_a = 2 + 2 + 1 + 1 + more;
        EXPECT_THAT(runs(mailbox, version),
                    ElementsAre(Taken{{"a=1", "b=", "retained=!"}, of_kept, true, 0},
                                Taken{{"other=" + large, "other=" + large}, of_others, false, 7},
                                Taken{{"a=2"}, of_a, false, 0}));
    }
}

TEST(Mailbox, putsNothingIntoARunThatIsMoreThanAPacketOrWaitsForAnAnswer) {
    Mailbox mailbox(Version::v5, 10'000);
    const Properties properties = Properties().set(property::content_type, "text");
    auto prior = request("a"), short_lived = request("a"), rich = request("a"), acknowledged = request("a");
    prior.priority = 1;
    short_lived.ttl = std::chrono::seconds(1);
    rich.properties = properties;
    acknowledged.qos = QoS::at_least_once;
    for (const auto& one : {prior, short_lived, rich, acknowledged}) mailbox.put(one, {});
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    int count = 0;
    while (!batch.empty())
        mailbox.next(
            batch, [&](const core::PublishRequest&, Time) { ++count; }, no_run, no_call);
    EXPECT_EQ(count, 4);
}

// What was taken out is read while others publish.
TEST(Mailbox, beginsAnotherRunWhenOneWasTakenOut) {
    Mailbox mailbox(Version::v5, 10'000);
    mailbox.put(request("a", "1"), {});
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    mailbox.put(request("a", "2"), {});
    std::vector<std::string> first;
    const auto run = [&](const core::PublishRun& r, core::Token) { first = words(r); };
    while (!batch.empty()) mailbox.next(batch, no_publish, run, no_call);
    EXPECT_THAT(first, ElementsAre("a=1"));
    mailbox.give_back(batch);
    EXPECT_THAT(emptied(mailbox), ElementsAre("a=2"));
}

TEST(Mailbox, keepsTheOrderOverChunksOfAllSizes) {
    Mailbox mailbox(Version::v5, 64 << 20);
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
    Mailbox mailbox(Version::v5, 1000);
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
    Mailbox mailbox(Version::v5, 1000);
    const std::string large(700, 'x');
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::full);
    EXPECT_EQ(mailbox.put([](const Error*) {}, 900), Put::full);
    EXPECT_EQ(mailbox.put([](const Error*) {}), Put::taken) << "what must get through does";
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::full) << "taken out is not consumed";
    mailbox.next(
        batch, no_publish, [](const core::PublishRun&, core::Token) {}, no_call);
    mailbox.give_back(batch);
    EXPECT_EQ(mailbox.put(request("a", large), {}), Put::taken);
}

TEST(Mailbox, refusesMorePublishesThanItMayHaveUntilSomeAreConsumed) {
    Mailbox mailbox(Version::v5, 1'000'000, 3);
    EXPECT_EQ(mailbox.put(request("a"), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("b"), {}), Put::taken);
    auto answered = request("c");
    answered.qos = QoS::at_least_once;
    EXPECT_EQ(mailbox.put(answered, {}), Put::taken);
    EXPECT_EQ(mailbox.put(request("d"), {}), Put::full);
    EXPECT_EQ(mailbox.put(answered, {}), Put::full);
    EXPECT_EQ(mailbox.put([](const Error*) {}, 10), Put::taken) << "calls are not counted";
    Mailbox::Batch batch;
    ASSERT_TRUE(mailbox.take(batch));
    EXPECT_EQ(mailbox.put(request("d"), {}), Put::full) << "taken out is not consumed";
    mailbox.next(
        batch, no_publish, [](const core::PublishRun&, core::Token) {}, no_call);
    mailbox.give_back(batch);
    EXPECT_EQ(mailbox.put(request("d"), {}), Put::taken) << "the run of two made room for two";
    EXPECT_EQ(mailbox.put(answered, {}), Put::taken);
    EXPECT_EQ(mailbox.put(answered, {}), Put::full);
    EXPECT_EQ(mailbox.publishes(), 5u);
}

TEST(Mailbox, takesOneThatIsLargerThanItsBoundIfItIsEmpty) {
    Mailbox mailbox(Version::v5, 10);
    EXPECT_EQ(mailbox.put(request("a", std::string(100, 'x')), {}), Put::taken_by_sleeper);
    EXPECT_EQ(mailbox.put(request("b"), {}), Put::full);
}

TEST(Mailbox, letsUrgentCallsOvertake) {
    Mailbox mailbox(Version::v5, 10);
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
    Mailbox mailbox(Version::v5, 1000);
    mailbox.put(request("a", "1"), {});
    mailbox.close();
    EXPECT_EQ(mailbox.put(request("b"), {}), Put::closed);
    EXPECT_EQ(mailbox.put([](const Error*) {}), Put::closed);
    EXPECT_EQ(mailbox.put_urgent([](const Error*) {}), Put::closed);
    EXPECT_THAT(emptied(mailbox), ElementsAre("a=1"));
}

TEST(Mailbox, losesNothingAmongThreads) {
    Mailbox mailbox(Version::v5, 1 << 24);
    constexpr int threads = 4, each = 5'000;
    std::vector<std::thread> producers;
    std::atomic<int> wakes{0};
    for (int t = 0; t < threads; ++t) {
        producers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                const auto topic = std::to_string(t), payload = std::to_string(i);
                auto one = request(topic, payload);
                one.qos = i % 5 == 0 ? QoS::at_least_once : QoS::at_most_once;
                if (mailbox.put(one, {}) == Put::taken_by_sleeper) ++wakes;
            }
        });
    }
    std::vector<int> next(threads, 0);
    Mailbox::Batch batch;
    for (int taken = 0; taken < threads * each;) {
        if (!mailbox.take(batch)) std::this_thread::yield();
        while (!batch.empty()) {
            const auto arrived = [&](const core::PublishRequest& p, Time = {}) {
                auto& expected = next[static_cast<std::size_t>(p.topic[0] - '0')];
                EXPECT_EQ(p.payload, std::to_string(expected++));
                ++taken;
            };
            const auto run = [&](core::PublishRun r, core::Token) {
                while (!r.octets.empty()) arrived(core::take_from_run(Version::v5, r.octets));
            };
            mailbox.next(batch, arrived, run, no_call);
        }
    }
    for (auto& p : producers) p.join();
    EXPECT_GE(wakes, 1);
}

} // namespace
} // namespace tortoise::io
