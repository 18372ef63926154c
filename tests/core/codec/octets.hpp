#pragma once
/// Octets written down for people: hexadecimal digits, and text in quotes, with blanks wherever they help.

#include <cstddef>
#include <string>
#include <string_view>

namespace tortoise::core {

/// `octets("30 05 0003 'a/b'")`
inline std::string octets(std::string_view notation) {
    const auto value = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string result;
    for (std::size_t i = 0; i < notation.size(); ++i) {
        if (notation[i] == ' ') continue;
        if (notation[i] == '\'') {
            const auto end = notation.find('\'', i + 1);
            result.append(notation.substr(i + 1, end - i - 1));
            i = end;
        } else {
            result.push_back(static_cast<char>(value(notation[i]) << 4 | value(notation[i + 1])));
            ++i;
        }
    }
    return result;
}

/// A packet whose Remaining Length is put in between.
inline std::string packet_octets(std::string_view first, std::string_view body) {
    const auto rest = octets(body);
    auto result = octets(first);
    auto length = rest.size();
    for (; length >= 128; length >>= 7) result.push_back(static_cast<char>(length | 0x80));
    result.push_back(static_cast<char>(length));
    return result + rest;
}

inline std::string hex(std::string_view text) {
    std::string result;
    for (const unsigned char c : text) result.append({' ', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 0xF]});
    return result;
}

} // namespace tortoise::core
