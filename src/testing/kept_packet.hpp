#pragma once
/// A packet with everything that it borrows.

#include <deque>
#include <string>
#include <tortoise/core/packet.hpp>

namespace tortoise::testing {

/// Moving it moves nothing that the packet points to.
class KeptPacket {
public:
    explicit KeptPacket(const core::Packet&);
    KeptPacket(KeptPacket&&) noexcept = default;
    KeptPacket& operator=(KeptPacket&&) noexcept = default;
    KeptPacket(const KeptPacket&) = delete;
    KeptPacket& operator=(const KeptPacket&) = delete;

    const core::Packet& packet() const noexcept { return packet_; }

private:
    std::deque<std::string> octets_; // its elements stay where they are
    core::Packet packet_;
};

/// The packet's identifier; 0 if it has none.
core::PacketId id_of(const core::Packet&) noexcept;
/// The same packet with that identifier, if it is of a kind that has one.
core::Packet with_id(core::Packet, core::PacketId) noexcept;
/// Does it lack an identifier that it ought to have?
bool wants_id(const core::Packet&) noexcept;

} // namespace tortoise::testing
