// What opening a store says: locked, foreign, newer, older, not allowed. And what it leaves alone.
#include "store/open.hpp"
#include "support/store_tools.hpp"
#include <csignal>
#include <functional>
#include <gmock/gmock.h>
#include <memory>
#include <sqlite3.h>
#include <sys/wait.h>
#include <thread>

namespace test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tortoise::Errc;
using tortoise::Store;

class StoreOpen : public testing::Test {
protected:
    Folder folder;
    std::string path = folder / "store.db";

    void fill() const {
        const Store store(path);
        ASSERT_TRUE(store.adaptor()->load("home"));
        ASSERT_TRUE(keep(*store.adaptor(), "home", {put(1, "one", 7), put(2, "two")}));
    }
    Records content() const {
        const Store store(path);
        EXPECT_TRUE(store.ok()) << store.ok().error().describe();
        return store.ok() ? *store.adaptor()->load("home") : Records();
    }
    void sql(const std::string& statements) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }
    /// Refused with that error, and not an octet changed.
    void expect_left_alone(Errc code, const std::string& text) const {
        const auto before = octets_of(path);
        const Store store(path);
        EXPECT_EQ(store.ok().error().code, code) << store.ok().error().describe();
        EXPECT_THAT(store.ok().error().text, AllOf(HasSubstr(path), HasSubstr(text)));
        EXPECT_EQ(store.adaptor(), nullptr);
        EXPECT_EQ(octets_of(path), before);
        EXPECT_EQ(octets_of(path + "-wal"), "");
        EXPECT_FALSE(std::filesystem::exists(path + ".damaged-1"));
    }
};

TEST_F(StoreOpen, NoStoreIsFine) {
    const Store store;
    EXPECT_FALSE(store);
    EXPECT_TRUE(store.ok());
    EXPECT_EQ(store.adaptor(), nullptr);
}

TEST_F(StoreOpen, WhatWasKeptIsThereWhenItIsOpenedAgain) {
    fill();
    EXPECT_THAT(content(), ElementsAre(message(1, "one", 7), message(2, "two")));
}

TEST_F(StoreOpen, ClosingLeavesOneFile) {
    fill();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
    EXPECT_FALSE(std::filesystem::exists(path + "-rounds"));
}

TEST_F(StoreOpen, TheLastHandleWritesWhatWaits) {
    {
        const Store store(path, {.durability = tortoise::Durability::periodic, .interval = std::chrono::hours(1)});
        const Store copy = store;
        ASSERT_TRUE(copy.adaptor()->load("home"));
        copy.adaptor()->write("home", {put(1, "one")}, false, [](const tortoise::Error*) {});
    }
    EXPECT_THAT(content(), ElementsAre(message(1, "one")));
}

TEST_F(StoreOpen, TheLastHandleMayGoInAnAnswer) {
    Answers answers;
    auto store = std::make_unique<Store>(path);
    ASSERT_TRUE(store->adaptor()->load("home"));
    auto& adaptor = *store->adaptor();
    adaptor.write("home", {put(1, "one")}, true,
                  [store = std::move(store), told = answers.on_kept(0)](const tortoise::Error* failed) mutable {
                      store.reset();
                      told(failed);
                  });
    EXPECT_FALSE(answers.wait(1).front().failed);
    // The thread closes the file when it comes to it; until then it is locked.
    while (Store(path).ok().error().code == Errc::store_locked) std::this_thread::yield();
    EXPECT_THAT(content(), ElementsAre(message(1, "one")));
}

TEST_F(StoreOpen, ErasingWaitsForTheNextDurableWrite) {
    const Store store(path, {.interval = std::chrono::hours(1)});
    auto& adaptor = *store.adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    Answers answers;
    adaptor.write("home", {erase(1)}, false, answers.on_kept(1));
    adaptor.write("home", {erase(2)}, false, answers.on_kept(2));
    EXPECT_EQ(answers.count(), 0);
    adaptor.write("home", {put(3, "")}, true, answers.on_kept(3));
    EXPECT_EQ(answers.wait(3).size(), 3);
}

TEST_F(StoreOpen, ItsBacklogIsBounded) {
    const Store store(path, {.interval = std::chrono::hours(1), .unwritten = 1000});
    auto& adaptor = *store.adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    Answers answers;
    adaptor.write("home", {put(1, "small")}, false, answers.on_kept(1));
    EXPECT_FALSE(adaptor.busy());
    adaptor.write("home", {put(2, std::string(1000, 'x'))}, false, answers.on_kept(2));
    answers.wait(2); // too much to wait for the interval
    EXPECT_FALSE(adaptor.busy());
}

