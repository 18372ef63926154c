#pragma once
/// For what is held so briefly that to sleep, and to be woken, would take far longer than to wait for it.

#include <atomic>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tortoise::io {

/// A mutex whose lock() tries for about a microsecond before it sleeps: its holder may have lost its processor. As long
/// as nobody sleeps it is an atomic, and costs half of what std::mutex does.
class BriefMutex {
public:
    BriefMutex() noexcept = default;
    BriefMutex(const BriefMutex&) = delete;
    BriefMutex& operator=(const BriefMutex&) = delete;

    void lock() noexcept {
        for (int i = 0; i < tries; ++i) {
            auto expected = State::free;
            if (state_.compare_exchange_weak(expected, State::held, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return;
            pause();
        }
        // Who slept takes it as one that is awaited: others may sleep still.
        while (state_.exchange(State::awaited, std::memory_order_acquire) != State::free)
            state_.wait(State::awaited, std::memory_order_relaxed);
    }
    void unlock() noexcept {
        if (state_.exchange(State::free, std::memory_order_release) == State::awaited) state_.notify_one();
    }

private:
    enum class State : int { free, held, awaited };

    static constexpr int tries = 50;
    static void pause() noexcept {
#if defined(__x86_64__)
        _mm_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
    std::atomic<State> state_{State::free};
};

} // namespace tortoise::io
