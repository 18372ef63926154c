#pragma once
/// How much memory the process has in use.

#include <fstream>
#include <unistd.h>

namespace tortoise::test {

/// Sanitizers keep what was freed for a while, and notes of all that is in use.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr long kept_by_sanitizers_kib = 256 * 1024;
#else
inline constexpr long kept_by_sanitizers_kib = 0;
#endif

inline long resident_kib() {
    std::ifstream statm("/proc/self/statm");
    long size = 0, resident = 0;
    statm >> size >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

} // namespace tortoise::test
