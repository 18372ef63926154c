#pragma once
/// What was published at QoS 1 and 2 and is not settled: found by packet identifier, walked in the order of sending.

#include <tortoise/core/packet.hpp>
#include <tortoise/core/work_list.hpp>
#include <vector>

namespace tortoise::core {

/// The outbound quality-of-service flow [MQTT-4.3]:
///
///   step               event                      next
///   published (QoS 1)  PUBACK                     gone: delivered, or refused
///   published (QoS 2)  PUBREC                     released, answered with PUBREL
///   published (QoS 2)  PUBREC with a refusal      gone: refused
///   released           PUBCOMP                    gone: delivered
///   published          session resumed            published, sent again with DUP
///   released           session resumed            released, PUBREL sent again
///   published          session lost               gone, back to the outbox
///   released           session lost               gone: session_lost, since the broker had it
class Inflight {
public:
    enum class Step : std::uint8_t { published, released };

    struct Entry {
        WorkItem item = {};
        Step step = Step::published;
        bool on_wire = false;  ///< sent on the present connection
        bool answered = false; ///< its outcome was told before: cancelled
        PacketId previous = 0, next = 0;
        bool used = false;
    };

    /// Appends; the identifier must not be in the table. Its message is an earlier one's, to be written over: small ones
    /// follow each other without an allocation.
    Entry& insert(PacketId);
    /// Null if it is not there.
    Entry* find(PacketId id) noexcept { return id < entries_.size() && entries_[id].used ? &entries_[id] : nullptr; }
    /// The broker has it: its payload is let go.
    static void release(Entry&) noexcept;
    /// It must be there.
    void erase(PacketId);
    /// The same, for those who need what was in it.
    Entry take(PacketId);

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    /// In the order of sending: for (id = first(); id; id = next(id)).
    PacketId first() const noexcept { return first_; }
    PacketId next(PacketId id) const noexcept { return entries_[id].next; }
    const Entry& at(PacketId id) const noexcept { return entries_[id]; }

private:
    void unlink(const Entry&) noexcept;

    std::vector<Entry> entries_; // by identifier; see PacketIds for why it stays small
    PacketId first_ = 0, last_ = 0;
    std::size_t size_ = 0;
};

} // namespace tortoise::core
