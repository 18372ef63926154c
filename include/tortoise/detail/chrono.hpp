#pragma once
/// Durations, times and clocks of std::chrono. libstdc++'s <chrono> brings calendars and streams along, a sixth of what a small
/// program costs the compiler; the part of it that <thread> and <mutex> use has all that is needed here.

#include <version>

#if defined(__GLIBCXX__) && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif
