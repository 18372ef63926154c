#pragma once
/// The messages that were not sent yet: first in, first out; bounded by number and by bytes; each with a time to live.

#include "core/ring.hpp"

#include <cstdint>
#include <queue>
#include <set>
#include <string>
#include <tortoise/core/work_list.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

class Outbox final : public WorkList {
public:
    explicit Outbox(Queue limits) : limits_(limits) {}

    void push(WorkItem&&, std::vector<Dropped>& dropped) noexcept override;
    void put_back(WorkItem&&) noexcept override;
    const WorkItem* peek() noexcept override;
    WorkItem pop() noexcept override;
    std::optional<WorkItem> remove(Token) noexcept override;
    std::optional<Time> next_expiry() noexcept override;
    void expire(Time now, std::vector<Dropped>& dropped) noexcept override;
    std::size_t count() const noexcept override { return live_; }
    std::size_t bytes() const noexcept override { return bytes_; }

private:
    using Sequence = std::uint64_t;
    struct Slot {
        bool live = false;
        WorkItem item;
    };
    using Expiry = std::pair<Time, Sequence>;

    Slot& slot(Sequence s) { return slots_[s - base_]; }
    bool is_live(Sequence s) const noexcept { return s - base_ < slots_.size() && slots_[s - base_].live; }
    void enter(Sequence);
    WorkItem take(Sequence);
    void trim();
    void compact();
    bool full_for(const WorkItem&) const noexcept;
    bool make_room(const WorkItem&, std::vector<Dropped>&);
    Sequence oldest();

    Queue limits_;
    Ring<Slot> slots_; // in order; those taken out of the middle stay behind as holes until they are many
    Sequence base_ = Sequence{1} << 32; // of slots_.front(); room before it for put_back
    std::size_t live_ = 0, bytes_ = 0;
    std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_; // may name messages that are gone
    std::unordered_map<std::string, Sequence> by_topic_;                        // only for latest_per_topic
    std::set<std::pair<int, Sequence>> by_priority_;                            // only for by_priority
};

} // namespace tortoise::core
