#include "core/codec/decode.hpp"

#include "core/codec/frame.hpp"

namespace tortoise::core {

PropertiesView Body::properties() {
    if (version_ != Version::v5 || failed_) return {};
    const auto length = read_varint(rest_);
    if (length.outcome == Varint::incomplete) ends_within("Property Length");
    if (length.outcome == Varint::malformed)
        fail(rule::varint, Reason::malformed_packet, "has a Property Length that is not a variable byte integer");
    if (failed_) return {};
    rest_.remove_prefix(length.size);
    return PropertiesView(take(length.value, "properties"));
}

void Body::fail(Rule rule, Reason reason, std::string_view text) {
    if (!failed_) failed_ = broken(version_, rule, reason, type_, text);
}

void Body::ends_within(std::string_view field) {
    fail({}, Reason::malformed_packet, std::string("ends within its ").append(field));
}

void Body::trailing() {
    fail({}, Reason::malformed_packet, "has " + std::to_string(rest_.size()) + " octets behind its end");
}

namespace {

Rule flags_rule(PacketType type) noexcept {
    switch (type) {
    case PacketType::pubrel: return rule::pubrel_flags;
    case PacketType::subscribe: return rule::subscribe_flags;
    case PacketType::unsubscribe: return rule::unsubscribe_flags;
    case PacketType::disconnect: return rule::disconnect_flags;
    case PacketType::auth: return rule::auth_flags;
    default: return rule::fixed_flags;
    }
}

template <class P> Result<Packet> any(Result<P> packet) {
    if (!packet) return std::move(packet).error();
    return Packet(*std::move(packet));
}

template <class P> Result<P> nothing_but_a_header(Body& body) {
    P packet;
    return body.finish(packet);
}

Result<Packet> decode_body(Body& body) {
    switch (body.type()) {
    case PacketType::connect: return any(decode_connect(body));
    case PacketType::connack: return any(decode_connack(body));
    case PacketType::subscribe: return any(decode_subscribe(body));
    case PacketType::suback: return any(decode_suback(body));
    case PacketType::unsubscribe: return any(decode_unsubscribe(body));
    case PacketType::unsuback: return any(decode_unsuback(body));
    case PacketType::disconnect: return any(decode_disconnect(body));
    case PacketType::auth: return any(decode_auth(body));
    case PacketType::pingreq: return any(nothing_but_a_header<Pingreq>(body));
    case PacketType::pingresp: return any(nothing_but_a_header<Pingresp>(body));
    default: return any(decode_ack(body));
    }
}

std::uint8_t flags_of(const Frame& frame) noexcept { return static_cast<std::uint8_t>(frame.first & 0xF); }

Fail check_flags(Version version, const Frame& frame) {
    if (flags_of(frame) == fixed_flags(frame.type())) return {};
    return broken(version, flags_rule(frame.type()), Reason::malformed_packet, frame.type(),
                  "with flags " + std::to_string(flags_of(frame)) + " in its fixed header");
}

} // namespace

Result<Packet> decode(Version version, const Frame& frame) {
    const auto type = frame.type();
    if (type == PacketType::publish) return any(decode_publish(version, frame));
    if (type == PacketType{0}) return make_error(Reason::malformed_packet, "a packet of type 0");
    if (type == PacketType::auth && version != Version::v5)
        return make_error(Reason::malformed_packet, "AUTH, which MQTT 3.1.1 has not");
    if (auto fail = check_flags(version, frame)) return std::move(*fail);
    Body body(version, type, frame.body);
    return decode_body(body);
}

Result<Publish> decode_publish(Version version, const Frame& frame) {
    Body body(version, frame.type(), frame.body);
    return decode_publish(body, flags_of(frame));
}

Result<Ack> decode_ack(Version version, const Frame& frame) {
    if (auto fail = check_flags(version, frame)) return std::move(*fail);
    Body body(version, frame.type(), frame.body);
    return decode_ack(body);
}

Result<Packet> decode(Version version, Octets octets) {
    const auto header = read_fixed_header(octets);
    if (header.outcome == Varint::malformed) return bad_remaining_length();
    if (header.outcome == Varint::incomplete || octets.size() < header.total)
        return make_error(Reason::malformed_packet, "the packet is not complete");
    if (octets.size() > header.total)
        return make_error(Reason::malformed_packet,
                          std::to_string(octets.size() - header.total) + " octets behind the packet's end");
    return decode(version, frame_of(octets, header.size));
}

} // namespace tortoise::core
