#pragma once
/// Memory that another processor has written, and that is better on its way when it is needed.

#include <cstddef>

namespace tortoise::io {

inline constexpr std::size_t cache_line = 64;

inline void fetch_to_write(const void* at) noexcept {
#if defined(__x86_64__)
    // The builtin fetches to read, unless the compiler is told of newer processors.
    asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
    __builtin_prefetch(at, 1);
#endif
}
inline void fetch_all_to_write(const void* at, std::size_t size) noexcept {
    const auto* const begin = static_cast<const char*>(at);
    for (std::size_t i = 0; i < size; i += cache_line) fetch_to_write(begin + i);
}
inline void fetch_to_read(const void* at) noexcept { __builtin_prefetch(at); }

} // namespace tortoise::io
