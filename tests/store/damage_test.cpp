// Files that were cut or have changed octets: their data or a clear error, never other data. Fixed seeds.
#include "faulty_vfs.hpp"
#include "store/open.hpp"
#include "store/sqlite.hpp"
#include "support/store_tools.hpp"
#include <gmock/gmock.h>

namespace test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using tortoise::Errc;
using tortoise::Store;

/// A store after each of its rounds, as a crash would leave it: the file, and its journal with all rounds in it.
class StoreDamage : public testing::Test {
protected:
    FaultyVfs vfs; // whose syncs cost nothing
    Folder folder;
    std::string path = folder / "store.db";
    std::string file, journal, mark; // octets, while it is in use
    std::string closed;              // and of the file after it was closed
    std::vector<Records> rounds{{}}; // what it held after each round

    void SetUp() override {
        auto opened = tortoise::store::open_file(path, FaultyVfs::name);
        ASSERT_TRUE(opened);
        {
            const Store store(tortoise::store::new_sqlite(*std::move(opened), {}));
            auto& adaptor = *store.adaptor();
            ASSERT_TRUE(adaptor.load("home"));
            Model model;
            std::mt19937_64 random(1);
            for (std::uint64_t i = 0; i < 60; ++i) {
                auto changes = random_changes(random);
                changes.push_back(put(1000 + i, std::string(random() % 900, static_cast<char>(random()))));
                if (i > 40) changes.push_back(erase(1000 + i - 30));
                model.apply(changes);
                ASSERT_TRUE(keep(adaptor, "home", std::move(changes)));
                rounds.push_back(model.records());
            }
            adaptor.release("home");
            ASSERT_TRUE(adaptor.load("home")); // nothing is written now
            file = octets_of(path);
            journal = octets_of(path + "-wal");
            mark = octets_of(path + "-rounds");
        }
        closed = octets_of(path);
        std::filesystem::remove(path);
        ASSERT_GT(journal.size(), 100'000);
        ASSERT_GT(closed.size(), 20'000);
        ASSERT_FALSE(mark.empty());
    }

    struct Found {
        tortoise::Result<Records> records;
        std::optional<std::size_t> round = {}; // after which it held that
    };
    /// What opening these octets gives. A damaged file must have been set aside, unchanged, and the next one starts
    /// empty.
    Found open(const std::string& octets, const std::string& wal, const std::string& noted = {}) {
        write_octets(path, octets);
        if (!wal.empty()) write_octets(path + "-wal", wal);
        if (!noted.empty()) write_octets(path + "-rounds", noted);
        Found found{read()};
        if (found.records) {
            for (std::size_t i = 0; i < rounds.size(); ++i)
                if (rounds[i] == *found.records) found.round = i;
        } else if (found.records.error().code == Errc::store_damaged) {
            EXPECT_THAT(found.records.error().text, HasSubstr("renamed to '" + path + ".damaged-1'"));
            EXPECT_EQ(octets_of(path + ".damaged-1"), octets);
            EXPECT_EQ(octets_of(path + ".damaged-1-wal"), wal);
            EXPECT_EQ(octets_of(path + ".damaged-1-rounds"), noted);
            const auto next = read();
            EXPECT_TRUE(next && next->empty());
        } else {
            EXPECT_EQ(octets_of(path), octets);
            EXPECT_EQ(octets_of(path + "-wal"), wal);
        }
        for (const auto* part : {"", "-wal", "-journal", "-rounds", ".damaged-1", ".damaged-1-wal", ".damaged-1-rounds"})
            std::filesystem::remove(path + part);
        return found;
    }
    tortoise::Result<Records> read() const {
        auto opened = tortoise::store::open_file(path, FaultyVfs::name);
        if (!opened) return std::move(opened).error();
        const auto number = opened->records.find(opened->database, "home");
        if (!number) return number.error();
        return opened->records.load(opened->database, *number);
    }
    static std::string flipped(std::string octets, std::mt19937_64& random) {
        octets[random() % octets.size()] ^= static_cast<char>(1u << random() % 8);
        return octets;
    }
    std::size_t last() const { return rounds.size() - 1; }
};

TEST_F(StoreDamage, WithoutDamageEverythingIsThere) {
    EXPECT_EQ(open(file, journal, mark).round, last());
    EXPECT_EQ(open(file, journal).round, last());
    EXPECT_EQ(open(closed, "").round, last());
}

TEST_F(StoreDamage, AChangedBitOfTheFileIsHarmlessOrFound) {
    std::mt19937_64 random(2);
    int found_out = 0;
    for (int i = 0; i < 350; ++i) {
        const auto found = open(flipped(closed, random), "");
        if (found.records)
            EXPECT_EQ(found.round, last()) << i;
        else
            ++found_out;
    }
    EXPECT_GT(found_out, 0);
}

TEST_F(StoreDamage, AChangedBitOfTheHeaderIsHarmlessOrFound) {
    for (std::size_t bit = 0; bit < 8 * 112; bit += 3) {
        auto octets = closed;
        octets[bit / 8] ^= static_cast<char>(1u << bit % 8);
        const auto found = open(octets, "");
        EXPECT_TRUE(!found.records || found.round == last()) << "bit " << bit;
    }
}

TEST_F(StoreDamage, AFileThatWasCutIsFound) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 150; ++i) {
        const auto size = 1 + random() % (closed.size() - 1);
        EXPECT_FALSE(open(closed.substr(0, size), "").records) << size;
    }
}

