#include "store/database.hpp"
#include <algorithm>
#include <filesystem>
#include <sqlite3.h>

namespace tortoise::store {
namespace {

// How long to wait for a process that is about to end, or for one that is opening the file at the same moment.
constexpr int lock_wait_ms = 250;

Errc kind_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::store_locked;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR: // our statements are right: the tables are not what they were
        return Errc::store_damaged;
    default: return Errc::store_failed;
    }
}

bool may_name_the_system(int code) { return (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN; }

Error error_of(sqlite3* connection, int code, const std::string& path) {
    const auto kind = kind_of(code);
    std::string text = "'" + path + "': ";
    if (kind == Errc::store_locked) {
        text += "another process, or another Store of this one, uses the file";
    } else {
        text += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
        const int system = connection != nullptr ? sqlite3_system_errno(connection) : 0;
        if (system != 0 && may_name_the_system(code)) text += ": " + std::generic_category().message(system);
    }
    return make_error(kind, std::move(text));
}

/// ":memory:" and "file:…" mean the files of these names.
std::string plain(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

} // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
    failed_ |= sqlite3_bind_int64(statement_, parameter, value) != SQLITE_OK;
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
    const char* at = value.data() != nullptr ? value.data() : ""; // null would be NULL
    failed_ |= sqlite3_bind_blob64(statement_, parameter, at, value.size(), SQLITE_STATIC) != SQLITE_OK;
    return *this;
}

bool Statement::run() {
    if (!failed_) next();
    return end();
}

bool Statement::next() {
    const int code = sqlite3_step(statement_);
    failed_ |= code != SQLITE_ROW && code != SQLITE_DONE;
    return code == SQLITE_ROW;
}

bool Statement::end() {
    const bool ended = sqlite3_reset(statement_) == SQLITE_OK && !failed_;
    failed_ = false;
    return ended;
}

bool Statement::is_integer(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_INTEGER; }
bool Statement::is_blob(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_BLOB; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::octets(int column) const {
    const auto* at = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return at != nullptr ? std::string_view(at, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                         : std::string_view();
}

Result<Database> Database::open(const std::string& path, const char* vfs) {
    if (path.find('\0') != std::string::npos)
        return make_error(Errc::store_failed, "the path of the store holds a NUL");
    Database database(nullptr);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(plain(path).c_str(), &database.connection_, flags, vfs);
    if (code != SQLITE_OK) return error_of(database.connection_, code, path);
    database.path_ = sqlite3_db_filename(database.connection_, "main");
    sqlite3_extended_result_codes(database.connection_, 1);
    sqlite3_busy_timeout(database.connection_, lock_wait_ms);
    database.tidy_at_end(false);
    return database;
}

Result<Database> Database::scratch() {
    Database database(nullptr);
    const int code =
        sqlite3_open_v2(":memory:", &database.connection_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return error_of(database.connection_, code, "memory");
    return database;
}

Database::~Database() { sqlite3_close_v2(connection_); }

Error Database::error() const { return error_of(connection_, sqlite3_extended_errcode(connection_), path_); }

Result<Done> Database::run(const char* sql) {
    if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return Done();
}

Result<Statement> Database::prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK)
        return error();
    return Statement(made);
}

Result<std::int64_t> Database::number(const char* sql) {
    auto statement = prepare(sql);
    if (!statement) return std::move(statement).error();
    const auto value = statement->next() ? statement->integer(0) : 0;
    if (!statement->end()) return error();
    return value;
}

Result<std::string> Database::text(const char* sql) {
    auto statement = prepare(sql);
    if (!statement) return std::move(statement).error();
    std::string value;
    if (statement->next()) value = statement->octets(0);
    if (!statement->end()) return error();
    return value;
}

void Database::rollback() {
    // The error is told already; what this answers adds nothing.
    if (sqlite3_get_autocommit(connection_) == 0) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<std::string> Database::raw(std::size_t octets) {
    const auto length = size();
    if (!length) return length.error();
    sqlite3_file* file = nullptr;
    sqlite3_file_control(connection_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    std::string head(std::min<std::uint64_t>(octets, *length), '\0');
    const int code =
        head.empty() ? SQLITE_OK : file->pMethods->xRead(file, head.data(), static_cast<int>(head.size()), 0);
    if (code != SQLITE_OK) return error_of(nullptr, code, path_);
    return head;
}

Result<std::uint64_t> Database::size() {
    // Not by SQLite, to which a file of one octet is empty.
    std::error_code failed;
    const auto size = std::filesystem::file_size(path_, failed);
    if (failed) return make_error(Errc::store_failed, "'" + path_ + "': " + failed.message());
    return size;
}

bool Database::read_only() const { return sqlite3_db_readonly(connection_, "main") != 0; }

void Database::tidy_at_end(bool tidy) {
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, tidy ? 0 : 1, nullptr);
}

} // namespace tortoise::store
