// HandlerFailure::restart: a handler that throws gets a successor, and nothing is lost.
#include "support/options.hpp"
#include <atomic>

namespace tortoise::test {
namespace {

class HandlerRestart : public BothVersions {
protected:
    ConnectionOptions restarting(const Recorder& recorder, const std::string& url) const {
        auto o = options(recorder, url);
        o.handler_failure = HandlerFailure::restart;
        return o;
    }
    testing::Broker broker;
};

TEST_P(HandlerRestart, handsOutAgainWhatWasBeingHandled) {
    std::atomic<int> handled{0};
    Recorder recorder({.message = [&](Connection&, const MessageView&) -> Actions {
        if (++handled == 1) throw std::runtime_error("ouch");
        return {};
    }});
    auto o = restarting(recorder, broker.url());
    o.client_id = "receiver";
    o.session.clean_start = false;
    o.subscriptions = {{"t", QoS::exactly_once}};
    Connection c{std::move(o)};
    ASSERT_TRUE(c.wait_until_up(patience));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return !s.filters.empty(); }));
    Connection sender{options(Recorder(), broker.url())};
    ASSERT_TRUE(sender.publish("t", "1", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(2));
    const auto seen = recorder.seen();
    EXPECT_EQ(seen.messages[1].payload, "1");
    EXPECT_EQ(seen.count("init"), 2u);
    ASSERT_EQ(seen.terminated.size(), 1u);
    EXPECT_EQ(seen.terminated[0].code, Errc::handler_threw);
}

TEST_P(HandlerRestart, goesOnAfterAnInitThatThrows) {
    std::atomic<int> begun{0};
    Recorder recorder({.init = [&](Connection&) {
        if (++begun <= 3) throw std::runtime_error("not yet");
    }});
    Connection c{restarting(recorder, broker.url())};
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    EXPECT_EQ(begun, 4);
}

TEST_P(HandlerRestart, doesNotWaitForTheNextAttemptToConnect) {
    std::atomic<int> told{0};
    Recorder recorder({.undelivered = [&](Connection&, const MessageView&, const Error&) {
        if (++told == 1) throw std::runtime_error("ouch");
    }});
    auto o = restarting(recorder, "mqtt://127.0.0.1:1");
    o.backoff = {.min = std::chrono::hours(1), .max = std::chrono::hours(1)};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    c.publish("a", "1", {.qos = QoS::at_least_once, .ttl = 0s});
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count("init") == 2; }));
    c.publish("a", "2", {.qos = QoS::at_least_once, .ttl = 0s});
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.undelivered.size() == 2; }));
}

TORTOISE_BOTH_VERSIONS(HandlerRestart);

TEST(WorkListFactory, thatThrowsOrReturnsNullEndsTheConnectionWithAWord) {
    const WorkListFactory throws = []() -> core::WorkList* { throw std::runtime_error("no room"); };
    const WorkListFactory null = []() -> core::WorkList* { return nullptr; };
    for (const auto& [make, word] : {std::pair{throws, "no room"}, std::pair{null, "null"}}) {
        Connection c{{.server = "mqtt://127.0.0.1:1", .work_list = make}};
        const auto up = c.wait_until_up(patience);
        ASSERT_FALSE(up);
        EXPECT_EQ(up.error().code, Errc::invalid_option);
        EXPECT_THAT(up.error().text, ::testing::HasSubstr(word));
        EXPECT_EQ(c.status(), Status::stopped);
    }
}

} // namespace
} // namespace tortoise::test
