#include "core/codec/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tortoise::core {
namespace {

using Octet = unsigned char;

/// Is every one of the eight octets between 0x01 and 0x7F? A borrow out of an octet below a high bit can only make this
/// say no when a lower octet is zero, so the answer is exact.
bool plain_ascii(std::uint64_t eight) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    return ((eight | (eight - ones)) & highs) == 0;
}

bool continues(Octet o) noexcept { return (o & 0xC0) == 0x80; }

/// The size of the sequence of two octets or more that begins at `at`; 0 if it is ill-formed.
/// The bounds of the second octet exclude overlong forms, surrogates and what is above U+10FFFF.
std::size_t sequence_size(const Octet* at, std::size_t left) noexcept {
    const Octet first = at[0];
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < size) return 0;
    const Octet low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const Octet high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) return 0;
    for (std::size_t i = 2; i < size; ++i)
        if (!continues(at[i])) return 0;
    return size;
}

} // namespace

Utf8Fault utf8_fault(std::string_view text) noexcept {
    if (text.size() > 65'535) return Utf8Fault::too_long;
    const auto* at = reinterpret_cast<const Octet*>(text.data());
    std::size_t left = text.size();
    while (left > 0) {
        if (left >= 8) {
            std::uint64_t eight = 0;
            std::memcpy(&eight, at, 8);
            if (plain_ascii(eight)) {
                at += 8;
                left -= 8;
                continue;
            }
        }
        if (*at == 0) return Utf8Fault::null;
        const std::size_t size = *at < 0x80 ? 1 : sequence_size(at, left);
        if (size == 0) return Utf8Fault::ill_formed;
        at += size;
        left -= size;
    }
    return Utf8Fault::none;
}

} // namespace tortoise::core
