#include "io/loop.hpp"
#include "io/busy_poll.hpp"
#include "io/guest_loop.hpp"
#include "io/resolver.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <openssl/crypto.h>

namespace tortoise::io {

namespace {
thread_local const Loop* current_loop = nullptr;

std::chrono::steady_clock::time_point steady(Time at) {
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(at.time_since_epoch()));
}
} // namespace

Time Loop::now() noexcept { return Time(std::chrono::steady_clock::now().time_since_epoch()); }
bool Loop::on_any_thread() noexcept { return current_loop != nullptr || GuestLoop::on_any_thread(); }

/// With an io_context of its own, for a thread of its own.
class OwnLoop final : public AsioLoop {
public:
    void post(Fn<void()> task) override {
        const auto woken = asleep_.load(std::memory_order_relaxed) ? now() : Time{};
        boost::asio::post(context_, [this, woken, task = std::move(task)]() mutable {
            if (woken != Time{}) busy_poll_.waking_took(now() - woken);
            task();
        });
    }
    bool on_this_thread() const noexcept override { return current_loop == this; }
    boost::asio::any_io_executor executor() noexcept override { return context_.get_executor(); }
    void run() {
        current_loop = this;
        while (!context_.stopped())
            if (!polled()) sleep();
        current_loop = nullptr;
    }
    void close() override { context_.stop(); }

private:
    /// Did what was there, or came in the next moment.
    bool polled() {
        if (!busy_poll_.worth_while()) return false;
        if (context_.poll() != 0) return true;
        const auto end = now() + busy_poll_.length();
        bool came = false;
        do {
            std::this_thread::yield(); // who is waited for may need this processor
            came = context_.poll() != 0;
        } while (!came && now() < end);
        busy_poll_.ended(came);
        return came;
    }

    void sleep() {
        asleep_.store(true, std::memory_order_relaxed);
        context_.run_one();
        asleep_.store(false, std::memory_order_relaxed);
    }

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    BusyPoll busy_poll_;
    std::atomic<bool> asleep_{false}; // just for what waking takes: it may be a moment late
};

// The wait that is under way may end before `wanted`: it is then waited again. So only an earlier time costs something.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
    Impl(AsioLoop& l, Fn<void()> f) : timer(l.executor()), fire(std::move(f)) {}

    void wait(Time at) {
        waiting_until = at;
        const auto mine = ++waits;
        timer.expires_at(steady(at));
        timer.async_wait([self = shared_from_this(), mine](const boost::system::error_code& error) {
            if (!error && mine == self->waits) self->woke();
        });
    }
    void woke() {
        waiting_until.reset();
        if (!wanted) return;
        if (Loop::now() < *wanted) return wait(*wanted);
        wanted.reset();
        fire();
    }

    boost::asio::steady_timer timer;
    Fn<void()> fire;
    std::optional<Time> wanted, waiting_until;
    unsigned long waits = 0;
};

Timer::Timer(Loop& loop, Fn<void()> fire) : loop_(loop), fire_(std::move(fire)) {}

Timer::~Timer() {
    if (!impl_) return;
    ++impl_->waits;
    impl_->wanted.reset();
    impl_->timer.cancel();
}

void Timer::arm(Time at) {
    if (!impl_) impl_ = std::make_shared<Impl>(AsioLoop::of(loop_), std::move(fire_));
    impl_->wanted = at;
    if (!impl_->waiting_until || at < *impl_->waiting_until) impl_->wait(at);
}

void Timer::disarm() {
    if (impl_) impl_->wanted.reset();
}

detail::Ref<Loops> Loops::make(unsigned threads) { return detail::Ref<Loops>::adopt(new Loops(std::max(1u, threads))); }
detail::Ref<Loops> Loops::make(std::shared_ptr<Loop> guest) {
    return detail::Ref<Loops>::adopt(new Loops(std::move(guest)));
}

Loops::Loops(std::shared_ptr<Loop> guest) : Loops(0u) { loops_.push_back(std::move(guest)); }

Loops::Loops(unsigned threads) : resolver_(std::make_unique<Resolver>()) {
    // OpenSSL cleans up when the process ends, in the reverse order of beginnings: not before loops that are static.
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
    for (unsigned i = 0; i < threads; ++i) {
        auto loop = std::make_shared<OwnLoop>();
        loops_.push_back(loop);
        threads_.emplace_back([loop] { loop->run(); });
    }
}

Loops::~Loops() = default;

void Loops::release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const bool from_inside = std::ranges::any_of(loops_, [](const auto& loop) { return loop->on_this_thread(); });
    for (const auto& loop : loops_) loop->close();
    // A thread cannot wait for itself. Each of them keeps its loop until it has ended.
    for (auto& thread : threads_) from_inside ? thread.detach() : thread.join();
    delete this;
}

} // namespace tortoise::io
