#pragma once
/// The engine's timers: a point in time, or nothing, for each kind. Nothing to cancel, nothing to leak.

#include <array>
#include <optional>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

class Timers {
public:
    void set(Timer timer, Time at) noexcept { at_[index(timer)] = at; }
    void clear(Timer timer) noexcept { at_[index(timer)].reset(); }
    void clear() noexcept { at_ = {}; }
    std::optional<Time> get(Timer timer) const noexcept { return at_[index(timer)]; }
    /// True, and the timer is cleared, if it is due.
    bool take_due(Timer timer, Time now) noexcept {
        auto& at = at_[index(timer)];
        if (!at || *at > now) return false;
        at.reset();
        return true;
    }
    std::optional<Deadline> next() const noexcept {
        std::optional<Deadline> soonest;
        for (std::size_t i = 0; i < at_.size(); ++i)
            if (at_[i] && (!soonest || *at_[i] < soonest->at)) soonest = Deadline{*at_[i], static_cast<Timer>(i)};
        return soonest;
    }

private:
    static constexpr std::size_t index(Timer timer) noexcept { return static_cast<std::size_t>(timer); }
    std::array<std::optional<Time>, static_cast<std::size_t>(Timer::drain) + 1> at_ = {};
};

} // namespace tortoise::core
