#include <algorithm>
#include <string>
#include <tortoise/core/codec.hpp>

#include "core/codec/frame.hpp"
#include "core/codec/packet.hpp"
#include "core/codec/scalar.hpp"

namespace tortoise::core {
namespace {

constexpr bool v5(Version version) noexcept { return version == Version::v5; }

template <class Sink> void put_properties(Sink& to, Version version, PropertiesView properties) {
    if (!v5(version)) return;
    to.varint(properties.octets().size());
    to.raw(properties.octets());
}

// ---- the layout of each body: run once to count, once to write
// -------------------------------------------------------

unsigned connect_flags(const Connect& p) noexcept {
    unsigned flags = p.clean_start ? 2 : 0;
    if (p.will) flags |= 4u | static_cast<unsigned>(p.will->qos) << 3 | (p.will->retain ? 0x20u : 0u);
    if (p.password) flags |= 0x40;
    if (p.user_name) flags |= 0x80;
    return flags;
}

template <class Sink> void put(Sink& to, Version, const Connect& p) {
    to.string("MQTT");
    to.u8(static_cast<unsigned>(p.version));
    to.u8(connect_flags(p));
    to.u16(p.keep_alive);
    put_properties(to, p.version, p.properties);
    to.string(p.client_id);
    if (p.will) {
        put_properties(to, p.version, p.will->properties);
        to.string(p.will->topic);
        to.string(p.will->payload);
    }
    if (p.user_name) to.string(*p.user_name);
    if (p.password) to.string(*p.password);
}

template <class Sink> void put(Sink& to, Version version, const Connack& p) {
    to.u8(p.session_present);
    to.u8(v5(version) ? static_cast<unsigned>(p.reason) : return_code_of(p.reason));
    put_properties(to, version, p.properties);
}

/// Everything but the payload.
template <class Sink> void put(Sink& to, Version version, const Publish& p) {
    to.string(p.topic);
    if (p.qos != QoS::at_most_once) to.u16(p.id);
    put_properties(to, version, p.properties);
}

/// The shortest of the three forms.
template <class Sink> void put_reason(Sink& to, Version version, Reason reason, PropertiesView properties) {
    if (!v5(version) || (reason == Reason::success && properties.empty())) return;
    to.u8(static_cast<unsigned>(reason));
    if (!properties.empty()) put_properties(to, version, properties);
}

template <class Sink> void put(Sink& to, Version version, const Ack& p) {
    to.u16(p.id);
    put_reason(to, version, p.reason, p.properties);
}

template <class Sink> void put(Sink& to, Version version, const Subscribe& p) {
    to.u16(p.id);
    put_properties(to, version, p.properties);
    for (const auto& [filter, o] : p.entries) {
        to.string(filter);
        to.u8(static_cast<unsigned>(o.qos) | (o.no_local ? 4u : 0u) | (o.retain_as_published ? 8u : 0u) |
              static_cast<unsigned>(o.retain_handling) << 4);
    }
}

template <class Sink> void put(Sink& to, Version version, const Suback& p) {
    to.u16(p.id);
    put_properties(to, version, p.properties);
    for (const auto reason : p.reasons)
        to.u8(static_cast<unsigned>(!v5(version) && is_refusal(reason) ? Reason::unspecified_error : reason));
}

template <class Sink> void put(Sink& to, Version version, const Unsubscribe& p) {
    to.u16(p.id);
    put_properties(to, version, p.properties);
    for (const auto filter : p.filters) to.string(filter);
}

template <class Sink> void put(Sink& to, Version version, const Unsuback& p) {
    to.u16(p.id);
    put_properties(to, version, p.properties);
    if (v5(version))
        for (const auto reason : p.reasons) to.u8(static_cast<unsigned>(reason));
}

template <class Sink> void put(Sink&, Version, const Pingreq&) {}
template <class Sink> void put(Sink&, Version, const Pingresp&) {}

template <class Sink> void put(Sink& to, Version version, const Disconnect& p) {
    put_reason(to, version, p.reason, p.properties);
}

/// A reason code alone is not a form of AUTH.
template <class Sink> void put(Sink& to, Version version, const Auth& p) {
    if (p.reason == Reason::success && p.properties.empty()) return;
    to.u8(static_cast<unsigned>(p.reason));
    put_properties(to, version, p.properties);
}

// ---- the fixed header, and all together
// ------------------------------------------------------------------------------

template <class P> unsigned first_octet(const P& packet) noexcept {
    if constexpr (std::is_same_v<P, Publish>)
        return 0x30u | (packet.duplicate ? 8u : 0u) | static_cast<unsigned>(packet.qos) << 1 |
               (packet.retain ? 1u : 0u);
    const auto type = [&] {
        if constexpr (std::is_same_v<P, Ack>)
            return packet.type;
        else
            return type_of(Packet(P{}));
    }();
    return static_cast<unsigned>(type) << 4 | fixed_flags(type);
}

template <class P> Octets payload_of(const P& packet) noexcept {
    if constexpr (std::is_same_v<P, Publish>)
        return packet.payload;
    else
        return {};
}

template <class P> std::size_t remaining_length(Version version, const P& packet) noexcept {
    Counter counter;
    put(counter, version, packet);
    return counter.size() + payload_of(packet).size();
}

/// Room for that much more at its end. Geometrically: reserve alone may grow to just what is asked for, each time.
char* extend(std::string& out, std::size_t size) {
    const std::size_t at = out.size();
    if (out.capacity() < at + size) out.reserve(std::max(at + size, 2 * out.capacity()));
    out.resize(at + size);
    return out.data() + at;
}

template <class P> void write(Version version, const P& packet, std::size_t length, std::string& out) {
    const Octets payload = payload_of(packet);
    const std::size_t head = 1 + varint_size(length) + length - payload.size();
    constexpr std::size_t large = 1024; // what is written twice without a loss: nothing is filled in first
    Writer writer(extend(out, payload.size() > large ? head : head + payload.size()));
    writer.u8(first_octet(packet));
    writer.varint(length);
    put(writer, version, packet);
    if (payload.size() > large)
        out.append(payload);
    else
        writer.raw(payload);
}

template <class P> Result<Done> append(Version version, const P& packet, std::string& out) {
    if (auto fail = check(version, packet)) return std::move(*fail);
    const std::size_t length = remaining_length(version, packet);
    if (length > largest_varint) return make_error(Errc::packet_too_large, "MQTT has no packets of that size");
    write(version, packet, length, out);
    return Done{};
}

} // namespace

Result<Done> encode(Version version, const Packet& packet, std::string& out) {
    return std::visit([&](const auto& p) { return append(version, p, out); }, packet);
}

Result<Done> encode(Version version, const Publish& packet, std::string& out) { return append(version, packet, out); }
Result<Done> encode(Version version, const Ack& packet, std::string& out) { return append(version, packet, out); }
void encode_checked(Version version, const Publish& packet, std::string& out) {
    write(version, packet, remaining_length(version, packet), out);
}
void encode_checked(Version version, const Ack& packet, std::string& out) {
    write(version, packet, remaining_length(version, packet), out);
}

std::size_t encoded_size(Version version, const Publish& packet) noexcept {
    const std::size_t length = remaining_length(version, packet);
    return 1 + varint_size(length) + length;
}

} // namespace tortoise::core
