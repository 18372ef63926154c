#pragma once
/// A loop for a test, and something to wait with.

#include "io/loop.hpp"
#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>

namespace tortoise::io::test {

inline constexpr auto patience = std::chrono::seconds(20);

/// Runs a job on a loop, and waits until it is done.
template <class Job> void on(Loop& loop, Job job) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    loop.post([&] {
        job();
        std::lock_guard lock(mutex);
        done = true;
        changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
}

/// Something that is there sooner or later.
template <class T> class Later {
public:
    void set(T value) {
        std::lock_guard lock(mutex_);
        value_.emplace(std::move(value));
        changed_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return value_.has_value(); });
    }
    T& operator*() { return *value_; }
    T* operator->() { return &*value_; }
    bool is_set() {
        std::lock_guard lock(mutex_);
        return value_.has_value();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<T> value_;
};

} // namespace tortoise::io::test
