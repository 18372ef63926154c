#pragma once
/// WebSocket's frames, without any I/O. RFC 6455, 5

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tortoise/types.hpp>
#include <utility>

namespace tortoise::io {

enum class WebSocketSide : std::uint8_t { client, server };

/// Why a connection is closed. RFC 6455, 7.4.1
enum class WebSocketClose : std::uint16_t { normal = 1000, protocol_error = 1002, not_acceptable = 1003 };

/// Takes the frames of one side apart. What they carry is one flow of octets: their boundaries, and those of messages,
/// say nothing about those of packets. [MQTT-6.0.0-2]
class WebSocketReader {
public:
    /// `from`: whose frames they are. A client's are masked, a server's are not. RFC 6455, 5.1
    explicit WebSocketReader(WebSocketSide from) noexcept : masked_(from == WebSocketSide::client) {}

    /// Octets as they came. What they carry is moved to their front; how much that is. Behind the end nothing counts.
    std::size_t take(std::span<char>);
    /// What the last Ping since the last call carried, if there was one: for the Pong.
    std::optional<std::string> take_ping() { return std::exchange(ping_, std::nullopt); }

    /// The other side closed, or broke the protocol.
    struct End {
        WebSocketClose answer; ///< what our Close says
        std::string why;       ///< for people, without a subject: "closed the connection (1001: going away)"
    };
    const std::optional<End>& end() const noexcept { return end_; }

private:
    enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
    static constexpr std::size_t longest_control = 125; // RFC 6455, 5.5

    std::size_t header_size() const noexcept;
    void begin_frame();
    void end_frame();
    void closed();
    void violated(WebSocketClose, std::string what);
    std::uint8_t octet(std::size_t at) const noexcept { return static_cast<std::uint8_t>(header_[at]); }
    bool is_control() const noexcept { return opcode_ >= Opcode::close; }

    const bool masked_;
    bool in_message_ = false; // its last frame has not come
    bool in_payload_ = false;
    std::uint8_t have_ = 0; // octets of header_
    std::array<char, 14> header_{};
    Opcode opcode_ = Opcode::continuation;
    std::uint64_t left_ = 0; // of the payload
    std::array<char, 4> mask_{};
    std::size_t mask_at_ = 0;
    std::string control_; // payload of the control frame that is coming
    std::optional<std::string> ping_;
    std::optional<End> end_;
};

/// The mask of a client's frame, unpredictable for who chooses the octets (RFC 6455, 5.3); a server's frames have none.
using WebSocketMask = std::optional<std::array<char, 4>>;

/// Append a frame that is a message.
void append_binary(std::string& to, Octets payload, const WebSocketMask&);
void append_pong(std::string& to, Octets payload, const WebSocketMask&);
void append_close(std::string& to, WebSocketClose, const WebSocketMask&);

} // namespace tortoise::io
