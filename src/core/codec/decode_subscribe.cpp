#include "core/codec/decode.hpp"

namespace tortoise::core {
namespace {

SubscribeOptions read_options(Body& body) {
    const auto octet = body.u8("Subscription Options");
    SubscribeOptions options{.qos = static_cast<QoS>(octet & 3)};
    const bool v5 = body.version() == Version::v5;
    if ((octet & (v5 ? 0xC0 : 0xFC)) != 0)
        body.fail(rule::subscribe_reserved, Reason::malformed_packet,
                  "with reserved bits set in its Subscription Options");
    if (!v5) return options;
    options.no_local = (octet & 4) != 0;
    options.retain_as_published = (octet & 8) != 0;
    options.retain_handling = static_cast<RetainHandling>(octet >> 4 & 3);
    return options;
}

/// The rest of the body, a reason code each.
std::vector<Reason> read_reasons(Body& body) {
    std::vector<Reason> reasons;
    if (!body.more()) return reasons;
    reasons.reserve(body.left());
    for (const char code : body.all()) reasons.push_back(static_cast<Reason>(code));
    return reasons;
}

} // namespace

Result<Subscribe> decode_subscribe(Body& body) {
    Subscribe packet;
    packet.id = body.u16("Packet Identifier");
    packet.properties = body.properties();
    while (body.more()) {
        auto& entry = packet.entries.emplace_back();
        entry.filter = body.string("Topic Filter");
        entry.options = read_options(body);
    }
    return body.finish(packet);
}

Result<Suback> decode_suback(Body& body) {
    Suback packet;
    packet.id = body.u16("Packet Identifier");
    packet.properties = body.properties();
    packet.reasons = read_reasons(body);
    if (body.version() != Version::v5)
        for (const auto reason : packet.reasons)
            if (is_refusal(reason) && reason != Reason::unspecified_error)
                body.fail(rule::suback_reason, Reason::protocol_error,
                          "with the unknown return code " + std::to_string(static_cast<unsigned>(reason)));
    return body.finish(packet);
}

Result<Unsubscribe> decode_unsubscribe(Body& body) {
    Unsubscribe packet;
    packet.id = body.u16("Packet Identifier");
    packet.properties = body.properties();
    while (body.more()) packet.filters.push_back(body.string("Topic Filter"));
    return body.finish(packet);
}

Result<Unsuback> decode_unsuback(Body& body) {
    Unsuback packet;
    packet.id = body.u16("Packet Identifier");
    packet.properties = body.properties();
    if (body.version() == Version::v5) packet.reasons = read_reasons(body);
    return body.finish(packet);
}

} // namespace tortoise::core
