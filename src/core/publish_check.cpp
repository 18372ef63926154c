#include "core/publish_check.hpp"

#include "core/codec/rule.hpp"
#include "core/limits.hpp"
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/topic.hpp>

namespace tortoise::core {

namespace {

constexpr std::size_t most_of_a_head = 32; // fixed header, lengths, identifier, expiry interval and alias

std::optional<Error> check_properties(const PublishRules& rules, const PublishRequest& request) {
    if (rules.version == Version::v3_1_1) return make_error(Errc::not_supported, "MQTT 3.1.1 has no properties");
    if (!rules.names_aliases && request.properties.get(property::topic_alias))
        return make_error(Errc::invalid_option, "topic aliases are chosen by the connection, unless its option "
                                                "topic_aliases is manual");
    if (request.properties.get(property::subscription_identifier))
        return make_error(Errc::invalid_option, "[MQTT-3.3.4-6] a subscription identifier in a publish");
    const PacketId id = request.qos == QoS::at_most_once ? 0 : 1;
    std::string trial;
    const Publish sample{id, request.topic, {}, request.qos, request.retain, false, request.properties};
    if (auto valid = encode(rules.version, sample, trial); !valid)
        return make_error(Errc::invalid_option, valid.error().describe());
    return std::nullopt;
}

std::optional<Error> beyond_limits(const PublishRules& rules, const PublishRequest& request) {
    const auto beyond = excess(*rules.limits, {.topic = request.topic,
                                               .payload = request.payload,
                                               .qos = request.qos,
                                               .retain = request.retain,
                                               .properties = request.properties});
    return beyond ? std::optional(beyond->error()) : std::nullopt;
}

} // namespace

PublishRules PublishRules::of(const EngineOptions& options) {
    const bool limited = options.limits != PeerLimits{};
    return {options.version, options.topic_aliases == TopicAliases::manual,
            limited ? Seldom(options.limits) : Seldom<PeerLimits>()};
}

std::optional<Error> check_publish(const PublishRules& rules, const PublishRequest& request) {
    if (topic_fault(request.topic)) {
        const bool by_alias =
            rules.names_aliases && request.topic.empty() && request.properties.get(property::topic_alias);
        if (!by_alias) return check_topic(request.topic).error();
    }
    if (request.qos > QoS::exactly_once)
        return make_error(Errc::invalid_qos,
                          "QoS is " + std::to_string(static_cast<int>(request.qos)) + "; allowed: 0, 1, 2");
    if (request.payload.size() + request.topic.size() + request.properties.octets().size() + most_of_a_head >
        largest_packet)
        return make_error(Errc::packet_too_large, "the message has " + std::to_string(request.payload.size()) +
                                                      " bytes; MQTT allows 268,435,455 with the topic");
    if (rules.limits)
        if (auto beyond = beyond_limits(rules, request)) return beyond;
    if (request.properties.empty()) return std::nullopt;
    return check_properties(rules, request);
}

} // namespace tortoise::core