TEST_F(StoreDamage, AFileThatLostItsContentButNotItsJournalIsFound) {
    const auto found = open("", journal);
    EXPECT_EQ(found.records.error().code, Errc::store_damaged);
}

TEST_F(StoreDamage, AFileThatLostItsContentAndItsJournalIsFoundByItsMark) {
    EXPECT_EQ(open("", "", mark).records.error().code, Errc::store_damaged);
}

TEST_F(StoreDamage, AChangedBitOfTheJournalIsFound) {
    std::mt19937_64 random(4);
    for (int i = 0; i < 300; ++i) {
        const auto found = open(file, flipped(journal, random), mark);
        EXPECT_TRUE(!found.records || found.round == last()) << i;
    }
}

TEST_F(StoreDamage, AJournalThatWasCutOrTakenAwayIsFound) {
    std::mt19937_64 random(5);
    for (int i = 0; i < 200; ++i) {
        const auto size = i == 0 ? 0 : random() % journal.size();
        const auto found = open(file, journal.substr(0, size), mark);
        EXPECT_EQ(found.records.error().code, Errc::store_damaged) << size;
        EXPECT_THAT(found.records.error().text, HasSubstr("rounds are missing")) << size;
    }
}

/// So a power failure may leave it, which the mark need not survive.
TEST_F(StoreDamage, WithoutAMarkACutJournalGivesTheRoundsBeforeTheCut) {
    std::mt19937_64 random(5);
    for (int i = 0; i < 100; ++i) {
        const auto size = random() % journal.size();
        const auto found = open(file, journal.substr(0, size));
        ASSERT_TRUE(found.records) << size << ": " << found.records.error().describe();
        EXPECT_TRUE(found.round) << size;
    }
}

/// Behind the last commit nothing else proves that it was whole.
TEST_F(StoreDamage, WithoutAMarkAChangedBitOfTheJournalIsFoundOrCostsTheLastRound) {
    std::mt19937_64 random(4);
    for (int i = 0; i < 100; ++i) {
        const auto found = open(file, flipped(journal, random));
        // The last round of the fixture only released the session.
        EXPECT_TRUE(!found.records || found.round == last() || found.round == last() - 1) << i;
    }
}

TEST_F(StoreDamage, AMarkThatIsDamagedOrOfAnotherStoreIsIgnored) {
    for (std::size_t bit = 0; bit < 8 * mark.size(); bit += 5) {
        auto octets = mark;
        octets[bit / 8] ^= static_cast<char>(1u << bit % 8);
        EXPECT_EQ(open(file, journal, octets).round, last()) << "bit " << bit;
    }
    EXPECT_EQ(open(file, journal, mark.substr(0, 7)).round, last());
    const auto other = folder / "other.db";
    {
        const Store store(other);
        ASSERT_TRUE(store.ok());
        const auto content = octets_of(other), wal = octets_of(other + "-wal");
        write_octets(path + "-wal", wal);
        write_octets(path, content);
        write_octets(path + "-rounds", mark);
        EXPECT_THAT(*read(), IsEmpty());
    }
}

/// Who removes a store wants a new one, whatever lies beside it.
TEST_F(StoreDamage, AMarkWithoutAFileIsIgnored) {
    write_octets(path + "-rounds", mark);
    EXPECT_THAT(*read(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(path + "-rounds"));
}

TEST_F(StoreDamage, DamagedFilesDoNotTakeEachOthersPlace) {
    for (int n = 1; n <= 3; ++n) {
        write_octets(path, closed.substr(0, 20'000 + static_cast<std::size_t>(n)));
        EXPECT_THAT(read().error().text, HasSubstr(".damaged-" + std::to_string(n)));
    }
    for (int n = 1; n <= 3; ++n)
        EXPECT_EQ(octets_of(path + ".damaged-" + std::to_string(n)).size(), 20'000 + static_cast<std::size_t>(n));
}

} // namespace
} // namespace test
