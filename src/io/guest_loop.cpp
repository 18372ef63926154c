#include "io/guest_loop.hpp"
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/version.hpp>
#include <tortoise/detail/loops_on.hpp>

namespace tortoise::io {

namespace {

/// Those that are not closed. Which thread runs somebody else's io_context, nobody else can tell.
struct Guests {
    std::mutex mutex;
    std::vector<const GuestLoop*> all;
    std::atomic<std::size_t> count{0};
};

Guests& guests() {
    static auto& guests = *new Guests; // loops may be static, and outlive it
    return guests;
}

} // namespace

GuestLoop::GuestLoop(boost::asio::io_context& context)
    : context_executor_(context.get_executor()), strand_(boost::asio::make_strand(context_executor_)) {
    std::lock_guard lock(guests().mutex);
    guests().all.push_back(this);
    ++guests().count;
}

GuestLoop::~GuestLoop() = default;

void GuestLoop::post(Fn<void()> task) {
    std::lock_guard lock(mutex_);
    if (strand_) boost::asio::post(*strand_, [task = std::move(task)]() mutable { task(); });
}

bool GuestLoop::on_this_thread() const noexcept { return strand_->running_in_this_thread(); }

void GuestLoop::hold() {
    std::lock_guard lock(mutex_);
    if (holders_++ == 0) work_.emplace(context_executor_);
}

void GuestLoop::let_go() {
    std::lock_guard lock(mutex_);
    if (--holders_ == 0) work_.reset();
}

void GuestLoop::close() {
    {
        std::lock_guard lock(guests().mutex);
        std::erase(guests().all, this);
        --guests().count;
    }
    std::lock_guard lock(mutex_);
    strand_.reset(); // a lookup that hangs may keep this beyond the io_context
    work_.reset();
}

bool GuestLoop::on_any_thread() noexcept {
    if (guests().count == 0) return false;
    std::lock_guard lock(guests().mutex);
    return std::ranges::any_of(guests().all, [](const GuestLoop* loop) { return loop->runs_here(); });
}

template <int AsioVersion> Loops* loops_on(boost::asio::io_context& context) {
    return Loops::make(std::make_shared<GuestLoop>(context)).detach();
}
template Loops* loops_on<BOOST_ASIO_VERSION>(boost::asio::io_context&);

} // namespace tortoise::io
