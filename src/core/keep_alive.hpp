#pragma once
/// Keeps a connection alive and notices when it is dead. [MQTT-3.1.2.10]

#include "core/ring.hpp"

#include <algorithm>
#include <optional>
#include <tortoise/core/engine.hpp>
#include <utility>

namespace tortoise::core {

/// A PINGREQ is due when nothing was sent, or nothing came, for the interval. Whatever comes shows that the peer lives;
/// it is taken for dead when an answer is due and nothing came for the time-out, or when it talks and answers none of
/// many.
class KeepAlive {
public:
    struct Ping {
        Token token;
        Time sent;
    };

    explicit KeepAlive(Duration timeout) noexcept : timeout_(timeout) {}

    /// The connection is up. Interval zero: no pings by itself.
    void begin(Time now, Duration interval) noexcept {
        interval_ = interval;
        sent_ = received_ = now;
        awaited_.clear();
    }
    /// The connection ended; returns the pings that will not be answered.
    Ring<Ping> end() noexcept {
        interval_ = {};
        return std::exchange(awaited_, {});
    }

    void sent(Time now) noexcept { sent_ = now; }
    void received(Time now) noexcept { received_ = now; }
    void pinged(Time now, Token token) {
        if (held_ && token == 0) return; // one less to await: the answer says nothing
        awaited_.push_back({token, now});
    }
    /// We do not read, for the user's sake: the silence is ours.
    void hold(Time now, bool held) noexcept {
        held_ = held;
        received_ = now;
    }
    /// A PINGRESP: the ping that it answers; nothing if none was asked.
    std::optional<Ping> answered() {
        if (awaited_.empty()) return std::nullopt;
        const Ping ping = awaited_.front();
        awaited_.pop_front();
        return ping;
    }

    Duration interval() const noexcept { return interval_; }
    /// While an answer is awaited only our own silence counts: the broker measures that, whatever it owes us.
    /// [MQTT-3.1.2-20]
    std::optional<Time> ping_due() const noexcept {
        if (interval_ <= Duration::zero()) return std::nullopt;
        if (held_) return sent_ + interval_;
        if (awaited_.size() >= most_awaited) return std::nullopt;
        return (awaited_.empty() ? std::min(sent_, received_) : sent_) + interval_;
    }
    std::optional<Time> dead_at() const noexcept {
        if (awaited_.empty() || held_) return std::nullopt;
        const Time silent = std::max(awaited_.front().sent, received_) + timeout_;
        const bool patient = interval_ <= Duration::zero() || awaited_.size() < most_awaited;
        return patient ? silent : std::min(silent, sent_ + interval_);
    }

private:
    static constexpr std::size_t most_awaited = 64; // a large packet that comes slowly may be in the way of the answer

    Duration timeout_;
    Duration interval_ = {};
    Time sent_ = {}, received_ = {};
    Ring<Ping> awaited_;
    bool held_ = false;
};

} // namespace tortoise::core
