#include "core/codec/property.hpp"

#include <array>
#include <string>

#include "core/codec/scalar.hpp"
#include "core/codec/utf8.hpp"

namespace tortoise::core {
namespace {

using Id = PropertyId;
using enum WireType;

constexpr Places in(std::initializer_list<PacketType> types) {
    Places places = 0;
    for (const auto type : types) places = static_cast<Places>(places | place_of(type));
    return places;
}
template <class... P> constexpr Places any(P... places) { return static_cast<Places>((0u | ... | places)); }

using T = PacketType;
constexpr Places connect = in({T::connect}), connack = in({T::connack}), publish = in({T::publish}),
                 subscribe = in({T::subscribe}), disconnect = in({T::disconnect}), auth = in({T::auth});
constexpr Places message = any(publish, will_properties);
constexpr Places answers =
    in({T::connack, T::puback, T::pubrec, T::pubrel, T::pubcomp, T::suback, T::unsuback, T::disconnect, T::auth});
constexpr Places everywhere = any(answers, message, connect, subscribe, in({T::unsubscribe}));

constexpr std::uint32_t u16_max = 0xFFFF, u32_max = 0xFFFF'FFFF;
constexpr auto protocol = Reason::protocol_error;
constexpr Rule none{};

constexpr PropertySpec number(Id id, WireType type, Places places, std::uint32_t min, std::uint32_t max,
                              std::string_view name, Reason out_of_range = protocol, Rule rule = none,
                              Places repeatable = 0) {
    return {id, type, places, repeatable, min, max, out_of_range, rule, name};
}
constexpr PropertySpec text(Id id, Places places, std::string_view name, Rule rule = rule::utf8) {
    return {id, string, places, 0, 0, 0, protocol, rule, name};
}
constexpr PropertySpec data(Id id, Places places, std::string_view name) {
    return {id, binary, places, 0, 0, 0, protocol, none, name};
}

constexpr PropertySpec specs[] = {
    number(Id::payload_format_indicator, byte, message, 0, 1, "Payload Format Indicator"),
    number(Id::message_expiry_interval, four_bytes, message, 0, u32_max, "Message Expiry Interval"),
    text(Id::content_type, message, "Content Type", rule::content_type),
    text(Id::response_topic, message, "Response Topic", rule::response_topic),
    data(Id::correlation_data, message, "Correlation Data"),
    number(Id::subscription_identifier, varint, any(publish, subscribe), 1, largest_varint, "Subscription Identifier",
           protocol, none, publish),
    number(Id::session_expiry_interval, four_bytes, any(connect, connack, disconnect), 0, u32_max,
           "Session Expiry Interval"),
    text(Id::assigned_client_identifier, connack, "Assigned Client Identifier"),
    number(Id::server_keep_alive, two_bytes, connack, 0, u16_max, "Server Keep Alive"),
    text(Id::authentication_method, any(connect, connack, auth), "Authentication Method"),
    data(Id::authentication_data, any(connect, connack, auth), "Authentication Data"),
    number(Id::request_problem_information, byte, connect, 0, 1, "Request Problem Information"),
    number(Id::will_delay_interval, four_bytes, will_properties, 0, u32_max, "Will Delay Interval"),
    number(Id::request_response_information, byte, connect, 0, 1, "Request Response Information"),
    text(Id::response_information, connack, "Response Information"),
    text(Id::server_reference, any(connack, disconnect), "Server Reference"),
    text(Id::reason_string, answers, "Reason String"),
    number(Id::receive_maximum, two_bytes, any(connect, connack), 1, u16_max, "Receive Maximum"),
    number(Id::topic_alias_maximum, two_bytes, any(connect, connack), 0, u16_max, "Topic Alias Maximum"),
    number(Id::topic_alias, two_bytes, publish, 1, u16_max, "Topic Alias", Reason::topic_alias_invalid,
           rule::topic_alias),
    number(Id::maximum_qos, byte, connack, 0, 1, "Maximum QoS"),
    number(Id::retain_available, byte, connack, 0, 1, "Retain Available"),
    {Id::user_property, pair, everywhere, everywhere, 0, 0, protocol, rule::string_pair, "User Property"},
    number(Id::maximum_packet_size, four_bytes, any(connect, connack), 1, u32_max, "Maximum Packet Size"),
    number(Id::wildcard_subscription_available, byte, connack, 0, 1, "Wildcard Subscription Available"),
    number(Id::subscription_identifier_available, byte, connack, 0, 1, "Subscription Identifiers Available"),
    number(Id::shared_subscription_available, byte, connack, 0, 1, "Shared Subscription Available"),
};

constexpr std::size_t identifiers = 0x2B; // one above the highest
constexpr auto index_by_id = [] {
    std::array<std::uint8_t, identifiers> index{}; // 0: none, else one above the row
    for (std::size_t row = 0; row < std::size(specs); ++row)
        index[static_cast<std::size_t>(specs[row].id)] = static_cast<std::uint8_t>(row + 1);
    return index;
}();

/// The octets of a string or of binary data; nothing if they are not all there.
bool take_string(Octets& from, Octets& into) noexcept {
    if (from.size() < 2) return false;
    const std::size_t size = big_endian(from.substr(0, 2));
    if (from.size() - 2 < size) return false;
    into = from.substr(2, size);
    from.remove_prefix(2 + size);
    return true;
}

bool take_number(Octets& from, std::size_t size, std::uint32_t& into) noexcept {
    if (from.size() < size) return false;
    into = big_endian(from.substr(0, size));
    from.remove_prefix(size);
    return true;
}

bool take_varint(Octets& from, std::uint32_t& into) noexcept {
    const auto read = read_varint(from);
    if (read.outcome != Varint::ok) return false;
    into = read.value;
    from.remove_prefix(read.size);
    return true;
}

bool take_value(Octets& from, WireType type, Property& property) noexcept {
    switch (type) {
    case byte: return take_number(from, 1, property.number);
    case two_bytes: return take_number(from, 2, property.number);
    case four_bytes: return take_number(from, 4, property.number);
    case varint: return take_varint(from, property.number);
    case string:
    case binary: return take_string(from, property.value);
    case pair: return take_string(from, property.name) && take_string(from, property.value);
    }
    return false;
}

/// "PUBLISH" and "has a Topic Alias of 0" to an error.
Error fault(std::string_view subject, Rule rule, Reason reason, const PropertySpec& spec, std::string_view verb,
            std::string_view rest) {
    std::string words(verb);
    return broken(Version::v5, rule, reason, subject, words.append(" ").append(spec.name).append(rest));
}

Fail check_text(std::string_view value, const PropertySpec& spec, std::string_view subject) {
    switch (utf8_fault(value)) {
    case Utf8Fault::none: break;
    case Utf8Fault::null:
        return fault(subject, rule::utf8_null, Reason::malformed_packet, spec, "has a", " with U+0000");
    default:
        return fault(subject, spec.rule, Reason::malformed_packet, spec, "has a", " that is not well-formed UTF-8");
    }
    if (spec.id != Id::response_topic) return {};
    const auto* wrong = topic_fault(value);
    if (!wrong) return {};
    const bool is_wildcard = wrong->rule.v5 == rule::wildcard_in_topic.v5;
    return fault(subject, is_wildcard ? rule::response_wildcard : wrong->rule, protocol, spec, "has a",
                 std::string(" that ").append(wrong->text));
}

Fail check_value(const Property& property, const PropertySpec& spec, std::string_view subject) {
    switch (spec.type) {
    case string: return check_text(property.value, spec, subject);
    case pair:
        if (auto fail = check_text(property.name, spec, subject)) return fail;
        return check_text(property.value, spec, subject);
    case binary: return {};
    default: break;
    }
    if (property.number >= spec.min && property.number <= spec.max) return {};
    return fault(subject, spec.rule, spec.out_of_range, spec, "has a", " of " + std::to_string(property.number));
}

Error unreadable(const PropertyRead& read, std::string_view subject) {
    if (read.outcome == PropertyRead::unknown && read.id == 0) // what Properties puts there, or a peer
        return broken(Version::v5, none, Reason::malformed_packet, subject,
                      "has a property of the identifier 0, which stands for a value that cannot be encoded");
    if (read.outcome == PropertyRead::unknown)
        return broken(Version::v5, none, Reason::malformed_packet, subject,
                      "has a property of the unknown identifier " + std::to_string(read.id));
    if (read.outcome == PropertyRead::malformed_id)
        return broken(Version::v5, rule::varint, Reason::malformed_packet, subject,
                      "has a property identifier that is not a variable byte integer");
    if (read.spec->type == varint)
        return fault(subject, rule::varint, Reason::malformed_packet, *read.spec, "has a",
                     " that is not a variable byte integer");
    return fault(subject, none, Reason::malformed_packet, *read.spec, "ends within its", "");
}

} // namespace

const PropertySpec* property_spec(std::uint32_t id) noexcept {
    if (id >= identifiers || index_by_id[id] == 0) return nullptr;
    return &specs[index_by_id[id] - 1];
}

PropertyRead read_property(Octets from) noexcept {
    const auto id = read_varint(from);
    PropertyRead read;
    read.outcome = PropertyRead::malformed_id;
    if (id.outcome != Varint::ok) return read;
    read.outcome = PropertyRead::unknown;
    read.spec = property_spec(id.value);
    read.id = id.value;
    if (!read.spec) return read;
    Octets rest = from.substr(id.size);
    read.property.id = read.spec->id;
    read.outcome = take_value(rest, read.spec->type, read.property) ? PropertyRead::ok : PropertyRead::truncated;
    read.size = from.size() - rest.size();
    return read;
}

Fail check_properties(PropertiesView view, Places place, std::string_view subject) {
    Octets rest = view.octets();
    std::uint64_t seen = 0;
    while (!rest.empty()) {
        const auto read = read_property(rest);
        if (read.outcome != PropertyRead::ok) return unreadable(read, subject);
        const auto& spec = *read.spec;
        if ((spec.places & place) == 0)
            return fault(subject, none, Reason::malformed_packet, spec, "may not have a", "");
        const auto bit = std::uint64_t{1} << static_cast<unsigned>(spec.id);
        if ((seen & bit) != 0 && (spec.repeatable & place) == 0)
            return fault(subject, none, protocol, spec, "has more than one", "");
        seen |= bit;
        if (auto fail = check_value(read.property, spec, subject)) return fail;
        rest.remove_prefix(read.size);
    }
    const auto has = [seen](Id id) { return (seen >> static_cast<unsigned>(id) & 1) != 0; };
    if (has(Id::authentication_data) && !has(Id::authentication_method))
        return fault(subject, none, protocol, *property_spec(static_cast<std::uint32_t>(Id::authentication_data)),
                     "has", " without Authentication Method");
    return {};
}

bool has_property(PropertiesView view, PropertyId id) noexcept {
    for (const auto& property : view)
        if (property.id == id) return true;
    return false;
}

} // namespace tortoise::core
