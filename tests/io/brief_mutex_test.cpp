// The mailbox's lock: nobody together with another, and nobody forgotten.
#include "io/brief_mutex.hpp"
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tortoise::io {
namespace {

TEST(BriefMutex, LetsOneInAtATime) {
    constexpr int threads = 4, times = 20'000;
    BriefMutex mutex;
    long long count = 0;
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&] {
            for (int i = 0; i < times; ++i) {
                const std::lock_guard lock(mutex);
                ++count;
            }
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(count, threads * times);
}

bool sleeps(pid_t thread) {
    std::ifstream in("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(in, text);
    return text.find(") S ") != std::string::npos;
}

TEST(BriefMutex, WakesAllThatSleepOneAfterTheOther) {
    constexpr int threads = 4;
    BriefMutex mutex;
    std::atomic<pid_t> ids[threads] = {};
    int count = 0;
    std::vector<std::thread> all;
    mutex.lock();
    for (auto& id : ids)
        all.emplace_back([&] {
            id = static_cast<pid_t>(::syscall(SYS_gettid));
            const std::lock_guard lock(mutex);
            ++count;
        });
    for (const auto& id : ids)
        while (id == 0 || !sleeps(id)) std::this_thread::yield();
    EXPECT_EQ(count, 0);
    mutex.unlock();
    for (auto& thread : all) thread.join();
    EXPECT_EQ(count, threads);
}

} // namespace
} // namespace tortoise::io
