#include "store/record_table.hpp"
#include "store/checksum.hpp"
#include <array>
#include <unordered_set>

namespace tortoise::store {
namespace {

constexpr std::size_t mark_size = 12;

std::uint32_t session_sum(std::int64_t number, std::string_view name) noexcept {
    return checksum(name, checksum(static_cast<std::uint64_t>(number)));
}

std::uint32_t value_sum(std::int64_t id, std::string_view value) noexcept {
    return checksum(value, checksum(static_cast<std::uint64_t>(id)));
}

std::uint32_t mark_sum(std::int64_t id, std::uint64_t mark) noexcept {
    return checksum(mark, checksum(static_cast<std::uint64_t>(id)));
}

/// The mark, little-endian, and its checksum.
class MarkOctets {
public:
    MarkOctets(std::int64_t id, std::uint64_t mark) noexcept {
        const auto sum = mark_sum(id, mark);
        for (std::size_t i = 0; i < 8; ++i) octets_[i] = static_cast<char>(mark >> (8 * i));
        for (std::size_t i = 0; i < 4; ++i) octets_[8 + i] = static_cast<char>(sum >> (8 * i));
    }
    std::string_view view() const noexcept { return {octets_.data(), octets_.size()}; }

    /// None if they are not what was written for that record.
    static std::optional<std::uint64_t> read(std::int64_t id, std::string_view octets) noexcept {
        if (octets.size() != mark_size) return std::nullopt;
        std::uint64_t mark = 0;
        for (std::size_t i = 0; i < 8; ++i) mark |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
        if (MarkOctets(id, mark).view() != octets) return std::nullopt;
        return mark;
    }

private:
    std::array<char, mark_size> octets_;
};

Error damaged(const Database& database, std::string what) {
    return make_error(Errc::store_damaged, "'" + database.path() + "': " + std::move(what));
}

/// Of the row that `row` is at.
Result<core::Record> record_of(const Database& database, const Statement& row) {
    const auto id = row.integer(0);
    const auto value = row.octets(3);
    const auto mark = MarkOctets::read(id, row.octets(1));
    if (!mark || !row.is_blob(3) || !row.is_integer(2) || row.integer(2) != value_sum(id, value))
        return damaged(database, "a record is not what was written");
    return core::Record{RecordId::kind(id), RecordId::key(id), *mark, std::string(value)};
}

} // namespace

std::optional<std::int64_t> RecordId::of(std::int64_t session, core::RecordKind kind, std::uint64_t key) noexcept {
    const auto number = static_cast<std::int64_t>(kind);
    if (key > max_key || number < 1 || number >= 1 << kind_bits) return std::nullopt;
    return (((session << kind_bits) | number) << key_bits) | static_cast<std::int64_t>(key);
}

core::RecordKind RecordId::kind(std::int64_t id) noexcept {
    return static_cast<core::RecordKind>((id >> key_bits) & ((1 << kind_bits) - 1));
}

Result<RecordTable> RecordTable::open(Database& database) {
    RecordTable table;
    const struct {
        Statement& statement;
        const char* sql;
    } all[] = {
        {table.find_, "SELECT number FROM sessions WHERE name=?1"},
        {table.greatest_, "SELECT coalesce(max(number), 0) FROM sessions"},
        {table.gap_,
         "SELECT s.number + 1 FROM (SELECT 0 AS number UNION ALL SELECT number FROM sessions) AS s WHERE NOT EXISTS "
         "(SELECT 1 FROM sessions AS t WHERE t.number = s.number + 1) LIMIT 1"},
        {table.add_, "INSERT INTO sessions(number, name, sum) VALUES(?1, ?2, ?3)"},
        {table.leave_, "DELETE FROM sessions WHERE number=?1 AND NOT EXISTS "
                       "(SELECT 1 FROM records WHERE id BETWEEN ?2 AND ?3)"},
        {table.put_, "INSERT OR REPLACE INTO records(id, mark, sum, value) VALUES(?1, ?2, ?3, ?4)"},
        {table.mark_, "UPDATE records SET mark=?2 WHERE id=?1"},
        {table.erase_, "DELETE FROM records WHERE id=?1"},
        {table.load_, "SELECT id, mark, sum, value FROM records WHERE id BETWEEN ?1 AND ?2 ORDER BY id"},
        {table.sessions_, "SELECT number, name, sum FROM sessions"},
        {table.records_, "SELECT id, mark, sum, value FROM records"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return std::move(prepared).error();
        statement = *std::move(prepared);
    }
    return table;
}

Result<std::int64_t> RecordTable::find(const Database& database, std::string_view session) {
    find_.bind(1, session);
    const auto number = find_.next() ? find_.integer(0) : 0;
    if (!find_.end()) return database.error();
    return number;
}

Result<std::int64_t> RecordTable::add(const Database& database, std::string_view session) {
    auto number = greatest_.next() ? greatest_.integer(0) + 1 : 1;
    if (!greatest_.end()) return database.error();
    if (number > RecordId::max_session) {
        number = gap_.next() ? gap_.integer(0) : number;
        if (!gap_.end()) return database.error();
    }
    if (number > RecordId::max_session)
        return make_error(Errc::store_failed, "'" + database.path() + "' holds " +
                                                  std::to_string(RecordId::max_session) +
                                                  " sessions, and can hold no more");
    if (!add_.bind(1, number).bind(2, session).bind(3, session_sum(number, session)).run()) return database.error();
    return number;
}

bool RecordTable::leave(std::int64_t session) {
    return leave_.bind(1, session).bind(2, RecordId::first(session)).bind(3, RecordId::first(session + 1) - 1).run();
}

bool RecordTable::put(std::int64_t id, std::uint64_t mark, std::string_view value) {
    const MarkOctets octets(id, mark);
    return put_.bind(1, id).bind(2, octets.view()).bind(3, value_sum(id, value)).bind(4, value).run();
}

bool RecordTable::mark(std::int64_t id, std::uint64_t mark) {
    const MarkOctets octets(id, mark);
    return mark_.bind(1, id).bind(2, octets.view()).run();
}

bool RecordTable::erase(std::int64_t id) { return erase_.bind(1, id).run(); }

Result<std::vector<core::Record>> RecordTable::load(const Database& database, std::int64_t session) {
    std::vector<core::Record> records;
    load_.bind(1, RecordId::first(session)).bind(2, RecordId::first(session + 1) - 1);
    while (load_.next()) {
        auto record = record_of(database, load_);
        if (!record) {
            load_.end();
            return std::move(record).error();
        }
        records.push_back(*std::move(record));
    }
    if (!load_.end()) return database.error();
    return records;
}

Result<Done> RecordTable::check(const Database& database) {
    std::unordered_set<std::int64_t> known;
    std::optional<Error> wrong;
    while (!wrong && sessions_.next()) {
        const auto number = sessions_.integer(0);
        if (number < 1 || number > RecordId::max_session ||
            sessions_.integer(2) != session_sum(number, sessions_.octets(1)))
            wrong = damaged(database, "the name of a session is not what was written");
        known.insert(number);
    }
    if (!sessions_.end() && !wrong) wrong = database.error();
    while (!wrong && records_.next()) {
        const auto id = records_.integer(0);
        const auto kind = RecordId::kind(id);
        if (kind < core::RecordKind::session || kind > core::RecordKind::inbound ||
            !known.contains(RecordId::session(id)))
            wrong = damaged(database, "a record is of no session or no kind");
        else if (auto record = record_of(database, records_); !record)
            wrong = record.error();
    }
    if (!records_.end() && !wrong) wrong = database.error();
    if (wrong) return *wrong;
    return Done();
}

} // namespace tortoise::store
