#pragma once
// What pub, sub and bench share while they run: connections, watched by the main thread.

#include "bell.hpp"
#include "connect_arguments.hpp"
#include "report.hpp"
#include <mutex>
#include <optional>
#include <string>
#include <tortoise/connection.hpp>

namespace cli {

/// What the loop thread tells the main thread. Each change rings the bell.
class Watch {
public:
    struct State {
        std::size_t were_up = 0;                    // connections, each once
        std::size_t subscribed = 0;                 // of them
        std::optional<tortoise::Error> failed = {}; // why there will be no connection, or none any more
        std::optional<ExitCode> finished = {};      // the command has reached its end
        std::size_t undelivered = 0;                // publishes that ended otherwise
        std::string first_undelivered_topic = {};
        tortoise::Error first_undelivered = {};
    };

    Bell& bell() noexcept { return bell_; }
    State state() const {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    template <class Change> void change(Change change) {
        {
            const std::lock_guard lock(mutex_);
            change(state_);
        }
        bell_.ring();
    }
    void finish(ExitCode code) {
        change([&](State& s) {
            if (!s.finished) s.finished = code;
        });
    }

private:
    mutable std::mutex mutex_;
    State state_;
    Bell bell_;
};

/// What a handler needs; it outlives the connections.
struct Context {
    const Report& report;
    const ConnectPlan& plan;
    bool retry;
    Watch watch = {};
};

/// Tells of the connection. A first attempt that fails is the end unless --retry was given; a connection that was up
/// and is lost is made again.
class ClientHandler : public tortoise::Handler {
public:
    explicit ClientHandler(Context* context) : context_(*context) {}
    void terminate(const tortoise::Error&) noexcept override;
    tortoise::Actions connection(tortoise::Connection&, const tortoise::StatusInfo&) override;
    void undelivered(tortoise::Connection&, const tortoise::MessageView&, const tortoise::Error&) override;
    void warning(tortoise::Connection&, std::string_view) override;

protected:
    Context& context_;

private:
    bool was_up_ = false, is_up_ = false;
};

/// Sleeps until so many connections are up, of which the given one is the first; otherwise says why not, and returns
/// how to end. Gives up at the deadline.
std::optional<ExitCode> wait_until_up(tortoise::Connection&, Context&, Bell::Clock::time_point deadline,
                                      std::size_t connections = 1);

/// When a first attempt must be over, with --retry never.
Bell::Clock::time_point first_attempt_over(const ConnectArguments&);

} // namespace cli
