#pragma once
/// The one asynchronous primitive: something that will be answered exactly once.

#include <atomic>
#include <tortoise/detail/ref.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>

namespace tortoise {

namespace detail {

/// The part of a pending answer that does not depend on its type: counting, waiting, continuing, cancelling.
class PendingState {
public:
    PendingState() noexcept = default;
    PendingState(const PendingState&) = delete;
    PendingState& operator=(const PendingState&) = delete;

    void retain() noexcept {
        if (!immortal_) references_.fetch_add(1, std::memory_order_relaxed);
    }
    void release() noexcept {
        if (!immortal_ && references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    /// Not counted any more. To be called before anybody else has it.
    void make_immortal() noexcept { immortal_ = true; }

    /// Something to be called at the answer, and only then. It lives with its owner, who lets it go when it was called,
    /// or withdraws it before.
    struct Continuation {
        void (*call)(Continuation&, bool answered) = nullptr;  ///< not answered: the state goes without an answer
        Continuation *next = nullptr, *previous = nullptr;
        bool linked = false;
    };
    /// False: it is too late, the answer is there.
    bool append(Continuation&, bool in_front = false) noexcept;
    /// True: it will not be called. False: it was, or is being called at this moment.
    bool remove(Continuation&) noexcept;

    bool done() const noexcept { return done_.load(std::memory_order_acquire); }
    /// Has everybody else let go of it? Then nobody will see the answer.
    bool abandoned() const noexcept { return references_.load(std::memory_order_acquire) == 1; }
    /// Nothing if it was answered in time; otherwise timeout or would_deadlock.
    std::optional<Error> wait(Duration at_most);
    /// At once if done; otherwise on the thread that answers.
    void on_done(Fn<void()>);
    void set_canceller(Fn<void()> f) { canceller_ = static_cast<Fn<void()>&&>(f); }
    /// False: nobody could be asked to.
    bool cancel();

protected:
    virtual ~PendingState();
    /// Called once at most, with the lock held, before the answer.
    virtual Fn<void()> take_canceller() { return static_cast<Fn<void()>&&>(canceller_); }
    /// To be called once, after the result was stored. Throws what a continuation threw, after calling all of them.
    void answered();
    /// Claims the right to answer: true exactly once.
    bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }
    void lock() noexcept;
    void unlock() noexcept;

private:
    Continuation* pop() noexcept;
    void unlink(Continuation&) noexcept;

    std::atomic<int> references_{1};
    bool immortal_ = false;
    std::atomic<bool> claimed_{false}, done_{false}, locked_{false};
    Continuation* first_ = nullptr;  // guarded by lock()
    Continuation* last_ = nullptr;
    Fn<void()> canceller_;
};

template <class T> class PendingResult : public PendingState {
public:
    /// The first answer counts; later ones are ignored.
    void answer(Result<T> result) {
        if (!claim()) return;
        result_.emplace(std::move(result));
        answered();
    }
    const Result<T>* peek() const noexcept { return done() ? &*result_ : nullptr; }

private:
    std::optional<Result<T>> result_;
};

} // namespace detail

/// Something that will be answered exactly once. Copies share the answer; letting go of all of them cancels nothing.
/// Every function may be called from any thread.
template <class T> class Pending {
public:
    explicit Pending(detail::Ref<detail::PendingResult<T>> state) noexcept : state_(std::move(state)) {}
    /// One that is answered already.
    explicit Pending(Result<T> result)
        : state_(detail::Ref<detail::PendingResult<T>>::adopt(new detail::PendingResult<T>)) {
        state_->answer(std::move(result));
    }

    bool done() const noexcept { return state_->done(); }
    /// The answer, or null until there is one. Lives as long as this or a copy.
    const Result<T>* peek() const noexcept { return state_->peek(); }
    /// Blocks this thread until the answer is there, at most that long (then: Errc::timeout; the operation goes on).
    /// On a loop thread it does not block: Errc::would_deadlock, unless it is done.
    Result<T> wait(Duration at_most = Duration::max()) const {
        if (auto error = state_->wait(at_most)) return std::move(*error);
        return *state_->peek();
    }
    /// Calls `fn` once: now if it is done, otherwise on the loop thread at the moment of the answer.
    void on_done(Fn<void(const Result<T>&)> fn) const {
        if (done()) return fn(*peek());
        state_->on_done([state = state_, fn = std::move(fn)]() mutable { fn(*state->peek()); });
    }
    /// Withdraws the operation if that is still possible; the outcome is reported in any case.
    void cancel() const { state_->cancel(); }

    /// For those that wait in ways of their own: coro.hpp, asio.hpp.
    const detail::Ref<detail::PendingResult<T>>& state() const noexcept { return state_; }

protected:
    detail::Ref<detail::PendingResult<T>> state_;
};

/// The other side of a Pending: makes one, and answers it. Copies share it; when the last of them goes without an answer,
/// that is the answer: Errc::cancelled. Every function may be called from any thread.
template <class T> class Promise {
public:
    Promise() : shared_(detail::Ref<Shared>::adopt(new Shared)) {}

    Pending<T> pending() const { return Pending<T>(shared_->state); }
    /// The first answer counts. Calls what waits for it before it returns.
    void answer(Result<T> result) const { shared_->state->answer(std::move(result)); }

private:
    struct Shared {
        void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
        void release() {
            if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
            const auto last = detail::Ref<detail::PendingResult<T>>(std::move(state));
            delete this;
            if (!last->done()) last->answer(make_error(Errc::cancelled, "the promise was given up"));
        }
        detail::Ref<detail::PendingResult<T>> state =
            detail::Ref<detail::PendingResult<T>>::adopt(new detail::PendingResult<T>);
        std::atomic<int> references{1};
    };
    detail::Ref<Shared> shared_;
};

namespace detail {

/// A publish: what became of it, and before that its acceptance.
class Publishing final : public PendingResult<Receipt> {
public:
    /// Whom it was given to; it answers before it goes.
    class Publisher {
    public:
        /// What is to be called to withdraw it. Called with its lock held, before it is answered.
        virtual Fn<void()> withdrawal(Publishing&) = 0;

