#pragma once
/// Whether a loop that has nothing to do should look out for a moment before its thread goes to sleep.

#include <algorithm>
#include <chrono>

namespace tortoise::io {

/// To wake a thread that sleeps takes 5 to 20 µs. Who asks a question, or is given an answer, often goes on sooner than
/// that. So the loop stays awake as long as it pays, and less and less often once it does not.
class BusyPoll {
public:
    static constexpr auto length = std::chrono::microseconds(20);
    static constexpr unsigned longest_pause = 511;

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
    unsigned to_skip_ = 0, pause_ = 0; // in times that it is asked
};

} // namespace tortoise::io
