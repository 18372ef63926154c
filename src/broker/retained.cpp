#include "broker/retained.hpp"

#include "broker/limits.hpp"

#include <tortoise/topic.hpp>

namespace tortoise::broker {

void Retained::put(Letter& letter) {
    erase(letter.topic);
    if (letter.payload.empty() || messages_.size() >= limits::retained_messages) return;
    messages_.emplace(letter.topic, letter.stored());
    if (letter.expires) expiries_.emplace(*letter.expires, letter.topic);
}

void Retained::erase(std::string_view topic) {
    const auto found = messages_.find(topic);
    if (found == messages_.end()) return;
    if (found->second->expires) expiries_.erase({*found->second->expires, found->first});
    messages_.erase(found);
}

void Retained::match(std::string_view filter, Time now, std::vector<StoredRef>& into) const {
    // "a/#" matches "a" too, hence the separator before the wildcard is not part of the prefix.
    auto prefix = filter.substr(0, filter.find_first_of("+#"));
    const bool exact = prefix.size() == filter.size();
    if (!exact && !prefix.empty()) prefix.remove_suffix(1);
    for (auto at = messages_.lower_bound(prefix); at != messages_.end(); ++at) {
        const std::string_view topic = at->first;
        if (topic.substr(0, prefix.size()) != prefix) break;
        if (exact && topic.size() != prefix.size()) break;
        if (matches(filter, topic) && !at->second->expired(now)) into.push_back(at->second);
    }
}

void Retained::expire(Time now) {
    while (!expiries_.empty() && expiries_.begin()->first <= now) {
        messages_.erase(expiries_.begin()->second);
        expiries_.erase(expiries_.begin());
    }
}

std::optional<Time> Retained::deadline() const {
    if (expiries_.empty()) return std::nullopt;
    return expiries_.begin()->first;
}

void Retained::clear() {
    messages_.clear();
    expiries_.clear();
}

} // namespace tortoise::broker
