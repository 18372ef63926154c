#pragma once
/// Where a received message goes: by the subscription identifiers it carries, or by the filters that match its topic.

#include "core/topic_tree.hpp"
#include <cstdint>
#include <tortoise/core/engine.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

/// The filters of all routes. A route other than 0 has one subscription identifier for all of its filters, so that each
/// copy that a broker makes of a message, one or many for overlapping subscriptions, reaches each route it is for once.
/// [MQTT-3.3.4-3] [MQTT-3.3.4-4]
class Router {
public:
    using Identifier = std::uint32_t;

    /// The filter must not be there. Without `$share/GROUP/`.
    void add(std::string_view filter, Route);
    void remove(std::string_view filter, Route);
    /// To be subscribed with; 0: none.
    Identifier identifier(Route) const;

    /// Has any message another route than the default one?
    bool divides() const noexcept { return !routed_.empty(); }
    /// Appends the routes, each once; nothing: the default one. `identified`: the broker sends identifiers.
    void find(std::string_view topic, PropertiesView, bool identified, std::vector<Route>& into) const;

private:
    struct Identified {
        Identifier identifier;
        std::size_t filters;
    };
    TopicTree routed_, plain_; // plain_: the filters of route 0
    std::unordered_map<Route, Identified> by_route_;
    std::unordered_map<Identifier, Route> by_identifier_;
};

} // namespace tortoise::core
