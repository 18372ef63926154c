#pragma once
/// Reads the fields of one packet's body, remembering the first thing that went wrong.

#include <string>
#include <string_view>
#include <tortoise/core/codec.hpp>

#include "core/codec/packet.hpp"
#include "core/codec/property.hpp"
#include "core/codec/scalar.hpp"

namespace tortoise::core {

/// After a failure every further read gives nothing; loops over a body look at more().
class Body {
public:
    Body(Version version, PacketType type, Octets octets) noexcept : version_(version), type_(type), rest_(octets) {}

    void set_version(Version version) noexcept { version_ = version; }
    Version version() const noexcept { return version_; }
    PacketType type() const noexcept { return type_; }

    bool more() const noexcept { return !failed_ && !rest_.empty(); }
    std::size_t left() const noexcept { return rest_.size(); }

    std::uint8_t u8(std::string_view field) { return static_cast<std::uint8_t>(big_endian(take(1, field))); }
    std::uint16_t u16(std::string_view field) { return static_cast<std::uint16_t>(big_endian(take(2, field))); }
    /// A string, or binary data: two octets of length, then as many.
    Octets string(std::string_view field) { return take(u16(field), field); }
    Octets all() noexcept {
        const Octets octets = rest_;
        rest_ = {};
        return octets;
    }
    /// Property Length and as many octets; none before MQTT 5. Their rules are checked with the packet.
    PropertiesView properties();

    void fail(Rule, Reason, std::string_view text);
    /// Of a packet that was read to its end: the first failure, or octets left over, or a rule broken.
    template <class P> Result<P> finish(P& packet) {
        if (!failed_ && !rest_.empty()) trailing();
        if (failed_) return std::move(*failed_);
        if (auto error = check(version_, packet)) return std::move(*error);
        return std::move(packet);
    }

private:
    Octets take(std::size_t count, std::string_view field) {
        if (count > rest_.size()) ends_within(field);
        if (failed_) return {};
        const Octets octets = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return octets;
    }
    void ends_within(std::string_view field);
    void trailing();

    Version version_;
    PacketType type_;
    Octets rest_;
    Fail failed_;
};

Result<Connect> decode_connect(Body&);
Result<Connack> decode_connack(Body&);
Result<Publish> decode_publish(Body&, std::uint8_t flags);
Result<Ack> decode_ack(Body&);
Result<Subscribe> decode_subscribe(Body&);
Result<Suback> decode_suback(Body&);
Result<Unsubscribe> decode_unsubscribe(Body&);
Result<Unsuback> decode_unsuback(Body&);
Result<Disconnect> decode_disconnect(Body&);
Result<Auth> decode_auth(Body&);

} // namespace tortoise::core
