#pragma once
/// A message inside the broker: borrowed while it is routed, stored once if anybody has to keep it.

#include <memory>
#include <optional>
#include <tortoise/core/time.hpp>
#include <tortoise/properties.hpp>
#include <vector>

namespace tortoise::broker {

using core::Time;

/// Immutable; shared by the sessions and the retained messages that keep it.
struct Stored {
    std::string octets; // topic, properties and payload behind one another: one allocation
    std::uint32_t topic_size = 0;
    std::uint32_t properties_size = 0;
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::optional<Time> expires = {};
    std::uint64_t publisher = 0;

    std::string_view topic() const noexcept { return std::string_view(octets).substr(0, topic_size); }
    PropertiesView properties() const noexcept {
        return PropertiesView(std::string_view(octets).substr(topic_size, properties_size));
    }
    Octets payload() const noexcept { return std::string_view(octets).substr(topic_size + properties_size); }
    bool expired(Time now) const noexcept { return expires && *expires <= now; }
};
using StoredRef = std::shared_ptr<const Stored>;

/// A message on its way. The views belong to a packet, to a Stored, or to whoever makes the letter.
class Letter {
public:
    Letter() = default;
    explicit Letter(StoredRef);

    std::string_view topic = {};
    Octets payload = {};
    PropertiesView properties = {}; ///< those that travel on: no alias, no expiry
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::optional<Time> expires = {};
    std::uint64_t publisher = 0; ///< who, for No Local; 0: nobody

    /// A copy to keep; made once, however many ask.
    const StoredRef& stored();

private:
    StoredRef stored_ = {};
};

/// How one subscriber gets a message.
struct Grant {
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::vector<std::uint32_t> ids = {}; ///< subscription identifiers
    std::uint64_t group = 0;             ///< the shared subscription that chose this subscriber; 0: none
};

/// A message that waits for its subscriber or for an acknowledgement.
struct Delivery {
    StoredRef message = {};
    Grant grant = {};
    std::uint64_t order = 0; ///< ascending within a session
};

/// The properties of a published message that its subscribers see, and those that only the broker needs.
Properties forwarded_properties(PropertiesView);

} // namespace tortoise::broker
