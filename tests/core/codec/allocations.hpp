#pragma once
/// Counts what the program takes from the heap: operator new is replaced for the whole test program.

#include <cstddef>

namespace tortoise::core {

struct Allocations {
    std::size_t count = 0;   // calls, since the thread began
    std::size_t octets = 0;  // asked for, since the thread began
    std::ptrdiff_t live = 0; // taken and not given back, as the heap counts
};
Allocations allocations() noexcept;

} // namespace tortoise::core
