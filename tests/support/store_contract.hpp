#pragma once
// What every store adaptor has to do. For one of your own: include this in one file of its tests, and
//     INSTANTIATE_TEST_SUITE_P(Mine, StoreContract, testing::Values(StoreMaker([] { return tortoise::Store(new Mine);
//     })));

#include "support/store_tools.hpp"
#include <functional>
#include <gmock/gmock.h>
#include <thread>

namespace test {

using testing::ElementsAre;
using testing::IsEmpty;
using tortoise::Durability;
using tortoise::Errc;
using tortoise::Store;
using tortoise::StoreAdaptor;

/// Makes a store without anything in it.
using StoreMaker = std::function<Store()>;

class StoreContract : public testing::TestWithParam<StoreMaker> {
protected:
    Store store = GetParam()();
    StoreAdaptor& adaptor() const { return *store.adaptor(); }

    void begin(std::string_view session) const { ASSERT_THAT(load(session), IsEmpty()); }
    Records load(std::string_view session) const {
        auto records = adaptor().load(session);
        EXPECT_TRUE(records) << records.error().describe();
        return records ? *std::move(records) : Records();
    }
    /// What is there, read by its next user.
    Records reload(std::string_view session) const {
        adaptor().release(session);
        return load(session);
    }
    void write(std::string_view session, Changes changes) const {
        const auto kept = keep(adaptor(), session, std::move(changes));
        EXPECT_TRUE(kept) << kept.error().describe();
    }
};

TEST_P(StoreContract, ANewSessionIsEmpty) { begin("home"); }

TEST_P(StoreContract, WhatWasPutIsThereOrderedByKindAndKey) {
    begin("home");
    write("home", {put(9, "nine", 7), put({RecordKind::inbound, 4, 0, {}}), put(2, "two"),
                   put({RecordKind::session, 0, 1, "me"}), put(10, std::string("\0\xFF", 2))});
    EXPECT_THAT(reload("home"),
                ElementsAre(Record{RecordKind::session, 0, 1, "me"}, message(2, "two"), message(9, "nine", 7),
                            message(10, std::string("\0\xFF", 2)), Record{RecordKind::inbound, 4, 0, {}}));
}

TEST_P(StoreContract, PutReplacesARecordAsAWhole) {
    begin("home");
    write("home", {put(1, "old", 5)});
    write("home", {put(1, "new")});
    EXPECT_THAT(reload("home"), ElementsAre(message(1, "new")));
}

TEST_P(StoreContract, MarkChangesTheMarkOnly) {
    begin("home");
    write("home", {put(1, "value")});
    write("home", {mark(1, ~std::uint64_t{0})});
    EXPECT_THAT(reload("home"), ElementsAre(message(1, "value", ~std::uint64_t{0})));
}

TEST_P(StoreContract, MarkAndEraseDoNothingToWhatIsNotThere) {
    begin("home");
    write("home", {mark(1, 5), erase(2)});
    EXPECT_THAT(reload("home"), IsEmpty());
}

TEST_P(StoreContract, ErasedIsGone) {
    begin("home");
    write("home", {put(1, "a"), put(2, "b")});
    write("home", {erase(1)});
    EXPECT_THAT(reload("home"), ElementsAre(message(2, "b")));
}

TEST_P(StoreContract, WhatWasPutAgainAndErasedIsGone) {
    begin("home");
    write("home", {put(5, "old")});
    write("home", {put(5, "new"), erase(5)});
    EXPECT_THAT(reload("home"), IsEmpty());
}

TEST_P(StoreContract, KeepsLargeAndEmptyValues) {
    begin("home");
    const std::string large(3'000'000, 'x');
    write("home", {put(1, large), put(2, "")});
    write("home", {mark(1, 8)});
    EXPECT_THAT(reload("home"), ElementsAre(message(1, large, 8), message(2, "")));
}

TEST_P(StoreContract, SessionsAreApart) {
    begin("home");
    begin(std::string_view("ho\0me", 5));
    begin("");
    write("home", {put(1, "of home")});
    write(std::string_view("ho\0me", 5), {put(1, "of ho")});
    write("", {put(1, "of nobody")});
    write("home", {erase(1)});
    EXPECT_THAT(reload("home"), IsEmpty());
    EXPECT_THAT(reload(std::string_view("ho\0me", 5)), ElementsAre(message(1, "of ho")));
    EXPECT_THAT(reload(""), ElementsAre(message(1, "of nobody")));
}

TEST_P(StoreContract, ASessionHasOneUserAtATime) {
    begin("home");
    EXPECT_EQ(adaptor().load("home").error().code, Errc::store_locked);
    adaptor().release("home");
    EXPECT_TRUE(adaptor().load("home"));
}

TEST_P(StoreContract, WritingToASessionThatIsNotInUseFails) {
    EXPECT_EQ(keep(adaptor(), "home", {put(1, "a")}).error().code, Errc::store_failed);
    begin("home");
    adaptor().release("home");
    EXPECT_EQ(keep(adaptor(), "home", {put(1, "a")}).error().code, Errc::store_failed);
    EXPECT_THAT(load("home"), IsEmpty());
}

TEST_P(StoreContract, EachWriteIsAnsweredOnceInOrder) {
    begin("home");
    Answers answers;
    constexpr int writes = 500;
    for (int i = 0; i < writes; ++i)
        adaptor().write("home", {put(static_cast<std::uint64_t>(i), "x")}, i % 3 == 0 || i == writes - 1,
                        answers.on_kept(i));
    const auto all = answers.wait(writes);
    ASSERT_EQ(all.size(), writes);
    for (int i = 0; i < writes; ++i) {
        EXPECT_EQ(all[static_cast<std::size_t>(i)].write, i);
        EXPECT_FALSE(all[static_cast<std::size_t>(i)].failed);
    }
    EXPECT_EQ(reload("home").size(), writes);
}

TEST_P(StoreContract, ReleaseIsBehindTheWritesBeforeIt) {
    begin("home");
    Answers answers;
    for (int i = 0; i < 100; ++i) adaptor().write("home", {put(1, std::to_string(i))}, false, answers.on_kept(i));
    EXPECT_THAT(reload("home"), ElementsAre(message(1, "99")));
    EXPECT_EQ(answers.count(), 100);
}

TEST_P(StoreContract, DoesWhatWasAskedForWhateverItIs) {
    for (std::uint64_t seed = 0; seed < 15; ++seed) {
        std::mt19937_64 random(seed);
        const auto session = "walk " + std::to_string(seed);
        begin(session);
        Model model;
        Answers answers;
        int writes = 0;
        for (int step = 0; step < 150; ++step) {
            auto changes = random_changes(random);
            model.apply(changes);
            adaptor().write(session, std::move(changes), random() % 8 == 0, answers.on_kept(writes++));
            if (random() % 25 == 0) {
                ASSERT_EQ(reload(session), model.records()) << "seed " << seed << ", step " << step;
            }
        }
        ASSERT_EQ(reload(session), model.records()) << "seed " << seed;
        EXPECT_EQ(answers.count(), writes);
    }
}

TEST_P(StoreContract, ManyThreadsUseManySessions) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t] {
            std::mt19937_64 random(static_cast<std::uint64_t>(t));
            const auto session = "thread " + std::to_string(t);
            Model model;
            Answers answers;
            begin(session);
            for (int i = 0; i < 200; ++i) {
                auto changes = random_changes(random);
                model.apply(changes);
                adaptor().write(session, std::move(changes), i % 10 == 0, answers.on_kept(i));
                if (i % 40 == 39) {
                    EXPECT_EQ(reload(session), model.records());
                }
            }
            adaptor().release(session);
        });
    }
    for (auto& thread : threads) thread.join();
}

} // namespace test
