#pragma once
/// How much memory the process has in use.

#include <fstream>
#include <unistd.h>

namespace tortoise::test {

inline long resident_kib() {
    std::ifstream statm("/proc/self/statm");
    long size = 0, resident = 0;
    statm >> size >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

} // namespace tortoise::test
