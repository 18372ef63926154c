// Disks that are full, syncs that fail: at every single call once. What was said to be kept is kept, what failed is
// told.
#include "faulty_vfs.hpp"
#include "store/sqlite.hpp"
#include "support/store_tools.hpp"
#include <gmock/gmock.h>

namespace test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using tortoise::Durability;
using tortoise::Errc;
using tortoise::Store;
using Fault = FaultyVfs::Fault;

/// On the faulty file system.
tortoise::Result<Store> open(const std::string& path, tortoise::StoreOptions options = {}) {
    auto file = tortoise::store::open_file(path, FaultyVfs::name);
    if (!file) return std::move(file).error();
    return Store(tortoise::store::new_sqlite(*std::move(file), options));
}

Records content_of(const std::string& path) {
    const auto store = open(path);
    EXPECT_TRUE(store) << store.error().describe();
    if (!store) return {};
    auto records = store->adaptor()->load("home");
    EXPECT_TRUE(records);
    return records ? *std::move(records) : Records();
}

struct Case {
    Fault fault;
    bool for_good;
};

class StoreFailure : public testing::TestWithParam<Case> {
protected:
    FaultyVfs vfs;
    Folder folder;
    std::string path = folder / "store.db";
};

/// The n-th call fails while a store is made: it says so, and the next one is made as if nothing had been.
TEST_P(StoreFailure, WhileItIsMadeIsTold) {
    bool failed = true;
    for (long n = 0; failed; ++n) {
        const auto at = folder / std::to_string(n);
        vfs.fail(GetParam().fault, n, GetParam().for_good);
        {
            const auto store = open(at);
            failed = !store;
            EXPECT_TRUE(store || store.error().code == Errc::store_failed) << n << ": " << store.error().describe();
        }
        vfs.heal();
        EXPECT_THAT(content_of(at), testing::IsEmpty()) << n;
        ASSERT_LT(n, 200);
    }
}

/// The n-th call fails while rounds are written: what was answered with success is there, and nothing of what was not.
TEST_P(StoreFailure, WhileItIsWrittenIsTold) {
    bool failed = true;
    for (long n = 0; failed; ++n) {
        const auto at = folder / std::to_string(n);
        Model model;
        {
            const auto store = open(at);
            ASSERT_TRUE(store);
            auto& adaptor = *store->adaptor();
            ASSERT_TRUE(adaptor.load("home"));
            vfs.fail(GetParam().fault, n, GetParam().for_good);
            failed = false;
            std::mt19937_64 random(static_cast<std::uint64_t>(n));
            for (int i = 0; i < 25; ++i) {
                const auto changes = random_changes(random);
                const auto kept = keep(adaptor, "home", changes);
                EXPECT_TRUE(kept || kept.error().code == Errc::store_failed) << kept.error().describe();
                EXPECT_FALSE(kept && failed) << "written behind a hole";
                if (kept)
                    model.apply(changes);
                else
                    failed = true;
            }
            vfs.heal();
            adaptor.release("home");
            const auto records = adaptor.load("home");
            ASSERT_TRUE(records) << records.error().describe();
            EXPECT_EQ(*records, model.records()) << n;
            // It goes on.
            const auto more = Changes{put(100, "later")};
            const auto kept = keep(adaptor, "home", more);
            EXPECT_TRUE(kept) << n << ": " << kept.error().describe();
            model.apply(more);
        }
        EXPECT_EQ(content_of(at), model.records()) << n;
        ASSERT_LT(n, 500);
    }
}

INSTANTIATE_TEST_SUITE_P(FullDisk, StoreFailure, testing::Values(Case{Fault::full, true}));
INSTANTIATE_TEST_SUITE_P(FullForAMoment, StoreFailure, testing::Values(Case{Fault::full, false}));
INSTANTIATE_TEST_SUITE_P(FailingSync, StoreFailure, testing::Values(Case{Fault::sync, true}));
INSTANTIATE_TEST_SUITE_P(OneFailingSync, StoreFailure, testing::Values(Case{Fault::sync, false}));
INSTANTIATE_TEST_SUITE_P(EveryKind, StoreFailure, testing::Values(Case{Fault::any, true}));

