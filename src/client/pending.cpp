#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <tortoise/pending.hpp>
#include <tortoise/runtime.hpp>

namespace tortoise::detail {

namespace {

/// A thread that waits. Its owner must not leave before it was told, or has withdrawn its continuation.
class Waiter {
public:
    void tell() {
        // Told with the lock held: as soon as it is free, this may be gone.
        std::lock_guard lock(mutex_);
        told_ = true;
        condition_.notify_one();
    }
    bool wait(Duration at_most) {
        std::unique_lock lock(mutex_);
        const auto told = [this] { return told_; };
        const auto now = std::chrono::steady_clock::now();
        if (at_most >= std::chrono::steady_clock::time_point::max() - now) {
            condition_.wait(lock, told);
            return true;
        }
        return condition_.wait_until(lock, now + at_most, told);
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool told_ = false;
};

} // namespace

// One of the two is set. With a waiter it lives on that thread's stack, otherwise on the heap.
struct PendingState::Continuation {
    Fn<void()> call = {};
    void* waiter = nullptr;
    Continuation* next = nullptr;
};

PendingState::~PendingState() {
    while (first_) delete std::exchange(first_, first_->next);
}

void PendingState::lock() noexcept {
    while (locked_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
}

void PendingState::unlock() noexcept { locked_.store(false, std::memory_order_release); }

bool PendingState::append(Continuation& c) noexcept {
    lock();
    const bool late = done();
    if (!late) {
        (last_ ? last_->next : first_) = &c;
        last_ = &c;
    }
    unlock();
    return !late;
}

bool PendingState::remove(Continuation& c) noexcept {
    lock();
    Continuation* before = nullptr;
    auto* at = first_;
    while (at && at != &c) before = std::exchange(at, at->next);
    if (at) {
        (before ? before->next : first_) = c.next;
        if (last_ == &c) last_ = before;
    }
    unlock();
    return at != nullptr;
}

std::optional<Error> PendingState::wait(Duration at_most) {
    if (done()) return std::nullopt;
    if (Runtime::on_loop_thread()) {
        return make_error(Errc::would_deadlock, "a loop thread must not wait; use on_done()");
    }
    Waiter waiter;
    Continuation continuation{.waiter = &waiter};
    if (!append(continuation) || waiter.wait(at_most)) return std::nullopt;
    if (remove(continuation)) return make_error(Errc::timeout);
    waiter.wait(Duration::max()); // it is being answered at this moment
    return std::nullopt;
}

void PendingState::on_done(Fn<void()> call) {
    auto* continuation = new Continuation{.call = std::move(call)};
    if (append(*continuation)) return;
    call = std::move(continuation->call);
    delete continuation;
    call();
}

void PendingState::cancel() {
    lock();
    auto canceller = std::move(canceller_);
    unlock();
    if (canceller && !done()) canceller();
}

void PendingState::answered() {
    lock();
    const auto canceller = std::move(canceller_); // what it holds on to can go
    done_.store(true, std::memory_order_release);
    auto* next = std::exchange(first_, nullptr);
    last_ = nullptr;
    unlock();

    // Threads first: they should not have to wait for what others do in their callbacks.
    Continuation *calls = nullptr, *last = nullptr;
    while (auto* c = next) {
        next = std::exchange(c->next, nullptr);
        if (c->waiter) {
            static_cast<Waiter*>(c->waiter)->tell();
        } else {
            (last ? last->next : calls) = c;
            last = c;
        }
    }
    // Each is called, even if one before it threw.
    std::exception_ptr thrown;
    while (auto* c = calls) {
        calls = c->next;
        try {
            c->call();
        } catch (...) {
            if (!thrown) thrown = std::current_exception();
        }
        delete c;
    }
    if (thrown) std::rethrow_exception(thrown);
}

// ---- Acceptance ----------------------------------------------------------------------------------------------------

void Publishing::accept() {
    lock();
    is_accepted_ = true;
    const auto acceptance = acceptance_;
    unlock();
    if (acceptance) acceptance->answer(Done{});
}

Pending<Done> Publishing::accepted() {
    const auto outcome = [](const Result<Receipt>& result) {
        return result ? Result<Done>(Done{}) : Result<Done>(result.error());
    };
    lock();
    const bool fresh = !is_accepted_ && !acceptance_;
    if (fresh) acceptance_ = Ref<PendingResult<Done>>::adopt(new PendingResult<Done>);
    const bool accepted = is_accepted_;
    const auto acceptance = acceptance_;
    unlock();
    if (accepted) return Pending<Done>(Result<Done>(Done{}));
    if (fresh) {
        Pending<Receipt>(Ref<PendingResult<Receipt>>::share(this))
            .on_done([acceptance, outcome](const Result<Receipt>& result) { acceptance->answer(outcome(result)); });
    }
    return Pending<Done>(acceptance);
}

} // namespace tortoise::detail