    protected:
        ~Publisher() = default;
    };

    explicit Publishing(bool accepted = false, Publisher* publisher = nullptr) noexcept
        : publisher_(publisher), is_accepted_(accepted) {}
    void accept();
    Pending<Done> accepted();

private:
    Fn<void()> take_canceller() override;

    Publisher* publisher_;  // null: whoever set a canceller, if anybody
    bool is_accepted_;                    // guarded by lock()
    Ref<PendingResult<Done>> acceptance_; // the same; null: nobody asked
};

} // namespace detail

/// What became of a publish. QoS 0: done when the connection took it, or with a store, when it was sent. QoS 1: at PUBACK.
/// QoS 2: at PUBCOMP.
class Delivery : public Pending<Receipt> {
public:
    explicit Delivery(detail::Ref<detail::Publishing> state) noexcept : Pending(upcast(std::move(state))) {}
    /// One that is answered already.
    explicit Delivery(Result<Receipt> result)
        : Delivery(detail::Ref<detail::Publishing>::adopt(new detail::Publishing(result.has_value()))) {
        state_->answer(std::move(result));
    }
    /// Answered when the message was taken in: at once or, with a store, when it is kept as its Durability promises. From
    /// then on it is not lost. The error is that of the delivery, if that ends before.
    Pending<Done> accepted() const { return static_cast<detail::Publishing&>(*state_).accepted(); }

private:
    static detail::Ref<detail::PendingResult<Receipt>> upcast(detail::Ref<detail::Publishing> state) noexcept {
        return detail::Ref<detail::PendingResult<Receipt>>::adopt(state.detach());
    }
};

} // namespace tortoise
