#pragma once
/// Waited for by threads, set once.

#include <condition_variable>
#include <mutex>

namespace tortoise::io {

class Latch {
public:
    void set() {
        std::lock_guard lock(mutex_);
        set_ = true;
        condition_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        condition_.wait(lock, [this] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool set_ = false;
};

} // namespace tortoise::io
