#include "io/loop.hpp"
#include "io/asio_loop.hpp"
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
bool Loop::on_any_thread() noexcept { return current_loop != nullptr; }

void AsioLoop::post(Fn<void()> task) {
    boost::asio::post(context_, [task = std::move(task)]() mutable { task(); });
}

bool AsioLoop::on_this_thread() const noexcept { return current_loop == this; }

void AsioLoop::run() {
    current_loop = this;
    context_.run();
    current_loop = nullptr;
}

// The wait that is under way may end before `wanted`: it is then waited again. So only an earlier time costs something.
struct Timer::Impl : std::enable_shared_from_this<Timer::Impl> {
    Impl(AsioLoop& l, Fn<void()> f) : timer(l.context()), fire(std::move(f)) {}

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

Timer::Timer(Loop& loop, Fn<void()> fire) : impl_(std::make_shared<Impl>(AsioLoop::of(loop), std::move(fire))) {}

Timer::~Timer() {
    ++impl_->waits;
    impl_->wanted.reset();
    impl_->timer.cancel();
}

void Timer::arm(Time at) {
    impl_->wanted = at;
    if (!impl_->waiting_until || at < *impl_->waiting_until) impl_->wait(at);
}

void Timer::disarm() { impl_->wanted.reset(); }

detail::Ref<Loops> Loops::make(unsigned threads) { return detail::Ref<Loops>::adopt(new Loops(std::max(1u, threads))); }

Loops::Loops(unsigned threads) : resolver_(std::make_unique<Resolver>()) {
    // OpenSSL cleans up when the process ends, in the reverse order of beginnings: not before loops that are static.
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
    for (unsigned i = 0; i < threads; ++i) {
        auto loop = std::make_shared<AsioLoop>();
        loops_.push_back(loop);
        threads_.emplace_back([loop] { loop->run(); });
    }
}

Loops::~Loops() = default;

void Loops::release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const bool from_inside = std::ranges::any_of(loops_, [](const auto& loop) { return loop->on_this_thread(); });
    for (const auto& loop : loops_) static_cast<AsioLoop&>(*loop).stop();
    // A thread cannot wait for itself. Each of them keeps its loop until it has ended.
    for (auto& thread : threads_) from_inside ? thread.detach() : thread.join();
    delete this;
}

} // namespace tortoise::io
