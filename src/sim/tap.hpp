#pragma once
/// Listens to one connection and judges every packet by the rules of MQTT, the client's and the broker's. Each packet
/// is decoded once, when it is sent; what follows from it happens when its last octet reaches the other side.

#include "sim/judge.hpp"
#include "sim/ledger.hpp"
#include "sim/session_model.hpp"

#include <deque>
#include <tortoise/core/codec.hpp>

namespace tortoise::sim {

class Tap {
public:
    /// `held`: what the client says may wait that long for its disk. `broker_call` numbers the calls of the broker;
    /// `life_connacks` counts those that the client got in this life.
    Tap(Judge& judge, Ledger& ledger, SessionModel& session, const core::EngineOptions& options, std::uint32_t client,
        const std::uint64_t& broker_call, std::uint32_t& life_connacks, Duration held = {})
        : judge_(judge), ledger_(ledger), session_(session), version_(options.version), client_id_(options.client_id),
          clean_start_(options.session.clean_start), client_(client), broker_call_(broker_call),
          life_connacks_(life_connacks), held_(held) {}

    void client_sends(Octets);
    void broker_sends(Octets);
    void client_gets(std::size_t octets);
    void broker_gets(std::size_t octets);

    /// CONNACK reached the client.
    bool up() const noexcept { return up_; }
    bool client_said_goodbye() const noexcept { return goodbye_; }
    /// How many PUBLISH packets of QoS 0 and 1 reached the client.
    std::uint64_t publishes_received() const noexcept { return publishes_received_; }
    /// When the client has to say something at the latest, if keep-alive is on. [MQTT-3.1.2-20]
    std::optional<Time> must_speak_by() const noexcept;

private:
    struct Limits { // what one side told the other
        std::uint32_t receive_maximum = 65'535;
        std::size_t packet_size = core::largest_packet;
        std::uint32_t topic_aliases = 0;
        std::uint32_t maximum_qos = 2;
        bool retain = true;
    };
    struct Passing { // a packet on its way
        std::uint64_t end = 0;
        core::PacketType type = {};
        PacketId id = 0;
        QoS qos = {};
        Reason reason = {};
        bool session_present = false;
        std::vector<TopicFilter> filters = {};
    };
    struct Stream { // one direction of the connection
        core::FrameReader reader;
        std::deque<Passing> passing;
        std::uint64_t sent = 0, delivered = 0;
        Limits limits; // of the receiver
        std::uint32_t quota = 65'535;
        std::unordered_map<std::uint32_t, std::string> aliases;
        std::uint64_t last_resent = 0;
        std::deque<PacketId> pubrel_due; // PUBREC packets of the other side that want a PUBREL
        std::deque<PacketId> puback_due, pubrec_due, pubcomp_due;
    };

    void sends(Side, Octets);
    void packet(Side, const core::Packet&, std::size_t size);
    void order_of_packets(Side, core::PacketType);
    void publish(Side, const core::Publish&);
    void publish_from_client(const core::Publish&, bool repetition);
    bool given_up(const Outgoing::Entry&);
    bool allowed_now(const Post&);
    void forget_given_up(PacketId, core::Token user);
    void identifier(Side, const core::Publish&, core::Token, bool& repetition);
    void ack(Side, const core::Ack&);
    void connect(const core::Connect&);
    void connack(const core::Connack&);
    void suback(const core::Suback&);
    void request(const core::Packet&, Passing&);

    void arrived(Side to, const Passing&);
    void acknowledged(Side sender, const Passing&);
    void connack_arrived(const Passing&);
    void unsubscribed(const Passing&);
    void fail(Side, const std::string& what);

    Stream& stream(Side from) { return streams_[static_cast<int>(from)]; }
    Outgoing& outgoing(Side from) { return from == Side::client ? session_.from_client : session_.from_broker; }

    Judge& judge_;
    Ledger& ledger_;
    SessionModel& session_;
    Version version_;
    std::string client_id_;
    bool clean_start_;
    std::uint32_t client_;
    const std::uint64_t& broker_call_;
    std::uint32_t& life_connacks_;
    Duration held_; // the client's octets may wait that long for its disk

    Stream streams_[2];
    bool up_ = false, accepted_ = false, goodbye_ = false, broker_goodbye_ = false;
    std::uint32_t keep_alive_ = 0; // seconds, in force
    std::optional<std::uint32_t> server_keep_alive_;
    Time last_spoken_ = {};
    std::uint64_t publishes_received_ = 0;
    std::unordered_map<PacketId, std::vector<TopicFilter>> subscribing_; // at the broker, without SUBACK yet
};

} // namespace tortoise::sim
