#pragma once
/// What passed between a script and its client, a line each.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <tortoise/core/codec.hpp>

namespace tortoise::testing {

class Transcript {
public:
    explicit Transcript(bool payloads) : payloads_(payloads) {}

    /// One line about a packet, cut if it is long.
    std::string print(const core::Packet&) const;

    void received(const core::Packet& packet) { add("client: " + print(packet)); }
    void sent(std::string_view what) { add("script: " + std::string(what)); }
    void note(std::string_view what) { add("        (" + std::string(what) + ")"); }

    /// All lines, or the last ones if there are very many; each indented.
    std::string text() const;

private:
    void add(std::string line);

    const bool payloads_;
    std::deque<std::string> lines_;
    std::size_t left_out_ = 0;
};

/// Cut if it is very long, but not within a character of UTF-8.
std::string one_line(std::string);
/// The beginning of some octets, for people: `5 octets: 20 03 00 00 00`.
std::string hexadecimal(Octets);

} // namespace tortoise::testing
