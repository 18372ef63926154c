#pragma once
/// The packets of a capture.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/time.hpp>
#include <tortoise/testing/capture.hpp>
#include <tortoise/testing/faults.hpp>

namespace tortoise::testing {

/// A packet, or something that happened to a connection.
struct Captured {
    core::Time at = {};
    std::uint32_t connection = 0;
    Side from = Side::client;
    Version version = Version::v5;
    std::string packet = {};                 // as it was sent; empty: only a note
    std::optional<std::string> arrived = {}; // if that is something else
    Duration later = {};
    std::string note = {};  // the rules that applied, or what happened
    bool made_here = false; // the broker did not send it
};

struct Capture::State {
    explicit State(CaptureOptions);

    void add(Captured);
    /// Takes away what is not to be seen; of the same size.
    std::string masked(Version, Octets packet) const;

    const CaptureOptions options;
    const core::WallTime made; // by the wall's clock
    const core::Time begun;    // by the loops' clock, at the same time

    mutable std::mutex mutex;
    std::deque<Captured> packets; // guarded by mutex, as what follows
    std::size_t octets = 0, left_out = 0;
};

/// A file that Wireshark opens.
std::string pcap_of(const Capture::State&, const std::deque<Captured>&);

} // namespace tortoise::testing
