#include "store/schema.hpp"

namespace tortoise::store {
namespace {

// A record's id is its session's number, kind and key in one, see record_table.cpp: the fastest table that SQLite has,
// and what belongs together lies together. Its mark has a fixed size, so that a new mark moves nothing and leaves the
// pages of a large value alone. Checksums cover the id too.
constexpr const char* steps[] = {
    "CREATE TABLE sessions(number INTEGER PRIMARY KEY, name BLOB NOT NULL, sum INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX session_names ON sessions(name);"
    "CREATE TABLE records(id INTEGER PRIMARY KEY, mark BLOB NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL);",
    "CREATE TABLE rounds(store INTEGER NOT NULL, committed INTEGER NOT NULL);"
    "INSERT INTO rounds VALUES(random(), 0);",
};

Result<std::string> tables_of(Database& database) {
    return database.text("SELECT group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, ''), ';') "
                         "FROM (SELECT * FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name)");
}

/// What the tables of a version look like.
Result<std::string> tables_after(Steps done) {
    auto scratch = Database::scratch();
    if (!scratch) return std::move(scratch).error();
    for (const auto* step : done) {
        if (auto ran = scratch->run(step); !ran) return std::move(ran).error();
    }
    return tables_of(*scratch);
}

Error damaged(const Database& database, const std::string& what) {
    return make_error(Errc::store_damaged, "'" + database.path() + "': " + what);
}

/// SQLite begins with a heading, "*** in database main ***".
std::string first_fault(std::string_view verdict) {
    const auto line = verdict.find('\n');
    if (verdict.starts_with("***") && line != std::string_view::npos) verdict.remove_prefix(line + 1);
    return std::string(verdict.substr(0, verdict.find('\n')));
}

/// Is the file as one of that version has to be? Also the pages below the tables.
Result<Done> check(Database& database, Steps done) {
    const auto expected = tables_after(done);
    if (!expected) return expected.error();
    const auto found = tables_of(database);
    if (!found) return found.error();
    if (*found != *expected) return damaged(database, "its tables are not those of a store");
    const auto verdict = database.text("PRAGMA integrity_check(1)");
    if (!verdict) return verdict.error();
    if (*verdict != "ok")
        return damaged(database, "its pages are not those that were written: " + first_fault(*verdict));
    return Done();
}

} // namespace

Steps schema_steps() noexcept { return steps; }

Result<Done> bring_up(Database& database, Steps all) {
    const auto version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    const auto objects = database.number("SELECT count(*) FROM sqlite_schema");
    if (!objects) return objects.error();
    const auto known = static_cast<std::int64_t>(all.size());
    if (*version > known)
        return make_error(Errc::store_failed,
                          "'" + database.path() + "' was written by a newer version (its schema is " +
                              std::to_string(*version) + ", known here are those up to " + std::to_string(known) + ")");
    const bool empty = *version == 0 && *objects == 0;
    if (!empty) {
        if (*version < 1) return damaged(database, "its version is " + std::to_string(*version));
        if (auto checked = check(database, all.first(static_cast<std::size_t>(*version))); !checked) return checked;
    }
    if (*version == known) return Done();
    for (const auto* step : all.subspan(static_cast<std::size_t>(*version))) {
        // The file was in order: whatever fails now is no damage to it.
        if (auto ran = database.run(step); !ran) return make_error(Errc::store_failed, ran.error().text);
    }
    const auto stamp =
        "PRAGMA application_id=" + std::to_string(application_id) + ";PRAGMA user_version=" + std::to_string(known);
    return database.run(stamp.c_str());
}

} // namespace tortoise::store
