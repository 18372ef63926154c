#pragma once
/// The broker engine with clients at its wires, on virtual time. Clients send packets and look at what came.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <tortoise/core/codec.hpp>
#include <vector>

#include "broker/engine.hpp"

namespace broker_test {

using namespace std::chrono_literals;
using namespace tortoise;
using broker::ClientId;
using broker::Engine;
using core::PacketId;
using core::PacketType;
using core::Time;
using tortoise::testing::BrokerOptions;

/// A packet together with the octets it borrows from.
template <class P> struct Got {
    std::shared_ptr<const std::string> octets = {};
    P packet = {};
    const P* operator->() const { return &packet; }
    const P& operator*() const { return packet; }
};

struct ConnectAs {
    bool clean_start = true;
    std::uint16_t keep_alive = 0;
    std::optional<core::ConnectWill> will = {};
    std::optional<std::string_view> user_name = {};
    std::optional<Octets> password = {};
    Properties properties = {};
};

/// What a PUBLISH carries beside topic and payload.
struct PublishAs {
    QoS qos = QoS::at_most_once;
    PacketId id = 0;
    bool retain = false;
    bool duplicate = false;
    Properties properties = {};
};

class World;

class Client {
public:
    Client(World& world, Version v, ClientId number) : version(v), id(number), world_(world) {}

    const Version version;
    const ClientId id;
    bool reads = true; // false: the broker's output stays unwritten

    /// The broker closed the connection, or this client did.
    bool closed() const { return closed_; }

    Client& send(const core::Packet&);
    Client& send_raw(Octets);
    /// The network connection breaks without a word.
    void drop();
    /// Lets the broker write what waits.
    void read_all();

    Client& connect(std::string_view client_id, const ConnectAs& = {});
    Client& publish(std::string_view topic, Octets payload, const PublishAs& = {});
    Client& ack(PacketType type, PacketId packet_id, Reason reason = Reason::success);
    Client& subscribe(PacketId packet_id, std::vector<core::Subscribe::Entry> entries, std::uint32_t subscription = 0);
    /// Subscribes and expects it to be granted.
    Client& subscribed(std::string_view filter, SubscribeOptions options = {}, std::uint32_t subscription = 0);
    Client& subscribed(std::string_view filter, QoS qos) { return subscribed(filter, {.qos = qos}); }
    Client& disconnect(Reason reason = Reason::success, const Properties& = {});

    /// The next packet, which has to be of that type.
    template <class P> Got<P> expect() {
        if (inbox_.empty()) {
            ADD_FAILURE() << "nothing came" << (closed_ ? ", the connection is closed" : "");
            return {};
        }
        auto next = inbox_.front();
        inbox_.pop_front();
        const auto* packet = std::get_if<P>(&next.packet);
        if (!packet) ADD_FAILURE() << "another packet came: " << core::print(next.packet, {.payloads = true});
        return packet ? Got<P>{next.octets, *packet} : Got<P>{};
    }
    Got<core::Ack> expect_ack(PacketType type, PacketId packet_id, Reason reason = Reason::success);
    /// The next PUBLISH, with these.
    Got<core::Publish> expect_publish(std::string_view topic, Octets payload, QoS qos = QoS::at_most_once);
    void expect_nothing();
    /// A DISCONNECT with the reason on MQTT 5, then or otherwise the end.
    void expect_closed(Reason reason);
    std::size_t waiting() const { return inbox_.size(); }
    /// How many packets of the type wait.
    std::size_t count(PacketType type) const;

private:
    friend class World;
    void take(std::string octets);

    World& world_;
    core::FrameReader reader_;
    std::deque<Got<core::Packet>> inbox_;
    std::string unwritten_;
    bool closed_ = false;
};

class World {
public:
    explicit World(BrokerOptions options = {}) : engine(std::move(options)) {}

    Engine engine;
    Time now{};

    /// A network connection without CONNECT.
    Client& open(Version);
    /// Connects and expects to be let in.
    Client& join(Version, std::string_view client_id, const ConnectAs& = {});
    /// Time goes by, from deadline to deadline.
    void pass(std::chrono::nanoseconds);
    /// Carries the broker's output to the clients.
    void pump();
    broker::Snapshot::Session session(std::string_view client_id) const;
    bool has_session(std::string_view client_id) const;

private:
    friend class Client;
    std::deque<Client> clients_;
};

/// Tests that hold for both versions alike.
class BothVersions : public ::testing::TestWithParam<Version> {
protected:
    static bool v5() { return GetParam() == Version::v5; }
    /// How a session is kept: session expiry on MQTT 5, Clean Session 0 on 3.1.1.
    static ConnectAs keeping() {
        ConnectAs as{.clean_start = false};
        if (v5()) as.properties.set(property::session_expiry_interval, 3600);
        return as;
    }
};

inline std::string version_name(const ::testing::TestParamInfo<Version>& info) {
    return info.param == Version::v5 ? "v5" : "v3_1_1";
}

inline const auto both_versions = ::testing::Values(Version::v3_1_1, Version::v5);

inline constexpr QoS qos_0 = QoS::at_most_once;
inline constexpr QoS qos_1 = QoS::at_least_once;
inline constexpr QoS qos_2 = QoS::exactly_once;

/// Properties in one expression: `with(property::receive_maximum, 3)`.
template <class Value> Properties with(PropertyKey<Value> key, Value value) { return Properties{}.set(key, value); }

} // namespace broker_test