class StoreFailureText : public StoreFailure {};

TEST_F(StoreFailureText, NamesTheFileAndTheReason) {
    const auto store = open(path);
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    vfs.fail(Fault::full, 0);
    const auto full = keep(adaptor, "home", {put(1, "a")});
    vfs.heal();
    EXPECT_THAT(full.error().text, AllOf(HasSubstr("store.db"), HasSubstr("disk is full")));
    adaptor.release("home");
    ASSERT_TRUE(adaptor.load("home"));
    vfs.fail(Fault::sync, 0);
    const auto unsynced = keep(adaptor, "home", {put(1, "a")});
    vfs.heal();
    EXPECT_THAT(unsynced.error().text, AllOf(HasSubstr("store.db"), HasSubstr("I/O error")));
}

TEST_F(StoreFailureText, ASessionStaysUnwrittenUntilItIsLoadedAgain) {
    const auto store = open(path);
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    ASSERT_TRUE(adaptor.load("other"));
    vfs.fail(Fault::full, 0, false);
    EXPECT_FALSE(keep(adaptor, "home", {put(1, "a")}));
    EXPECT_FALSE(keep(adaptor, "home", {put(2, "b")}));
    EXPECT_TRUE(keep(adaptor, "other", {put(1, "a")}));
    adaptor.release("home");
    EXPECT_THAT(*adaptor.load("home"), testing::IsEmpty());
    EXPECT_TRUE(keep(adaptor, "home", {put(3, "c")}));
}

TEST_F(StoreFailureText, ARecordThatCannotBeKeptHarmsNoOtherSession) {
    const auto store = open(path);
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    ASSERT_TRUE(adaptor.load("other"));
    const auto refused = keep(adaptor, "home", {put(1, "a"), put(~std::uint64_t{0}, "b")});
    EXPECT_THAT(refused.error().text, HasSubstr("'home' has a key or a kind that cannot be kept"));
    EXPECT_TRUE(keep(adaptor, "other", {put(1, "c")}));
    adaptor.release("home");
    EXPECT_THAT(*adaptor.load("home"), testing::IsEmpty());
}

TEST_F(StoreFailureText, OnDiskMeansOneSyncAtLeastForAWriteThatIsAnswered) {
    const auto store = open(path);
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    for (std::uint64_t i = 0; i < 20; ++i) {
        const auto before = vfs.syncs();
        ASSERT_TRUE(keep(adaptor, "home", {put(i, "a")}));
        EXPECT_GT(vfs.syncs(), before) << i;
    }
}

/// A round that failed must not come back, neither in this process nor in the next.
TEST_F(StoreFailureText, ARoundThatFailedLeavesNothingInTheJournal) {
    const auto store = open(path);
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    ASSERT_TRUE(keep(adaptor, "home", {put(1, "kept")}));
    vfs.fail(Fault::sync, 0, false);
    ASSERT_FALSE(keep(adaptor, "home", {put(2, "failed")}));
    adaptor.release("home");
    ASSERT_TRUE(adaptor.load("home")); // behind the round: nothing is written now
    const auto crashed = folder / "crashed.db";
    write_octets(crashed, octets_of(path));
    write_octets(crashed + "-wal", octets_of(path + "-wal"));
    EXPECT_THAT(content_of(crashed), testing::ElementsAre(message(1, "kept")));
}

TEST_F(StoreFailureText, PeriodicTellsWithTheNextWrite) {
    const auto store = open(path, {.durability = Durability::periodic, .interval = std::chrono::hours(1)});
    ASSERT_TRUE(store);
    auto& adaptor = *store->adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    ASSERT_TRUE(adaptor.load("other"));
    Answers answers;
    adaptor.write("home", {put(1, "a")}, true, answers.on_kept(1));
    EXPECT_EQ(answers.count(), 1); // at once
    vfs.fail(Fault::full, 0);
    adaptor.release("other");
    EXPECT_TRUE(adaptor.load("other")); // makes the thread write
    EXPECT_FALSE(keep(adaptor, "home", {put(2, "b")}));
    vfs.heal();
}

} // namespace
} // namespace test
