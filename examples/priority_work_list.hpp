#pragma once
// A work list of one's own: the most urgent message first, whatever the order of publishing.
#include <jackalope/work_list.hpp>
#include <map>
#include <set>

/// Bounded by number: the oldest of the least urgent messages gives way, which may be the new one.
class PriorityWorkList final : public jackalope::WorkList {
public:
    explicit PriorityWorkList(std::size_t bound) : bound_(bound) {}

    void push(jackalope::WorkItem&& item, std::vector<Dropped>& dropped) noexcept override {
        enter(std::move(item));
        while (items_.size() > bound_) {
            // Of the least urgent ones, which stand last, the oldest.
            const auto least = items_.rbegin()->first.urgency;
            dropped.push_back({take(items_.lower_bound({least, 0})), tortoise::Errc::displaced});
        }
    }
    // Its key says where it stood.
    void put_back(jackalope::WorkItem&& item) noexcept override { enter(std::move(item)); }

    const jackalope::WorkItem* peek() noexcept override { return items_.empty() ? nullptr : &items_.begin()->second; }
    jackalope::WorkItem pop() noexcept override { return take(items_.begin()); }
    std::optional<jackalope::WorkItem> remove(tortoise::core::Token token) noexcept override {
        for (auto at = items_.begin(); at != items_.end(); ++at)
            if (at->second.token == token) return take(at);
        return std::nullopt;
    }

    std::optional<tortoise::core::Time> next_expiry() noexcept override {
        return expiries_.empty() ? std::nullopt : std::optional(expiries_.begin()->first);
    }
    void expire(tortoise::core::Time now, std::vector<Dropped>& dropped) noexcept override {
        while (!expiries_.empty() && expiries_.begin()->first <= now)
            dropped.push_back({take(items_.find(expiries_.begin()->second)), tortoise::Errc::expired});
    }

    std::size_t count() const noexcept override { return items_.size(); }
    std::size_t bytes() const noexcept override { return bytes_; }

private:
    struct Place {
        int urgency; // the higher, the smaller
        std::uint64_t key;
        auto operator<=>(const Place&) const = default;
    };
    using Items = std::map<Place, jackalope::WorkItem>;
    static Place place_of(const jackalope::WorkItem& item) { return {~item.priority, item.key}; }

    void enter(jackalope::WorkItem&& item) {
        const auto place = place_of(item);
        bytes_ += item.bytes();
        if (item.expires) expiries_.emplace(*item.expires, place);
        items_.emplace(place, std::move(item));
    }
    jackalope::WorkItem take(Items::iterator at) {
        auto item = std::move(at->second);
        bytes_ -= item.bytes();
        if (item.expires) expiries_.erase({*item.expires, at->first});
        items_.erase(at);
        return item;
    }

    const std::size_t bound_;
    Items items_;
    std::set<std::pair<tortoise::core::Time, Place>> expiries_;
    std::size_t bytes_ = 0;
};
