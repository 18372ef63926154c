#pragma once
/// SQLite, as far as the store needs it: a connection and prepared statements, with errors as values.

#include <cstdint>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace tortoise::store {

class Database;

/// A prepared statement. What is bound must live until it has run.
class Statement {
public:
    Statement() noexcept = default;
    Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Statement& operator=(Statement&& other) noexcept {
        std::swap(statement_, other.statement_);
        std::swap(failed_, other.failed_);
        return *this;
    }
    ~Statement();

    Statement& bind(int parameter, std::int64_t);
    Statement& bind(int parameter, std::string_view);
    /// For statements without rows, or to read no further ones: false is an error, see Database::error.
    bool run();
    /// To the next row; false at the end and after an error, which `run` or `end` tell apart.
    bool next();
    /// Was the last row reached without an error? Makes it ready for another run.
    bool end();

    bool is_integer(int column) const;
    bool is_blob(int column) const;
    std::int64_t integer(int column) const;
    /// Valid until the next row.
    std::string_view octets(int column) const;

private:
    friend class Database;
    explicit Statement(sqlite3_stmt* s) noexcept : statement_(s) {}
    sqlite3_stmt* statement_ = nullptr;
    bool failed_ = false;
};

/// A connection to a file. One thread at a time.
class Database {
public:
    /// Opens or makes the file, without reading or writing it yet. `vfs`: SQLite's name of a file system, null for the
    /// usual.
    static Result<Database> open(const std::string& path, const char* vfs);
    /// In memory, empty.
    static Result<Database> scratch();

    Database(Database&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)), path_(std::move(other.path_)) {}
    Database& operator=(Database&& other) noexcept {
        std::swap(connection_, other.connection_);
        std::swap(path_, other.path_);
        return *this;
    }
    ~Database();

    Result<Done> run(const char* sql);
    Result<std::int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);
    Result<Statement> prepare(const char* sql);
    /// What went wrong last: its kind, and the words of SQLite and of the system.
    Error error() const;
    /// Ends a transaction that failed, if SQLite has not done so itself.
    void rollback();

    /// The octets of the file itself, whatever the journal says; fewer than asked for at its end.
    Result<std::string> raw(std::size_t octets);
    Result<std::uint64_t> size();
    bool read_only() const;
    /// At the end, shall the journal be written into the file and removed? Not at first: who only looks changes
    /// nothing.
    void tidy_at_end(bool);
    /// With all links followed.
    const std::string& path() const noexcept { return path_; }

private:
    explicit Database(sqlite3* c) noexcept : connection_(c) {}
    sqlite3* connection_ = nullptr;
    std::string path_;
};

} // namespace tortoise::store
