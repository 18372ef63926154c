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

Result<Packet> decode_body(Body& body) {
    switch (body.type()) {
    case PacketType::connect: return decode_connect(body);
    case PacketType::connack: return decode_connack(body);
    case PacketType::subscribe: return decode_subscribe(body);
    case PacketType::suback: return decode_suback(body);
    case PacketType::unsubscribe: return decode_unsubscribe(body);
    case PacketType::unsuback: return decode_unsuback(body);
    case PacketType::disconnect: return decode_disconnect(body);
    case PacketType::auth: return decode_auth(body);
    case PacketType::pingreq: {
        Pingreq packet;
        return body.finish(packet);
    }
    case PacketType::pingresp: {
        Pingresp packet;
        return body.finish(packet);
    }
    default: return decode_ack(body);
    }
}

} // namespace

Result<Packet> decode(Version version, const Frame& frame) {
    const auto type = static_cast<PacketType>(frame.first >> 4);
    const auto flags = static_cast<std::uint8_t>(frame.first & 0xF);
    Body body(version, type, frame.body);
    if (type == PacketType::publish) return decode_publish(body, flags);
    if (type == PacketType{0}) return make_error(Reason::malformed_packet, "a packet of type 0");
    if (type == PacketType::auth && version != Version::v5)
        return make_error(Reason::malformed_packet, "AUTH, which MQTT 3.1.1 has not");
    if (flags != fixed_flags(type))
        return broken(version, flags_rule(type), Reason::malformed_packet, type,
                      "with flags " + std::to_string(flags) + " in its fixed header");
    return decode_body(body);
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
