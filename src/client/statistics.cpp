#include "client/statistics.hpp"
#include <algorithm>
#include <bit>
#include <chrono>

namespace tortoise {

namespace {

std::size_t bucket_of(Duration d) noexcept {
    const auto micros = std::chrono::ceil<std::chrono::microseconds>(std::max(d, Duration(0))).count();
    const auto above = static_cast<std::uint64_t>(std::max<std::chrono::microseconds::rep>(micros, 1) - 1);
    return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(above)), Histogram::size - 1);
}

} // namespace

Duration Histogram::upper_bound(std::size_t bucket) noexcept {
    if (bucket >= size - 1) return Duration::max();
    return std::chrono::microseconds(std::int64_t{1} << bucket);
}

Duration Histogram::quantile(double part) const noexcept {
    if (count == 0) return {};
    const auto wanted = std::clamp(part, 0.0, 1.0) * static_cast<double>(count);
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < size; ++i) {
        so_far += counts[i];
        if (so_far != 0 && static_cast<double>(so_far) >= wanted) return upper_bound(i);
    }
    return upper_bound(size - 1);
}

DurationMeter::~DurationMeter() { delete[] counts_.load(std::memory_order_relaxed); }

void DurationMeter::add(Duration d) noexcept {
    auto* counts = counts_.load(std::memory_order_relaxed);
    if (counts == nullptr) {
        counts = new Counter[Histogram::size];
        counts_.store(counts, std::memory_order_release);
    }
    counts[bucket_of(d)].add();
    nanoseconds_.add(static_cast<std::uint64_t>(std::max(d, Duration(0)).count()));
}

Histogram DurationMeter::read() const noexcept {
    Histogram h;
    const auto* const counts = counts_.load(std::memory_order_acquire);
    if (counts == nullptr) return h;
    for (std::size_t i = 0; i < Histogram::size; ++i) h.count += h.counts[i] = counts[i].get();
    h.sum = Duration(static_cast<Duration::rep>(nanoseconds_.get()));
    return h;
}

Statistics Meters::read() const noexcept {
    Statistics s;
    s.bytes_sent = bytes_sent.get();
    s.bytes_received = bytes_received.get();
    s.packets_received = packets_received.get();
    s.delivered = delivered.get() + sent_at_most_once.get();
    s.undelivered = undelivered.get() + turned_away.load(std::memory_order_relaxed);
    s.expired = expired.get();
    s.displaced = displaced.get();
    s.refused = refused.get();
    s.resent = resent.get();
    s.messages_received = messages_received.get();
    s.connects = connects.get();
    s.failures = failures.get();
    s.drops = drops.get();
    s.redirects = redirects.get();
    s.tls_resumptions = tls_resumptions.get();
    s.queued_messages = queued_messages.get();
    s.queued_bytes = queued_bytes.get();
    s.in_flight = in_flight.get();
    s.delivery_time = delivery_time.read();
    s.round_trip_time = round_trip_time.read();
    s.published = turned_away.load(std::memory_order_relaxed);
    return s;
}

} // namespace tortoise
