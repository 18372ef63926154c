#pragma once
/// Coroutines: `co_await` for everything that gives a Pending, and a small Task to write them with. To be included by
/// those who want it.
///
/// g++ 12 destroys the braces of a call twice if that call stands inside a co_await expression. Wherever options are given
/// in braces, give the operation a name first: `const auto delivery = home.publish(…, {.qos = …}); co_await delivery;`

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <mutex>
#include <optional>
#include <tortoise/pending.hpp>

namespace tortoise {

template <class T = void> class Task;

namespace detail {

/// A coroutine that was spawned, with all that it awaits: where it stands, so that it can be ended there.
class Flow {
public:
    Flow() = default;
    Flow(const Flow&) = delete;
    Flow& operator=(const Flow&) = delete;
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
    /// It stands here now. True: the frame may be gone already. False: it may go on, the answer is there.
    bool suspend(PendingState& at, PendingState::Continuation&);
    /// The answer is there. False: it was ended instead.
    bool resume();
    void cancel();

protected:
    virtual ~Flow() = default;
    virtual void tell_outcome() noexcept = 0;
    virtual void tell_cancelled() noexcept = 0;
    void start(std::coroutine_handle<> root);
    /// The last thing that its root does: its frames go, and then the outcome is told.
    void finish() noexcept;

private:
    void end();
    std::atomic<int> references_{1};
    std::coroutine_handle<> root_;
    std::mutex mutex_;
    std::atomic<bool> cancelled_{false};
    PendingState* at_ = nullptr;  // guarded by mutex_; null: it is running
    PendingState::Continuation* continuation_ = nullptr;
};

/// Waits in the frame of a coroutine, which costs no memory besides.
template <class T> class PendingAwaiter final : PendingState::Continuation {
public:
    PendingAwaiter(Pending<T> pending, Flow* flow) noexcept : pending_(std::move(pending)), flow_(flow) {}
    PendingAwaiter(const PendingAwaiter&) = delete;
    PendingAwaiter& operator=(const PendingAwaiter&) = delete;
    ~PendingAwaiter() {
        if (suspended_) pending_.state()->remove(*this);
    }

    bool await_ready() const noexcept { return pending_.done() && !(flow_ && flow_->is_cancelled()); }
    // From the moment at which it is known where this waits, another thread may go on, and this may be gone.
    bool await_suspend(std::coroutine_handle<> coroutine) {
        coroutine_ = coroutine;
        suspended_ = true;
        call = [](Continuation& c, bool) {
            auto& self = static_cast<PendingAwaiter&>(c);
            if (!self.flow_ || self.flow_->resume()) self.coroutine_.resume();
        };
        auto& state = *pending_.state();
        return flow_ ? flow_->suspend(state, *this) : state.append(*this);
    }
    Result<T> await_resume() {
        suspended_ = false;
        return *pending_.peek();
    }

private:
    const Pending<T> pending_;
    Flow* const flow_;
    std::coroutine_handle<> coroutine_;
    bool suspended_ = false;
};

template <class T> const Pending<T>& as_pending(const Pending<T>& pending) noexcept { return pending; }

struct TaskPromiseBase {
    Flow* flow = nullptr;  // null: it was not spawned; whoever awaits it is somebody else's coroutine
    std::coroutine_handle<> awaiting = std::noop_coroutine();
    std::exception_ptr thrown;

    struct Back {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) const noexcept {
            return h.promise().awaiting;
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Back final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }

    /// Of a Pending, and what derives from it, the flow is told; anything else is awaited as it is.
    template <class Awaited> decltype(auto) await_transform(Awaited&& awaited) noexcept {
        if constexpr (requires { as_pending(awaited); }) return PendingAwaiter(as_pending(awaited), flow);
        else return static_cast<Awaited&&>(awaited);
    }
};

template <class T> struct TaskPromise : TaskPromiseBase {
    Task<T> get_return_object() noexcept;
    template <class From = T> void return_value(From&& from) { value.emplace(static_cast<From&&>(from)); }
    T take() {
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*value);
    }
    std::optional<T> value;
};
template <> struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (thrown) std::rethrow_exception(thrown);
    }
};

} // namespace detail

