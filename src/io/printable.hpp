#pragma once
/// What a peer said, as it may stand in a text for people.

#include <string>
#include <tortoise/types.hpp>

namespace tortoise::io {

/// Each octet that is not printable ASCII as a dot.
inline std::string printable(Octets octets) {
    std::string out;
    for (const char c : octets) out += c >= ' ' && c <= '~' ? c : '.';
    return out;
}

} // namespace tortoise::io
