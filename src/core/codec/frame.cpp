#include "core/codec/frame.hpp"

#include <algorithm>
#include <string>

#include "core/codec/rule.hpp"

namespace tortoise::core {
namespace {

constexpr std::size_t large = 64 * 1024; // above that, a buffer without use is given back

void give_back(std::string& buffer) {
    buffer.clear();
    if (buffer.capacity() > large) std::string().swap(buffer);
}

} // namespace

FixedHeader read_fixed_header(Octets octets) noexcept {
    if (octets.empty()) return {};
    const auto length = read_varint(octets.substr(1));
    if (length.outcome != Varint::ok) return {length.outcome};
    return {Varint::ok, 1 + length.size, 1 + length.size + length.value};
}

Frame frame_of(Octets whole, std::size_t header_size) noexcept {
    return {static_cast<std::uint8_t>(whole.front()), whole.substr(header_size), whole};
}

Error bad_remaining_length() {
    return broken(Version::v5, rule::varint, Reason::malformed_packet, "Remaining Length",
                  "is not a variable byte integer of at most four octets, and no more than needed");
}

void FrameReader::feed(Octets octets) {
    input_ = octets;
    give_back(whole_);
}

Result<std::optional<Frame>> FrameReader::next() {
    if (broken_ != Reason::success) return fail(broken_);
    const bool resumed = !tail_.empty();
    // The fixed header may end in the new octets: look at it octet by octet.
    auto header = read_fixed_header(resumed ? Octets(tail_) : input_);
    while (resumed && header.outcome == Varint::incomplete && !input_.empty()) {
        take(1);
        header = read_fixed_header(tail_);
    }
    if (header.outcome == Varint::malformed) return fail(Reason::malformed_packet);
    if (header.outcome == Varint::ok && header.total > max_) return fail(Reason::packet_too_large);
    if (resumed && header.outcome == Varint::ok) take(std::min(header.total - tail_.size(), input_.size()));

    const std::size_t have = resumed ? tail_.size() : input_.size();
    if (header.outcome == Varint::incomplete || have < header.total) {
        take(input_.size());
        return std::optional<Frame>{};
    }
    if (resumed) {
        whole_.swap(tail_);
        give_back(tail_);
        return std::optional(frame_of(whole_, header.size));
    }
    const auto whole = input_.substr(0, header.total);
    input_.remove_prefix(header.total);
    return std::optional(frame_of(whole, header.size));
}

void FrameReader::take(std::size_t count) {
    tail_.append(input_.substr(0, count));
    input_.remove_prefix(count);
}

Error FrameReader::fail(Reason reason) {
    broken_ = reason;
    input_ = {};
    give_back(tail_);
    if (reason == Reason::malformed_packet) return bad_remaining_length();
    return make_error(reason, "a packet is larger than the " + std::to_string(max_) + " octets that are accepted");
}

void FrameReader::reset() {
    input_ = {};
    broken_ = Reason::success;
    give_back(tail_);
    give_back(whole_);
}

} // namespace tortoise::core
