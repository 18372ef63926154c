#pragma once
/// The engine's timers: a point in time, or nothing, for each kind. Nothing to cancel, nothing to leak.

#include <algorithm>
#include <array>
#include <optional>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

class Timers {
public:
    Timers() noexcept { clear(); }
    void set(Timer timer, Time at) noexcept { at_[index(timer)] = std::min(at, never - Duration(1)); }
    void clear(Timer timer) noexcept { at_[index(timer)] = never; }
    void clear() noexcept { at_.fill(never); }
    std::optional<Time> get(Timer timer) const noexcept {
        const auto at = at_[index(timer)];
        return at != never ? std::optional(at) : std::nullopt;
    }
    /// True, and the timer is cleared, if it is due.
    bool take_due(Timer timer, Time now) noexcept {
        auto& at = at_[index(timer)];
        if (at == never || at > now) return false;
        at = never;
        return true;
    }
    std::optional<Deadline> next() const noexcept {
        const auto soonest = std::min_element(at_.begin(), at_.end());
        if (*soonest == never) return std::nullopt;
        return Deadline{*soonest, static_cast<Timer>(soonest - at_.begin())};
    }

private:
    static constexpr std::size_t index(Timer timer) noexcept { return static_cast<std::size_t>(timer); }
    static constexpr Time never = Time::max();

    std::array<Time, static_cast<std::size_t>(Timer::drain) + 1> at_;
};

} // namespace tortoise::core
