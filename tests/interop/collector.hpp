#pragma once
// What a connection received, for a test that waits for it.

#include "support/process.hpp"
#include <condition_variable>
#include <mutex>
#include <tortoise/connection.hpp>
#include <vector>

namespace test {

/// Messages in the order of their arrival; outlives the connection that fills it.
class Inbox {
public:
    void add(const tortoise::MessageView& m) {
        const std::lock_guard lock(mutex_);
        messages_.emplace_back(m);
        arrived_.notify_all();
    }
    /// All of them, as soon as there are so many.
    std::vector<tortoise::Message> wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        arrived_.wait_for(lock, patience, [&] { return messages_.size() >= count; });
        return messages_;
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<tortoise::Message> messages_;
};

class Collector : public tortoise::Handler {
public:
    explicit Collector(Inbox* inbox) : inbox_(*inbox) {}
    tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
        inbox_.add(m);
        return {};
    }

private:
    Inbox& inbox_;
};

} // namespace test
