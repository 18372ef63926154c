#include "core/codec/decode.hpp"
#include "core/codec/plain_topic.hpp"

namespace tortoise::core {

bool decode_plain(Version version, const Frame& frame, Publish& into) noexcept {
    constexpr unsigned allowed = 0b0011'1100'0011'1111; // flags: not QoS 3, nor DUP with QoS 0
    const unsigned flags = frame.first & 15u;
    if (frame.type() != PacketType::publish || (allowed >> flags & 1u) == 0) return false;
    const char* const octets = frame.body.data();
    const std::size_t size = frame.body.size();
    const auto number_at = [octets](std::size_t at) {
        return static_cast<unsigned>(static_cast<std::uint8_t>(octets[at]) << 8 |
                                     static_cast<std::uint8_t>(octets[at + 1]));
    };
    if (size < 2) return false;
    const std::size_t topic = number_at(0), behind_topic = 2 + topic;
    const std::size_t id_size = flags < 2 ? 0 : 2;
    const std::size_t payload = behind_topic + id_size + (version == Version::v5 ? 1 : 0);
    if (size < payload || !is_plain_topic({octets + 2, topic})) return false;
    if (version == Version::v5 && octets[payload - 1] != 0) return false;
    into.id = 0;
    if (id_size != 0) {
        into.id = static_cast<PacketId>(number_at(behind_topic));
        if (into.id == 0) return false;
    }
    into.topic = {octets + 2, topic};
    into.payload = {octets + payload, size - payload};
    into.qos = static_cast<QoS>(flags >> 1 & 3u);
    into.retain = (flags & 1u) != 0;
    into.duplicate = (flags & 8u) != 0;
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
