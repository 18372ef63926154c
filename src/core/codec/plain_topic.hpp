#pragma once
/// Topics of the usual kind. In a header: each message received is looked at.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tortoise::core {

/// A topic name, found to be one quickly: only ASCII, no U+0000, no wildcard, eight octets or more. No: it may be one
/// all the same. In one pass; the last eight octets may be looked at twice.
inline bool is_plain_topic(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    constexpr std::uint64_t bit = '#' ^ '+', either = '#' | '+';
    if (text.size() < 8 || text.size() > 65'535) return false;
    const auto odd = [](const char* at) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, 8);
        const std::uint64_t wild = (eight | bit * ones) ^ either * ones; // zero where there is a wildcard
        // Above 0x7F the high bit is set already; of zero it is set by the borrow.
        return eight | (eight - ones) | (wild - ones);
    };
    const char* const last = text.data() + text.size() - 8;
    std::uint64_t found = odd(last);
    for (const char* at = text.data(); at < last; at += 8) found |= odd(at);
    return (found & highs) == 0;
}

} // namespace tortoise::core
