#pragma once
/// From a walk that fails to the few decisions that make it fail.

#include "sim/walk.hpp"

namespace tortoise::sim {

struct Shrunk {
    WalkOptions options;     ///< with the decisions that are left
    std::string failure;     ///< theirs: the same as before but for its numbers; empty: the walk did not fail
    std::uint64_t walks = 0; ///< how many were tried
};

/// Leaves out decisions, half of them at a time, then less, as long as the walk still fails in the same way.
Shrunk shrink(const WalkOptions&, std::uint64_t most_walks = 3'000);

/// A test that makes those decisions, to be pasted into tests/sim.
std::string as_test(const Shrunk&);

} // namespace tortoise::sim
