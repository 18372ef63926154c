#pragma once
/// Sessions and their records in the tables of a store's file.

#include "store/database.hpp"
#include <optional>
#include <tortoise/core/record.hpp>
#include <vector>

namespace tortoise::store {

/// The name of a record in its file: session, kind and key in one number, which orders them so.
struct RecordId {
    static constexpr int key_bits = 45;
    static constexpr int kind_bits = 2;
    static constexpr std::int64_t max_session = (1 << 16) - 1;
    static constexpr std::uint64_t max_key = (std::uint64_t{1} << key_bits) - 1;

    /// None if the key is too large to be kept, or the kind unknown.
    static std::optional<std::int64_t> of(std::int64_t session, core::RecordKind, std::uint64_t key) noexcept;
    static std::int64_t session(std::int64_t id) noexcept { return id >> (key_bits + kind_bits); }
    static core::RecordKind kind(std::int64_t id) noexcept;
    static std::uint64_t key(std::int64_t id) noexcept { return static_cast<std::uint64_t>(id) & max_key; }
    static std::int64_t first(std::int64_t session) noexcept { return session << (key_bits + kind_bits); }
};

/// One thread at a time. What fails is told by Database::error.
class RecordTable {
public:
    static Result<RecordTable> open(Database&);

    /// 0: the session is not there.
    Result<std::int64_t> find(const Database&, std::string_view session);
    Result<std::int64_t> add(const Database&, std::string_view session);
    /// Forgets the session if it has no records.
    bool leave(std::int64_t session);

    bool put(std::int64_t id, std::uint64_t mark, std::string_view value);
    bool mark(std::int64_t id, std::uint64_t mark);
    bool erase(std::int64_t id);
    Result<std::vector<core::Record>> load(const Database&, std::int64_t session);

    /// Reads everything: is it what was written?
    Result<Done> check(const Database&);

private:
    Statement find_, greatest_, gap_, add_, leave_, put_, mark_, erase_, load_, sessions_, records_;
};

} // namespace tortoise::store
