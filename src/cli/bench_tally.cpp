#include "bench_tally.hpp"
#include <sys/resource.h>

namespace cli {

namespace {

std::chrono::nanoseconds cpu_of_process() noexcept {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto time = [](timeval t) { return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec); };
    return time(usage.ru_utime) + time(usage.ru_stime);
}

} // namespace

void Tally::begin(Clock::time_point now) noexcept {
    if (begun_) return;
    begun_ = true;
    begin_ = last_ = now;
    cpu_at_begin_.store(cpu_of_process(), std::memory_order_relaxed);
}

void Tally::succeeded(std::uint64_t messages, Clock::time_point now) noexcept {
    if (over() || messages == 0) return;
    messages_.store(this->messages() + messages, std::memory_order_relaxed);
    settled(now);
}

void Tally::failed(std::uint64_t messages, Clock::time_point now, const tortoise::Error& why) {
    if (over() || messages == 0) return;
    if (failures() == 0) first_error_ = why;
    failures_.store(failures() + messages, std::memory_order_relaxed);
    settled(now);
}

void Tally::settled(Clock::time_point now) noexcept {
    last_ = now;
    if (messages() + failures() < count_) return;
    end();
    watch_.finish(failures() > 0 ? not_delivered : success);
}

void Tally::end() noexcept {
    if (over_.exchange(true)) return;
    const auto at_begin = cpu_at_begin_.load(std::memory_order_relaxed);
    if (at_begin >= std::chrono::nanoseconds::zero()) cpu_ = cpu_of_process() - at_begin;
}

} // namespace cli
