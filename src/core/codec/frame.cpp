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

Error bad_remaining_length() {
    return broken(Version::v5, rule::varint, Reason::malformed_packet, "Remaining Length",
                  "is not a variable byte integer of at most four octets, and no more than needed");
}

void FrameReader::feed(Octets octets) {
    input_ = octets;
    give_back(whole_);
}

bool FrameReader::next_whole(Frame& into) noexcept {
    const char* const at = input_.data();
    const std::size_t have = input_.size();
    if (have < 2 || !tail_.empty() || broken_ != Reason::success) return false;
    std::size_t head = 2, length = static_cast<std::uint8_t>(at[1]);
    if (length >= 128) {
        const auto more = have > 2 ? static_cast<std::uint8_t>(at[2]) : 0u;
        if (more == 0 || more >= 128) return false;
        length = (length & 127) | more << 7;
        head = 3;
    }
    if (have - head < length || head + length > max_ || have < head) return false;
    into.first = static_cast<std::uint8_t>(*at);
    into.body = {at + head, length};
    into.whole = {at, head + length};
    input_ = {at + head + length, have - head - length};
    return true;
}

Result<std::optional<Frame>> FrameReader::next() {
    if (broken_ != Reason::success) return fail(broken_);
    if (!tail_.empty()) return next_of_tail();
    const auto header = read_fixed_header(input_);
    if (header.outcome == Varint::malformed) return fail(Reason::malformed_packet);
    if (header.outcome == Varint::ok && header.total > max_) return fail(Reason::packet_too_large);
    if (header.outcome == Varint::incomplete || input_.size() < header.total) {
        take(input_.size());
        return std::optional<Frame>{};
    }
    const auto whole = input_.substr(0, header.total);
    input_.remove_prefix(header.total);
    return std::optional(frame_of(whole, header.size));
}

/// The fixed header may end in the new octets: they are looked at one by one.
Result<std::optional<Frame>> FrameReader::next_of_tail() {
    auto header = read_fixed_header(tail_);
    while (header.outcome == Varint::incomplete && !input_.empty()) {
        take(1);
        header = read_fixed_header(tail_);
    }
    if (header.outcome == Varint::malformed) return fail(Reason::malformed_packet);
    if (header.outcome == Varint::ok && header.total > max_) return fail(Reason::packet_too_large);
    if (header.outcome == Varint::ok) take(std::min(header.total - tail_.size(), input_.size()));
    if (header.outcome == Varint::incomplete || tail_.size() < header.total) return std::optional<Frame>{};
    whole_.swap(tail_);
    give_back(tail_);
    return std::optional(frame_of(whole_, header.size));
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
