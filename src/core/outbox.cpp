#include "core/outbox.hpp"

namespace tortoise::core {

namespace {
constexpr std::size_t slack = 64; // holes and stale expiries that are tolerated besides as many as there are messages
}

bool Outbox::full_for(const WorkItem& item) const noexcept {
    return live_ + 1 > limits_.messages || bytes_ + item.bytes() > limits_.bytes;
}

Outbox::Sequence Outbox::oldest() {
    trim();
    return base_;
}

// False if the new one must go instead.
bool Outbox::make_room(const WorkItem& fresh, std::vector<Dropped>& dropped) {
    if (fresh.bytes() > limits_.bytes || limits_.messages == 0) return false;
    while (full_for(fresh)) {
        Sequence victim;
        switch (limits_.overflow) {
        case Overflow::drop_oldest:
        case Overflow::latest_per_topic: victim = oldest(); break;
        case Overflow::by_priority:
            victim = by_priority_.begin()->second;
            if (by_priority_.begin()->first > fresh.priority) return false;
            break;
        case Overflow::reject:
        case Overflow::drop_newest: return false;
        default: return false;
        }
        dropped.push_back({take(victim), Errc::displaced});
    }
    return true;
}

void Outbox::push(WorkItem&& item, std::vector<Dropped>& dropped) noexcept {
    if (limits_.overflow == Overflow::latest_per_topic) {
        const auto same = by_topic_.find(item.message.topic);
        if (same != by_topic_.end()) dropped.push_back({take(same->second), Errc::displaced});
    }
    if (full_for(item) && !make_room(item, dropped)) {
        const bool too_large = item.bytes() > limits_.bytes;
        const bool refused = limits_.overflow == Overflow::reject || too_large;
        dropped.push_back({std::move(item), refused ? Errc::queue_full : Errc::displaced});
        return;
    }
    slots_.push_back({true, std::move(item)});
    enter(base_ + slots_.size() - 1);
    compact();
}

void Outbox::put_back(WorkItem&& item) noexcept {
    trim();
    slots_.push_front({true, std::move(item)});
    --base_;
    enter(base_);
}

void Outbox::enter(Sequence s) {
    const WorkItem& item = slot(s).item;
    ++live_;
    bytes_ += item.bytes();
    if (item.expires) expiries_.emplace(*item.expires, s);
    if (limits_.overflow == Overflow::latest_per_topic) by_topic_.emplace(item.message.topic, s);
    if (limits_.overflow == Overflow::by_priority) by_priority_.emplace(item.priority, s);
}

WorkItem Outbox::take(Sequence s) {
    Slot& at = slot(s);
    if (limits_.overflow == Overflow::latest_per_topic) {
        const auto named = by_topic_.find(at.item.message.topic);
        if (named != by_topic_.end() && named->second == s) by_topic_.erase(named);
    }
    if (limits_.overflow == Overflow::by_priority) by_priority_.erase({at.item.priority, s});
    at.live = false;
    --live_;
    bytes_ -= at.item.bytes();
    WorkItem taken = std::move(at.item);
    at.item = {};
    return taken;
}

void Outbox::trim() {
    while (!slots_.empty() && !slots_.front().live) {
        slots_.pop_front();
        ++base_;
    }
}

// Closes the holes and forgets stale expiries once they are many; the cost is shared by the messages that made them.
void Outbox::compact() {
    if (slots_.size() <= 2 * live_ + slack && expiries_.size() <= 2 * live_ + slack) return;
    Ring<Slot> kept;
    for (auto& s : slots_)
        if (s.live) kept.push_back(std::move(s));
    slots_.swap(kept);
    base_ = Sequence{1} << 32;
    live_ = bytes_ = 0;
    expiries_ = {};
    by_topic_.clear();
    by_priority_.clear();
    for (std::size_t i = 0; i < slots_.size(); ++i) enter(base_ + i);
}

const WorkItem* Outbox::peek() noexcept {
    trim();
    return slots_.empty() ? nullptr : &slots_.front().item;
}

WorkItem Outbox::pop() noexcept {
    trim();
    WorkItem taken = take(base_);
    trim();
    return taken;
}

std::optional<Time> Outbox::next_expiry() noexcept {
    while (!expiries_.empty()) {
        const auto [at, s] = expiries_.top();
        if (s >= base_ && is_live(s) && slot(s).item.expires == at) return at;
        expiries_.pop();
    }
    return std::nullopt;
}

void Outbox::expire(Time now, std::vector<Dropped>& dropped) noexcept {
    while (const auto at = next_expiry()) {
        if (*at > now) return;
        const Sequence s = expiries_.top().second;
        expiries_.pop();
        dropped.push_back({take(s), Errc::expired});
    }
}

std::optional<WorkItem> Outbox::remove(Token token) noexcept {
    for (std::size_t i = 0; i < slots_.size(); ++i)
        if (slots_[i].live && slots_[i].item.token == token) return take(base_ + i);
    return std::nullopt;
}

std::unique_ptr<WorkList> make_work_list(const Queue& limits) { return std::make_unique<Outbox>(limits); }

} // namespace tortoise::core
