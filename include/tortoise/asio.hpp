#pragma once
/// Boost.Asio: completion tokens for everything that gives a Pending, and connections on an io_context of yours. To be
/// included by those who want it, with the headers of the Boost that the library was built with, 1.81 or newer.

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <tortoise/detail/loops_on.hpp>
#include <tortoise/pending.hpp>
#include <tortoise/runtime.hpp>

namespace tortoise {

/// Connections on it run on this io_context, which the user runs: handlers and callbacks are called by whoever runs it,
/// one at a time for all connections of this Runtime, however many threads that is.
///
/// Nothing of it blocks. The end of the last handle does not wait: the connection ends as the io_context goes on running,
/// and callbacks may run until stop() is answered, or until run() has run out of work, which is not before. In a handler
/// of that io_context, wait() answers would_deadlock; elsewhere it waits for others to run it.
///
/// The io_context has to outlive the Runtime and its copies, and to be run until each connection has stopped.
inline Runtime runtime_on(boost::asio::io_context& context) {
    return Runtime::adopt(io::loops_on<BOOST_ASIO_VERSION>(context));
}

namespace detail {

template <class T> struct AsioSignature { using type = void(boost::system::error_code, T); };
template <> struct AsioSignature<Done> { using type = void(boost::system::error_code); };

/// Waits for an answer on behalf of a handler, in memory of the handler's allocator.
template <class T, class Handler> class AsioWait final : PendingState::Continuation {
public:
    static void start(Handler handler, Pending<T> pending) {
        Allocator allocator(boost::asio::get_associated_allocator(handler));
        auto* const self = Traits::allocate(allocator, 1);
        ::new (static_cast<void*>(self)) AsioWait(std::move(handler), std::move(pending));
        auto slot = boost::asio::get_associated_cancellation_slot(self->handler_);
        if (slot.is_connected()) {
            slot.assign([self](boost::asio::cancellation_type type) {
                if (type != boost::asio::cancellation_type::none) self->cancel();
            });
        }
        const auto state = self->pending_.state(); // from append() on, self may be gone
        if (!state->append(*self)) self->complete(Later());
    }

private:
    using Executor = boost::asio::associated_executor_t<Handler>;
    using Allocator = typename std::allocator_traits<
        boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<AsioWait>;
    using Traits = std::allocator_traits<Allocator>;
    struct Now {};   // on the handler's executor, inside this call if that is where we are
    struct Later {}; // not inside this call

    AsioWait(Handler handler, Pending<T> pending)
        : Continuation{.call = [](Continuation& c, bool) { static_cast<AsioWait&>(c).complete(Now()); }},
          handler_(std::move(handler)), work_(boost::asio::get_associated_executor(handler_)),
          pending_(std::move(pending)) {}

    struct Destroy {
        void operator()(AsioWait* wait) const noexcept {
            Allocator allocator(boost::asio::get_associated_allocator(wait->handler_));
            wait->~AsioWait();
            Traits::deallocate(allocator, wait, 1);
        }
    };
    /// What is queued on the executor.
    struct Completion {
        std::unique_ptr<AsioWait, Destroy> wait;
        void operator()() {
            boost::asio::get_associated_cancellation_slot(wait->handler_).clear();
            const auto work = std::move(wait->work_);
            auto handler = std::move(wait->handler_);
            const auto pending = std::move(wait->pending_);
            const Result<T> withdrawn(Errc::cancelled);
            const auto& result = wait->withdrawn_ ? withdrawn : *pending.peek();
            wait.reset(); // the handler may use the memory again
            if constexpr (std::is_same_v<T, Done>)
                std::move(handler)(boost::system::error_code(result.error().code));
            else
                std::move(handler)(boost::system::error_code(result.error().code), result ? *result : T());
        }
    };
    void complete(Now) {
        auto [executor, completion] = prepare();
        boost::asio::dispatch(executor, std::move(completion));
    }
    void complete(Later) {
        auto [executor, completion] = prepare();
        boost::asio::post(executor, std::move(completion));
    }
    auto prepare() {
        struct Prepared {
            Executor executor;
            decltype(boost::asio::bind_allocator(std::declval<Allocator>(), std::declval<Completion>())) completion;
        };
        const Allocator allocator(boost::asio::get_associated_allocator(handler_));
        auto executor = work_.get_executor();
        return Prepared{std::move(executor),
                        boost::asio::bind_allocator(allocator, Completion{std::unique_ptr<AsioWait, Destroy>(this)})};
    }

    // The answer may be there before cancel() returns; but a slot must not be cleared while it is being told something.
    void cancel() {
        const auto state = pending_.state();
        if (!state->remove(*this)) return; // it is being answered
        withdrawn_ = !state->cancel() && !state->done();
        if (withdrawn_ || !state->append(*this)) complete(Later());
    }

    Handler handler_;
    boost::asio::executor_work_guard<Executor> work_;
    Pending<T> pending_;
    bool withdrawn_ = false;
};

} // namespace detail

/// Awaits any Pending by a completion token: `co_await async(home.publish(…), use_awaitable)`. The signature is
/// void(error_code, T), or void(error_code) of a Pending<Done>; what an error says besides its code, the Pending still
/// knows: `pending.peek()->error()`. So use_awaitable and use_future throw boost::system::system_error, as_tuple gives the
/// code with the value, a callback gets both.
///
/// The handler is called once, on its associated executor, never inside this call; of one that has none, where the answer
/// is given: on the loop thread. Its associated allocator is used, and its executor is kept at work. Its cancellation slot
/// cancels this operation by Pending::cancel() and nothing else; an operation that cannot be cancelled goes on, and the
/// handler is called with Errc::cancelled. The io_context of the executor outlives the operation.
///
/// With g++ 12, options in braces inside a co_await expression are destroyed twice: name the operation first, see coro.hpp.
template <class T, boost::asio::completion_token_for<typename detail::AsioSignature<T>::type> Token = boost::asio::deferred_t>
auto async(Pending<T> pending, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, typename detail::AsioSignature<T>::type>(
        [](auto&& handler, Pending<T> awaited) {
            using Wait = detail::AsioWait<T, std::decay_t<decltype(handler)>>;
            Wait::start(std::forward<decltype(handler)>(handler), std::move(awaited));
        },
        token, std::move(pending));
}

} // namespace tortoise
