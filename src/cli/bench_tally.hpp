#pragma once
// The account of a measurement.

#include "client.hpp"
#include "latency_histogram.hpp"
#include <atomic>
#include <chrono>
#include <cstdint>

namespace cli {

/// Kept by the one loop thread, watched by the main thread, and read by it when the connections are gone. It ends when
/// `count` messages are accounted for, or when end() is called; what comes later does not count.
class Tally {
public:
    using Clock = std::chrono::steady_clock;

    Tally(std::uint64_t count, Watch& watch) : count_(count), watch_(watch) {}

    /// From now on time and CPU are measured; later calls change nothing.
    void begin(Clock::time_point now) noexcept;
    void succeeded(std::uint64_t messages, Clock::time_point now) noexcept;
    void failed(std::uint64_t messages, Clock::time_point now, const tortoise::Error& why);
    void took(Clock::duration latency) noexcept {
        if (!over()) latencies_.add(latency);
    }

    // Any thread.
    void end() noexcept;
    bool over() const noexcept { return over_.load(std::memory_order_relaxed); }
    std::uint64_t messages() const noexcept { return messages_.load(std::memory_order_relaxed); }
    std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

    // When the connections are gone.
    const LatencyHistogram& latencies() const noexcept { return latencies_; }
    const tortoise::Error& first_error() const noexcept { return first_error_; }
    /// From begin() to the last message that counted.
    Clock::duration elapsed() const noexcept { return last_ - begin_; }
    /// User and system time of the process, from begin() to the end.
    std::chrono::nanoseconds cpu() const noexcept { return cpu_; }

private:
    void settled(Clock::time_point now) noexcept;

    const std::uint64_t count_;
    Watch& watch_;
    std::atomic<std::uint64_t> messages_{0}, failures_{0}; // written by the loop thread only
    std::atomic<bool> over_{false};
    bool begun_ = false;
    Clock::time_point begin_ = {}, last_ = {};
    std::atomic<std::chrono::nanoseconds> cpu_at_begin_{std::chrono::nanoseconds(-1)}; // so before begin()
    std::chrono::nanoseconds cpu_ = {};
    LatencyHistogram latencies_;
    tortoise::Error first_error_ = {};
};

} // namespace cli
