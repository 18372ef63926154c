#include "core/codec/decode.hpp"

namespace tortoise::core {

Result<Packet> decode_publish(Body& body, std::uint8_t flags) {
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
Result<Packet> decode_ack(Body& body) {
    Ack packet;
    packet.type = body.type();
    packet.id = body.u16("Packet Identifier");
    if (body.version() == Version::v5 && body.more()) packet.reason = static_cast<Reason>(body.u8("reason code"));
    if (body.version() == Version::v5 && body.more()) packet.properties = body.properties();
    return body.finish(packet);
}

} // namespace tortoise::core
