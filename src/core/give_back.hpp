#pragma once
/// Memory that is not needed any more. Assigning {} to a string or a vector empties it, and keeps its memory.

#include <cstddef>
#include <utility>

namespace tortoise::core {

template <class T> void give_back(T& holder) noexcept {
    T empty{};
    std::swap(holder, empty);
}

/// Empties a buffer of which so much was used, and gives it back if that was little of what it holds: it comes from
/// busier times.
template <class Buffer> void recycle(Buffer& buffer, std::size_t used) noexcept {
    constexpr std::size_t worth_it = 16 * 1024; // octets
    const bool large = buffer.capacity() * sizeof(typename Buffer::value_type) > worth_it;
    if (large && used < buffer.capacity() / 8)
        give_back(buffer);
    else
        buffer.clear();
}

} // namespace tortoise::core
