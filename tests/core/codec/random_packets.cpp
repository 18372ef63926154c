#include "core/codec/random_packets.hpp"

#include "core/codec/property.hpp"
#include "core/codec/scalar.hpp"

namespace tortoise::core {
namespace {

constexpr PacketType types[] = {
    PacketType::connect,   PacketType::connack,  PacketType::publish,     PacketType::publish,
    PacketType::puback,    PacketType::pubrec,   PacketType::pubrel,      PacketType::pubcomp,
    PacketType::subscribe, PacketType::suback,   PacketType::unsubscribe, PacketType::unsuback,
    PacketType::pingreq,   PacketType::pingresp, PacketType::disconnect,  PacketType::auth};
constexpr unsigned type_count = std::size(types);

} // namespace

const Packet& RandomPackets::next(Version version) {
    version_ = version;
    kept_.clear();
    packet_ = make(types[below(v5() ? type_count : type_count - 1)]);
    return packet_;
}

Packet RandomPackets::make(PacketType type) {
    switch (type) {
    case PacketType::connect: return connect();
    case PacketType::connack: return connack();
    case PacketType::publish: return publish();
    case PacketType::subscribe: return subscribe();
    case PacketType::suback: return suback();
    case PacketType::unsubscribe: return unsubscribe();
    case PacketType::unsuback: return unsuback();
    case PacketType::pingreq: return Pingreq{};
    case PacketType::pingresp: return Pingresp{};
    case PacketType::disconnect: return disconnect();
    case PacketType::auth: return auth();
    default: return ack(type);
    }
}

Connect RandomPackets::connect() {
    Connect p{.version = version_,
              .clean_start = coin(),
              .keep_alive = static_cast<std::uint16_t>(below(65'536)),
              .client_id = text(),
              .properties = properties(place_of(PacketType::connect))};
    if (coin())
        p.will = ConnectWill{.topic = topic(),
                             .payload = binary(300),
                             .qos = qos(),
                             .retain = coin(),
                             .properties = properties(will_properties)};
    if (coin()) p.user_name = text();
    if (coin() && (v5() || p.user_name)) p.password = binary(20);
    return p;
}

Connack RandomPackets::connack() {
    using enum Reason;
    Connack p{.session_present = coin(), .properties = properties(place_of(PacketType::connack))};
    if (p.session_present) return p;
    p.reason = pick({success, unsupported_protocol_version, client_identifier_not_valid, server_unavailable,
                     bad_user_name_or_password, not_authorized});
    if (v5() && coin()) p.reason = pick({banned, server_busy, use_another_server, connection_rate_exceeded});
    return p;
}

Publish RandomPackets::publish() {
    Publish p{.topic = topic(), .qos = qos(), .retain = coin()};
    p.payload = binary(below(50) == 0 ? 20'000 : 40);
    if (p.qos != QoS::at_most_once) {
        p.id = id();
        p.duplicate = coin();
    }
    p.properties = properties(place_of(PacketType::publish));
    if (v5() && p.properties.get(property::topic_alias) && coin()) p.topic = {};
    return p;
}

Ack RandomPackets::ack(PacketType type) {
    using enum Reason;
    Ack p{.type = type, .id = id()};
    if (!v5()) return p;
    const bool first = type == PacketType::puback || type == PacketType::pubrec;
    p.reason = first ? pick({success, success, no_matching_subscribers, not_authorized, quota_exceeded})
                     : pick({success, packet_identifier_not_found});
    p.properties = properties(place_of(type));
    return p;
}

Subscribe RandomPackets::subscribe() {
    Subscribe p{.id = id(), .properties = properties(place_of(PacketType::subscribe))};
    for (auto count = 1 + below(4); count > 0; --count) {
        auto& entry = p.entries.emplace_back();
        entry.filter = filter();
        entry.options.qos = qos();
        if (!v5()) continue;
        entry.options.no_local = coin() && !entry.filter.starts_with("$share/");
        entry.options.retain_as_published = coin();
        entry.options.retain_handling = static_cast<RetainHandling>(below(3));
    }
    return p;
}

Suback RandomPackets::suback() {
    using enum Reason;
    Suback p{.id = id(), .properties = properties(place_of(PacketType::suback))};
    for (auto count = 1 + below(4); count > 0; --count) {
        p.reasons.push_back(pick({success, granted_qos_1, granted_qos_2, unspecified_error}));
        if (v5() && coin()) p.reasons.back() = pick({not_authorized, wildcard_subscriptions_not_supported});
    }
    return p;
}

Unsubscribe RandomPackets::unsubscribe() {
    Unsubscribe p{.id = id(), .properties = properties(place_of(PacketType::unsubscribe))};
    for (auto count = 1 + below(4); count > 0; --count) p.filters.push_back(filter());
    return p;
}

Unsuback RandomPackets::unsuback() {
    using enum Reason;
    Unsuback p{.id = id(), .properties = properties(place_of(PacketType::unsuback))};
    if (!v5()) return p;
    for (auto count = 1 + below(4); count > 0; --count)
        p.reasons.push_back(pick({success, no_subscription_existed, not_authorized}));
    return p;
}

Disconnect RandomPackets::disconnect() {
    using enum Reason;
    if (!v5()) return {};
    return {.reason =
                pick({success, success, disconnect_with_will, malformed_packet, session_taken_over, server_moved}),
            .properties = properties(place_of(PacketType::disconnect))};
}

Auth RandomPackets::auth() {
    using enum Reason;
    if (below(4) == 0) return {};
    return {.reason = pick({success, continue_authentication, reauthenticate}),
            .properties = properties(place_of(PacketType::auth), true)};
}

Reason RandomPackets::pick(std::initializer_list<Reason> reasons) { return reasons.begin()[below(reasons.size())]; }

std::string_view RandomPackets::keep(std::string value) { return kept_.emplace_back(std::move(value)); }

std::string_view RandomPackets::text() {
    static const std::string_view pieces[] = {
        "a", "b7",     "Z",      " ",          "\x01",       "\x7F", "é",      "ß",
        "€", "\uFFFF", "\uFEFF", "\U0002A6D4", "\U0010FFFF", "\"",   "sensor", "0123456789abcdef"};
    std::string value;
    for (auto count = below(6); count > 0; --count) value.append(pieces[below(std::size(pieces))]);
    return keep(std::move(value));
}

std::string_view RandomPackets::topic() {
    std::string value(coin() ? "t" : "$");
    for (auto count = below(4); count > 0; --count) value.append("/").append(text());
    return keep(std::move(value));
}

std::string_view RandomPackets::filter() {
    std::string value;
    if (v5() && below(4) == 0) value = "$share/group/";
    value.append(coin() ? "+" : "f");
    for (auto count = below(4); count > 0; --count) value.append("/").append(coin() ? "+" : text());
    if (coin()) value.append("/#");
    return keep(std::move(value));
}

Octets RandomPackets::binary(std::size_t bound) {
    std::string value(below(bound), '\0');
    for (auto& c : value) c = static_cast<char>(random_());
    return keep(std::move(value));
}

PropertiesView RandomPackets::properties(unsigned places, bool with_method) {
    if (!v5() || (!with_method && below(3) == 0)) return {};
    std::string list;
    bool data_allowed = with_method;
    if (with_method) add_property(list, static_cast<unsigned>(PropertyId::authentication_method));
    for (unsigned i = 1; i < 0x2B; ++i) {
        const auto* spec = property_spec(i);
        if (!spec || (spec->places & places) == 0 || below(3) != 0) continue;
        if (spec->id == PropertyId::authentication_data && !data_allowed) continue;
        if (spec->id == PropertyId::authentication_method) {
            if (with_method) continue;
            data_allowed = true;
        }
        const bool again = (spec->repeatable & places) != 0;
        for (auto count = again ? 1 + below(3) : 1; count > 0; --count) add_property(list, i);
    }
    return PropertiesView(keep(std::move(list)));
}

void RandomPackets::add_property(std::string& to, unsigned id) {
    const auto& spec = *property_spec(id);
    char room[8];
    Counter counter;
    Writer writer(room);
    const auto number = static_cast<std::uint32_t>(spec.min + random_() % (std::uint64_t{spec.max} - spec.min + 1));
    const auto put = [&](auto& sink) {
        sink.varint(id);
        switch (spec.type) {
        case WireType::byte: sink.u8(number); break;
        case WireType::two_bytes: sink.u16(number); break;
        case WireType::four_bytes: sink.u32(number); break;
        case WireType::varint: sink.varint(number); break;
        default: break;
        }
    };
    put(counter);
    put(writer);
    to.append(room, counter.size());
    const auto string = [&](Octets value) {
        Writer(room).u16(static_cast<std::uint32_t>(value.size()));
        to.append(room, 2).append(value);
    };
    if (spec.type == WireType::binary) string(binary(20));
    if (spec.type == WireType::string) string(spec.id == PropertyId::response_topic ? topic() : text());
    if (spec.type == WireType::pair) {
        string(text());
        string(text());
    }
}

} // namespace tortoise::core
