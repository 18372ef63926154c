#pragma once
/// One timer per owner, the earliest first.

#include <cstdint>
#include <optional>
#include <set>
#include <tortoise/core/time.hpp>
#include <unordered_map>
#include <utility>

namespace tortoise::broker {

class Timers {
public:
    using Owner = std::uint64_t;
    using Time = core::Time;

    /// Sets the owner's timer, in place of an earlier one.
    void arm(Owner, Time);
    void disarm(Owner);
    void clear();
    std::optional<Time> next() const;
    /// The owner of a timer that is due, which is then disarmed; the earliest first, then by owner.
    std::optional<Owner> due(Time now);

private:
    std::set<std::pair<Time, Owner>> order_;
    std::unordered_map<Owner, Time> armed_;
};

} // namespace tortoise::broker
