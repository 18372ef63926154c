#pragma once
/// Random valid packets of every type and both versions, from a seed.

#include <deque>
#include <random>
#include <string>
#include <tortoise/core/packet.hpp>

namespace tortoise::core {

/// A packet and what it borrows.
class RandomPackets {
public:
    explicit RandomPackets(std::uint64_t seed) : random_(seed) {}

    /// Valid until the next call.
    const Packet& next(Version);
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

private:
    Packet make(PacketType);
    Connect connect();
    Connack connack();
    Publish publish();
    Ack ack(PacketType);
    Subscribe subscribe();
    Suback suback();
    Unsubscribe unsubscribe();
    Unsuback unsuback();
    Disconnect disconnect();
    Auth auth();

    bool coin() { return below(2) == 0; }
    bool v5() const { return version_ == Version::v5; }
    PacketId id() { return static_cast<PacketId>(1 + below(65'535)); }
    QoS qos() { return static_cast<QoS>(below(3)); }
    Reason pick(std::initializer_list<Reason>);
    std::string_view keep(std::string);
    std::string_view text(); // UTF-8 without wildcards and separators, perhaps empty
    std::string_view topic();
    std::string_view filter();
    Octets binary(std::size_t below);
    /// Some of the properties that may stand there; none on 3.1.1.
    PropertiesView properties(unsigned places, bool with_method = false);
    void add_property(std::string& to, unsigned id);

    std::mt19937_64 random_;
    Version version_ = Version::v5;
    std::deque<std::string> kept_;
    Packet packet_;
};

} // namespace tortoise::core
