#include "store/open.hpp"
#include "store/journal.hpp"
#include "store/set_aside.hpp"
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace tortoise::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t application_id_at = 68;
constexpr std::size_t header_size = 100;

bool says_ours(std::string_view header) {
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = (id << 8) | static_cast<unsigned char>(header[application_id_at + i]);
    return id == application_id;
}

/// May we write here? SQLite would say so too, but in words of its later attempts.
Result<Done> check_access(const std::string& path, bool exists) {
    if (path.empty()) return make_error(Errc::store_failed, "the path of the store is empty");
    const auto folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path().string() : std::string(".");
    const auto refused = [&](const std::string& what) {
        return make_error(Errc::store_failed,
                          "'" + path + "': " + what + ": " + std::generic_category().message(errno));
    };
    const auto may = [](const std::string& name, int mode) {
        return ::faccessat(AT_FDCWD, name.c_str(), mode, AT_EACCESS) == 0;
    };
    if (exists && !may(path, R_OK | W_OK)) return refused("it cannot be read and written");
    // Also for the journal of a file that is there.
    if (!may(folder, W_OK | X_OK)) return refused("no file can be made in '" + folder + "'");
    return Done();
}

/// Looks at the file before SQLite does, which would already change the file of somebody else.
Result<Done> recognise(Database& database, bool existed) {
    const auto& path = database.path();
    const auto header = database.raw(header_size);
    if (!header) return header.error();
    const auto damaged = [&](const char* what) { return make_error(Errc::store_damaged, "'" + path + "': " + what); };
    if (header->empty()) {
        if (journal_has_content(path + "-wal")) return damaged("the file is empty, its journal is not");
        if (existed && HighWater::read(path)) return damaged("the file is empty, and was not");
        return Done();
    }
    const bool sqlite = header->starts_with(magic);
    if (header->size() < header_size) {
        if (sqlite) return damaged("the file ends within its header");
    } else if (says_ours(*header)) {
        return sqlite ? Result<Done>(Done()) : damaged("its header is not that of a SQLite file");
    } else if (!sqlite && header->find_first_not_of('\0') == std::string::npos &&
               journal_has_content(path + "-journal")) {
        return Done(); // we were killed while we made it; SQLite takes it back
    }
    return make_error(Errc::store_failed, "'" + path + "' is not a store, and was left alone");
}

/// How many rounds were reported as kept and are not there.
std::int64_t rounds_missing(const std::string& path, HighWater::Mark there) {
    const auto noted = HighWater::read(path);
    return noted && noted->store == there.store ? noted->rounds - there.rounds : 0;
}

struct Content {
    RecordTable records;
    Rounds rounds;
};

/// In one transaction, which also locks the file: tables and records are what they have to be, or nothing is changed.
Result<Content> check(Database& database, Steps steps) {
    if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
    if (!journal_is_whole(database.path() + "-wal"))
        return make_error(Errc::store_damaged, "'" + database.path() + "-wal': damaged in its middle");
    if (auto up = bring_up(database, steps); !up) return std::move(up).error();
    auto records = RecordTable::open(database);
    if (!records) return std::move(records).error();
    if (auto checked = records->check(database); !checked) return std::move(checked).error();
    auto rounds = Rounds::open(database);
    if (!rounds) return std::move(rounds).error();
    if (const auto lost = rounds_missing(database.path(), rounds->mark()); lost > 0)
        return make_error(Errc::store_damaged, "'" + database.path() + "': of what was kept, the last " +
                                                   std::to_string(lost) +
                                                   " rounds are missing, in it or in its journal");
    if (auto committed = database.run("COMMIT"); !committed) return std::move(committed).error();
    return Content{*std::move(records), *std::move(rounds)};
}

/// Sync after each commit, and a journal that is bounded; then shows that the file can be written.
Result<Done> make_ready(Database& database) {
    const auto mode = database.text("PRAGMA journal_mode=WAL");
    if (!mode) return mode.error();
    if (*mode != "wal")
        return make_error(Errc::store_failed, "'" + database.path() + "': the file system offers no write-ahead log");
    if (auto set = database.run("PRAGMA wal_autocheckpoint=1000;PRAGMA journal_size_limit=8388608"); !set) return set;
    const auto version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    const auto rewrite = "BEGIN IMMEDIATE;PRAGMA user_version=" + std::to_string(*version) + ";COMMIT";
    return database.run(rewrite.c_str());
}

} // namespace

Result<StoreFile> open_file(const std::string& path, const char* vfs, Steps steps) {
    std::error_code unknown;
    const bool existed = fs::exists(path, unknown);
    if (auto allowed = check_access(path, existed); !allowed) return std::move(allowed).error();
    auto opened = Database::open(path, vfs);
    if (!opened) return std::move(opened).error();
    auto& database = *opened;
    const auto refused = [&](const Error& why) {
        database.rollback();
        return why.code == Errc::store_damaged ? set_aside(database.path(), why) : why;
    };
    if (auto known = recognise(database, existed); !known) return refused(known.error());
    // PRAGMAs change nothing in the file yet; the lock is held from the first access on.
    constexpr auto settings = "PRAGMA page_size=8192;PRAGMA locking_mode=EXCLUSIVE;PRAGMA synchronous=FULL;"
                              "PRAGMA fullfsync=ON;PRAGMA checkpoint_fullfsync=ON;PRAGMA cell_size_check=ON;"
                              "PRAGMA trusted_schema=OFF;PRAGMA cache_size=-16384";
    if (auto set = database.run(settings); !set) return refused(set.error());
    if (database.read_only()) return refused(make_error(Errc::store_failed, "'" + database.path() + "' is read-only"));
    auto content = check(database, steps);
    if (!content) return refused(content.error());
    if (auto ready = make_ready(database); !ready) return refused(ready.error());
    auto high_water = HighWater::open(database.path());
    if (!high_water) return std::move(high_water).error();
    high_water->note(content->rounds.mark());
    database.tidy_at_end(true);
    return StoreFile{*std::move(high_water), std::move(database), std::move(content->records),
                     std::move(content->rounds)};
}

} // namespace tortoise::store
