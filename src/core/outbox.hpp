#pragma once
/// The messages that were not sent yet: first in, first out; bounded by number and by bytes; each with a time to live.

#include "core/outbound.hpp"

#include <cstdint>
#include <deque>
#include <queue>
#include <set>
#include <string_view>
#include <tortoise/options.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

class Outbox {
public:
    /// A message that left without being sent, and why.
    struct Dropped {
        Outbound outbound;
        Errc why;
    };

    explicit Outbox(Queue limits) : limits_(limits) {}

    /// Takes a message in, by the overflow policy. Those that had to go, maybe the new one itself, are appended to
    /// `dropped`.
    void push(Outbound&&, std::vector<Dropped>& dropped);
    /// Takes back what was sent and came to nothing: it stands before everything else, and no bound applies, since it
    /// was accepted before.
    void push_front(Outbound&&);

    bool empty() const noexcept { return live_ == 0; }
    std::size_t size() const noexcept { return live_; }
    std::size_t bytes() const noexcept { return bytes_; }

    /// Precondition of both: not empty.
    const Outbound& front();
    Outbound pop();

    std::optional<Time> next_expiry();
    /// Takes out what has expired.
    void expire(Time now, std::vector<Dropped>& dropped);
    std::optional<Outbound> remove(Token);

private:
    using Sequence = std::uint64_t;
    struct Slot {
        bool live = false;
        Outbound outbound;
    };
    using Expiry = std::pair<Time, Sequence>;

    Slot& slot(Sequence s) { return slots_[s - base_]; }
    bool is_live(Sequence s) const noexcept { return s - base_ < slots_.size() && slots_[s - base_].live; }
    void enter(Sequence);
    Outbound take(Sequence);
    void trim();
    void compact();
    bool full_for(const Outbound&) const noexcept;
    bool make_room(const Outbound&, std::vector<Dropped>&);
    Sequence oldest();

    Queue limits_;
    std::deque<Slot> slots_; // in order; those taken out of the middle stay behind as holes until they are many
    Sequence base_ = Sequence{1} << 32; // of slots_.front(); room before it for push_front
    std::size_t live_ = 0, bytes_ = 0;
    std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_; // may name messages that are gone
    std::unordered_map<std::string_view, Sequence> by_topic_;                   // only for latest_per_topic
    std::set<std::pair<int, Sequence>> by_priority_;                            // only for by_priority
};

} // namespace tortoise::core
