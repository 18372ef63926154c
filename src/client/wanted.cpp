#include "client/wanted.hpp"
#include <algorithm>

namespace tortoise {

void WantedFilters::want(const TopicFilter& f, Owner owner) {
    auto& entry = entries_[f.filter];
    if (!entry.wanted) entry.order = next_order_++;
    entry.wanted = true;
    entry.owner = owner;
    entry.options = f.options;
    ++entry.under_way;
}

void WantedFilters::leave(const std::string& filter) {
    auto& entry = entries_[filter];
    entry.wanted = false;
    ++entry.under_way;
}

bool WantedFilters::owns(const std::string& filter, Owner owner) const {
    const auto entry = entries_.find(filter);
    return entry != entries_.end() && entry->second.wanted && entry->second.owner == owner;
}

bool WantedFilters::is_anothers(const std::string& filter, Owner owner) const {
    std::lock_guard lock(mutex_);
    const auto entry = entries_.find(filter);
    return entry != entries_.end() && entry->second.wanted && entry->second.owner != owner;
}

void WantedFilters::arrived(std::span<const std::string> filters) {
    std::lock_guard lock(mutex_);
    for (const auto& filter : filters) {
        const auto entry = entries_.find(filter);
        if (entry == entries_.end()) continue;
        if (--entry->second.under_way == 0 && !entry->second.wanted) entries_.erase(entry);
    }
}

void WantedFilters::gone(const std::string& filter) {
    std::lock_guard lock(mutex_);
    const auto entry = entries_.find(filter);
    if (entry != entries_.end() && entry->second.under_way == 0) entries_.erase(entry);
}

std::vector<TopicFilter> WantedFilters::list() const {
    std::vector<std::pair<std::uint64_t, TopicFilter>> ordered;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [filter, entry] : entries_) {
            if (entry.wanted) ordered.emplace_back(entry.order, TopicFilter(filter, entry.options));
        }
    }
    std::ranges::sort(ordered, {}, &std::pair<std::uint64_t, TopicFilter>::first);
    std::vector<TopicFilter> list;
    for (auto& [order, filter] : ordered) list.push_back(std::move(filter));
    return list;
}

} // namespace tortoise
