#include <tortoise/coro.hpp>

namespace tortoise::detail {

// Where it stands is known under the lock: either cancel() withdraws it there, and nobody will go on with it, or it is
// being answered, and who does that finds it cancelled.

void Flow::start(std::coroutine_handle<> root) {
    root_ = root;
    root.resume();
}

bool Flow::suspend(PendingState& at, PendingState::Continuation& continuation) {
    const auto self = Ref<Flow>::share(this); // the frame, which keeps it, may go
    std::unique_lock lock(mutex_);
    if (cancelled_) {
        lock.unlock();
        end();
        return true;
    }
    at_ = &at;
    continuation_ = &continuation;
    const bool waits = at.append(continuation);
    if (!waits) at_ = nullptr;
    return waits;
}

bool Flow::resume() {
    const auto self = Ref<Flow>::share(this);
    {
        std::lock_guard lock(mutex_);
        at_ = nullptr;
        if (!cancelled_) return true;
    }
    end();
    return false;
}

void Flow::cancel() {
    {
        std::lock_guard lock(mutex_);
        cancelled_ = true;
        if (!at_ || !at_->remove(*continuation_)) return; // who runs it, or is about to, will see
        at_ = nullptr;
    }
    end();
}

void Flow::end() {
    const auto self = Ref<Flow>::share(this);
    root_.destroy();
    tell_cancelled();
}

void Flow::finish() noexcept {
    const auto self = Ref<Flow>::share(this);
    root_.destroy();
    tell_outcome();
}
} // namespace tortoise::detail
