#include "core/codec/packet.hpp"

#include <array>
#include <bitset>
#include <initializer_list>
#include <string>
#include <tortoise/core/codec.hpp>

#include "core/codec/property.hpp"
#include "core/codec/utf8.hpp"

namespace tortoise::core {
namespace {

constexpr bool v5(Version version) noexcept { return version == Version::v5; }

std::string hex(unsigned value) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {'0', 'x', digits[value >> 4 & 0xF], digits[value & 0xF]};
}

// ---- reason codes per packet [MQTT-2.4]
// ------------------------------------------------------------------------------

using Reasons = std::array<std::uint64_t, 4>; // a bit per code

constexpr Reasons reasons(std::initializer_list<unsigned> codes) {
    Reasons set{};
    for (const auto code : codes) set[code / 64] |= std::uint64_t{1} << code % 64;
    return set;
}

struct ReasonRule {
    PacketType type;
    Rule rule;
    Reasons allowed;
};
constexpr ReasonRule reason_rules[] = {
    {PacketType::connack, rule::connack_reason,
     reasons({0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
              0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F})},
    {PacketType::puback, rule::puback_reason, reasons({0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})},
    {PacketType::pubrec, rule::pubrec_reason, reasons({0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})},
    {PacketType::pubrel, rule::pubrel_reason, reasons({0x00, 0x92})},
    {PacketType::pubcomp, rule::pubcomp_reason, reasons({0x00, 0x92})},
    {PacketType::suback, rule::suback_reason,
     reasons({0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2})},
    {PacketType::unsuback, rule::unsuback_reason, reasons({0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91})},
    {PacketType::disconnect, rule::disconnect_reason,
     reasons({0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93,
              0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2})},
    {PacketType::auth, rule::auth_reason, reasons({0x00, 0x18, 0x19})},
};

/// The sets are those of MQTT 5; what the codes of 3.1.1 are mapped to lies within them. Every packet may have success.
Fail check_reason(Version version, PacketType type, Reason reason) {
    if (reason == Reason::success) return {};
    const unsigned code = static_cast<unsigned>(reason);
    for (const auto& row : reason_rules) {
        if (row.type != type) continue;
        if ((row.allowed[code / 64] >> code % 64 & 1) != 0) return {};
        return broken(version, row.rule, Reason::protocol_error, type, "may not have the reason code " + hex(code));
    }
    return {};
}

// ---- fields that several packets have
// --------------------------------------------------------------------------------

Fail check_id(Version version, PacketType type, PacketId id) {
    if (id != 0) return {};
    return broken(version, rule::packet_id, Reason::protocol_error, type, "with Packet Identifier 0");
}

/// Properties where the version has them.
Fail check_section(Version version, PropertiesView properties, Places place, std::string_view subject) {
    if (properties.empty()) return {};
    if (v5(version)) return check_properties(properties, place, subject);
    return make_error(Errc::not_supported, std::string(subject).append(" has properties, which MQTT 3.1.1 has not"));
}
Fail check_section(Version version, PropertiesView properties, PacketType type) {
    if (properties.empty()) return {};
    return check_section(version, properties, place_of(type), to_string(type));
}

/// A topic fault to an error; a rule of the packet itself goes before the general one.
Fail topic_failure(Version version, const TopicFault* fault, Reason reason, PacketType type, std::string_view field,
                   Rule own_utf8) {
    if (!fault) return {};
    const bool utf8 = fault->rule.v5 == rule::utf8.v5;
    return broken(version, utf8 ? own_utf8 : fault->rule, fault->malformed ? Reason::malformed_packet : reason, type,
                  std::string("has a ").append(field).append(" that ").append(fault->text));
}

Fail check_filter_field(Version version, PacketType type, std::string_view filter, Rule own_utf8) {
    return topic_failure(version, filter_fault(filter, v5(version)), Reason::topic_filter_invalid, type, "Topic Filter",
                         own_utf8);
}

Fail check_size(PacketType type, std::string_view field, Octets octets) {
    if (octets.size() <= 65'535) return {};
    return broken(Version::v5, {}, Reason::malformed_packet, type,
                  std::string("has a ").append(field).append(" of more than 65,535 octets"));
}

// ---- CONNECT
// ---------------------------------------------------------------------------------------------------------

Fail check_will(Version version, const ConnectWill& will) {
    if (static_cast<unsigned>(will.qos) > 2)
        return broken(version, rule::will_qos, Reason::malformed_packet, PacketType::connect, "with Will QoS 3");
    if (auto fail = topic_failure(version, topic_fault(will.topic), Reason::topic_name_invalid, PacketType::connect,
                                  "Will Topic", rule::will_topic))
        return fail;
    if (auto fail = check_size(PacketType::connect, "Will Payload", will.payload)) return fail;
    return check_section(version, will.properties, will_properties, "CONNECT's will");
}

Fail check_credentials(Version version, const Connect& p) {
    if (p.user_name)
        if (auto fail = check_string(version, rule::user_name, PacketType::connect, "User Name", *p.user_name))
            return fail;
    if (!p.password) return {};
    if (!v5(version) && !p.user_name)
        return broken(version, rule::password_alone, Reason::malformed_packet, PacketType::connect,
                      "with a Password but no User Name");
    return check_size(PacketType::connect, "Password", *p.password);
}

// ---- SUBSCRIBE
// -------------------------------------------------------------------------------------------------------

Fail check_options(Version version, const Subscribe::Entry& entry) {
    constexpr auto type = PacketType::subscribe;
    const auto& o = entry.options;
    if (static_cast<unsigned>(o.qos) > 2)
        return broken(version, rule::subscribe_qos, Reason::malformed_packet, type, "asks for QoS 3");
    if (!v5(version)) {
        if (o == SubscribeOptions{.qos = o.qos}) return {};
        return make_error(Errc::not_supported, "SUBSCRIBE has options, which MQTT 3.1.1 has not");
    }
    if (static_cast<unsigned>(o.retain_handling) > 2)
        return broken(version, {}, Reason::protocol_error, type, "with Retain Handling 3");
    if (o.no_local && entry.filter.starts_with("$share/"))
        return broken(version, rule::no_local_shared, Reason::protocol_error, type,
                      "with No Local on a shared subscription");
    return {};
}

} // namespace

Fail check_string(Version version, Rule own, PacketType type, std::string_view field, std::string_view text) {
    switch (utf8_fault(text)) {
    case Utf8Fault::none: return {};
    case Utf8Fault::too_long: return check_size(type, field, text);
    case Utf8Fault::null:
        return broken(version, rule::utf8_null, Reason::malformed_packet, type,
                      std::string("has a ").append(field).append(" with U+0000"));
    case Utf8Fault::ill_formed: break;
    }
    return broken(version, own, Reason::malformed_packet, type,
                  std::string("has a ").append(field).append(" that is not well-formed UTF-8"));
}

Fail check(Version, const Connect& p) {
    const auto version = p.version;
    if (version != Version::v5 && version != Version::v3_1_1)
        return broken(Version::v5, rule::protocol_version, Reason::unsupported_protocol_version, PacketType::connect,
                      "of protocol level " + std::to_string(static_cast<unsigned>(version)));
    if (auto fail = check_string(version, rule::client_id, PacketType::connect, "Client Identifier", p.client_id))
        return fail;
    if (auto fail = check_section(version, p.properties, PacketType::connect)) return fail;
    if (p.will)
        if (auto fail = check_will(version, *p.will)) return fail;
    return check_credentials(version, p);
}

Fail check(Version version, const Connack& p) {
    if (auto fail = check_reason(version, PacketType::connack, p.reason)) return fail;
    if (p.session_present && p.reason != Reason::success)
        return broken(version, rule::refused_session, Reason::protocol_error, PacketType::connack,
                      "with Session Present and a refusal");
    return check_section(version, p.properties, PacketType::connack);
}

Fail check(Version version, const Publish& p) {
    constexpr auto type = PacketType::publish;
    if (static_cast<unsigned>(p.qos) > 2)
        return broken(version, rule::publish_qos, Reason::malformed_packet, type, "with QoS 3");
    if (p.qos == QoS::at_most_once) {
        if (p.duplicate) return broken(version, rule::duplicate, Reason::malformed_packet, type, "with DUP and QoS 0");
        if (p.id != 0)
            return broken(version, rule::no_packet_id, Reason::malformed_packet, type,
                          "with a Packet Identifier and QoS 0");
    } else if (p.id == 0) {
        return check_id(version, type, p.id);
    }
    if (auto fail = check_section(version, p.properties, type)) return fail;
    if (p.topic.empty() && v5(version)) {
        if (has_property(p.properties, PropertyId::topic_alias)) return {};
        return broken(version, {}, Reason::protocol_error, type, "with neither a Topic Name nor a Topic Alias");
    }
    const auto* fault = topic_fault(p.topic);
    if (!fault) return {};
    if (fault->rule.v5 == rule::wildcard_in_topic.v5)
        return broken(version, rule::publish_wildcard, Reason::topic_name_invalid, type,
                      "with a wildcard in its Topic Name");
    return topic_failure(version, fault, Reason::topic_name_invalid, type, "Topic Name", rule::publish_topic);
}

Fail check(Version version, const Ack& p) {
    if (p.type < PacketType::puback || p.type > PacketType::pubcomp)
        return make_error(Errc::invalid_option, std::string(to_string(p.type)).append(" is not an acknowledgement"));
    if (auto fail = check_id(version, p.type, p.id)) return fail;
    if (auto fail = check_reason(version, p.type, p.reason)) return fail;
    if (!v5(version) && is_refusal(p.reason))
        return make_error(Errc::not_supported, std::string(to_string(p.type)).append(" cannot refuse in MQTT 3.1.1"));
    return check_section(version, p.properties, p.type);
}

Fail check(Version version, const Subscribe& p) {
    constexpr auto type = PacketType::subscribe;
    if (auto fail = check_id(version, type, p.id)) return fail;
    if (auto fail = check_section(version, p.properties, type)) return fail;
    if (p.entries.empty())
        return broken(version, rule::subscribe_empty, Reason::protocol_error, type, "without a Topic Filter");
    for (const auto& entry : p.entries) {
        if (auto fail = check_filter_field(version, type, entry.filter, rule::subscribe_filter)) return fail;
        if (auto fail = check_options(version, entry)) return fail;
    }
    return {};
}

Fail check(Version version, const Suback& p) {
    constexpr auto type = PacketType::suback;
    if (auto fail = check_id(version, type, p.id)) return fail;
    if (auto fail = check_section(version, p.properties, type)) return fail;
    if (p.reasons.empty()) return broken(version, {}, Reason::protocol_error, type, "without a reason code");
    for (const auto reason : p.reasons)
        if (auto fail = check_reason(version, type, reason)) return fail;
    return {};
}

Fail check(Version version, const Unsubscribe& p) {
    constexpr auto type = PacketType::unsubscribe;
    if (auto fail = check_id(version, type, p.id)) return fail;
    if (auto fail = check_section(version, p.properties, type)) return fail;
    if (p.filters.empty())
        return broken(version, rule::unsubscribe_empty, Reason::protocol_error, type, "without a Topic Filter");
    for (const auto filter : p.filters)
        if (auto fail = check_filter_field(version, type, filter, rule::unsubscribe_filter)) return fail;
    return {};
}

Fail check(Version version, const Unsuback& p) {
    constexpr auto type = PacketType::unsuback;
    if (auto fail = check_id(version, type, p.id)) return fail;
    if (auto fail = check_section(version, p.properties, type)) return fail;
    if (v5(version) && p.reasons.empty())
        return broken(version, {}, Reason::protocol_error, type, "without a reason code");
    for (const auto reason : p.reasons)
        if (auto fail = check_reason(version, type, reason)) return fail;
    return {};
}

Fail check(Version, const Pingreq&) { return {}; }
Fail check(Version, const Pingresp&) { return {}; }

Fail check(Version version, const Disconnect& p) {
    if (auto fail = check_reason(version, PacketType::disconnect, p.reason)) return fail;
    if (!v5(version) && p.reason != Reason::success)
        return make_error(Errc::not_supported, "DISCONNECT has no reason code in MQTT 3.1.1");
    return check_section(version, p.properties, PacketType::disconnect);
}

Fail check(Version version, const Auth& p) {
    if (!v5(version)) return make_error(Reason::malformed_packet, "AUTH, which MQTT 3.1.1 has not");
    if (auto fail = check_reason(version, PacketType::auth, p.reason)) return fail;
    if (auto fail = check_section(version, p.properties, PacketType::auth)) return fail;
    const bool short_form = p.reason == Reason::success && p.properties.empty();
    if (short_form || has_property(p.properties, PropertyId::authentication_method)) return {};
    return broken(version, {}, Reason::protocol_error, PacketType::auth, "without Authentication Method");
}

// ---- CONNACK of 3.1.1
// ------------------------------------------------------------------------------------------------

namespace {
constexpr Reason return_codes[] = {
    Reason::success,
    Reason::unsupported_protocol_version,
    Reason::client_identifier_not_valid,
    Reason::server_unavailable,
    Reason::bad_user_name_or_password,
    Reason::not_authorized,
};
} // namespace

std::optional<Reason> reason_of_return_code(std::uint8_t code) noexcept {
    if (code >= std::size(return_codes)) return std::nullopt;
    return return_codes[code];
}

std::uint8_t return_code_of(Reason reason) noexcept {
    for (std::size_t code = 0; code < std::size(return_codes); ++code)
        if (return_codes[code] == reason) return static_cast<std::uint8_t>(code);
    switch (reason) {
    case Reason::bad_authentication_method: return 4;
    case Reason::banned:
    case Reason::topic_name_invalid:
    case Reason::packet_too_large:
    case Reason::payload_format_invalid:
    case Reason::retain_not_supported:
    case Reason::qos_not_supported: return 5;
    default: return 3;
    }
}

std::string_view to_string(PacketType type) noexcept {
    static constexpr std::string_view names[] = {"CONNECT",  "CONNACK", "PUBLISH",   "PUBACK",     "PUBREC",
                                                 "PUBREL",   "PUBCOMP", "SUBSCRIBE", "SUBACK",     "UNSUBSCRIBE",
                                                 "UNSUBACK", "PINGREQ", "PINGRESP",  "DISCONNECT", "AUTH"};
    const auto index = static_cast<std::size_t>(type) - 1;
    return index < std::size(names) ? names[index] : "unknown packet";
}

PacketType type_of(const Packet& packet) noexcept {
    if (const auto* ack = std::get_if<Ack>(&packet)) return ack->type;
    static constexpr PacketType types[] = {PacketType::connect,     PacketType::connack,    PacketType::publish,
                                           PacketType::puback,      PacketType::subscribe,  PacketType::suback,
                                           PacketType::unsubscribe, PacketType::unsuback,   PacketType::pingreq,
                                           PacketType::pingresp,    PacketType::disconnect, PacketType::auth};
    static_assert(std::size(types) == std::variant_size_v<Packet>);
    return types[packet.index()];
}

} // namespace tortoise::core
