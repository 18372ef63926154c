#include "broker/timers.hpp"

namespace tortoise::broker {

void Timers::arm(Owner owner, Time at) {
    disarm(owner);
    armed_.emplace(owner, at);
    order_.emplace(at, owner);
}

void Timers::disarm(Owner owner) {
    const auto found = armed_.find(owner);
    if (found == armed_.end()) return;
    order_.erase({found->second, owner});
    armed_.erase(found);
}

void Timers::clear() {
    order_.clear();
    armed_.clear();
}

std::optional<core::Time> Timers::next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
}

std::optional<Timers::Owner> Timers::due(Time now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const auto owner = order_.begin()->second;
    disarm(owner);
    return owner;
}

} // namespace tortoise::broker
