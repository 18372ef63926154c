#pragma once
/// A step of a script, as data.

#include "testing/expectation.hpp"
#include "testing/kept_packet.hpp"
#include "testing/transcript.hpp"
#include <source_location>
#include <string>
#include <tortoise/testing/script.hpp>
#include <variant>
#include <vector>

namespace tortoise::testing {

namespace step {

struct ExpectClose {};
struct Silence {
    Gate until;
};
struct Accept {};
struct Send {
    std::vector<std::variant<KeptPacket, Raw>> parts;
    bool begun = false;
};
struct Reply {
    Fn<core::Packet(std::span<const core::Packet>)> make;
    bool begun = false;
};
struct Split {
    std::size_t octets;
};
struct Close {};
struct Drop {};
struct Await {
    Gate gate;
};
struct Open {
    Gate gate;
};
struct Call {
    Fn<void()> function;
};

} // namespace step

struct Step {
    std::variant<Expectation, step::ExpectClose, step::Silence, step::Accept, step::Send, step::Reply, step::Split,
                 step::Close, step::Drop, step::Await, step::Open, step::Call>
        action;
    std::source_location where;
    bool watched = false; // its gate has been told to wake the script
};

/// One line.
std::string describe(const Step&, const Transcript&);

} // namespace tortoise::testing
