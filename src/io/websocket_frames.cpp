#include "io/websocket_frames.hpp"
#include "io/printable.hpp"
#include <algorithm>
#include <cstring>
#include <utility>

namespace tortoise::io {

namespace {

constexpr std::uint8_t final_frame = 0x80, reserved = 0x70, mask_flag = 0x80;
constexpr std::uint8_t short_length = 125, two_octets = 126, eight_octets = 127;

/// Masking and unmasking are the same. `at`: how many octets of the payload went before.
void mask_over(char* octets, std::size_t size, const std::array<char, 4>& mask, std::size_t at) noexcept {
    std::array<char, 8> turned{};
    for (std::size_t i = 0; i < 8; ++i) turned[i] = mask[(at + i) % 4];
    std::uint64_t eight_masks = 0;
    std::memcpy(&eight_masks, turned.data(), 8);
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, octets + i, 8);
        eight ^= eight_masks;
        std::memcpy(octets + i, &eight, 8);
    }
    for (; i < size; ++i) octets[i] = static_cast<char>(octets[i] ^ turned[i % 8]);
}

void append_number(std::string& to, std::uint64_t number, unsigned octets) {
    for (unsigned i = octets; i-- > 0;) to += static_cast<char>(number >> (8 * i) & 0xFF);
}

void append_frame(std::string& to, std::uint8_t opcode, Octets payload, const WebSocketMask& mask) {
    const std::uint8_t flag = mask ? mask_flag : 0;
    to += static_cast<char>(final_frame | opcode);
    if (payload.size() <= short_length) {
        to += static_cast<char>(flag | payload.size());
    } else if (payload.size() <= 0xFFFF) {
        to += static_cast<char>(flag | two_octets);
        append_number(to, payload.size(), 2);
    } else {
        to += static_cast<char>(flag | eight_octets);
        append_number(to, payload.size(), 8);
    }
    if (mask) to.append(mask->data(), mask->size());
    to += payload;
    if (mask) mask_over(to.data() + to.size() - payload.size(), payload.size(), *mask, 0);
}

} // namespace

std::size_t WebSocketReader::take(std::span<char> octets) {
    std::size_t carried = 0, at = 0;
    while (at < octets.size() && !end_) {
        if (!in_payload_) {
            header_[have_++] = octets[at++];
            if (have_ >= 2 && have_ == header_size()) begin_frame();
            continue;
        }
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, octets.size() - at));
        char* const from = octets.data() + at;
        if (masked_) mask_over(from, size, mask_, mask_at_);
        if (is_control()) {
            control_.append(from, size);
        } else {
            std::memmove(octets.data() + carried, from, size);
            carried += size;
        }
        at += size;
        left_ -= size;
        mask_at_ = (mask_at_ + size) % 4;
        if (left_ == 0) end_frame();
    }
    return carried;
}

/// As far as its first two octets tell.
std::size_t WebSocketReader::header_size() const noexcept {
    const auto length = octet(1) & 0x7F;
    const std::size_t more = length == two_octets ? 2 : length == eight_octets ? 8 : 0;
    return 2 + more + ((octet(1) & mask_flag) != 0 ? 4 : 0);
}

void WebSocketReader::begin_frame() {
    const std::size_t size = std::exchange(have_, std::uint8_t{0});
    const bool is_final = (octet(0) & final_frame) != 0, is_masked = (octet(1) & mask_flag) != 0;
    const unsigned opcode = octet(0) & 0x0F;
    left_ = octet(1) & 0x7F;
    const std::size_t in = left_ == two_octets ? 2 : left_ == eight_octets ? 8 : 0;
    if (in > 0) left_ = 0;
    for (std::size_t i = 2; i < 2 + in; ++i) left_ = left_ << 8 | octet(i);
    opcode_ = static_cast<Opcode>(opcode);

    if ((octet(0) & reserved) != 0) return violated(WebSocketClose::protocol_error, "a frame with reserved bits");
    if (is_masked != masked_)
        return violated(WebSocketClose::protocol_error, is_masked ? "a masked frame" : "a frame without a mask");
    if (left_ >> 63 != 0) return violated(WebSocketClose::protocol_error, "a frame that is too long");
    switch (opcode_) {
    case Opcode::continuation:
        if (!in_message_) return violated(WebSocketClose::protocol_error, "a continuation of no message");
        in_message_ = !is_final;
        break;
    case Opcode::text: // [MQTT-6.0.0-1]
        return violated(WebSocketClose::not_acceptable, "a text message, where MQTT has binary ones");
    case Opcode::binary:
        if (in_message_) return violated(WebSocketClose::protocol_error, "a message in the middle of another");
        in_message_ = !is_final;
        break;
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
        if (!is_final || left_ > longest_control)
            return violated(WebSocketClose::protocol_error, "a control frame that is fragmented or too long");
        control_.clear();
        break;
    default: return violated(WebSocketClose::protocol_error, "a frame of unknown kind " + std::to_string(opcode));
    }
    if (masked_) std::memcpy(mask_.data(), header_.data() + size - mask_.size(), mask_.size());
    mask_at_ = 0;
    in_payload_ = true;
    if (left_ == 0) end_frame();
}

void WebSocketReader::end_frame() {
    in_payload_ = false;
    if (opcode_ == Opcode::ping) ping_ = std::exchange(control_, {});
    if (opcode_ == Opcode::close) closed();
}

void WebSocketReader::closed() {
    if (control_.empty()) {
        end_ = End{WebSocketClose::normal, "closed the connection"};
        return;
    }
    if (control_.size() == 1) return violated(WebSocketClose::protocol_error, "a Close with half a code");
    const auto high = static_cast<std::uint8_t>(control_[0]), low = static_cast<std::uint8_t>(control_[1]);
    auto why = "closed the connection (" + std::to_string(high << 8 | low);
    if (control_.size() > 2) why += ": " + printable(Octets(control_).substr(2));
    end_ = End{WebSocketClose::normal, why + ")"};
}

void WebSocketReader::violated(WebSocketClose answer, std::string what) {
    end_ = End{answer, "sent " + std::move(what)};
}

void append_binary(std::string& to, Octets payload, const WebSocketMask& mask) { append_frame(to, 2, payload, mask); }
void append_pong(std::string& to, Octets payload, const WebSocketMask& mask) { append_frame(to, 10, payload, mask); }

void append_close(std::string& to, WebSocketClose code, const WebSocketMask& mask) {
    std::string payload;
    append_number(payload, static_cast<std::uint16_t>(code), 2);
    append_frame(to, 8, payload, mask);
}

} // namespace tortoise::io
