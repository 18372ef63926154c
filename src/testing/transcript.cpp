#include "testing/transcript.hpp"

namespace tortoise::testing {

namespace {

constexpr std::size_t longest_line = 400, most_lines = 200, most_octets = 32;

} // namespace

std::string one_line(std::string line) {
    if (line.size() <= longest_line) return line;
    std::size_t end = longest_line;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line.resize(end);
    return line + " ...";
}

std::string Transcript::print(const core::Packet& packet) const {
    return one_line(core::print(packet, {.payloads = payloads_}));
}

void Transcript::add(std::string line) {
    lines_.push_back(std::move(line));
    if (lines_.size() <= most_lines) return;
    lines_.pop_front();
    ++left_out_;
}

std::string Transcript::text() const {
    std::string text;
    if (left_out_ > 0) text += "  (" + std::to_string(left_out_) + " earlier lines are left out)\n";
    for (const auto& line : lines_) text += "  " + line + "\n";
    return text;
}

std::string hexadecimal(Octets octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = std::to_string(octets.size()) + (octets.size() == 1 ? " octet:" : " octets:");
    for (const char c : octets.substr(0, most_octets)) {
        const auto octet = static_cast<unsigned char>(c);
        text.append({' ', digits[octet >> 4], digits[octet & 0xF]});
    }
    return octets.size() > most_octets ? text + " ..." : text;
}

} // namespace tortoise::testing
