#pragma once
/// Octets to packets and back, strictly: what breaks a rule of the specification is an error that names the rule, in both
/// directions. No state, no clock, no allocation but for lists of filters and reasons; peer data never throws.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/core/packet.hpp>
#include <tortoise/result.hpp>
#include <utility>

namespace tortoise::core {

/// The largest packet that MQTT can express: fixed header and Remaining Length 268,435,455. [MQTT-2.1.4]
inline constexpr std::size_t largest_packet = 268'435'455 + 5;

/// One whole packet, borrowed.
struct Frame {
    std::uint8_t first = 0;  ///< packet type and flags
    Octets body = {};        ///< what Remaining Length counts
    Octets whole = {};       ///< fixed header included
    PacketType type() const noexcept { return static_cast<PacketType>(first >> 4); }
};

/// Finds packets in a stream that arrives in pieces.
///
///     reader.feed(octets);
///     while (true) {
///         auto frame = reader.next();            // error: Remaining Length malformed, or packet too large
///         if (!frame || !*frame) break;          // nothing more, or the stream is broken for good
///         … **frame is valid until the next feed() …
///     }
///
/// Whole packets are views into what was fed. Only an unfinished tail is copied, and it grows with what has arrived, never
/// with what a length claims. `feed` may be called again only when `next` returned nothing.
class FrameReader {
public:
    explicit FrameReader(std::size_t max_packet_size = largest_packet) noexcept : max_(max_packet_size) {}

    void feed(Octets octets);
    /// A frame; nothing when more octets are needed; or Reason::malformed_packet / Reason::packet_too_large, from then on.
    Result<std::optional<Frame>> next();

    /// The same for most packets, quickly: false says nothing but that next() has to be asked.
    bool next_whole(Frame& into) noexcept;

    /// What was fed and not looked at: the caller feeds it again later. Valid until the next feed().
    Octets take_rest() noexcept { return std::exchange(input_, {}); }
    /// Octets of an unfinished packet that are kept.
    std::size_t pending() const noexcept { return tail_.size(); }
    void set_max_packet_size(std::size_t size) noexcept { max_ = size; }
    /// Forgets everything: a new connection begins.
    void reset();

private:
    Result<std::optional<Frame>> next_of_tail();
    void take(std::size_t count);  // from the input to the tail
    Error fail(Reason);

    std::size_t max_;
    Octets input_ = {};
    std::string tail_;   // the unfinished packet
    std::string whole_;  // the packet that was completed from the tail; frames point into it
    Reason broken_ = Reason::success;  // what ended the stream
};

/// Decodes one packet. Errors carry the Reason for a DISCONNECT (malformed_packet, protocol_error, topic_name_invalid, …)
/// and a text that begins with the rule's number where there is one. For CONNECT the version is read from the packet; one
/// that is neither 3.1.1 nor 5 is Reason::unsupported_protocol_version.
Result<Packet> decode(Version, const Frame&);
/// The same without a variant, for what is received often. Precondition: the frame is a PUBLISH, or PUBACK, PUBREC, PUBREL,
/// PUBCOMP.
Result<Publish> decode_publish(Version, const Frame&);
Result<Ack> decode_ack(Version, const Frame&);
/// The same for what most packets are, a PUBLISH with a plain topic, no properties, and nothing wrong, quickly: false says
/// nothing but that decode() has to be asked.
bool decode_plain(Version, const Frame&, Publish& into) noexcept;
/// The same for octets that hold exactly one packet.
Result<Packet> decode(Version, Octets);

/// Appends the packet's encoding. An error leaves `out` as it was: the packet breaks a rule, or has something that the
/// version cannot express. CONNECT is encoded for its own version.
Result<Done> encode(Version, const Packet&, std::string& out);
/// The same without a variant, for what is sent often.
Result<Done> encode(Version, const Publish&, std::string& out);
Result<Done> encode(Version, const Ack&, std::string& out);
/// The same for what is known to break no rule, as far as `encode` can know: it is not looked at again.
void encode_checked(Version, const Publish&, std::string& out);
void encode_checked(Version, const Ack&, std::string& out);

/// How many octets the encoding has, fixed header included.
std::size_t encoded_size(Version, const Publish&) noexcept;

struct PrintOptions {
    bool payloads = false;  ///< payloads and authentication data as text; otherwise only their size
};
/// One line: `PUBLISH id=7 qos=1 dup retain topic="a/b" payload=5 bytes {Content Type: "text/plain"}`.
/// Passwords are never shown.
std::string print(const Packet&, PrintOptions = {});

} // namespace tortoise::core
