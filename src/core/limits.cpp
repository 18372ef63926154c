#include "core/limits.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::core {

namespace {

// What of a topic or filter counts for its size and levels.
std::string_view counted(const PeerLimits& limits, std::string_view topic) noexcept {
    if (const auto shared = parse_shared(topic)) topic = shared->filter;
    if (limits.uncounted.empty() || !topic.starts_with(limits.uncounted)) return topic;
    const auto rest = topic.substr(limits.uncounted.size());
    const auto slash = rest.find('/');
    return slash == std::string_view::npos ? rest : rest.substr(slash + 1);
}

std::optional<Excess> beyond(Limit limit, std::uint64_t value, std::uint64_t allowed) noexcept {
    return value > allowed ? std::optional(Excess{limit, value, allowed}) : std::nullopt;
}

std::optional<Excess> name_excess(const PeerLimits& limits, std::string_view name, Limit size, Limit levels) {
    if (limits.topic_size == 65'535 && limits.topic_levels == 65'535) return std::nullopt;
    const auto text = counted(limits, name);
    if (const auto too_long = beyond(size, text.size(), limits.topic_size)) return too_long;
    return beyond(levels, static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '/')) + 1,
                  limits.topic_levels);
}

std::optional<Excess> qos_excess(const PeerLimits& limits, QoS qos) noexcept {
    return beyond(Limit::qos, static_cast<std::uint64_t>(qos), static_cast<std::uint64_t>(limits.maximum_qos));
}

std::uint64_t user_properties_size(PropertiesView properties) {
    std::uint64_t size = 0;
    for (const auto& property : properties)
        if (property.id == PropertyId::user_property) size += property.name.size() + property.value.size();
    return size;
}

struct Words {
    std::string_view subject, unit;
};

// In the order of Limit: "SUBJECT VALUE UNIT; the server allows ALLOWED".
constexpr Words words[limit_count] = {
    {"the QoS is", ""},
    {"a retained message", ""},
    {"a shared subscription", ""},
    {"the payload has", "bytes"},
    {"the packet has", "bytes"},
    {"the topic has", "bytes"},
    {"the topic has", "levels"},
    {"the filter has", "bytes"},
    {"the filter has", "levels"},
    {"the user properties have", "bytes"},
    {"user properties outside of PUBLISH", ""},
    {"the client identifier has", "bytes"},
    {"it would be", "subscriptions"},
    {"the request has", "filters"},
    {"more than", "messages per second"},
    {"more than", "bytes per second"},
    {"more than", "subscribes per second"},
    {"more than", "connects per second"},
};

std::error_code code_of(Limit limit) noexcept {
    switch (limit) {
    case Limit::qos: return Reason::qos_not_supported;
    case Limit::retain: return Reason::retain_not_supported;
    case Limit::shared: return Reason::shared_subscriptions_not_supported;
    case Limit::payload:
    case Limit::packet:
    case Limit::user_properties: return Errc::packet_too_large;
    case Limit::topic:
    case Limit::topic_levels: return Errc::invalid_topic;
    case Limit::filter:
    case Limit::filter_levels: return Errc::invalid_filter;
    case Limit::client_id: return Errc::invalid_option;
    default: return Errc::not_supported;
    }
}

} // namespace

