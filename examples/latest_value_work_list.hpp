#pragma once
// A work list of one's own: of each topic only the latest value waits, for as many topics as there are.
#include <jackalope/work_list.hpp>
#include <map>
#include <string>

/// A new value takes the place of the old one, and stands last.
class LatestValueWorkList final : public jackalope::WorkList {
public:
    void push(jackalope::WorkItem&& item, std::vector<Dropped>& dropped) noexcept override {
        const auto old = topics_.find(item.message.topic);
        if (old != topics_.end()) dropped.push_back({take(items_.find(old->second)), tortoise::Errc::displaced});
        enter(std::move(item));
    }
    // A later value of its topic may wait already: both stay, in their order, for this one was accepted too.
    void put_back(jackalope::WorkItem&& item) noexcept override { enter(std::move(item)); }

    const jackalope::WorkItem* peek() noexcept override { return items_.empty() ? nullptr : &items_.begin()->second; }
    jackalope::WorkItem pop() noexcept override { return take(items_.begin()); }
    std::optional<jackalope::WorkItem> remove(tortoise::core::Token token) noexcept override {
        for (auto at = items_.begin(); at != items_.end(); ++at)
            if (at->second.token == token) return take(at);
        return std::nullopt;
    }

    // As many as there are topics: looking at each of them is good enough here.
    std::optional<tortoise::core::Time> next_expiry() noexcept override {
        std::optional<tortoise::core::Time> next;
        for (const auto& [key, item] : items_)
            if (item.expires && (!next || *item.expires < *next)) next = item.expires;
        return next;
    }
    void expire(tortoise::core::Time now, std::vector<Dropped>& dropped) noexcept override {
        for (auto at = items_.begin(); at != items_.end();) {
            const auto here = at++;
            const bool expired = here->second.expires && *here->second.expires <= now;
            if (expired) dropped.push_back({take(here), tortoise::Errc::expired});
        }
    }

    std::size_t count() const noexcept override { return items_.size(); }
    std::size_t bytes() const noexcept override { return bytes_; }

private:
    using Items = std::map<std::uint64_t, jackalope::WorkItem>; // by key: in the order of acceptance

    void enter(jackalope::WorkItem&& item) {
        auto& latest = topics_[item.message.topic];
        latest = std::max(latest, item.key);
        bytes_ += item.bytes();
        items_.emplace(item.key, std::move(item));
    }
    jackalope::WorkItem take(Items::iterator at) {
        auto item = std::move(at->second);
        bytes_ -= item.bytes();
        items_.erase(at);
        const auto topic = topics_.find(item.message.topic);
        if (topic != topics_.end() && topic->second == item.key) topics_.erase(topic);
        return item;
    }

    Items items_;
    std::map<std::string, std::uint64_t> topics_; // the key of the latest one
    std::size_t bytes_ = 0;
};
