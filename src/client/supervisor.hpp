#pragma once
/// A supervisor's children, and what is done when one of them ends.

#include "client/core.hpp"
#include "client/effects.hpp"
#include <chrono>
#include <deque>
#include <map>
#include <tortoise/supervisor.hpp>
#include <unordered_map>
#include <variant>

namespace tortoise {

/// A child is in one of these states; `Then` says what becomes of it when it has ended.
///
///   state     event                         next
///   running   it ends, and is restarted     waiting
///   running   it ends, and is not           forgotten
///   running   stop_child()                  stopping, then: forget
///   running   another's restart takes it    stopping, then: restart (temporary: forget)
///   running   the supervisor stops          stopping
///   stopping  it ends, then: forget         forgotten
///   stopping  it ends, then: restart        waiting
///   waiting   nothing is stopping that waits for its restart too   running
///
/// Any thread. Nothing of the user's runs while the lock is held: that is what Effects are for. The locks of
/// supervisors are taken from the top of the tree to its bottom; upwards goes only what Effects do.
class Supervisor::Core {
public:
    /// Told with the reason when a supervisor has ended that is a child; empty for those at the top.
    using Gone = Fn<void(const std::optional<Error>& why, Effects&)>;
    Core(SupervisorOptions, const Runtime&);
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    std::string_view name() const noexcept { return options_.name; }
    bool running() const;
    /// Begins its life; again, with the children that it had. The error: its name is taken.
    std::optional<Error> begin(Gone, Effects&);

    Result<Connection> start(Child);
    Result<Supervisor> start(SupervisorOptions, Restart);
    Result<Connection> find_child(std::string_view name) const;
    std::vector<ChildInfo> children() const;
    Pending<Done> stop_child(std::string_view name, Duration drain);
    Pending<Done> stop(Duration drain);
    Pending<Done> ended() const;
    /// Stops it and, unless this is a loop thread, waits until everything is over.
    void end();

private:
    using Time = std::chrono::steady_clock::time_point;
    using Stopping = detail::Ref<detail::PendingResult<Done>>;
    enum class State { running, stopping, ended };
    enum class ChildState { running, stopping, waiting };
    enum class Then { decide, restart, forget };
    struct Slot {
        std::string name;
        std::variant<ConnectionOptions, SupervisorOptions> spec;
        Restart restart = Restart::permanent;
        detail::Ref<Connection::Core> connection = {}; // one of these two, while it lives and is made
        detail::Ref<Core> supervisor = {};
        ChildState state = ChildState::running;
        Then then = Then::decide;
        unsigned life = 0;
        unsigned restarts = 0;
        Error last_error = {};
        std::vector<Stopping> stops = {}; // to be answered when it is forgotten
    };
    using Slots = std::map<std::uint64_t, Slot>; // in the order of their start

    ~Core();
    static Supervisor handle(detail::Ref<Core>) noexcept;
    Error not_running() const;
    std::optional<Error> check_name(const std::string& name) const;
    Slot& add(std::string name, std::variant<ConnectionOptions, SupervisorOptions>, Restart, std::uint64_t& key);
    /// Makes the connection of a life that has begun. The error: it is refused, and nobody else is told.
    Result<detail::Ref<Connection::Core>> connect(std::uint64_t key, unsigned life, ConnectionOptions);
    void fail_later(std::uint64_t key, unsigned life, Error);
    // With the lock held from here on.
    void begin_life(Slot&);
    std::optional<Error> start_supervisor(std::uint64_t key, Slot&, Effects&);
    void restart(std::uint64_t key, Slot&, Effects&);
    void decide(std::uint64_t key, const Error& why, bool crashed, Effects&);
    bool within_budget();
    void take_along(std::uint64_t key, Effects&);
    void stop_life(Slot&, Duration drain, Effects&);
    void stop_all(Duration drain, std::optional<Error> why, Effects&);
    Slots::iterator forget(Slots::iterator, Effects&);
    void proceed(Effects&);
    bool restarts_are_held_up() const;
    void finish(Effects&);

    /// A child's life has ended; without an error: it was asked for.
    void child_ended(std::uint64_t key, unsigned life, const std::optional<Error>& why, Effects&);
    void stop(Duration drain, Effects&);

    std::atomic<int> references_{1};
    const SupervisorOptions options_;
    const Runtime runtime_;
    const std::shared_ptr<io::Latch> latch_; // of one at the top: everything is over

    mutable std::mutex mutex_;
    State state_ = State::ended;
    std::optional<Error> why_; // it ends, or ended, if that was not asked for
    Gone gone_;
    Slots slots_;
    std::unordered_map<std::string, std::uint64_t> by_name_;
    std::uint64_t next_key_ = 1;
    std::size_t alive_ = 0;     // children that are not waiting
    bool restarts_due_ = false; // some are
    std::deque<Time> restarts_;
    Stopping stopped_, ended_;
};

struct Supervisor::Owner {
    explicit Owner(detail::Ref<Core> c) noexcept : core(std::move(c)) {}
    void retain() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        core->end();
        delete this;
    }
    detail::Ref<Core> core;
    std::atomic<int> references{1};
};

} // namespace tortoise
