#pragma once
/// A message on its way out, as the outbox and the in-flight table keep it.

#include <optional>
#include <tortoise/core/engine.hpp>
#include <tortoise/core/time.hpp>
#include <tortoise/message.hpp>

namespace tortoise::core {

struct Outbound {
    Message message = {};
    Token token = 0;
    Time accepted = {};
    std::optional<Time> expires = {};
    int priority = 0;
    std::uint32_t attempts = 0; // how often it was sent

    std::size_t bytes() const noexcept {
        return message.topic.size() + message.payload.size() + message.properties.view().octets().size();
    }
};

} // namespace tortoise::core
