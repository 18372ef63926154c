#include "core/codec/decode.hpp"

namespace tortoise::core {

bool decode_plain(Version version, const Frame& frame, Publish& into) noexcept {
    const char* at = frame.body.data();
    const std::size_t size = frame.body.size();
    const unsigned qos = frame.first >> 1 & 3u;
    const bool has_id = qos != 0, duplicate = (frame.first & 8) != 0;
    const std::size_t around = 2 + (has_id ? 2u : 0u) + (version == Version::v5 ? 1u : 0u); // the topic
    if (frame.type() != PacketType::publish || qos == 3 || (duplicate && !has_id) || size < around) return false;
    const auto octet = [&at] { return static_cast<std::uint8_t>(*at++); };
    const auto number = [&octet] {
        const unsigned high = octet();
        return high << 8 | octet();
    };
    const std::size_t topic = number();
    if (size < around + topic || !is_plain_topic({at, topic})) return false;
    into.topic = {at, topic};
    at += topic;
    into.id = has_id ? static_cast<PacketId>(number()) : PacketId{0};
    if (has_id && into.id == 0) return false;
    if (version == Version::v5 && octet() != 0) return false;
    into.payload = {at, size - around - topic};
    into.qos = static_cast<QoS>(qos);
    into.retain = (frame.first & 1) != 0;
    into.duplicate = duplicate;
    into.properties = {};
    return true;
}

Result<Publish> decode_publish(Body& body, std::uint8_t flags) {
    Publish packet;
    packet.retain = (flags & 1) != 0;
    packet.qos = static_cast<QoS>(flags >> 1 & 3);
    packet.duplicate = (flags & 8) != 0;
    packet.topic = body.string("Topic Name");
    if (packet.qos != QoS::at_most_once) packet.id = body.u16("Packet Identifier");
    packet.properties = body.properties();
    packet.payload = body.all();
    return body.finish(packet);
}

/// Without properties, the reason code may be absent too; both mean none. [MQTT-3.4.2.1]
Result<Ack> decode_ack(Body& body) {
    Ack packet;
    packet.type = body.type();
    packet.id = body.u16("Packet Identifier");
    if (body.version() == Version::v5 && body.more()) packet.reason = static_cast<Reason>(body.u8("reason code"));
    if (body.version() == Version::v5 && body.more()) packet.properties = body.properties();
    return body.finish(packet);
}

} // namespace tortoise::core
