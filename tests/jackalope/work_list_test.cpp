// What every work list has to do, whatever its order: the default one, and those of the examples.
#include "../../examples/latest_value_work_list.hpp"
#include "../../examples/priority_work_list.hpp"
#include "jackalope/told.hpp"
#include <random>
#include <set>

namespace jackalope::test {
namespace {

using tortoise::core::Time;
using Dropped = WorkList::Dropped;

struct Kind {
    const char* name;
    std::unique_ptr<WorkList> (*make)();
};

WorkItem item(std::uint64_t key, std::optional<Duration> expires = {}, int priority = 0, std::string topic = {}) {
    WorkItem i;
    i.message.topic = topic.empty() ? "topic/" + std::to_string(key) : topic;
    i.message.payload = "payload";
    i.key = key;
    i.token = key + 1000;
    i.priority = priority;
    if (expires) i.expires = Time(*expires);
    return i;
}

class Contract : public ::testing::TestWithParam<Kind> {
protected:
    void push(WorkItem i) { list->push(std::move(i), dropped); }
    std::vector<std::uint64_t> rest() {
        std::vector<std::uint64_t> keys;
        while (!list->empty()) {
            const auto next = list->peek()->key;
            keys.push_back(list->pop().key);
            EXPECT_EQ(keys.back(), next);
        }
        EXPECT_EQ(list->peek(), nullptr);
        EXPECT_EQ(list->count(), 0u);
        EXPECT_EQ(list->bytes(), 0u);
        EXPECT_FALSE(list->next_expiry());
        return keys;
    }
    const std::unique_ptr<WorkList> list = GetParam().make();
    std::vector<Dropped> dropped;
};

TEST_P(Contract, equalsLeaveInTheOrderInWhichTheyCame) {
    for (std::uint64_t key = 1; key <= 5; ++key) push(item(key));
    EXPECT_EQ(list->count(), 5u);
    EXPECT_EQ(rest(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
    EXPECT_TRUE(dropped.empty());
}

TEST_P(Contract, whatIsPutBackStandsBeforeWhatWasAcceptedLater) {
    for (std::uint64_t key = 1; key <= 4; ++key) push(item(key));
    auto first = list->pop();
    auto second = list->pop();
    push(item(5));
    list->put_back(std::move(second));
    list->put_back(std::move(first));
    EXPECT_EQ(rest(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_P(Contract, itemsComeBackWhole) {
    auto before = item(7, 9s, 3);
    before.message.qos = QoS::exactly_once;
    before.message.retain = true;
    before.attempts = 2;
    push(before);
    EXPECT_EQ(list->bytes(), before.bytes());
    const auto after = list->pop();
    EXPECT_EQ(after.message.topic, before.message.topic);
    EXPECT_EQ(after.message.payload, before.message.payload);
    EXPECT_EQ(after.message.qos, before.message.qos);
    EXPECT_TRUE(after.message.retain);
    EXPECT_EQ(after.key, 7u);
    EXPECT_EQ(after.token, 1007u);
    EXPECT_EQ(after.priority, 3);
    EXPECT_EQ(after.attempts, 2u);
    EXPECT_EQ(after.expires, Time(9s));
}

TEST_P(Contract, removesByToken) {
    for (std::uint64_t key = 1; key <= 3; ++key) push(item(key, 5s));
    const auto gone = list->remove(1002);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->key, 2u);
    EXPECT_FALSE(list->remove(1002));
    EXPECT_EQ(rest(), (std::vector<std::uint64_t>{1, 3}));
}

TEST_P(Contract, expiresAtTheMoment) {
    push(item(1));
    push(item(2, 9s));
    push(item(3, 5s));
    EXPECT_EQ(list->next_expiry(), Time(5s));
    list->expire(Time(5s - 1ns), dropped);
    EXPECT_TRUE(dropped.empty());
    list->expire(Time(5s), dropped);
    ASSERT_EQ(dropped.size(), 1u);
    EXPECT_EQ(dropped[0].item.key, 3u);
    EXPECT_EQ(dropped[0].why, Errc::expired);
    EXPECT_EQ(list->next_expiry(), Time(9s));
    list->expire(Time(1h), dropped);
    EXPECT_EQ(dropped.size(), 2u);
    EXPECT_EQ(rest(), (std::vector<std::uint64_t>{1}));
}

// Whatever is done to it, each item comes out exactly once.
TEST_P(Contract, losesNothingAndInventsNothing) {
    std::mt19937_64 random(42);
    std::set<std::uint64_t> in;
    std::vector<WorkItem> out;
    std::uint64_t next = 1;
    Time now{};
    for (int step = 0; step < 20'000; ++step) {
        switch (random() % 8) {
        case 0:
        case 1:
        case 2:
        case 3: {
            const Duration life = random() % 3 != 0 ? 1000h : 1ms * (random() % 50);
            in.insert(next);
            push(item(next, now.time_since_epoch() + life, static_cast<int>(random() % 5),
                      "topic/" + std::to_string(random() % 40)));
            ++next;
            break;
        }
        case 4:
            if (list->empty()) break;
            out.push_back(list->pop());
            in.erase(out.back().key);
            break;
        case 5:
            if (out.empty()) break;
            in.insert(out.back().key);
            list->put_back(std::move(out.back()));
            out.pop_back();
            break;
        case 6:
            now += 1ms * (random() % 10);
            list->expire(now, dropped);
            EXPECT_GT(list->next_expiry().value_or(Time::max()), now);
            break;
        default:
            if (const auto gone = list->remove(1000 + 1 + random() % next)) {
                EXPECT_EQ(in.erase(gone->key), 1u);
            }
        }
        for (const auto& d : dropped) EXPECT_EQ(in.erase(d.item.key), 1u) << "an item that was not there";
        dropped.clear();
        ASSERT_EQ(list->count(), in.size());
        ASSERT_EQ(list->peek() == nullptr, in.empty());
    }
    for (const auto key : rest()) EXPECT_EQ(in.erase(key), 1u);
    EXPECT_TRUE(in.empty());
}

std::unique_ptr<WorkList> with_policy(Overflow overflow) {
    return tortoise::core::make_work_list({.messages = 20, .overflow = overflow});
}
const Kind kinds[] = {
    {"drop_oldest", [] { return with_policy(Overflow::drop_oldest); }},
    {"drop_newest", [] { return with_policy(Overflow::drop_newest); }},
    {"reject", [] { return with_policy(Overflow::reject); }},
    {"latest_per_topic", [] { return with_policy(Overflow::latest_per_topic); }},
    {"by_priority", [] { return with_policy(Overflow::by_priority); }},
    {"example_priority", []() -> std::unique_ptr<WorkList> { return std::make_unique<PriorityWorkList>(20); }},
    {"example_latest_value", []() -> std::unique_ptr<WorkList> { return std::make_unique<LatestValueWorkList>(); }},
};
INSTANTIATE_TEST_SUITE_P(, Contract, ::testing::ValuesIn(kinds), [](const auto& kind) { return kind.param.name; });

// ---- Lists of one's own in a session

class OwnLists : public BothVersions {};

TEST_P(OwnLists, decideWhatIsSentFirstAlsoAfterARestart) {
    Told told;
    auto listening = options("listener", told);
    listening.clean_session = false;
    listening.initial_topics = {{"n", QoS::at_least_once}};
    const Session listens(std::move(listening));
    ASSERT_TRUE(told.wait_for_filter("n"));
    broker.stop();
    auto o = options("sender");
    o.store = Store::memory();
    o.work_list = own_work_list<PriorityWorkList>(std::size_t{10});
    {
        Session s(o);
        ASSERT_TRUE(s.publish("n", "chat", {.priority = 1}).accepted().wait(patience));
        ASSERT_TRUE(s.publish("n", "alarm", {.priority = 9}).accepted().wait(patience));
        ASSERT_TRUE(s.publish("n", "news", {.priority = 5}).accepted().wait(patience));
    }
    const Session again(o);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(told.wait_for_messages(3));
    EXPECT_THAT(told.notes().payloads(), ::testing::ElementsAre("alarm", "news", "chat"));
}

TEST_P(OwnLists, thatCannotBeMadeEndTheSessionWithAWord) {
    auto o = options("a");
    o.work_list = OwnWorkList{.make = tortoise::WorkListFactory([]() -> WorkList* { return nullptr; })};
    Session s(std::move(o));
    EXPECT_EQ(s.online().wait(patience).error().code, Errc::invalid_option);
}

JACKALOPE_BOTH_VERSIONS(OwnLists);

} // namespace
} // namespace jackalope::test
