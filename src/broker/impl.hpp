#pragma once
/// The conductor: network connections, and what each packet of theirs does. A file per kind of packet.

#include "broker/sessions.hpp"

#include <tortoise/error.hpp>

namespace tortoise::broker {

struct Engine::Impl {
    explicit Impl(testing::BrokerOptions);

    // engine.cpp
    void deny_topics();
    Connection* find(ClientId) const;
    void receive(Time now, Connection&);
    void handle(Time now, Connection&, const core::Frame&);
    void run_connections(Time now);
    void arm(Connection&);
    std::optional<Time> silence_ends(const Connection&) const;

    // connect.cpp
    void on_connect(Time now, Connection&, const core::Frame&);
    std::optional<Error> objection(const core::Connect&) const;
    void accept(Time now, Connection&, const core::Connect&, Octets authentication_data);
    void negotiate(Connection&, const core::Connect&) const;
    void answer_connect(Connection&, const core::Connect&, bool session_present, std::string_view assigned_id,
                        Octets authentication_data);
    void refuse(Time now, Connection&, Reason, std::string_view text);

    // authentication.cpp
    void begin_authentication(Time now, Connection&, const core::Connect&, Octets whole);
    void on_packet_before_connack(Time now, Connection&, const core::Frame&);
    void on_auth(Time now, Connection&, const core::Auth&);
    void go_on(Time now, Connection&, Octets data);
    void refuse_authentication(Time now, Connection&, Reason, std::string_view text);
    bool wants_authentication() const;

    // publish.cpp
    /// The properties that the broker itself looks at, read in one pass.
    struct PublishFacts {
        explicit PublishFacts(PropertiesView);
        std::optional<std::uint32_t> alias;
        std::optional<std::uint32_t> expiry; // seconds
        bool subscription_identifier = false;
    };
    void on_publish(Time now, Connection&, const core::Publish&);
    std::optional<Error> violation(const Connection&, const core::Publish&, const PublishFacts&) const;
    void answer_publish(Time now, Connection&, core::PacketType, core::PacketId, Reason, std::string_view text = {});
    void on_ack(Time now, Connection&, const core::Ack&);
    void on_release(Time now, Connection&, core::PacketId);
    bool may_publish(std::string_view topic);
    void punish(Time now, Connection&, const core::Publish&, const Breach&);

    // subscribe.cpp
    void on_subscribe(Time now, Connection&, const core::Subscribe&);
    Reason judgement(const Session&, const core::Subscribe::Entry&) const;
    std::optional<Error> violation(const core::Subscribe&) const;
    void punish(Time now, Connection&, const core::Subscribe&, const Breach&);
    void on_unsubscribe(Time now, Connection&, const core::Unsubscribe&);

    // disconnect.cpp
    void on_disconnect(Time now, Connection&, const core::Disconnect&);
    /// Ends a connection because of something that its client did, or that happened: a DISCONNECT with the reason on
    /// MQTT 5, and nothing that came behind it is looked at. [MQTT-4.13.1-1]
    void hang_up(Time now, Connection&, Reason, std::string_view text);
    void hang_up(Time now, Connection&, const Error&);
    /// Ends it without a word.
    void close(Time now, Connection&);
    /// Sends what the client needs; without it the connection has no sense and ends.
    void send_or_close(Time now, Connection&, const core::Packet&);

    std::uint32_t granted_expiry(std::uint32_t asked) const;

    Context context;
    Sessions sessions;
    Judge judge;
    core::TopicTree denied_topics;
    std::vector<core::TopicTree::Value> denied;
    std::unordered_map<ClientId, std::unique_ptr<Connection>> connections;
    Timers timers; // of connections: the CONNECT that has to come, then the keep alive
};

Reason reason_of(const Error&);

} // namespace tortoise::broker
