#include "store/open.hpp"
#include "store/journal.hpp"
#include "store/set_aside.hpp"

namespace tortoise::store {
namespace {

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t application_id_at = 68;
constexpr std::size_t header_size = 100;

bool says_ours(std::string_view header) {
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = (id << 8) | static_cast<unsigned char>(header[application_id_at + i]);
    return id == application_id;
}

/// Looks at the file before SQLite does, which would already change the file of somebody else.
Result<Done> recognise(Database& database) {
    const auto& path = database.path();
    const auto header = database.raw(header_size);
    if (!header) return header.error();
    const auto damaged = [&](const char* what) { return make_error(Errc::store_damaged, "'" + path + "': " + what); };
    if (header->empty()) {
        if (journal_has_content(path + "-wal")) return damaged("the file is empty, its journal is not");
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

/// In one transaction, which also locks the file: tables and records are what they have to be, or nothing is changed.
Result<RecordTable> check(Database& database, Steps steps) {
    if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
    if (!journal_is_whole(database.path() + "-wal"))
        return make_error(Errc::store_damaged, "'" + database.path() + "-wal': damaged in its middle");
    if (auto up = bring_up(database, steps); !up) return std::move(up).error();
    auto records = RecordTable::open(database);
    if (!records) return records;
    if (auto checked = records->check(database); !checked) return std::move(checked).error();
    if (auto committed = database.run("COMMIT"); !committed) return std::move(committed).error();
    return records;
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
    auto opened = Database::open(path, vfs);
    if (!opened) return std::move(opened).error();
    auto& database = *opened;
    const auto refused = [&](const Error& why) {
        database.rollback();
        return why.code == Errc::store_damaged ? set_aside(database.path(), why) : why;
    };
    if (auto known = recognise(database); !known) return refused(known.error());
    // PRAGMAs change nothing in the file yet; the lock is held from the first access on.
    constexpr auto settings = "PRAGMA page_size=8192;PRAGMA locking_mode=EXCLUSIVE;PRAGMA synchronous=FULL;"
                              "PRAGMA fullfsync=ON;PRAGMA checkpoint_fullfsync=ON;PRAGMA cell_size_check=ON;"
                              "PRAGMA trusted_schema=OFF;PRAGMA cache_size=-16384";
    if (auto set = database.run(settings); !set) return refused(set.error());
    if (database.read_only()) return refused(make_error(Errc::store_failed, "'" + database.path() + "' is read-only"));
    auto records = check(database, steps);
    if (!records) return refused(records.error());
    if (auto ready = make_ready(database); !ready) return refused(ready.error());
    database.tidy_at_end(true);
    return StoreFile{std::move(database), *std::move(records)};
}

} // namespace tortoise::store
