#pragma once
// Wakes the main thread: from loop threads, and from SIGINT and SIGTERM.

#include <chrono>
#include <optional>

namespace cli {

/// A pipe to sleep on.
class Bell {
public:
    using Clock = std::chrono::steady_clock;

    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    /// From any thread.
    void ring() noexcept;
    /// From now on SIGINT and SIGTERM ring this bell, and interrupted() is true. One bell per process.
    void ring_on_signals();
    bool interrupted() const noexcept;

    enum class Why { rung, deadline, output_closed };
    /// Sleeps until it is rung, until the deadline, or until nobody reads `output` any more.
    Why wait(std::optional<Clock::time_point> deadline, int output = -1);

private:
    int read_ = -1, write_ = -1;
};

} // namespace cli
