// kill -9 in the middle of writing: what was reported kept is there, in order, and nothing else.
#include "support/store_tools.hpp"
#include <csignal>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <thread>

namespace test {
namespace {

using tortoise::Store;

std::string value_of(std::uint64_t key) { return "value of " + std::to_string(key) + std::string(key % 300, '.'); }

/// Writes messages from `first` on for good. For each, once it is kept, its key goes down the pipe. Every message is
/// put and marked in one write; those that lie 20 back are erased later.
[[noreturn]] void write_for_good(const std::string& path, std::uint64_t first, int pipe) {
    const Store store(path);
    if (!store.ok()) ::_exit(2);
    auto& adaptor = *store.adaptor();
    if (!adaptor.load("home")) ::_exit(3);
    std::atomic<std::uint64_t> kept{first};
    for (auto key = first;; ++key) {
        while (key > kept + 50) std::this_thread::yield();
        adaptor.write("home", {put(key, value_of(key)), mark(key, key % 7)}, true,
                      [&kept, key, pipe](const auto* failed) {
                          if (failed != nullptr || ::write(pipe, &key, sizeof key) != sizeof key) ::_exit(4);
                          kept = key;
                      });
        if (key >= first + 20) adaptor.write("home", {erase(key - 20)}, false, [](const auto*) {});
    }
}

TEST(StoreCrash, WhatWasReportedKeptSurvivesKillMinus9) {
    const Folder folder;
    const auto path = folder / "store.db";
    std::mt19937_64 random(6);
    std::uint64_t next = 1;
    for (int round = 0; round < 30; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) write_for_good(path, next, ends[1]);
        ::close(ends[1]);
        std::uint64_t key = 0, kept = 0;
        const auto enough = next + random() % 60;
        while (kept < enough && ::read(ends[0], &key, sizeof key) == sizeof key) kept = key;
        ::kill(child, SIGKILL);
        while (::read(ends[0], &key, sizeof key) == sizeof key) kept = key;
        ::close(ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ", status " << status;

        const Store store(path);
        ASSERT_TRUE(store.ok()) << "round " << round << ": " << store.ok().error().describe();
        const auto records = *store.adaptor()->load("home");
        ASSERT_FALSE(records.empty());
        // A row of keys without a gap, whole values with their marks, and all that was reported and not to be erased.
        const auto first = records.front().key;
        Changes done;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto expected = message(first + i, value_of(first + i), (first + i) % 7);
            ASSERT_EQ(records[i], expected) << "round " << round;
            done.push_back(erase(records[i].key));
        }
        EXPECT_GE(records.back().key, kept) << "round " << round;
        EXPECT_TRUE(first == next || first + 20 <= records.back().key + 1) << "round " << round;
        next = records.back().key + 1;
        ASSERT_TRUE(keep(*store.adaptor(), "home", std::move(done)));
    }
}

} // namespace
} // namespace test
