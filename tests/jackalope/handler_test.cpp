// Supervision: whatever crashes, the work list outlives it.
#include "jackalope/told.hpp"

namespace jackalope::test {
namespace {

using ::testing::ElementsAreArray;

class Crashes : public BothVersions {};

TEST_P(Crashes, ofTheConnectionCostNoMessageAndNoOrder) {
    Told told;
    auto listening = options("listener", told);
    listening.clean_session = false;
    listening.initial_topics = {{"n", QoS::exactly_once}};
    const Session listens(std::move(listening));
    ASSERT_TRUE(told.wait_for_filter("n"));
    auto o = options("sender");
    o.clean_session = false;
    o.work_list = TransientWorkList{{.messages = 1000, .overflow = Overflow::reject}};
    Session s(std::move(o));
    std::vector<std::string> all;
    std::vector<tortoise::Delivery> sent;
    for (int i = 0; i < 200; ++i) {
        all.push_back(std::to_string(i));
        sent.push_back(s.publish("n", all.back(), at(QoS::exactly_once)));
        if (i % 50 == 20) broker.drop_connections();
        if (i == 99) {
            broker.stop();
            ASSERT_TRUE(broker.start());
        }
    }
    for (const auto& d : sent) {
        const auto receipt = d.wait(patience);
        ASSERT_TRUE(receipt) << receipt.error().describe();
    }
    ASSERT_TRUE(told.wait_for_messages(all.size()));
    EXPECT_THAT(told.notes().payloads(), ElementsAreArray(all));
}

TEST_P(Crashes, ofAHandlerCostNoMessage) {
    std::atomic<int> thrown{0};
    Told told{Doing{.message = [&](Session&, const MessageView& m) {
        if (m.text() == "2" && ++thrown == 1) throw std::runtime_error("ouch");
    }}};
    auto o = options("both", told);
    o.clean_session = false;
    o.initial_topics = {{"in", QoS::exactly_once}};
    Session s(std::move(o));
    ASSERT_TRUE(told.wait_for_filter("in"));
    Session sender(options("sender"));
    std::vector<tortoise::Delivery> sent;
    for (int i = 0; i < 5; ++i) {
        sent.push_back(sender.publish("in", std::to_string(i), at(QoS::exactly_once)));
        sent.push_back(s.publish("out", std::to_string(i), at(QoS::exactly_once)));
    }
    for (const auto& d : sent) {
        const auto receipt = d.wait(patience);
        ASSERT_TRUE(receipt) << receipt.error().describe();
    }
    EXPECT_TRUE(told.wait_for_messages(6));
    EXPECT_THAT(told.notes().payloads(), ::testing::ElementsAre("0", "1", "2", "2", "3", "4"));
    EXPECT_EQ(told.notes().lives, 2);
}

TEST_P(Crashes, ofAHandlerThatIsToldOfAnErrorCostNoMessage) {
    broker.stop();
    Told told{Doing{.error = [&](Session&, const WorkError&) { throw std::runtime_error("ouch"); }}};
    Session s(options("a", told));
    const auto kept = s.publish("a", "kept");
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(s.publish("a", "x", {.ttl = 0s}).wait(patience));
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(kept.wait(patience));
}

TEST_P(Crashes, ofAHandlersFactoryAreTriedAgain) {
    std::atomic<int> made{0};
    auto o = options("a");
    o.handler = [&]() -> Handler* {
        if (++made < 3) throw std::runtime_error("not yet");
        return new Handler;
    };
    Session s(std::move(o));
    EXPECT_TRUE(s.publish("a", "x").wait(patience));
    EXPECT_EQ(made, 3);
}

TEST_P(Crashes, ofAContinuationCostNoMessage) {
    broker.stop(); // else it may be done before it is continued, and throws here
    Session s(options("a"));
    s.publish("a", "1").on_done([](const auto&) { throw std::runtime_error("ouch"); });
    const auto second = s.publish("a", "2");
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(second.wait(patience));
}

TEST_P(Crashes, everyFunctionMayBeCalledFromTheHandler) {
    Told told{Doing{.message = [&](Session& s, const MessageView& m) {
        if (m.text() != "go") return;
        const Session copy = s; // does not own
        Session mine = copy;
        mine.publish("a", std::string(to_string(mine.connection_status())));
        mine.subscribe({"b", QoS::at_least_once});
        EXPECT_EQ(mine.publish("a", "waits").wait(patience).error().code, Errc::would_deadlock);
        EXPECT_EQ(mine.client_id(), "a");
    }}};
    auto o = options("a", told);
    o.initial_topics = {{"a", QoS::at_least_once}};
    Session s(std::move(o));
    ASSERT_TRUE(told.wait_for_filter("a"));
    ASSERT_TRUE(s.publish("a", "go").wait(patience));
    ASSERT_TRUE(told.wait_for_messages(3));
    EXPECT_EQ(told.notes().messages[1].payload, "online");
    EXPECT_TRUE(told.wait_for_filter("b"));
}

JACKALOPE_BOTH_VERSIONS(Crashes);

} // namespace
} // namespace jackalope::test
