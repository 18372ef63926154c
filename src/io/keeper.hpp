#pragma once
/// What an engine wants kept, on its way to a store; and how far that got.

#include "io/loop.hpp"
#include <cstdint>
#include <mutex>
#include <string>
#include <tortoise/store_adaptor.hpp>

namespace tortoise::io {

/// Numbers the writes of one session. Of the loop's thread only, but for what the store calls.
class Keeper {
public:
    /// `session` is loaded. `changed` is called on the loop, never from within a call to this, when kept() or failure()
    /// have changed.
    Keeper(Loop&, StoreAdaptor&, std::string session, Fn<void()> changed);
    /// Precondition: idle().
    ~Keeper() = default;
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    /// Gives the write the next number.
    void write(std::vector<core::RecordChange>, bool durable);
    std::uint64_t asked() const noexcept { return asked_; }
    /// The last write that something to be sent depends on.
    std::uint64_t needed() const noexcept { return needed_; }
    /// Everything up to that number is kept, unless there is a failure().
    std::uint64_t kept() const noexcept { return kept_; }
    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// Has the store answered to everything that was asked of it?
    bool idle() const noexcept { return kept_ == asked_; }
    bool busy() const noexcept { return adaptor_.busy(); }

private:
    void answered(const Error* failed);
    void look();

    Loop& loop_;
    StoreAdaptor& adaptor_;
    const std::string session_;
    Fn<void()> changed_;
    std::uint64_t asked_ = 0, needed_ = 0, kept_ = 0;
    std::optional<Error> failure_;

    std::mutex mutex_;
    std::uint64_t answers_ = 0; // guarded by mutex_, as what follows
    std::optional<Error> refusal_;
    bool posted_ = false;
};

} // namespace tortoise::io
