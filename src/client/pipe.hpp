#pragma once
/// What a pipe shares with its connection: the count of what is under way.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <tortoise/core/engine.hpp>
#include <tortoise/pipe.hpp>

namespace tortoise {

/// One token serves for all its publishes, so that none of them costs an allocation. Each of them keeps it alive.
class Pipe::Core {
public:
    Core(detail::Ref<Connection::Core>, PipeOptions);
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release(int count = 1) noexcept {
        if (references_.fetch_sub(count, std::memory_order_acq_rel) == count) delete this;
    }

    // Tokens of pipes are odd, those of single publishes are addresses, and even.
    core::Token token() noexcept { return reinterpret_cast<core::Token>(this) | 1; }
    /// Null if the token is not that of a pipe.
    static Core* of(core::Token token) noexcept {
        return (token & 1) != 0 ? reinterpret_cast<Core*>(token ^ 1) : nullptr;
    }
    // On the loop's thread.
    /// A publish has ended; badly, if there is a reason.
    void ended(const Error* why);
    /// So many were sent, and have ended with that.
    void went(std::size_t count);

    // The user's thread.
    Result<Done> publish(std::string_view topic, Octets payload, const PublishOptions&, Duration at_most);
    Result<Done> try_publish(std::string_view topic, Octets payload, const PublishOptions&);
    Result<PipeReport> await(Duration at_most);

private:
    using Time = std::chrono::steady_clock::time_point;

    ~Core();
    void are_over(std::size_t count);
    Error fail(Error);
    std::optional<Error> broken();
    std::optional<Error> check_up();
    std::optional<Error> wait_until_up(Time until);
    std::optional<Error> wait_for_room(Time until);
    std::optional<Error> wait_for_turn(Time until);
    std::optional<Error> put(std::string_view topic, Octets payload, const PublishOptions&);
    /// Waits until no more than that many are under way, or `enough` is. False when the time is over.
    template <class Enough> bool wait_until_left(std::size_t left, Time until, Enough enough);
    void watch_for_loss();

    std::atomic<int> references_{1};
    detail::Ref<Connection::Core> connection_; // of the user's thread
    const PipeOptions options_;
    std::optional<Pending<Done>> turn_; // of the user's thread: passed when the mailbox has been emptied

    std::atomic<std::size_t> under_way_{0};
    std::atomic<std::size_t> wake_below_{0}; // a thread waits for fewer than that; 0: none does
    std::atomic<std::uint64_t> delivered_{0};

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t failed_ = 0;       // guarded by mutex_
    Error first_error_;              // guarded by mutex_
    std::optional<Error> broken_;    // guarded by mutex_
    bool watching_for_loss_ = false; // guarded by mutex_
};

} // namespace tortoise
