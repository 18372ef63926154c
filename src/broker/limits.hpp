#pragma once
/// What a peer can make the broker hold, beyond the bounds in BrokerOptions.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tortoise::broker::limits {

/// A network connection without a CONNECT ends after this.
inline constexpr std::chrono::seconds connect_timeout{10};
/// Messages wait in the session while more of a connection's output than this is unwritten.
inline constexpr std::size_t unwritten_soft = 1U << 20;
/// Answers that pile up behind a full output, for a client that asks and does not read, end its connection.
inline constexpr std::size_t unread_answers = 8U << 20;
/// QoS 0 messages that wait behind a full output; the oldest go first.
inline constexpr std::size_t queued_qos0_octets = 64U << 20;
/// Topic aliases that the broker uses towards one client, however many that client allows.
inline constexpr std::uint32_t aliases_out = 1'000;
inline constexpr std::size_t subscriptions_per_session = 100'000;
inline constexpr std::size_t retained_messages = 1'000'000;
inline constexpr std::size_t sessions = 1'000'000;

} // namespace tortoise::broker::limits
