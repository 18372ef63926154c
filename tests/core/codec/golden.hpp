#pragma once
/// Packets and what they look like on the wire, written down by hand from the specifications.

#include <string>
#include <tortoise/core/packet.hpp>
#include <vector>

namespace tortoise::core {

struct Golden {
    std::string name;
    Version version;
    std::string octets;
    Packet packet;
    bool shortest = true; // what encode makes of the packet; false: a longer form that decode takes as well
};

const std::vector<Golden>& golden_packets();

} // namespace tortoise::core
