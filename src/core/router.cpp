#include "core/router.hpp"
#include <algorithm>

namespace tortoise::core {

namespace {

constexpr Router::Identifier largest = 268'435'455; // [MQTT-3.8.2.1.2]

/// The same in every life of a program: what the broker queued for an earlier one finds its way.
Router::Identifier identifier_of(std::string_view filter) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325u; // FNV-1a
    for (const char c : filter) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return static_cast<Router::Identifier>(hash % largest) + 1;
}

} // namespace

void Router::add(std::string_view filter, Route route) {
    if (route == 0) {
        plain_.insert(filter, 0);
        return;
    }
    routed_.insert(filter, route);
    const auto [at, fresh] = by_route_.try_emplace(route, Identified{0, 0});
    ++at->second.filters;
    if (!fresh) return;
    auto identifier = identifier_of(filter);
    while (!by_identifier_.try_emplace(identifier, route).second) identifier = identifier % largest + 1;
    at->second.identifier = identifier;
}

void Router::remove(std::string_view filter, Route route) {
    if (route == 0) {
        plain_.erase(filter, 0);
        return;
    }
    routed_.erase(filter, route);
    const auto at = by_route_.find(route);
    if (--at->second.filters > 0) return;
    by_identifier_.erase(at->second.identifier);
    by_route_.erase(at);
}

Router::Identifier Router::identifier(Route route) const {
    const auto found = by_route_.find(route);
    return found == by_route_.end() ? 0 : found->second.identifier;
}

void Router::find(std::string_view topic, PropertiesView properties, bool identified, std::vector<Route>& into) const {
    const auto first = static_cast<std::ptrdiff_t>(into.size());
    if (identified) {
        for (const auto& property : properties) {
            if (property.id != PropertyId::subscription_identifier) continue;
            const auto found = by_identifier_.find(property.number);
            if (found != by_identifier_.end()) into.push_back(found->second);
        }
        // A copy without an identifier is that of a filter without one, if there is such a filter.
        if (static_cast<std::ptrdiff_t>(into.size()) == first) {
            plain_.match(topic, into);
            if (static_cast<std::ptrdiff_t>(into.size()) > first) return into.resize(static_cast<std::size_t>(first));
        }
    }
    if (static_cast<std::ptrdiff_t>(into.size()) == first) routed_.match(topic, into);
    std::sort(into.begin() + first, into.end());
    into.erase(std::unique(into.begin() + first, into.end()), into.end());
}

} // namespace tortoise::core
