#include "client/pipe.hpp"
#include "client/core.hpp"
#include "client/registry.hpp"
#include <algorithm>

namespace tortoise {

namespace {

using std::chrono::steady_clock;

steady_clock::time_point after(Duration at_most) {
    if (at_most == Duration::max()) return steady_clock::time_point::max(); // as it is most of the time
    const auto now = steady_clock::now();
    const auto room = steady_clock::time_point::max() - now;
    return at_most >= room ? steady_clock::time_point::max() : now + std::max(at_most, Duration(0));
}

Duration left_until(steady_clock::time_point until) {
    if (until == steady_clock::time_point::max()) return Duration::max();
    return std::max(Duration(until - steady_clock::now()), Duration(0));
}

Error deadlock() { return make_error(Errc::would_deadlock, "a loop thread must not wait; use try_publish()"); }

PipeOptions sane(PipeOptions o) {
    o.window = std::max<std::size_t>(o.window, 1);
    return o;
}

} // namespace

Pipe::Core::Core(detail::Ref<Connection::Core> connection, PipeOptions options)
    : connection_(std::move(connection)), options_(sane(options)) {}

Pipe::Core::~Core() = default;

// ---- The loop's thread ---------------------------------------------------------------------------------------------

void Pipe::Core::ended(const Error* why) {
    if (why) {
        std::lock_guard lock(mutex_);
        if (failed_++ == 0) first_error_ = *why;
        if (options_.failure == PipeFailure::crash && !broken_) broken_ = *why;
    } else {
        delivered_.fetch_add(1, std::memory_order_relaxed);
    }
    are_over(1);
}

void Pipe::Core::went(std::size_t count) {
    delivered_.fetch_add(count, std::memory_order_relaxed);
    are_over(count);
}

void Pipe::Core::are_over(std::size_t count) {
    const auto left = under_way_.fetch_sub(count) - count;
    if (left < wake_below_.load()) {
        std::lock_guard lock(mutex_);
        changed_.notify_all();
    }
    release(static_cast<int>(count));
}

// ---- The user's thread ---------------------------------------------------------------------------------------------

template <class Enough> bool Pipe::Core::wait_until_left(std::size_t left, Time until, Enough enough) {
    std::unique_lock lock(mutex_);
    wake_below_ = left + 1;
    const auto met = [&] { return under_way_ <= left || enough(); };
    bool in_time = true;
    if (until == Time::max())
        changed_.wait(lock, met);
    else
        in_time = changed_.wait_until(lock, until, met);
    wake_below_ = 0;
    return in_time;
}

std::optional<Error> Pipe::Core::broken() {
    std::lock_guard lock(mutex_);
    return broken_;
}

Error Pipe::Core::fail(Error why) {
    if (options_.failure == PipeFailure::crash) {
        std::lock_guard lock(mutex_);
        if (!broken_) broken_ = why;
    }
    return why;
}

/// Is there a connection that is up? If its life has ended, there may be a new one.
std::optional<Error> Pipe::Core::check_up() {
    if (connection_->status() == Status::up) return std::nullopt;
    if (connection_->status() == Status::stopped) {
        if (auto next = registry().connections.find(connection_->name())) {
            connection_ = std::move(next);
            turn_.reset();
        }
    }
    switch (connection_->status()) {
    case Status::up: return std::nullopt;
    case Status::stopped: return make_error(Errc::stopped, connection_->error().describe());
    default: return make_error(Errc::connection_lost, "the connection is not up");
    }
}

std::optional<Error> Pipe::Core::wait_until_up(Time until) {
    auto why = check_up();
    if (!why) return std::nullopt;
    if (!options_.active || why->code == Errc::stopped) return fail(std::move(*why));
    auto up = connection_->ready().wait(left_until(until));
    if (up) return std::nullopt;
    const auto code = up.error().code;
    if (code == Errc::timeout || code == Errc::would_deadlock) return std::move(up).error();
    return fail(make_error(Errc::stopped, up.error().describe()));
}

// A passive pipe does not wait for room on a connection that is lost.
void Pipe::Core::watch_for_loss() {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(watching_for_loss_, true)) return;
    }
    connection_->lost().on_done([self = detail::Ref<Core>::share(this)](const Result<Done>&) {
        std::lock_guard lock(self->mutex_);
        self->watching_for_loss_ = false;
        self->changed_.notify_all();
    });
}

