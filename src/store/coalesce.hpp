#pragma once
/// Many changes become few: what is put and erased before it was ever written costs nothing.

#include <cstdint>
#include <tortoise/core/record.hpp>
#include <vector>

namespace tortoise::store {

/// A change to one record of a file.
struct Step {
    std::int64_t id = 0;
    core::RecordChange::Action action = core::RecordChange::Action::put;
    bool is_new = false;                ///< the file has no record of that id
    std::uint64_t mark = 0;             ///< of put and mark
    const std::string* value = nullptr; ///< of put
};

/// Leaves at most one step for each record, in the order of ids; together they do what the given ones do in their
/// order.
void coalesce(std::vector<Step>&);

} // namespace tortoise::store
