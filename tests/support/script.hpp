#pragma once
/// What tests with scripts have in common.

#include "support/options.hpp"
#include <cstddef>
#include <string>
#include <tortoise/core/packet.hpp>
#include <tortoise/testing/script.hpp>

namespace tortoise::test {

#define ASSERT_FOLLOWED(script) ASSERT_TRUE((script).wait(patience)) << (script).report()

/// Octets, some of which may be null.
template <std::size_t n> testing::Raw raw(const char (&octets)[n]) { return {std::string(octets, n - 1)}; }

/// Of the last packet received that had an identifier, unless one is given.
inline core::Ack ack(core::PacketType type, core::PacketId id = 0, Reason reason = Reason::success) {
    return {.type = type, .id = id, .reason = reason};
}

} // namespace tortoise::test