TEST_F(StoreOpen, ASecondStoreOfTheFileIsRefused) {
    const Store store(path);
    const Store second(path);
    EXPECT_EQ(second.ok().error().code, Errc::store_locked);
    EXPECT_THAT(second.ok().error().text, HasSubstr(path));
    // And has not loosened the first one's lock.
    EXPECT_EQ(Store(path).ok().error().code, Errc::store_locked);
}

TEST_F(StoreOpen, AFileThatAnotherProcessUsesIsRefused) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const Store store(path);
        const char told = store.ok() ? 'y' : 'n';
        while (::write(ready[1], &told, 1) == 1) ::pause();
        ::_exit(1);
    }
    char told = 0;
    EXPECT_EQ(::read(ready[0], &told, 1), 1);
    EXPECT_EQ(told, 'y');
    const Store store(path);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(store.ok().error().code, Errc::store_locked);
    EXPECT_THAT(store.ok().error().text, AllOf(HasSubstr(path), HasSubstr("another process")));
    EXPECT_TRUE(Store(path).ok());
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(StoreOpen, AnEmptyFileIsANewStore) {
    write_octets(path, "");
    EXPECT_THAT(content(), IsEmpty());
}

TEST_F(StoreOpen, ATextIsLeftAlone) {
    write_octets(path, std::string(5000, 'x'));
    expect_left_alone(Errc::store_failed, "is not a store");
    write_octets(path, "short");
    expect_left_alone(Errc::store_failed, "is not a store");
    write_octets(path, "S");
    expect_left_alone(Errc::store_failed, "is not a store");
}

TEST_F(StoreOpen, SomebodyElsesDatabaseIsLeftAlone) {
    sql("CREATE TABLE mine(a); INSERT INTO mine VALUES(1)");
    expect_left_alone(Errc::store_failed, "is not a store");
    std::filesystem::remove(path);
    sql("PRAGMA application_id=7; CREATE TABLE mine(a)");
    expect_left_alone(Errc::store_failed, "is not a store");
}

TEST_F(StoreOpen, ANewerSchemaIsLeftAlone) {
    fill();
    sql("CREATE TABLE more(a); PRAGMA user_version=99");
    expect_left_alone(Errc::store_failed, "newer version");
}

TEST_F(StoreOpen, AFileOfTheFirstSchemaIsMigrated) {
    const auto first = tortoise::store::schema_steps().front();
    sql(std::string(first) +
        "PRAGMA user_version=1;PRAGMA application_id=" + std::to_string(tortoise::store::application_id));
    fill();
    EXPECT_THAT(content(), ElementsAre(message(1, "one", 7), message(2, "two")));
}

TEST_F(StoreOpen, AnOlderSchemaIsMigrated) {
    fill();
    std::vector<const char*> steps(tortoise::store::schema_steps().begin(), tortoise::store::schema_steps().end());
    steps.push_back("ALTER TABLE sessions ADD COLUMN more INTEGER NOT NULL DEFAULT 3");
    steps.push_back("CREATE TABLE another(a)");
    for (int time = 0; time < 2; ++time) {
        auto file = tortoise::store::open_file(path, nullptr, steps);
        ASSERT_TRUE(file) << file.error().describe();
        EXPECT_EQ(*file->database.number("PRAGMA user_version"), static_cast<std::int64_t>(steps.size()));
        EXPECT_EQ(*file->database.number("SELECT more FROM sessions"), 3);
        EXPECT_THAT(*file->records.load(file->database, 1), ElementsAre(message(1, "one", 7), message(2, "two")));
    }
    expect_left_alone(Errc::store_failed, "newer version");
}

TEST_F(StoreOpen, AMigrationThatFailsChangesNothing) {
    fill();
    std::vector<const char*> steps(tortoise::store::schema_steps().begin(), tortoise::store::schema_steps().end());
    steps.push_back("CREATE TABLE another(a)");
    steps.push_back("INSERT INTO nowhere VALUES(1)");
    const auto before = octets_of(path);
    const auto failed = tortoise::store::open_file(path, nullptr, steps);
    EXPECT_EQ(failed.error().code, Errc::store_failed);
    EXPECT_EQ(octets_of(path), before);
    EXPECT_THAT(content(), ElementsAre(message(1, "one", 7), message(2, "two")));
}

TEST_F(StoreOpen, WhatTheSystemRefusesIsSaidInItsWords) {
    const Store nowhere(folder / "no such folder/store.db");
    EXPECT_EQ(nowhere.ok().error().code, Errc::store_failed);
    EXPECT_THAT(nowhere.ok().error().text, AllOf(HasSubstr("store.db"), HasSubstr("No such file")));
    write_octets(folder / "file", "x");
    const Store below_a_file(folder / "file/store.db");
    EXPECT_EQ(below_a_file.ok().error().code, Errc::store_failed);
    const Store a_folder(folder / "");
    EXPECT_EQ(a_folder.ok().error().code, Errc::store_failed);
    EXPECT_EQ(Store("").ok().error().code, Errc::store_failed);
}

