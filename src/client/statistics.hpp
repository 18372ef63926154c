#pragma once
/// The numbers of a connection while it runs: written by the loop's thread and by those that publish, read by any.

#include <atomic>
#include <tortoise/statistics.hpp>

namespace tortoise {

/// Written by one thread only.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { set(get() + n); }
    void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class DurationMeter {
public:
    DurationMeter() noexcept = default;
    ~DurationMeter();
    DurationMeter(const DurationMeter&) = delete;
    DurationMeter& operator=(const DurationMeter&) = delete;
    void add(Duration) noexcept; // the first one allocates
    Histogram read() const noexcept;

private:
    std::atomic<Counter*> counts_{nullptr}; // of Histogram::size; most connections of many have nothing to count
    Counter nanoseconds_;
};

struct Meters {
    /// Of those published, only those that were turned away.
    Statistics read() const noexcept;

    // Of the loop's thread.
    Counter bytes_sent, bytes_received, packets_received, messages_received;
    Counter delivered, sent_at_most_once, undelivered, expired, displaced, refused, resent;
    Counter connects, failures, drops, redirects, tls_resumptions;
    Counter queued_messages, queued_bytes, in_flight;
    DurationMeter delivery_time, round_trip_time;

    // Of those that publish.
    std::atomic<std::uint64_t> turned_away{0}; // refused at once, to the publisher's face
};

} // namespace tortoise
