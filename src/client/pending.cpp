#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
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

/// A function on the heap.
struct Call final : PendingState::Continuation {
    explicit Call(Fn<void()> f) : Continuation{.call = &run}, function(std::move(f)) {}
    static void run(Continuation& c, bool answered) {
        const std::unique_ptr<Call> self(static_cast<Call*>(&c));
        if (answered) self->function();
    }
    Fn<void()> function;
};

/// A thread that waits, on its stack.
struct Bell final : PendingState::Continuation {
    Bell() : Continuation{.call = [](Continuation& c, bool) { static_cast<Bell&>(c).waiter.tell(); }} {}
    Waiter waiter;
};

} // namespace

PendingState::~PendingState() {
    while (first_) {
        auto& c = *first_;
        unlink(c);
        c.call(c, false);
    }
}

void PendingState::lock() noexcept {
    while (locked_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
}

void PendingState::unlock() noexcept { locked_.store(false, std::memory_order_release); }

bool PendingState::append(Continuation& c, bool in_front) noexcept {
    lock();
    const bool late = done();
    if (!late) {
        c.linked = true;
        c.previous = in_front ? nullptr : last_;
        c.next = in_front ? first_ : nullptr;
        (c.previous ? c.previous->next : first_) = &c;
        (c.next ? c.next->previous : last_) = &c;
    }
    unlock();
    return !late;
}

void PendingState::unlink(Continuation& c) noexcept {
    c.linked = false;
    (c.previous ? c.previous->next : first_) = c.next;
    (c.next ? c.next->previous : last_) = c.previous;
}

bool PendingState::remove(Continuation& c) noexcept {
    lock();
    const bool there = c.linked;
    if (there) unlink(c);
    unlock();
    return there;
}

PendingState::Continuation* PendingState::pop() noexcept {
    lock();
    auto* c = first_;
    if (c) unlink(*c);
    unlock();
    return c;
}

std::optional<Error> PendingState::wait(Duration at_most) {
    if (done()) return std::nullopt;
    if (Runtime::on_loop_thread()) {
        return make_error(Errc::would_deadlock, "a loop thread must not wait; use on_done()");
    }
    // In front: threads should not have to wait for what others do in their callbacks.
    Bell bell;
    if (!append(bell, true) || bell.waiter.wait(at_most)) return std::nullopt;
    if (remove(bell)) return make_error(Errc::timeout);
    bell.waiter.wait(Duration::max()); // it is being answered at this moment
    return std::nullopt;
}

void PendingState::on_done(Fn<void()> function) {
    auto call = std::make_unique<Call>(std::move(function));
    if (append(*call))
        static_cast<void>(call.release());
    else
        call->function();
}

bool PendingState::cancel() {
    lock();
    auto canceller = done() ? Fn<void()>() : take_canceller();
    unlock();
    if (!canceller) return false;
    canceller();
    return true;
}

void PendingState::answered() {
    lock();
    const auto canceller = std::move(canceller_); // what it holds on to can go
    done_.store(true, std::memory_order_release);
    auto* c = first_;
    if (c) unlink(*c);
    unlock();
    // One at a time: those that wait can be withdrawn by those that are called. Each is called, even if one before it
    // threw.
    std::exception_ptr thrown;
    for (; c; c = pop()) {
        try {
            c->call(*c, true);
        } catch (...) {
            if (!thrown) thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
}

// ---- Acceptance ----------------------------------------------------------------------------------------------------

Fn<void()> Publishing::take_canceller() {
    auto* const publisher = std::exchange(publisher_, nullptr);
    return publisher ? publisher->withdrawal(*this) : PendingState::take_canceller();
}

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
