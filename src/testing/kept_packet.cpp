#include "testing/kept_packet.hpp"

namespace tortoise::testing {

namespace {

/// Moves what a packet borrows into an arena.
class Keeper {
public:
    explicit Keeper(std::deque<std::string>& into) : into_(into) {}

    void operator()(core::Connect& p) const {
        keep(p.client_id);
        if (p.user_name) keep(*p.user_name);
        if (p.password) keep(*p.password);
        if (p.will) {
            keep(p.will->topic);
            keep(p.will->payload);
            keep(p.will->properties);
        }
        keep(p.properties);
    }
    void operator()(core::Publish& p) const {
        keep(p.topic);
        keep(p.payload);
        keep(p.properties);
    }
    void operator()(core::Subscribe& p) const {
        for (auto& entry : p.entries) keep(entry.filter);
        keep(p.properties);
    }
    void operator()(core::Unsubscribe& p) const {
        for (auto& filter : p.filters) keep(filter);
        keep(p.properties);
    }
    template <class Other> void operator()(Other& p) const {
        if constexpr (requires { p.properties; }) keep(p.properties);
    }

private:
    void keep(std::string_view& octets) const { octets = into_.emplace_back(octets); }
    void keep(PropertiesView& properties) const {
        properties = PropertiesView(into_.emplace_back(properties.octets()));
    }

    std::deque<std::string>& into_;
};

} // namespace

KeptPacket::KeptPacket(const core::Packet& packet) : packet_(packet) { std::visit(Keeper(octets_), packet_); }

core::PacketId id_of(const core::Packet& packet) noexcept {
    return std::visit(
        [](const auto& p) {
            if constexpr (requires { p.id; }) return p.id;
            return core::PacketId{0};
        },
        packet);
}

core::Packet with_id(core::Packet packet, core::PacketId id) noexcept {
    std::visit(
        [id](auto& p) {
            if constexpr (requires { p.id; }) p.id = id;
        },
        packet);
    return packet;
}

bool wants_id(const core::Packet& packet) noexcept {
    if (const auto* publish = std::get_if<core::Publish>(&packet))
        return publish->id == 0 && publish->qos != QoS::at_most_once;
    return std::visit(
               [](const auto& p) {
                   return requires { p.id; };
               },
               packet) &&
           id_of(packet) == 0;
}

} // namespace tortoise::testing
