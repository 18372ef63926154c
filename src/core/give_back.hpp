#pragma once
/// Memory that is not needed any more. Assigning {} to a string or a vector empties it, and keeps its memory.

#include <utility>

namespace tortoise::core {

template <class T> void give_back(T& holder) noexcept {
    T empty{};
    std::swap(holder, empty);
}

} // namespace tortoise::core
