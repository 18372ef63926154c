#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <tortoise/testing/gate.hpp>
#include <utility>
#include <vector>

namespace tortoise::testing {

struct Gate::State {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    std::vector<Fn<void()>> waiting;
};

Gate::Gate() : state_(std::make_shared<State>()) {}

void Gate::open() const {
    std::vector<Fn<void()>> waiting;
    {
        std::lock_guard lock(state_->mutex);
        state_->open = true;
        waiting.swap(state_->waiting);
        state_->opened.notify_all();
    }
    for (auto& wake : waiting) wake();
}

bool Gate::is_open() const {
    std::lock_guard lock(state_->mutex);
    return state_->open;
}

bool Gate::wait(Duration at_most) const {
    std::unique_lock lock(state_->mutex);
    const auto countable = std::min<Duration>(at_most, std::chrono::hours(24)); // the clock's own range ends somewhere
    return state_->opened.wait_for(lock, countable, [this] { return state_->open; });
}

void Gate::on_open(Fn<void()> wake) const {
    {
        std::lock_guard lock(state_->mutex);
        if (!state_->open) return state_->waiting.push_back(std::move(wake));
    }
    wake();
}

} // namespace tortoise::testing
