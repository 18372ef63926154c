#pragma once
/// The messages that were sent to one client and are not acknowledged, by packet identifier, in the order of sending.

#include "broker/message.hpp"

#include <tortoise/core/packet.hpp>

namespace tortoise::broker {

using core::PacketId;

struct InFlight {
    PacketId id = 0;       // 0: a free slot
    bool released = false; // PUBREC came, PUBREL went: the message itself is gone
    bool on_wire = false;  // sent on the present network connection
    Delivery delivery = {};
};

/// Slots are found by the low bits of the identifier, so that a lookup costs one comparison; the table grows with what
/// is in flight, and an identifier whose slot is taken is skipped.
class InFlightTable {
public:
    /// An entry with an unused identifier; null when all 65,535 are in use. The pointer holds until the next add.
    InFlight* add();
    InFlight* find(PacketId) noexcept;
    void erase(InFlight&) noexcept;
    std::size_t size() const noexcept { return size_; }

    /// The identifiers of those released or not, in the order of sending or of release.
    std::vector<PacketId> in_order(bool released) const;
    template <class Visit> void each(Visit visit) {
        for (auto& slot : slots_)
            if (slot.id != 0) visit(slot);
    }

private:
    void grow();

    std::vector<InFlight> slots_; // a power of two
    std::size_t size_ = 0;
    PacketId last_ = 0;
};

} // namespace tortoise::broker
