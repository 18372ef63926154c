#pragma once
/// Where a connection stands between its attempts, and when the next one is due.

#include "core/random.hpp"

#include <optional>
#include <string_view>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

/// The states, and what each may become:
///
///   idle      waiting                         not started
///   waiting   opening, ended                  for the first connect or the backoff
///   opening   greeting, closing, waiting, ended   the transport is being opened
///   greeting  up, closing, waiting, ended     CONNECT was sent
///   up        closing, waiting, ended         CONNACK accepted us
///   closing   waiting, opening, ended         the transport is being closed
///   ended     –                               for good
enum class State : std::uint8_t { idle, waiting, opening, greeting, up, closing, ended };

constexpr std::string_view to_string(State state) noexcept {
    constexpr std::string_view names[] = {"idle", "waiting", "opening", "greeting", "up", "closing", "ended"};
    return names[static_cast<std::size_t>(state)];
}

/// Exponential backoff with full jitter over a list of endpoints that are tried in turn. The span grows once per round,
/// up to its maximum, and starts over only after a connection that was stable.
class Lifecycle {
public:
    Lifecycle(Backoff backoff, std::size_t endpoints, std::uint64_t seed) noexcept
        : backoff_(backoff), endpoints_(endpoints == 0 ? 1 : endpoints), random_(seed) {}

    State state() const noexcept { return state_; }
    void become(State state) noexcept { state_ = state; }

    std::size_t endpoint() const noexcept { return endpoint_; }
    unsigned attempt() const noexcept { return attempt_; }
    void stable() noexcept { attempt_ = 0; }

    Duration first_delay(Duration longest) noexcept { return random_.up_to(longest); }

    /// An attempt failed, or a connection ended: the next endpoint is due after this.
    Duration failed(Retry retry) noexcept {
        endpoint_ = (endpoint_ + 1) % endpoints_;
        const unsigned rounds = attempt_++ / static_cast<unsigned>(endpoints_);
        Duration span = retry == Retry::slow ? backoff_.max : backoff_.min;
        for (unsigned i = 0; i < rounds && span < backoff_.max; ++i)
            span = span > backoff_.max / 2 ? backoff_.max : span * 2;
        return random_.up_to(std::min(span, backoff_.max));
    }

private:
    Backoff backoff_;
    std::size_t endpoints_;
    std::size_t endpoint_ = 0;
    unsigned attempt_ = 0;
    State state_ = State::idle;
    Random random_;
};

} // namespace tortoise::core
