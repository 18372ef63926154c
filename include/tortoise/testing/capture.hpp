#pragma once
/// What went over the wire, packet by packet: as text for people, as JSON for programs, as a file for Wireshark.

#include <cstddef>
#include <memory>
#include <string>
#include <tortoise/result.hpp>

namespace tortoise::testing {

struct CaptureOptions {
    bool payloads = false;                    ///< otherwise their size in texts, and x for each octet in pcap()
    std::size_t most_octets = 64u << 20;      ///< that are kept, with what describes them; the oldest packets give way
};

/// Given to a Broker or Proxy, it records their packets, also those that a fault kept from arriving. Passwords and
/// authentication data are never in it. Copies share what was recorded. Every function may be called from any thread.
class Capture {
public:
    explicit Capture(CaptureOptions = {});

    /// A line for each packet: seconds, connection, who sent it, the packet, the rules that applied to it.
    std::string text() const;
    /// The same as JSON, an object a line.
    std::string json() const;
    /// A capture file of the clients' side, with TCP around the packets as if there had been no TLS: what the clients sent,
    /// and what arrived at them.
    std::string pcap() const;
    /// Writes one of the three: pcap() if the name ends in .pcap, json() if in .json or .jsonl, otherwise text().
    Result<Done> write_to(const std::string& path) const;

    struct State;

private:
    friend class FaultFilter;
    std::shared_ptr<State> state_;
};

} // namespace tortoise::testing
