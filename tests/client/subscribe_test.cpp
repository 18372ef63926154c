// Subscriptions: results, callbacks, what is wanted, actions.
#include "support/options.hpp"
#include <map>

namespace tortoise::test {
namespace {

class Subscribing : public BothVersions {
protected:
    testing::Broker broker{{.deny_subscribe = {"secret/#"}}};
    Recorder recorder;
    Connection connect() { return Connection{options(recorder, broker.url())}; }
};

std::vector<std::string> names(const std::vector<TopicFilter>& filters) {
    std::vector<std::string> out;
    for (const auto& f : filters) out.push_back(f.filter);
    return out;
}
using Names = std::vector<std::string>;

TEST_P(Subscribing, toSeveralGivesAResultForEachInTheirOrder) {
    auto c = connect();
    std::vector<TopicFilter> filters = {{"a", QoS::exactly_once}, {"secret/b"}, {"bad/#/filter"}, {"c"}};
    auto results = c.subscribe(filters).wait(patience);
    ASSERT_TRUE(results);
    ASSERT_EQ(results->size(), 4u);
    EXPECT_EQ((*results)[0]->granted, QoS::exactly_once);
    EXPECT_EQ((*results)[1].error().code,
              version() == Version::v5 ? Reason::not_authorized : Reason::unspecified_error);
    EXPECT_EQ((*results)[2].error().code, Errc::invalid_filter);
    EXPECT_TRUE((*results)[3]);
}

TEST_P(Subscribing, toNothingIsAnsweredWithNothing) {
    auto c = connect();
    auto granted = c.subscribe(std::vector<TopicFilter>{}).wait(patience);
    ASSERT_TRUE(granted);
    EXPECT_TRUE(granted->empty());
    auto left = c.unsubscribe(Names{}).wait(patience);
    ASSERT_TRUE(left);
    EXPECT_TRUE(left->empty());
}

TEST_P(Subscribing, tellsTheHandlerAndUnsubscribingToo) {
    auto c = connect();
    ASSERT_TRUE(c.subscribe({"a", QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(c.unsubscribe("a").wait(patience));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 2; }));
    const auto seen = recorder.seen();
    EXPECT_EQ(seen.filters[0].kind, FilterStatus::Kind::up);
    EXPECT_EQ(seen.filters[0].grant, (Grant{QoS::at_least_once, QoS::at_least_once}));
    EXPECT_EQ(seen.filters[1].kind, FilterStatus::Kind::down);
    EXPECT_EQ(seen.filters[1].filter, "a");
}

TEST_P(Subscribing, whatIsWantedIsKnownAtOnce) {
    auto c = connect();
    c.subscribe("b");
    c.subscribe("a");
    c.subscribe("b/+");
    EXPECT_EQ(names(c.subscriptions()), (Names{"b", "a", "b/+"}));
    c.unsubscribe("a");
    EXPECT_EQ(names(c.subscriptions()), (Names{"b", "b/+"}));
    c.subscribe({"b", QoS::exactly_once});
    EXPECT_EQ(c.subscriptions()[0].options.qos, QoS::exactly_once);
    c.subscribe("no/#/filter");
    EXPECT_EQ(names(c.subscriptions()), (Names{"b", "b/+"}));
}

TEST_P(Subscribing, withACallbackTakesTheMessagesFromTheHandler) {
    Recorder other;
    auto c = connect();
    std::mutex mutex;
    Names got;
    auto collect = [&](Connection&, const MessageView& m) {
        std::lock_guard lock(mutex);
        got.push_back(std::string(m.topic));
    };
    ASSERT_TRUE(c.subscribe({"mine/#", QoS::at_least_once}, collect).wait(patience));
    ASSERT_TRUE(c.subscribe({"handlers/#", QoS::at_least_once}).wait(patience));
    for (const auto* topic : {"mine/1", "handlers/1", "mine/2", "handlers/2"}) {
        ASSERT_TRUE(c.publish(topic, "x", {.qos = QoS::at_least_once}).wait(patience));
    }
    ASSERT_TRUE(recorder.wait_for_messages(2));
    EXPECT_EQ(recorder.seen().messages[0].topic, "handlers/1");
    EXPECT_EQ(recorder.seen().messages[1].topic, "handlers/2");
    std::lock_guard lock(mutex);
    EXPECT_EQ(got, (Names{"mine/1", "mine/2"}));
}

TEST_P(Subscribing, againReplacesTheCallback) {
    auto c = connect();
    std::atomic<int> first{0}, second{0};
    ASSERT_TRUE(c.subscribe("t", [&](Connection&, const MessageView&) { ++first; }).wait(patience));
    ASSERT_TRUE(c.publish("t", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(
        c.subscribe({"t", QoS::at_least_once}, [&](Connection&, const MessageView&) { ++second; }).wait(patience));
    ASSERT_TRUE(c.publish("t", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(c.subscribe({"t", QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(c.publish("t", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_EQ(recorder.seen().messages.size(), 1u);
}

TEST_P(Subscribing, letsACallbackGoWithItsSubscription) {
    auto c = connect();
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = token;
    ASSERT_TRUE(c.subscribe("t", [token = std::move(token)](Connection&, const MessageView&) {}).wait(patience));
    EXPECT_FALSE(watch.expired());
    ASSERT_TRUE(c.unsubscribe("t").wait(patience));
    EXPECT_TRUE(watch.expired());
}

TEST_P(Subscribing, byActionsIsTheSameAsCalling) {
    recorder = Recorder({
        .connection =
            [](Connection&, const StatusInfo& info) {
                return info.status == Status::up ? Actions{subscribe("chain/1", {.qos = QoS::at_least_once})}
                                                 : Actions{};
            },
        .subscription =
            [](Connection& c, const FilterStatus& f) {
                if (f.filter == "chain/1" && f.kind == FilterStatus::Kind::up) c.publish("chain/1", "go");
                return Actions{};
            },
        .message =
            [](Connection&, const MessageView&) {
                return Actions{unsubscribe("chain/1"), subscribe("chain/2"), subscribe("not/#/allowed")};
            },
    });
    auto c = connect();
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 4; }));
    const auto seen = recorder.seen();
    EXPECT_EQ(std::count_if(seen.filters.begin(), seen.filters.end(),
                            [](const auto& f) {
                                return f.kind == FilterStatus::Kind::refused && f.filter == "not/#/allowed" &&
                                       f.reason.code == Errc::invalid_filter;
                            }),
              1);
    EXPECT_EQ(names(c.subscriptions()), Names{"chain/2"});
}

TEST_P(Subscribing, thatIsRefusedDoesNotEndTheConnection) {
    auto o = options(recorder, broker.url());
    o.subscriptions = {{"secret/a"}, {"open"}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() >= 2; }));
    ASSERT_FALSE(c.subscribe("secret/b").wait(patience));
    ASSERT_TRUE(c.publish("open", "x", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().count(Status::down), 0u);
}

TEST_P(Subscribing, aWaitThatTimesOutLeavesNoGhost) {
    broker.stop();
    auto c = connect();
    const auto ghost = c.subscribe({"ghost", QoS::at_least_once});
    EXPECT_EQ(ghost.wait(1ms).error().code, Errc::timeout);
    EXPECT_EQ(names(c.subscriptions()), Names{"ghost"}) << "it is wanted, and that can be seen";
    const auto left = c.unsubscribe("ghost");
    EXPECT_EQ(ghost.wait(patience).error().code, Errc::cancelled);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(left.wait(patience));
    ASSERT_TRUE(c.subscribe({"real", QoS::at_least_once}).wait(patience));
    for (const auto* topic : {"ghost", "real"})
        ASSERT_TRUE(c.publish(topic, "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().messages[0].topic, "real");
}

TORTOISE_BOTH_VERSIONS(Subscribing);

// 3.1.1 does not tell why: there it is asked again.
TEST(RefusedSubscription, forGoodIsNotWantedAnyMore) {
    testing::Broker broker{{.deny_subscribe = {"secret/#"}}};
    Recorder recorder;
    Connection c{options_for(broker.url(), Version::v5, recorder)};
    EXPECT_FALSE(c.subscribe("secret/a").wait(patience));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 1; }));
    EXPECT_EQ(recorder.seen().filters[0].kind, FilterStatus::Kind::refused);
    EXPECT_EQ(recorder.seen().filters[0].reason.code, Reason::not_authorized);
    EXPECT_TRUE(c.subscriptions().empty());
}

/// Whether the broker sends one copy with all identifiers, or a copy for each subscription. [MQTT-3.3.4-2]
/// [MQTT-3.3.4-3] [MQTT-3.3.4-4] [MQTT-3.3.4-5]
class Overlapping : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, Overlapping, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "a_copy_each" : "one_copy"; });

TEST_P(Overlapping, filtersHaveTheirCallbackCalledOnceEach) {
    const testing::Broker broker{{.one_copy_per_subscription = GetParam()}};
    Recorder recorder;
    Connection c{options_for(broker.url(), Version::v5, recorder)};
    std::mutex mutex;
    std::map<std::string, Names> got;
    const std::vector<std::string> filters = {"#", "rooms/#", "rooms/+/temp", "rooms/hall/temp", "other/#"};
    for (const auto& filter : filters) {
        auto collect = [&, filter](Connection&, const MessageView& m) {
            std::lock_guard lock(mutex);
            got[filter].push_back(std::string(m.text()));
        };
        ASSERT_TRUE(c.subscribe({filter, QoS::exactly_once}, collect).wait(patience));
    }
    ASSERT_TRUE(c.subscribe({"rooms/hall/#", QoS::at_least_once}).wait(patience)); // the handler's
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(c.publish("rooms/hall/temp", std::to_string(i), {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    std::lock_guard lock(mutex);
    for (const auto& filter : filters)
        EXPECT_EQ(got[filter], filter == "other/#" ? Names() : (Names{"0", "1", "2"})) << filter;
    // The handler gets a copy of its own where there is one; never what callbacks took.
    EXPECT_EQ(recorder.seen().messages.size(), GetParam() ? 3 : 0);
}

} // namespace
} // namespace tortoise::test