/// Runs it in a process of a user who may do nothing; its answer, or nothing if it could not be run.
std::string as_nobody(const std::function<std::string()>& work) {
    int ends[2];
    if (::pipe(ends) != 0) return {};
    const auto child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(1);
        const auto text = work();
        ::_exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string told(4096, '\0');
    const auto size = ::read(ends[0], told.data(), told.size());
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    told.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return told;
}

TEST_F(StoreOpen, ReadOnlyFilesAndFoldersAreRefusedInWordsThatSayWhy) {
    using std::filesystem::perms;
    const auto opening = [this] { return Store(path).ok().error().describe(); };
    fill();
    std::filesystem::permissions(folder / "", static_cast<perms>(0777));
    std::filesystem::permissions(path, static_cast<perms>(0444));
    EXPECT_THAT(as_nobody(opening),
                AllOf(HasSubstr("store.db': it cannot be read and written"), HasSubstr("Permission denied")));
    std::filesystem::permissions(path, static_cast<perms>(0666));
    std::filesystem::permissions(folder / "", static_cast<perms>(0555));
    EXPECT_THAT(as_nobody(opening), AllOf(HasSubstr("no file can be made in"), HasSubstr("Permission denied")));
    std::filesystem::permissions(folder / "", static_cast<perms>(0755));
    EXPECT_THAT(content(), ElementsAre(message(1, "one", 7), message(2, "two")));
}

TEST_F(StoreOpen, NamesThatMeanSomethingToSqliteAreNames) {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder / "");
    for (const auto* name : {":memory:", "file:store.db?mode=memory"}) {
        EXPECT_TRUE(Store(name).ok()) << name;
        EXPECT_TRUE(std::filesystem::exists(name)) << name;
    }
    std::filesystem::current_path(before);
}

TEST_F(StoreOpen, ManySessionsFindTheirPlace) {
    {
        const Store store(path);
        Answers answers;
        for (int i = 0; i < 300; ++i) {
            const auto session = "session " + std::to_string(i);
            ASSERT_TRUE(store.adaptor()->load(session));
            store.adaptor()->write(session, {put(1, session)}, true, answers.on_kept(i));
        }
        answers.wait(300);
    }
    const Store store(path);
    for (int i = 0; i < 300; ++i) {
        const auto session = "session " + std::to_string(i);
        EXPECT_THAT(*store.adaptor()->load(session), ElementsAre(message(1, session)));
    }
}

TEST_F(StoreOpen, ASessionWithoutRecordsLeavesNoTrace) {
    {
        const Store store(path);
        ASSERT_TRUE(store.adaptor()->load("home"));
        ASSERT_TRUE(keep(*store.adaptor(), "home", {put(1, "a")}));
        ASSERT_TRUE(keep(*store.adaptor(), "home", {erase(1)}));
        store.adaptor()->release("home");
    }
    auto file = tortoise::store::open_file(path);
    EXPECT_EQ(*file->database.number("SELECT count(*) FROM sessions"), 0);
}

TEST_F(StoreOpen, NumbersOfSessionsAreUsedAgain) {
    { ASSERT_TRUE(Store(path).ok()); }
    auto file = tortoise::store::open_file(path);
    auto& [mark, database, records, rounds] = *file;
    ASSERT_TRUE(database.run("BEGIN"));
    for (int i = 0; i < tortoise::store::RecordId::max_session; ++i)
        ASSERT_TRUE(records.add(database, std::to_string(i)));
    EXPECT_EQ(records.add(database, "one too many").error().code, Errc::store_failed);
    ASSERT_TRUE(records.leave(4711));
    EXPECT_EQ(*records.add(database, "fits again"), 4711);
    ASSERT_TRUE(records.leave(1));
    EXPECT_EQ(*records.add(database, "fits too"), 1);
}

TEST_F(StoreOpen, AKeyThatCannotBeKeptIsRefused) {
    using tortoise::store::RecordId;
    const Store store(path);
    auto& adaptor = *store.adaptor();
    ASSERT_TRUE(adaptor.load("home"));
    EXPECT_TRUE(keep(adaptor, "home", {put(RecordId::max_key, "last")}));
    EXPECT_EQ(keep(adaptor, "home", {put(RecordId::max_key + 1, "beyond")}).error().code, Errc::store_failed);
    adaptor.release("home");
    EXPECT_THAT(*adaptor.load("home"), ElementsAre(message(RecordId::max_key, "last")));
}

} // namespace
} // namespace test
