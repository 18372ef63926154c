#include "core/aliases.hpp"

#include <algorithm>

namespace tortoise::core {

namespace {
constexpr std::uint16_t most_outgoing = 64;  // bounds what one connection keeps for its aliases
constexpr std::size_t shortest_to_alias = 4; // an alias costs three octets
} // namespace

void IncomingAliases::reset(std::uint16_t maximum) {
    maximum_ = maximum;
    topics_.clear();
    replaced_.clear();
}

std::optional<std::string_view> IncomingAliases::resolve(std::uint32_t alias, std::string_view topic) {
    if (alias == 0 || alias > maximum_) return std::nullopt;
    if (topics_.size() < alias) {
        if (topic.empty()) return std::nullopt;
        topics_.resize(alias);
    }
    auto& known = topics_[alias - 1];
    if (topic.empty()) return known ? std::optional<std::string_view>(*known) : std::nullopt;
    if (!known || *known != topic) {
        if (known) replaced_.push_back(std::move(known));
        known = std::make_unique<std::string>(topic);
    }
    return topic;
}

void OutgoingAliases::reset(std::uint16_t maximum) {
    maximum_ = std::min(maximum, most_outgoing);
    by_topic_.clear();
    recent_.clear();
}

OutgoingAliases::Use OutgoingAliases::use(std::string_view topic) {
    if (maximum_ == 0 || topic.size() < shortest_to_alias) return {};
    if (const auto found = by_topic_.find(topic); found != by_topic_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second);
        return {found->second->alias, true};
    }
    if (recent_.size() < maximum_) {
        recent_.push_front({std::string(topic), static_cast<std::uint16_t>(recent_.size() + 1)});
    } else {
        by_topic_.erase(recent_.back().topic);
        recent_.splice(recent_.begin(), recent_, std::prev(recent_.end()));
        recent_.front().topic = topic;
    }
    by_topic_.emplace(recent_.front().topic, recent_.begin());
    return {recent_.front().alias, false};
}

std::optional<std::string_view> NamedAliases::topic_of(std::uint32_t alias, std::string_view topic) const {
    if (!topic.empty()) return topic;
    const auto found = named_.find(alias);
    return found == named_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

void NamedAliases::name(std::uint32_t alias, std::string_view topic) {
    auto& known = named_[alias];
    if (known != topic) known = std::string(topic);
}

void NamedAliases::reset(std::uint16_t maximum) {
    maximum_ = maximum;
    told_.clear();
}

OutgoingAliases::Use NamedAliases::use(std::uint32_t alias, std::string_view topic) {
    if (alias == 0 || alias > maximum_) return {};
    auto& known = told_[alias];
    if (known == topic) return {static_cast<std::uint16_t>(alias), true};
    known = topic;
    return {static_cast<std::uint16_t>(alias), false};
}

} // namespace tortoise::core
