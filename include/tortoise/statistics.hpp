#pragma once
/// Numbers about a connection: what a dashboard shows.

#include <cstddef>
#include <cstdint>
#include <tortoise/types.hpp>

namespace tortoise {

/// Counts of durations in buckets that double: bucket 0 counts those up to 1 µs, bucket i those up to 2^i µs, the last
/// one everything above.
struct Histogram {
    static constexpr std::size_t size = 32;
    std::uint64_t counts[size] = {};
    std::uint64_t count = 0;
    Duration sum = {};

    /// The upper bound of a bucket; that of the last one is Duration::max().
    static Duration upper_bound(std::size_t bucket) noexcept;
    /// The upper bound of the bucket in which that part (0 … 1) of the durations ends; zero if there are none.
    Duration quantile(double part) const noexcept;
};

/// Counters grow from the connection's start; gauges are the present state. Read at any time, from any thread, without
/// holding anybody up; the fields are each exact, and not from one instant together.
struct Statistics {
    // counters
    std::uint64_t bytes_sent = 0, bytes_received = 0;  ///< of MQTT
    std::uint64_t packets_received = 0;
    std::uint64_t published = 0;          ///< publishes asked for
    std::uint64_t delivered = 0;          ///< of them, ended well; QoS 0: handed to the transport
    std::uint64_t undelivered = 0;        ///< of them, ended otherwise
    std::uint64_t expired = 0;            ///< of undelivered
    std::uint64_t displaced = 0;          ///< of undelivered
    std::uint64_t refused = 0;            ///< of undelivered, by the broker
    std::uint64_t resent = 0;             ///< PUBLISH packets sent again
    std::uint64_t messages_received = 0;
    std::uint64_t connects = 0;           ///< CONNACKs that accepted
    std::uint64_t failures = 0;           ///< attempts that failed
    std::uint64_t drops = 0;              ///< connections that ended unasked
    std::uint64_t redirects = 0;          ///< Server References that were followed
    std::uint64_t tls_resumptions = 0;    ///< TLS sessions resumed at a connect
    // gauges
    std::uint64_t queued_messages = 0, queued_bytes = 0;  ///< not yet sent
    std::uint64_t in_flight = 0;          ///< sent, of QoS 1 and 2, and not settled
    // histograms
    Histogram delivery_time;              ///< from publish to the last acknowledgement, QoS 1 and 2
    Histogram round_trip_time;            ///< of pings
};

} // namespace tortoise
