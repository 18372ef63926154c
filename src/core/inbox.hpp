#pragma once
/// What the broker sent at QoS 1 and 2 and we have not settled: which acknowledgement is due when, and which QoS 2
/// identifiers were seen.

#include "core/ring.hpp"

#include <cstdint>
#include <optional>
#include <tortoise/core/engine.hpp>
#include <tortoise/core/packet.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

/// The inbound quality-of-service flow [MQTT-4.3]. QoS 1: PUBLISH, handled, PUBACK. QoS 2, per packet identifier:
///
///   state      event                       next      output
///   –          PUBLISH                     handing   the message, once
///   handing    handled                     handled   PUBREC, when its turn comes
///   handing    handled, with a refusal     –         PUBREC with it, when its turn comes
///   handing    PUBLISH (new connection)    handing   – (it is being handled)
///   handled    PUBLISH                     handled   PUBREC, when its turn comes
///   handled    PUBREL                      –         PUBCOMP
///   –          PUBREL                      –         PUBCOMP (MQTT 5: packet_identifier_not_found)
///
/// Acknowledgements leave in the order in which the messages arrived on the present connection. [MQTT-4.6.0-2]
/// [MQTT-4.6.0-3]
class Inbox {
public:
    explicit Inbox(std::uint16_t receive_maximum) : receive_maximum_(receive_maximum) {}

    enum class Arrival : std::uint8_t { deliver, duplicate, exceeded };
    struct Arrived {
        Arrival what;
        InboundId id = 0;     // of `deliver`
        bool renamed = false; // the identifier named another message, of a session that is gone
    };
    /// A PUBLISH of QoS 1 or 2; `repeated`: with DUP.
    Arrived publish(QoS, PacketId, bool repeated = true);
    /// The message was handled. Returns its identifier if it is of QoS 2 and was not refused; else 0.
    PacketId acknowledge(InboundId, Reason);
    /// A PUBREL; the reason is that of the PUBCOMP. Nothing: it broke the protocol, being ahead of our PUBREC.
    std::optional<Reason> release(PacketId);

    /// The next PUBACK or PUBREC whose turn has come.
    std::optional<Ack> next_ack();

    /// The connection ended, the session goes on.
    void disconnected();
    void session_lost();
    /// Nobody handles any more what was handed out: when the broker repeats it, it is handed out anew.
    void given_up();
    /// A QoS 2 message was handled in an earlier life, and not released.
    void restore(PacketId id) { seen_[id].handled = true; }
    /// A session is present that may not be the one we know: without DUP, a known identifier names another message.
    void session_uncertain();

    std::size_t unacknowledged() const noexcept;
    std::vector<PacketId> seen() const; // QoS 2 identifiers, ascending

private:
    struct Due {
        PacketId id;
        QoS qos;
        bool handed_out = true; // false: a repetition of what the user has already
        bool handled = false;
        Reason reason = Reason::success;
    };
    struct Seen {
        InboundId due = 0;    // where its PUBREC stands in due_; 0: nowhere, on this connection
        bool counted = false; // against the Receive Maximum of this connection
        bool handled = false;
        Reason reason = Reason::success;
        bool doubtful = false; // known from a session that may be gone
    };

    Due* due(InboundId id) noexcept;
    InboundId append(Due);

    std::uint16_t receive_maximum_;
    std::size_t window_ = 0;                          // of the Receive Maximum, what is taken
    Ring<Due> due_;                                   // of the present connection
    InboundId base_ = 1;                              // of due_.front()
    std::unordered_map<PacketId, Seen> seen_;         // QoS 2
    std::unordered_map<InboundId, PacketId> earlier_; // handed out on an earlier connection, not yet handled; QoS 2
};

} // namespace tortoise::core