/// `Result<T> result = co_await pending;` goes on at once if it is done, otherwise inside the call that answers: on the
/// connection's loop thread. In a coroutine that is not a Task, too; whoever destroys one that waits sees to it that it
/// is not being answered at that moment.
template <class T> detail::PendingAwaiter<T> operator co_await(Pending<T> pending) noexcept {
    return {std::move(pending), nullptr};
}

/// A coroutine that gives a T, or throws, to the one that awaits it. It begins when it is awaited or spawned. It can be
/// awaited once.
template <class T> class [[nodiscard]] Task {
public:
    using promise_type = detail::TaskPromise<T>;
    Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(coroutine_, other.coroutine_);
        return *this;
    }
    ~Task() {
        if (coroutine_) coroutine_.destroy();
    }

    struct Awaiter {
        std::coroutine_handle<promise_type> coroutine;
        bool await_ready() const noexcept { return false; }
        template <class Promise> std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) const noexcept {
            coroutine.promise().awaiting = h;
            if constexpr (std::derived_from<Promise, detail::TaskPromiseBase>)
                coroutine.promise().flow = h.promise().flow;
            return coroutine;
        }
        T await_resume() const { return coroutine.promise().take(); }
    };
    Awaiter operator co_await() && noexcept { return {coroutine_}; }

private:
    friend promise_type;
    explicit Task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_(coroutine) {}
    std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

template <class T> Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

/// What a Pending of a Task holds: of void, Done; of a Result<T>, its T.
template <class T> struct OutcomeOf { using type = T; };
template <> struct OutcomeOf<void> { using type = Done; };
template <class T> struct OutcomeOf<Result<T>> { using type = T; };

template <class T> class Spawned final : public Flow {
public:
    using Outcome = typename OutcomeOf<T>::type;
    using Answer = PendingResult<Outcome>;

    static Pending<Outcome> start(Task<T> task) {
        const auto self = Ref<Spawned>::adopt(new Spawned);
        const auto answer = self->answer_;
        answer->set_canceller([self] { self->cancel(); });
        self->Flow::start(run(self, std::move(task)).coroutine);
        return Pending<Outcome>(answer);
    }

private:
    /// The coroutine at the root: it awaits the task, and knows how it ended.
    struct Root {
        struct promise_type : TaskPromiseBase {
            promise_type(const Ref<Spawned>& spawned, const Task<T>&) noexcept { flow = spawned.get(); }
            struct End {
                bool await_ready() const noexcept { return false; }
                void await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
                    static_cast<Spawned*>(h.promise().flow)->finish();
                }
                void await_resume() const noexcept {}
            };
            Root get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
            End final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
        };
        std::coroutine_handle<> coroutine;
    };
    static Root run(Ref<Spawned> self, Task<T> task) {
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(task);
                self->outcome_.emplace(Done{});
            } else {
                self->outcome_.emplace(co_await std::move(task));
            }
        } catch (...) {
            self->outcome_.emplace(what_was_thrown());
        }
    }

    void tell_outcome() noexcept override { tell(std::move(*outcome_)); }
    void tell_cancelled() noexcept override { tell(Errc::cancelled); }
    void tell(Result<Outcome> outcome) noexcept {
        const auto answer = std::move(answer_);
        try {
            answer->answer(std::move(outcome));
        } catch (...) {  // a continuation of the user's threw: there is no connection that could end for it
        }
    }

    Ref<Answer> answer_ = Ref<Answer>::adopt(new Answer);
    std::optional<Result<Outcome>> outcome_;
};

} // namespace detail

/// Starts a task, on this thread, until it has to wait; `spawn(task()).wait()` blocks until it has ended. Answered with
/// what it gives (of a Task<Result<T>>: that result; of a Task<void>: Done), or with Errc::handler_threw and what it
/// threw. Letting go of the Pending does not end it; cancel() does: at the co_await of a Pending at which it stands, or
/// at the next one, it goes no further, and its variables are destroyed. The operation that it awaited goes on. When
/// the Pending is answered, nothing of the coroutine is left; its variables go on the thread that answers or cancels.
/// Any thread may cancel at any time; nothing waits.
template <class T> Pending<typename detail::OutcomeOf<T>::type> spawn(Task<T> task) {
    return detail::Spawned<T>::start(std::move(task));
}

} // namespace tortoise