std::optional<Error> Pipe::Core::wait_for_room(Time until) {
    if (under_way_ < options_.window) return std::nullopt;
    if (io::Loop::on_any_thread()) return deadlock();
    if (!options_.active) watch_for_loss();
    // Not for a few places: threads should not change for every message.
    const auto enough = options_.window / 2;
    const bool in_time = wait_until_left(
        enough, until, [this] { return broken_ || (!options_.active && connection_->status() != Status::up); });
    if (in_time || under_way_ < options_.window) return std::nullopt;
    return make_error(Errc::timeout, "the pipe's window stayed full");
}

/// Waits until the connection has taken up what was asked of it so far.
std::optional<Error> Pipe::Core::wait_for_turn(Time until) {
    if (!turn_ || turn_->done()) {
        auto passed = detail::Ref<detail::PendingResult<Done>>::adopt(new detail::PendingResult<Done>);
        turn_.emplace(passed);
        if (auto error = connection_->in_turn([passed] { passed->answer(Done{}); })) return error;
    }
    if (auto waited = turn_->wait(left_until(until)); !waited) return std::move(waited).error();
    return std::nullopt;
}

std::optional<Error> Pipe::Core::put(std::string_view topic, Octets payload, const PublishOptions& options) {
    retain();
    under_way_.fetch_add(1, std::memory_order_relaxed);
    auto error = connection_->publish(*this, topic, payload, options);
    if (!error) return std::nullopt;
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    release();
    return error;
}

Result<Done> Pipe::Core::publish(std::string_view topic, Octets payload, const PublishOptions& options,
                                 Duration at_most) {
    const auto until = after(at_most);
    while (true) {
        if (auto error = broken()) return std::move(*error);
        if (auto error = wait_until_up(until)) return std::move(*error);
        if (auto error = wait_for_room(until)) return std::move(*error);
        if (under_way_ >= options_.window) continue; // it broke, or was lost
        auto error = put(topic, payload, options);
        if (!error) return Done{};
        if (error->code == Errc::stopped) return fail(std::move(*error));
        if (error->code != Errc::queue_full) return std::move(*error);
        if (auto waited = wait_for_turn(until)) return std::move(*waited);
    }
}

Result<Done> Pipe::Core::try_publish(std::string_view topic, Octets payload, const PublishOptions& options) {
    if (auto error = broken()) return std::move(*error);
    if (auto error = check_up()) return options_.active ? std::move(*error) : fail(std::move(*error));
    if (under_way_ >= options_.window) return make_error(Errc::queue_full, "the pipe's window is full");
    if (auto error = put(topic, payload, options)) return std::move(*error);
    return Done{};
}

Result<PipeReport> Pipe::Core::await(Duration at_most) {
    if (under_way_ != 0) {
        if (io::Loop::on_any_thread()) return deadlock();
        const auto enough = [this] { return broken_.has_value(); };
        if (!wait_until_left(0, after(at_most), enough)) return make_error(Errc::timeout);
    }
    std::lock_guard lock(mutex_);
    if (broken_) return *broken_;
    PipeReport report{.delivered = delivered_.exchange(0), .failed = failed_, .first_error = first_error_};
    failed_ = 0;
    first_error_ = {};
    return report;
}

// ---- The handle ----------------------------------------------------------------------------------------------------

Pipe::Pipe(const Connection& connection, PipeOptions options)
    : core_(detail::Ref<Core>::adopt(new Core(Connection::Core::of(connection), options))) {}
Pipe::Pipe(Pipe&&) noexcept = default;
Pipe& Pipe::operator=(Pipe&&) noexcept = default;
Pipe::~Pipe() = default;

Result<Done> Pipe::publish(std::string_view topic, Octets payload, PublishOptions options, Duration at_most) {
    return core_->publish(topic, payload, options, at_most);
}

Result<Done> Pipe::try_publish(std::string_view topic, Octets payload, PublishOptions options) {
    return core_->try_publish(topic, payload, options);
}

Result<PipeReport> Pipe::await(Duration at_most) { return core_->await(at_most); }

} // namespace tortoise
