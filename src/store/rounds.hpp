#pragma once
/// How many rounds a store's file has been written in: counted in the file itself, with each round, for HighWater.

#include "store/database.hpp"
#include "store/high_water.hpp"

namespace tortoise::store {

class Rounds {
public:
    /// Reads the count.
    static Result<Rounds> open(Database&);

    /// In the round's transaction. False is an error, see Database::error.
    bool count();
    /// That transaction was committed.
    void committed() noexcept { ++mark_.rounds; }
    HighWater::Mark mark() const noexcept { return mark_; }

private:
    Statement count_;
    HighWater::Mark mark_;
};

} // namespace tortoise::store
