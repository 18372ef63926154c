#include "core/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace tortoise;
using namespace tortoise::core;
using namespace std::chrono_literals;
using testing::ElementsAre;

namespace {

struct OutboxTest : testing::Test {
    static WorkItem make(Token token, std::string topic = "t", int priority = 0, std::optional<Duration> ttl = {}) {
        WorkItem o;
        o.message = Message(std::move(topic), "payload");
        o.token = token;
        o.priority = priority;
        if (ttl) o.expires = Time{} + *ttl;
        return o;
    }
    std::vector<Token> dropped() {
        std::vector<Token> tokens;
        for (auto& d : dropped_) tokens.push_back(d.item.token);
        return tokens;
    }
    std::vector<Errc> reasons() {
        std::vector<Errc> why;
        for (auto& d : dropped_) why.push_back(d.why);
        return why;
    }
    static std::vector<Token> all(Outbox& box) {
        std::vector<Token> tokens;
        while (!box.empty()) tokens.push_back(box.pop().token);
        return tokens;
    }
    std::vector<Outbox::Dropped> dropped_;
};

TEST_F(OutboxTest, IsFirstInFirstOut) {
    Outbox box(Queue{});
    for (Token t = 1; t <= 3; ++t) box.push(make(t), dropped_);
    EXPECT_THAT(all(box), ElementsAre(1, 2, 3));
}

TEST_F(OutboxTest, WhatComesBackStandsBeforeEverything) {
    Outbox box(Queue{});
    box.push(make(3), dropped_);
    box.put_back(make(2));
    box.put_back(make(1));
    EXPECT_THAT(all(box), ElementsAre(1, 2, 3));
}

TEST_F(OutboxTest, RejectRefusesTheNewOne) {
    Outbox box(Queue{.messages = 2, .overflow = Overflow::reject});
    for (Token t = 1; t <= 3; ++t) box.push(make(t), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(3));
    EXPECT_THAT(reasons(), ElementsAre(Errc::queue_full));
    EXPECT_THAT(all(box), ElementsAre(1, 2));
}

TEST_F(OutboxTest, DropOldestMakesTheOldestGiveWay) {
    Outbox box(Queue{.messages = 2, .overflow = Overflow::drop_oldest});
    for (Token t = 1; t <= 4; ++t) box.push(make(t), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(1, 2));
    EXPECT_THAT(reasons(), ElementsAre(Errc::displaced, Errc::displaced));
    EXPECT_THAT(all(box), ElementsAre(3, 4));
}

TEST_F(OutboxTest, DropNewestMakesTheNewOneGiveWay) {
    Outbox box(Queue{.messages = 1, .overflow = Overflow::drop_newest});
    for (Token t = 1; t <= 2; ++t) box.push(make(t), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(2));
    EXPECT_THAT(reasons(), ElementsAre(Errc::displaced));
}

TEST_F(OutboxTest, LatestPerTopicKeepsOneOfATopic) {
    Outbox box(Queue{.messages = 2, .overflow = Overflow::latest_per_topic});
    box.push(make(1, "a"), dropped_);
    box.push(make(2, "b"), dropped_);
    box.push(make(3, "a"), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(1));
    box.push(make(4, "c"), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(1, 2)) << "at the bound the oldest goes";
    EXPECT_THAT(all(box), ElementsAre(3, 4));
}

TEST_F(OutboxTest, ByPriorityTheOldestOfTheLowestGivesWayEvenTheNewOne) {
    Outbox box(Queue{.messages = 3, .overflow = Overflow::by_priority});
    box.push(make(1, "t", 5), dropped_);
    box.push(make(2, "t", 1), dropped_);
    box.push(make(3, "t", 1), dropped_);
    box.push(make(4, "t", 2), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(2));
    box.push(make(5, "t", 0), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(2, 5)) << "nothing is lower than the new one";
    EXPECT_THAT(all(box), ElementsAre(1, 3, 4)) << "priority decides who stays, not the order of sending";
}

TEST_F(OutboxTest, TheBoundInBytesHoldsToo) {
    Outbox box(Queue{.messages = 100, .bytes = 20, .overflow = Overflow::drop_oldest});
    box.push(make(1), dropped_); // 8 bytes each: a topic of 1, a payload of 7
    box.push(make(2), dropped_);
    box.push(make(3), dropped_);
    EXPECT_THAT(dropped(), ElementsAre(1));
    EXPECT_EQ(box.bytes(), 16u);
    WorkItem huge = make(4);
    huge.message.payload.assign(100, 'x');
    box.push(std::move(huge), dropped_);
    EXPECT_EQ(dropped_.back().why, Errc::queue_full) << "it could never fit: nothing gives way for it";
    EXPECT_THAT(all(box), ElementsAre(2, 3));
}

TEST_F(OutboxTest, ExpiresAtTheMomentNotAtTheHead) {
    Outbox box(Queue{});
    box.push(make(1), dropped_);
    box.push(make(2, "t", 0, 2s), dropped_);
    box.push(make(3, "t", 0, 1s), dropped_);
    EXPECT_EQ(box.next_expiry(), Time{} + 1s);
    box.expire(Time{} + 999ms, dropped_);
    EXPECT_TRUE(dropped_.empty());
    box.expire(Time{} + 1s, dropped_);
    EXPECT_THAT(dropped(), ElementsAre(3));
    EXPECT_THAT(reasons(), ElementsAre(Errc::expired));
    EXPECT_EQ(box.next_expiry(), Time{} + 2s);
    EXPECT_THAT(all(box), ElementsAre(1, 2));
    EXPECT_EQ(box.next_expiry(), std::nullopt) << "what was sent does not expire";
}

TEST_F(OutboxTest, RemovesByToken) {
    Outbox box(Queue{});
    for (Token t = 1; t <= 3; ++t) box.push(make(t), dropped_);
    EXPECT_TRUE(box.remove(2));
    EXPECT_FALSE(box.remove(2));
    EXPECT_THAT(all(box), ElementsAre(1, 3));
}

// A plain list as the model; every policy; the books must balance after every step, however many holes there are.
TEST_F(OutboxTest, AgreesWithASimpleModelOverManySteps) {
    for (const auto policy :
         {Overflow::reject, Overflow::drop_oldest, Overflow::latest_per_topic, Overflow::by_priority}) {
        std::mt19937_64 random(7);
        Outbox box(Queue{.messages = 50, .overflow = policy});
        std::vector<WorkItem> model;
        Time now{};
        const auto forget = [&](Token token) { std::erase_if(model, [&](auto& o) { return o.token == token; }); };
        for (Token token = 1; token < 30'000; ++token) {
            now += 10ms;
            dropped_.clear();
            const auto dice = random() % 10;
            if (dice < 6) {
                WorkItem o = make(token, "t" + std::to_string(random() % 20), static_cast<int>(random() % 3));
                if (random() % 2) o.expires = now + std::chrono::milliseconds(random() % 2'000);
                model.push_back(o);
                box.push(std::move(o), dropped_);
            } else if (dice < 8 && !box.empty()) {
                ASSERT_EQ(box.peek()->token, model.front().token);
                box.pop();
                model.erase(model.begin());
            } else if (dice == 8 && !model.empty()) {
                const Token victim = model[random() % model.size()].token;
                ASSERT_TRUE(box.remove(victim));
                forget(victim);
            } else {
                box.expire(now, dropped_);
            }
            for (auto& d : dropped_) forget(d.item.token);
            std::size_t bytes = 0;
            for (auto& o : model) bytes += o.bytes();
            ASSERT_EQ(box.count(), model.size());
            ASSERT_EQ(box.bytes(), bytes);
            ASSERT_LE(box.count(), 50u);
        }
    }
}

} // namespace
