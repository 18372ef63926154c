#pragma once
/// Keeps connections that ended from staying ended.

#include <string>
#include <string_view>
#include <tortoise/connection.hpp>
#include <vector>

namespace tortoise {

/// What is restarted when one child ends. Others that have to go are stopped before, newest first.
enum class Strategy : std::uint8_t {
    one_for_one,   ///< that child
    one_for_all,   ///< every child
    rest_for_one,  ///< that child and those started after it
};

/// When a child that ended is restarted. One that is not is forgotten: its name is free.
enum class Restart : std::uint8_t {
    permanent,  ///< always
    transient,  ///< when it crashed: a handler threw, or an error classed fatal; not after stop()
    temporary,  ///< never
};

struct SupervisorOptions {
    std::string name = {};  ///< to be found by Supervisor::find; empty: not to be found
    Strategy strategy = Strategy::one_for_one;
    unsigned max_restarts = 3;  ///< more than that `within`, and the supervisor stops every child and ends itself
    Duration within = std::chrono::seconds(5);
    Duration spread = {};  ///< a random part of it delays the first connect of each child: a fleet must not stampede
};

struct ChildInfo {
    std::string name = {};
    bool is_supervisor = false;
    Status status = Status::connecting;  ///< of a supervisor: up, or stopped
    unsigned restarts = 0;
    Error last_error = {};  ///< that it ended with, the last time
};

/// Owns connections, and supervisors of their own. A Connection reconnects by itself; a supervisor starts those anew that
/// ended, with a fresh handler from their factory, within a budget of restarts. Every function may be called from any
/// thread and inside any callback; none blocks.
///
/// Copies share the supervisor. When the last owning one goes, its children stop, newest first; unless this happens on a
/// loop thread, they have ended when the destructor returns. What find() and start() return does not own.
class Supervisor {
public:
    /// A name that is taken makes a supervisor that is ended from the start: ended() says so.
    explicit Supervisor(SupervisorOptions = {}, Runtime = Runtime::shared());
    Supervisor(const Supervisor&) noexcept;
    Supervisor(Supervisor&&) noexcept;
    Supervisor& operator=(const Supervisor&) noexcept;
    Supervisor& operator=(Supervisor&&) noexcept;
    ~Supervisor();

    /// The one that need not be made: one_for_one, there when first needed, and anew after it ended.
    static Supervisor standard();
    /// By the name of its options; unknown_supervisor if none of that name is running.
    static Result<Supervisor> find(std::string_view name);

    struct Child {
        std::string name = {};  ///< empty: the client id
        ConnectionOptions connection = {};
        Restart restart = Restart::transient;
    };
    /// Starts a child. The handle is to its first life; find_child() and the client id find the present one. Errors: a name
    /// or a client id that is taken, options that are not allowed, stopped.
    Result<Connection> start(Child);
    /// Starts a supervisor as a child, named in its options. The handle is to all its lives; restarted, it starts the
    /// children anew that it had.
    Result<Supervisor> start(SupervisorOptions, Restart = Restart::permanent);

    /// The present life of a child; unknown_connection if there is no child of that name, or it waits for its restart.
    Result<Connection> find_child(std::string_view name) const;
    /// In the order in which they were started.
    std::vector<ChildInfo> children() const;
    /// Stops a child for good and forgets it; unknown_connection if there is none of that name.
    Pending<Done> stop_child(std::string_view name, Duration drain = {});
    /// Stops every child, newest first, and ends.
    Pending<Done> stop(Duration drain = {});
    /// Answered when it ended: well if that was asked for, otherwise with why.
    Pending<Done> ended() const;

    class Core;

private:
    friend class Core;
    struct Owner;
    Supervisor(detail::Ref<Core>, detail::Ref<Owner>) noexcept;
    detail::Ref<Core> core_;
    detail::Ref<Owner> owner_;  // null in handles that do not own
};

} // namespace tortoise
