#pragma once
/// Connections between clients and a broker, through a filter. Of the loop's thread only.

#include "io/stream.hpp"
#include "testing/fault_filter.hpp"
#include <memory>
#include <optional>
#include <unordered_map>

namespace tortoise::testing {

/// One connection. It goes on as long as either side is there.
class Relay {
public:
    /// `over` is called once, when both sides are closed; this may be destroyed then.
    Relay(io::Loop&, FaultFilter, std::shared_ptr<io::Stream> client, Fn<void()> over);
    /// Closes both.
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    /// The broker's side, which was not there before. Null: there is none, and the client is closed.
    void join(std::shared_ptr<io::Stream> broker);

private:
    class End;
    End& end(Side side) noexcept { return *ends_[static_cast<std::size_t>(side)]; }
    /// After anything happened: writes, closes, reads on, sets the timer.
    void turn();

    io::Loop& loop_;
    FaultFilter filter_;
    io::Timer timer_;
    Fn<void()> over_;
    std::unique_ptr<End> ends_[2]; // by side
};

/// The relays of a Broker or a Proxy.
class Relays {
public:
    Relays(io::Loop&, Faults, std::optional<Capture>, std::size_t most, std::size_t maximum_packet_size);

    /// Null, and the client is closed, if there are too many. Valid until its connection ends; `kept` goes with it.
    Relay* add(std::shared_ptr<io::Stream> client, std::shared_ptr<void> kept = {});
    std::size_t size() const noexcept { return relays_.size(); }
    void drop() { relays_.clear(); }

private:
    io::Loop& loop_;
    const Faults faults_;
    const std::optional<Capture> capture_;
    const std::size_t most_, maximum_packet_size_;
    std::uint64_t next_ = 0;
    std::unordered_map<std::uint64_t, std::shared_ptr<Relay>> relays_;
};

} // namespace tortoise::testing
