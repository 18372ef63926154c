#pragma once
/// The threads that I/O runs on, and their timers. What they are made of does not show here.

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <tortoise/core/time.hpp>
#include <tortoise/detail/ref.hpp>
#include <tortoise/fn.hpp>
#include <vector>

namespace tortoise::io {

using core::Time;

class Resolver;

/// One thread that waits for sockets, timers and tasks; or, on an io_context of the user's, one thread at a time.
class Loop : public std::enable_shared_from_this<Loop> {
public:
    virtual ~Loop() = default;
    /// Runs the task on the loop's thread, not before this returns. From any thread; tasks keep their order.
    virtual void post(Fn<void()> task) = 0;
    /// Room to read into, shared by everything on this loop: what is in it must be used up before the next read.
    virtual std::span<char> read_buffer() noexcept = 0;
    virtual bool on_this_thread() const noexcept = 0;
    /// As long as somebody holds it, it does not run out of work. From any thread.
    virtual void hold() {}
    virtual void let_go() {}
    /// Its last owner is gone: it ends, if it is ours to end.
    virtual void close() = 0;

    static Time now() noexcept;
    /// Is the calling thread that of any loop?
    static bool on_any_thread() noexcept;
};

/// Calls a function at a time. Of the loop's thread only, its destruction included.
/// Pushing the time out, which every packet does to a keep-alive, costs nothing.
class Timer {
public:
    Timer(Loop&, Fn<void()> fire);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    /// The time before is forgotten.
    void arm(Time at);
    void disarm();

private:
    struct Impl;
    Loop& loop_;
    Fn<void()> fire_;            // until it is armed for the first time: many never are
    std::shared_ptr<Impl> impl_; // from then on
};

/// Some loops and what they share. Counts its owners; the threads end with the last of them, who waits for them unless
/// it is one of them itself.
class Loops {
public:
    static detail::Ref<Loops> make(unsigned threads);
    /// A loop that somebody else runs.
    static detail::Ref<Loops> make(std::shared_ptr<Loop> guest);
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept;

    unsigned size() const noexcept { return static_cast<unsigned>(loops_.size()); }
    /// In turn.
    Loop& next() noexcept { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }
    Resolver& resolver() noexcept { return *resolver_; }
    /// May the end of something on them be waited for here? Not on a loop thread, nor if it takes a loop that somebody
    /// else runs, or does not.
    bool may_be_awaited() const noexcept { return !threads_.empty() && !Loop::on_any_thread(); }

private:
    explicit Loops(unsigned threads);
    explicit Loops(std::shared_ptr<Loop> guest);
    ~Loops();

    std::atomic<int> references_{1};
    std::atomic<unsigned> turn_{0};
    std::vector<std::shared_ptr<Loop>> loops_;
    std::vector<std::thread> threads_;
    std::unique_ptr<Resolver> resolver_;
};

} // namespace tortoise::io