Limits Limits::of(const Connack& connack, const PeerLimits& known) {
    const PropertiesView p = connack.properties;
    Limits limits;
    limits.receive_maximum = static_cast<std::uint16_t>(p.get(property::receive_maximum).value_or(65'535));
    limits.topic_aliases = static_cast<std::uint16_t>(p.get(property::topic_alias_maximum).value_or(0));
    if (const auto seconds = p.get(property::server_keep_alive))
        limits.keep_alive = static_cast<std::uint16_t>(*seconds);
    limits.subscription_identifiers = p.get(property::subscription_identifier_available).value_or(1) != 0;
    if (!known.check) return limits;
    limits.maximum_qos = std::min(known.maximum_qos, static_cast<QoS>(p.get(property::maximum_qos).value_or(2)));
    limits.retain = known.retain && p.get(property::retain_available).value_or(1) != 0;
    limits.packet_size =
        std::min<std::size_t>(known.packet_size, p.get(property::maximum_packet_size).value_or(largest_packet));
    limits.wildcards = p.get(property::wildcard_subscription_available).value_or(1) != 0;
    limits.shared = known.shared_subscriptions && p.get(property::shared_subscription_available).value_or(1) != 0;
    limits.filters_per_request = std::max<std::size_t>(known.filters_per_subscribe, 1);
    return limits;
}

Error Excess::error() const {
    const auto& [subject, unit] = words[static_cast<std::size_t>(limit)];
    std::string text(subject);
    const bool counts = !unit.empty() || limit == Limit::qos;
    if (!counts) return {code_of(limit), text + "; the server does not take them"};
    text += ' ' + std::to_string(value);
    if (!unit.empty()) text.append(" ").append(unit);
    return {code_of(limit), text + "; the server allows " + std::to_string(allowed)};
}

std::optional<Excess> excess(const PeerLimits& limits, const MessageView& message) {
    if (!limits.check) return std::nullopt;
    if (const auto found = qos_excess(limits, message.qos)) return found;
    if (message.retain && !limits.retain) return Excess{Limit::retain};
    if (const auto found = beyond(Limit::payload, message.payload.size(), limits.payload_size)) return found;
    if (const auto found = beyond(Limit::packet, message.topic.size() + message.payload.size(), limits.packet_size))
        return found;
    if (const auto found = name_excess(limits, message.topic, Limit::topic, Limit::topic_levels)) return found;
    if (message.properties.empty()) return std::nullopt;
    return beyond(Limit::user_properties, user_properties_size(message.properties), limits.user_properties_size);
}

std::optional<Excess> excess(const PeerLimits& limits, const TopicFilter& filter) {
    if (!limits.check) return std::nullopt;
    // A broker may grant less than was asked for; not every cloud answers at all.
    if (const auto found = qos_excess(limits, filter.options.qos)) return found;
    if (!limits.shared_subscriptions && parse_shared(filter.filter)) return Excess{Limit::shared};
    return name_excess(limits, filter.filter, Limit::filter, Limit::filter_levels);
}

std::optional<Excess> excess_of_filters(const PeerLimits& limits, std::size_t in_one_request) {
    if (!limits.check) return std::nullopt;
    return beyond(Limit::filters, in_one_request, limits.filters_per_subscribe);
}

std::optional<Excess> excess_of_client_id(const PeerLimits& limits, std::string_view client_id) {
    if (!limits.check) return std::nullopt;
    return beyond(Limit::client_id, client_id.size(), limits.client_id_size);
}

std::optional<Excess> excess_of_request(const PeerLimits& limits, PropertiesView properties) {
    if (!limits.check || properties.empty()) return std::nullopt;
    const auto size = user_properties_size(properties);
    if (size > 0 && !limits.request_user_properties) return Excess{Limit::request_user_properties};
    return beyond(Limit::user_properties, size, limits.user_properties_size);
}

std::optional<Excess> excess(const PeerLimits& limits, const Connect& connect) {
    if (const auto found = excess_of_client_id(limits, connect.client_id)) return found;
    if (const auto found = excess_of_request(limits, connect.properties)) return found;
    if (!connect.will) return std::nullopt;
    const auto& will = *connect.will;
    return excess(limits, MessageView{.topic = will.topic,
                                      .payload = will.payload,
                                      .qos = will.qos,
                                      .retain = will.retain,
                                      .properties = will.properties});
}

Duration clamp_keep_alive(const PeerLimits& limits, Duration keep_alive) noexcept {
    if (!limits.check) return keep_alive;
    const bool none = keep_alive == Duration::zero();
    if (limits.most_keep_alive > Duration::zero() && (none || keep_alive > limits.most_keep_alive))
        return limits.most_keep_alive;
    return none ? keep_alive : std::max(keep_alive, limits.least_keep_alive);
}

} // namespace tortoise::core
