#include "store/rounds.hpp"

namespace tortoise::store {

Result<Rounds> Rounds::open(Database& database) {
    Rounds rounds;
    auto counted = database.prepare("SELECT store, committed FROM rounds");
    if (!counted) return std::move(counted).error();
    const bool found = counted->next() && counted->is_integer(0) && counted->is_integer(1);
    if (found) rounds.mark_ = {counted->integer(0), counted->integer(1)};
    if (!counted->end()) return database.error();
    if (!found) return make_error(Errc::store_damaged, "'" + database.path() + "': its count of rounds is missing");
    auto count = database.prepare("UPDATE rounds SET committed=?1");
    if (!count) return std::move(count).error();
    rounds.count_ = *std::move(count);
    return rounds;
}

bool Rounds::count() { return count_.bind(1, mark_.rounds + 1).run(); }

} // namespace tortoise::store
