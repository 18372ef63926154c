#pragma once
/// Does a publish make sense, whatever the broker? Asked where the user calls, so that the answer comes at once, and by
/// the engine of those that come another way.

#include "core/seldom.hpp"
#include <optional>
#include <tortoise/core/engine.hpp>
#include <tortoise/options.hpp>

namespace tortoise::core {

struct PublishRules {
    Version version;
    bool names_aliases; ///< TopicAliases::manual: the user does
    Seldom<PeerLimits> limits;

    static PublishRules of(const EngineOptions&);
};

/// Nothing, or what is wrong with it.
std::optional<Error> check_publish(const PublishRules&, const PublishRequest&);

} // namespace tortoise::core
