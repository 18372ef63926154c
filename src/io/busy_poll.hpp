#pragma once
/// Whether a loop that has nothing to do should look out for a moment before its thread goes to sleep.

#include <algorithm>
#include <chrono>

namespace tortoise::io {

/// To wake a thread that sleeps takes 5 to 20 µs, and on a busy host of virtual machines some ten times that. Who asks
/// a question, or is given an answer, often goes on sooner than that. So the loop stays awake as long as it pays, and
/// less and less often once it does not.
class BusyPoll {
public:
    using Duration = std::chrono::nanoseconds;
    static constexpr Duration shortest = std::chrono::microseconds(20), longest = std::chrono::microseconds(100);
    static constexpr unsigned longest_pause = 511;

    /// How long it is looked out: twice what waking takes here, since who answers has to be woken as well.
    Duration length() const noexcept { return length_; }
    void waking_took(Duration time) noexcept {
        const auto wanted = std::clamp(2 * std::min(time, longest), shortest, longest);
        length_ += (wanted - length_) / 8; // one hiccup alone counts for little
    }

    /// Asked whenever the loop has done something, and might go to sleep.
    bool worth_while() noexcept {
        if (to_skip_ == 0) return true;
        --to_skip_;
        return false;
    }
    /// It polled for something that was not there yet.
    void ended(bool something_came) noexcept {
        pause_ = something_came ? 0 : std::min(2 * pause_ + 1, longest_pause);
        to_skip_ = pause_;
    }

private:
    Duration length_ = shortest;
    unsigned to_skip_ = 0, pause_ = 0; // in times that it is asked
};

} // namespace tortoise::io
