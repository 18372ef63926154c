/// Frame reader and packet decoder, both versions. Input: an octet that chooses version, largest packet and slices;
/// then the stream.

#include <tortoise/core/codec.hpp>

#include "fuzz/input.hpp"

namespace tortoise::fuzz {
namespace {

using namespace core;

/// What decodes can be encoded, and comes back the same.
void check(Version version, const Frame& frame) {
    const Exact whole(frame.whole);
    const auto packet = decode(version, whole);
    if (!packet) {
        require(!packet.error().text.empty(), "a refusal says why");
        require(packet.error().code.category() == reason_category(), "a refusal has a reason");
        return;
    }
    require(type_of(*packet) == static_cast<PacketType>(frame.first >> 4), "the type is that of the fixed header");
    require(!print(*packet).empty(), "packets can be printed");
    std::string again;
    require(bool(encode(version, *packet, again)), "what decodes can be encoded");
    require(again.size() <= frame.whole.size(), "no encoding is longer than one that was decoded");
    if (const auto* publish = std::get_if<Publish>(&*packet))
        require(encoded_size(version, *publish) == again.size(), "the size of a PUBLISH is known beforehand");
    const auto back = decode(version, again);
    require(back && *back == *packet, "an encoding decodes to the same packet");
}

/// The stream in pieces, against the stream in one.
void in_pieces(Octets stream, std::size_t most, unsigned pattern, std::string& frames) {
    FrameReader reader(most);
    std::size_t fed = 0;
    while (fed < stream.size()) {
        pattern = pattern * 1103515245u + 12345u;
        const Exact piece(stream.substr(fed, 1 + (pattern >> 16) % 11));
        fed += Octets(piece).size();
        reader.feed(piece);
        while (true) {
            const auto frame = reader.next();
            if (!frame) return;
            require(reader.pending() <= most, "no more is kept than the largest packet");
            if (!*frame) break;
            require((*frame)->whole.size() <= most, "no packet is larger than allowed");
            frames += (*frame)->whole;
        }
    }
}

void run(Input input) {
    const auto choice = input.octet();
    const auto version = (choice & 1) != 0 ? Version::v5 : Version::v3_1_1;
    constexpr std::size_t largest[] = {largest_packet, 16, 64, 300};
    const std::size_t most = largest[(choice >> 1) & 3];
    const Exact stream(input.octets(1 << 20));
    FrameReader reader(most);
    reader.feed(stream);
    std::string frames;
    while (true) {
        const auto frame = reader.next();
        if (!frame) {
            require(!reader.next(), "a broken stream stays broken");
            break;
        }
        if (!*frame) break;
        frames += (*frame)->whole;
        check(version, **frame);
    }
    require(Octets(stream).starts_with(frames), "frames are the stream");
    std::string sliced;
    in_pieces(stream, most, choice, sliced);
    require(sliced == frames, "slices make no difference");
}

} // namespace
} // namespace tortoise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tortoise::fuzz::run({data, size});
    return 0;
}
