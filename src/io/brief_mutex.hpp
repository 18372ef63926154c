#pragma once
/// For what is held so briefly that to sleep, and to be woken, would take far longer than to wait for it.

#include <mutex>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tortoise::io {

/// A mutex whose lock() tries for about a microsecond before it sleeps: its holder may have lost its processor.
class BriefMutex {
public:
    void lock() {
        for (int i = 0; i < tries; ++i) {
            if (mutex_.try_lock()) return;
            pause();
        }
        mutex_.lock();
    }
    void unlock() { mutex_.unlock(); }

private:
    static constexpr int tries = 50;
    static void pause() noexcept {
#if defined(__x86_64__)
        _mm_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
    std::mutex mutex_;
};

} // namespace tortoise::io
