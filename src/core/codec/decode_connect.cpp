#include "core/codec/decode.hpp"

namespace tortoise::core {
namespace {

struct ConnectFlags {
    bool reserved, clean_start, will;
    std::uint8_t will_qos;
    bool will_retain, password, user_name;
    explicit ConnectFlags(std::uint8_t f) noexcept
        : reserved((f & 1) != 0), clean_start((f & 2) != 0), will((f & 4) != 0), will_qos(f >> 3 & 3),
          will_retain((f & 0x20) != 0), password((f & 0x40) != 0), user_name((f & 0x80) != 0) {}
};

/// Protocol Name and Version; what follows is read by the rules of that version.
void read_protocol(Body& body, Connect& packet) {
    constexpr auto unsupported = Reason::unsupported_protocol_version;
    const auto name = body.string("Protocol Name");
    if (name == "MQIsdp") body.fail(rule::protocol_name, unsupported, "of MQTT 3.1, the protocol MQIsdp");
    if (name != "MQTT") body.fail(rule::protocol_name, Reason::protocol_error, "of a protocol that is not MQTT");
    const auto level = body.u8("Protocol Version");
    packet.version = static_cast<Version>(level);
    if (packet.version != Version::v3_1_1 && packet.version != Version::v5)
        body.fail(rule::protocol_version, unsupported, "of protocol level " + std::to_string(level));
    else
        body.set_version(packet.version);
}

void check_flags(Body& body, const ConnectFlags& flags) {
    constexpr auto malformed = Reason::malformed_packet;
    if (flags.reserved) body.fail(rule::connect_reserved, malformed, "with its reserved flag set");
    if (!flags.will && flags.will_qos != 0) body.fail(rule::no_will_qos, malformed, "with Will QoS but no will");
    if (!flags.will && flags.will_retain) body.fail(rule::no_will_retain, malformed, "with Will Retain but no will");
}

} // namespace

Result<Connect> decode_connect(Body& body) {
    Connect packet;
    read_protocol(body, packet);
    const ConnectFlags flags(body.u8("Connect Flags"));
    check_flags(body, flags);
    packet.clean_start = flags.clean_start;
    packet.keep_alive = body.u16("Keep Alive");
    packet.properties = body.properties();
    packet.client_id = body.string("Client Identifier");
    if (flags.will) {
        auto& will = packet.will.emplace();
        will.qos = static_cast<QoS>(flags.will_qos);
        will.retain = flags.will_retain;
        will.properties = body.properties();
        will.topic = body.string("Will Topic");
        will.payload = body.string("Will Payload");
    }
    if (flags.user_name) packet.user_name = body.string("User Name");
    if (flags.password) packet.password = body.string("Password");
    return body.finish(packet);
}

Result<Connack> decode_connack(Body& body) {
    Connack packet;
    const auto flags = body.u8("Connect Acknowledge Flags");
    if (flags > 1) body.fail(rule::connack_flags, Reason::malformed_packet, "with reserved flags set");
    packet.session_present = flags == 1;
    const auto code = body.u8("reason code");
    if (body.version() == Version::v5) {
        packet.reason = static_cast<Reason>(code);
    } else {
        const auto reason = reason_of_return_code(code);
        if (!reason) body.fail({}, Reason::protocol_error, "with the unknown return code " + std::to_string(code));
        packet.reason = reason.value_or(Reason::success);
    }
    packet.properties = body.properties();
    return body.finish(packet);
}

/// Without properties, the reason code may be absent too; both mean none. [MQTT-3.14.2.1]
Result<Disconnect> decode_disconnect(Body& body) {
    Disconnect packet;
    if (body.version() == Version::v5 && body.more()) packet.reason = static_cast<Reason>(body.u8("reason code"));
    if (body.version() == Version::v5 && body.more()) packet.properties = body.properties();
    return body.finish(packet);
}

/// As DISCONNECT, but a reason code alone is not a form of it. [MQTT-3.15.2.1]
Result<Auth> decode_auth(Body& body) {
    Auth packet;
    if (body.more()) {
        packet.reason = static_cast<Reason>(body.u8("reason code"));
        packet.properties = body.properties();
    }
    return body.finish(packet);
}

} // namespace tortoise::core
