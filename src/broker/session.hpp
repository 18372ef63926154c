#pragma once
/// The state of one client identifier that outlives its network connections. [MQTT-4.1]

#include "broker/connection.hpp"
#include "broker/in_flight.hpp"

#include <deque>
#include <map>
#include <string>
#include <unordered_map>

namespace tortoise::broker {

/// Published when a connection ends without a DISCONNECT that forbids it.
struct Will {
    StoredRef message = {};                            // what expires is set when it is published
    std::optional<std::uint32_t> expiry_interval = {}; // seconds
    std::uint32_t delay = 0;                           // seconds
};

class Session {
public:
    Session(Context&, std::uint64_t serial, std::string client_id);

    const std::uint64_t serial; // never used again
    const std::string client_id;
    const std::uint64_t publisher; // the same for every session of this client identifier; for No Local

    // How it ends; kept by Sessions.
    static constexpr std::uint32_t never = 0xFFFF'FFFF;
    std::uint32_t expiry = 0; // seconds after the connection ended; `never`
    std::optional<Will> will = {};
    std::optional<Time> will_at = {};
    std::optional<Time> expires_at = {};

    // Kept by Subscriptions: by whole filter, `$share/…` included; and its note of the message that is being routed.
    std::map<std::string, std::uint32_t, std::less<>> subscriptions = {};
    std::uint64_t route_mark = 0;
    std::size_t route_target = 0;

    Connection* connection() const noexcept { return connection_; }
    /// A network connection takes it up: what is in flight is sent again once flush() is called. [MQTT-4.4.0-1]
    void attach(Connection&);
    void detach();

    /// Sends the message, or keeps it until it can be sent; a message of QoS 0 for nobody is gone.
    void deliver(Time now, Letter&, Grant);
    /// Sends what waits, as far as the client's receive maximum and the output allow.
    void flush(Time now);

    /// PUBACK, PUBREC or PUBCOMP for what was sent; answers PUBREC. False: it does not fit what it acknowledges.
    bool acknowledged(Time now, const core::Ack&);

    // Inbound QoS 2: identifiers received and not released. [MQTT-4.3.3-10]
    bool has_inbound(core::PacketId id) const { return inbound_.contains(id); }
    /// Is it counted for the broker's receive maximum on the present connection?
    bool counts_inbound(core::PacketId) const;
    /// Notes that it was received, again or for the first time, on the present connection.
    void received_qos2(core::PacketId);
    /// False if the identifier is not known.
    bool release_qos2(core::PacketId);
    std::vector<std::uint16_t> inbound_ids() const;

    std::size_t queued() const noexcept { return queue_.size() + queue_qos0_.size(); }
    std::size_t in_flight() const noexcept { return in_flight_.size(); }

    /// Takes the messages out that a shared subscription chose this session for: those that were never sent, and, if
    /// asked for, those of QoS 1 that were not acknowledged. In order.
    std::vector<Delivery> take_shared(bool unacknowledged);

private:
    bool window_open() const noexcept { return window_used_ < connection_->client.receive_maximum; }
    void keep(Time now, Letter&, Grant);
    bool make_room(Time now);
    void drop_oldest_qos0();
    void drop_expired(Time now);
    void send_qos0(Time now, Letter&, const Grant&);
    bool send_new(Time now, Letter&, Grant&, std::uint64_t order);
    bool resend(Time now);
    bool send_next(Time now);
    void finish(InFlight&);

    Context& context_;
    Connection* connection_ = nullptr;
    std::uint64_t last_order_ = 0;
    std::deque<Delivery> queue_;      // QoS 1 and 2
    std::deque<Delivery> queue_qos0_; // apart, so that a closed window does not hold them and the oldest is at hand
    std::size_t queue_qos0_octets_ = 0;
    bool has_shared_ = false; // a shared subscription ever chose this session
    Time next_sweep_ = Time::min();
    InFlightTable in_flight_;
    std::deque<core::PacketId> resend_;                    // published before this connection and not sent on it yet
    std::size_t window_used_ = 0;                          // of the client's receive maximum
    std::unordered_map<core::PacketId, ClientId> inbound_; // and the connection that counts it
};

} // namespace tortoise::broker
