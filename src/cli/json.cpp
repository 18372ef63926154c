#include "json.hpp"
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cli {

using nlohmann::ordered_json;
using tortoise::MessageView;
using tortoise::Octets;
using tortoise::Property;
using tortoise::PropertyId;

namespace {

/// An empty object that keeps the order, and a name given twice: user properties may repeat theirs.
ordered_json object() { return ordered_json::object(); }

void add(ordered_json& to, std::string name, ordered_json value) {
    to.get_ref<ordered_json::object_t&>().emplace_back(std::move(name), std::move(value));
}

std::string dump(const ordered_json& value, bool pretty) {
    return value.dump(pretty ? 4 : -1, ' ', false, ordered_json::error_handler_t::replace);
}

bool is_utf8(Octets octets) {
    // What the strict dump of the JSON library takes is what a reader of JSON takes.
    try {
        static_cast<void>(ordered_json(octets).dump());
        return true;
    } catch (const ordered_json::type_error&) {
        return false;
    }
}

std::string base64(Octets octets) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((octets.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < octets.size(); i += 3) {
        std::uint32_t bits = 0;
        const std::size_t count = std::min<std::size_t>(3, octets.size() - i);
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (k < count ? static_cast<unsigned char>(octets[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

/// Text as it is; anything else in base64, under a name that says so.
void add_octets(ordered_json& to, const std::string& name, Octets octets) {
    if (is_utf8(octets))
        add(to, name, octets);
    else
        add(to, name + "_base64", base64(octets));
}

bool has_number(PropertyId id) {
    switch (id) {
    case PropertyId::payload_format_indicator:
    case PropertyId::message_expiry_interval:
    case PropertyId::subscription_identifier:
    case PropertyId::topic_alias: return true;
    default: return false;
    }
}

/// "Content Type" with another separator and in lower case.
std::string property_name(PropertyId id, char separator) {
    std::string name(to_string(id));
    for (char& c : name) c = c == ' ' ? separator : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return name;
}

/// Discarded if it is not JSON, or nested so deeply that printing it would eat the stack.
ordered_json parse_payload(Octets payload) {
    constexpr int deepest = 500;
    bool too_deep = false;
    auto json = ordered_json::parse(
        payload,
        [&](int depth, ordered_json::parse_event_t, ordered_json&) {
            too_deep = too_deep || depth > deepest;
            return !too_deep;
        },
        false);
    return too_deep ? ordered_json(ordered_json::value_t::discarded) : json;
}

ordered_json own_properties(const MessageView& m) {
    auto properties = object();
    auto user = ordered_json::array();
    auto subscriptions = ordered_json::array();
    for (const Property& p : m.properties) {
        if (p.id == PropertyId::user_property)
            user.push_back(ordered_json::array({p.name, p.value}));
        else if (p.id == PropertyId::subscription_identifier)
            subscriptions.push_back(p.number);
        else if (has_number(p.id))
            add(properties, property_name(p.id, '_'), p.number);
        else
            add_octets(properties, property_name(p.id, '_'), p.value);
    }
    if (!subscriptions.empty()) add(properties, "subscription_identifiers", std::move(subscriptions));
    if (!user.empty()) add(properties, "user_properties", std::move(user));
    return properties;
}

ordered_json mosquitto_properties(const MessageView& m) {
    auto properties = object();
    auto user = object();
    for (const Property& p : m.properties)
        if (p.id == PropertyId::user_property) add(user, std::string(p.name), p.value);
    for (const Property& p : m.properties) {
        if (p.id == PropertyId::user_property) { // together, where the first one stands
            if (!user.empty()) add(properties, "user-properties", std::exchange(user, object()));
        } else if (has_number(p.id)) {
            add(properties, property_name(p.id, '-'), p.number);
        } else {
            add(properties, property_name(p.id, '-'), p.value);
        }
    }
    return properties;
}

} // namespace

std::string message_json(const Arrival& arrival, bool pretty) {
    const auto& m = arrival.message;
    std::tm utc = {};
    ::gmtime_r(&arrival.at.tv_sec, &utc);
    char time[64];
    const auto size = std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);

    auto json = object();
    add(json, "timestamp", fmt::format("{}.{:06}Z", std::string_view(time, size), arrival.at.tv_nsec / 1000));
    add(json, "topic", m.topic);
    add(json, "qos", static_cast<int>(m.qos));
    add(json, "retain", m.retain);
    add(json, "duplicate", m.duplicate);
    if (m.packet_id != 0) add(json, "packet_id", m.packet_id);
    add(json, "payload_length", m.payload.size());
    add_octets(json, "payload", m.payload);
    if (!m.properties.empty()) add(json, "properties", own_properties(m));
    return dump(json, pretty);
}

std::optional<std::string> mosquitto_json(const Arrival& arrival, PayloadAs as, bool pretty) {
    const auto& m = arrival.message;
    ordered_json payload = m.payload;
    if (m.payload.empty())
        payload = nullptr;
    else if (as == PayloadAs::json)
        payload = parse_payload(m.payload);
    if (payload.is_discarded()) return std::nullopt;

    auto json = object();
    add(json, "tst",
        format_time(arrival.at, "%Y-%m-%dT%H:%M:%S") + fmt::format(".{:06}Z", arrival.at.tv_nsec / 1000) +
            format_time(arrival.at, "%z"));
    add(json, "topic", m.topic);
    add(json, "qos", static_cast<int>(m.qos));
    add(json, "retain", m.retain ? 1 : 0);
    add(json, "payloadlen", m.payload.size());
    if (m.packet_id != 0) add(json, "mid", m.packet_id);
    if (!m.properties.empty()) add(json, "properties", mosquitto_properties(m));
    add(json, "payload", std::move(payload));
    return dump(json, pretty);
}

} // namespace cli
