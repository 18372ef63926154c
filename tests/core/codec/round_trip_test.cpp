/// What random valid packets show: encode and decode are each other's inverse, and no prefix and no wrong octet does
/// harm.

#include <gtest/gtest.h>

#include <map>
#include <tortoise/core/codec.hpp>
#include <vector>

#include "core/codec/golden.hpp"
#include "core/codec/octets.hpp"
#include "core/codec/random_packets.hpp"

namespace tortoise::core {
namespace {

constexpr std::uint64_t seed = 20'260'101;

TEST(RoundTrip, OneHundredTwentyThousandRandomPackets) {
    RandomPackets random(seed);
    std::map<PacketType, std::size_t> seen;
    std::string wire, again;
    for (std::size_t i = 0; i < 120'000; ++i) {
        const auto version = i % 3 == 0 ? Version::v3_1_1 : Version::v5;
        const Packet& packet = random.next(version);
        ++seen[type_of(packet)];
        wire.clear();
        const auto done = encode(version, packet, wire);
        ASSERT_TRUE(done) << "packet " << i << ": " << done.error().describe() << "\n" << print(packet, {true});
        const auto decoded = decode(version, wire);
        ASSERT_TRUE(decoded) << "packet " << i << ": " << decoded.error().describe() << hex(wire);
        ASSERT_EQ(*decoded, packet) << "packet " << i << ":" << hex(wire);
        again.clear();
        ASSERT_TRUE(encode(version, *decoded, again));
        ASSERT_EQ(again, wire) << "packet " << i;
    }
    EXPECT_EQ(seen.size(), 15u);
    for (const auto& [type, count] : seen) EXPECT_GT(count, 4'000u) << to_string(type);
}

/// The quick way says the same as the careful one, or nothing.
void expect_quick_agrees(Version version, const Frame& frame) {
    Publish quick;
    if (!decode_plain(version, frame, quick)) return;
    const auto careful = decode(version, frame);
    ASSERT_TRUE(careful) << careful.error().describe();
    ASSERT_TRUE(std::get<Publish>(*careful) == quick) << print(*careful);
}
void expect_quick_agrees(Version version, Octets wire) {
    FrameReader quick_reader, careful_reader;
    quick_reader.feed(wire);
    careful_reader.feed(wire);
    Frame quick;
    if (!quick_reader.next_whole(quick)) return;
    const auto careful = careful_reader.next();
    ASSERT_TRUE(careful && *careful);
    ASSERT_EQ((*careful)->whole, quick.whole);
    ASSERT_EQ((*careful)->body, quick.body);
    ASSERT_EQ((*careful)->first, quick.first);
    ASSERT_EQ(careful_reader.take_rest(), quick_reader.take_rest());
    expect_quick_agrees(version, quick);
}

TEST(Quick, TakesTheUsualPublish) {
    for (const auto version : {Version::v3_1_1, Version::v5})
        for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once})
            for (const std::size_t size : {0u, 50u, 500u}) {
                const std::string payload(size, 'x');
                const Publish publish{static_cast<PacketId>(qos == QoS::at_most_once ? 0 : 7),
                                      "a/topic/of/many",
                                      payload,
                                      qos,
                                      true,
                                      qos != QoS::at_most_once,
                                      {}};
                std::string wire, checked;
                ASSERT_TRUE(encode(version, publish, wire));
                encode_checked(version, publish, checked);
                EXPECT_EQ(wire, checked);
                FrameReader reader;
                reader.feed(wire);
                Frame frame;
                Publish back;
                ASSERT_TRUE(reader.next_whole(frame) && decode_plain(version, frame, back));
                EXPECT_TRUE(back == publish);
            }
}

/// What it takes is the same for the decoder that looks at everything; whatever octet is wrong.
TEST(Quick, TakesNothingThatIsRefusedOtherwise) {
    for (const auto version : {Version::v3_1_1, Version::v5})
        for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
            const auto id = static_cast<PacketId>(qos == QoS::at_most_once ? 0 : 7);
            std::string wire;
            ASSERT_TRUE(encode(version, Publish{id, "a/topic/of/many", "payload", qos, false, false, {}}, wire));
            for (std::size_t at = 0; at < wire.size(); ++at)
                for (int octet = 0; octet < 256; ++octet) {
                    auto other = wire;
                    other[at] = static_cast<char>(octet);
                    FrameReader reader;
                    reader.feed(other);
                    Frame frame;
                    Publish quick;
                    if (!reader.next_whole(frame) || !decode_plain(version, frame, quick)) continue;
                    const auto thorough = decode_publish(version, frame);
                    ASSERT_TRUE(thorough) << "octet " << octet << " at " << at << ": " << thorough.error().describe();
                    EXPECT_TRUE(quick == *thorough) << "octet " << octet << " at " << at;
                }
        }
}

/// Feeds a stream in random pieces and gives back the packets that come out, each encoded again.
void expect_same_stream(RandomPackets& random, Version version, const std::string& stream) {
    FrameReader reader;
    std::string back;
    for (std::size_t at = 0; at < stream.size();) {
        const std::size_t size = std::min(1 + random.below(random.below(4) == 0 ? 5'000 : 12), stream.size() - at);
        const std::string piece = stream.substr(at, size); // of its own, so that looking beyond it is found out
        reader.feed(piece);
        while (true) {
            Frame quick;
            const bool whole = random.below(2) == 0 && reader.next_whole(quick);
            const auto frame = whole ? Result<std::optional<Frame>>(std::optional(quick)) : reader.next();
            ASSERT_TRUE(frame) << frame.error().describe();
            if (!*frame) break;
            const auto packet = decode(version, **frame);
            ASSERT_TRUE(packet) << packet.error().describe();
            ASSERT_TRUE(encode(version, *packet, back));
        }
        at += size;
    }
    EXPECT_EQ(reader.pending(), 0u);
    EXPECT_EQ(back, stream);
}

TEST(RoundTrip, AStreamInRandomPiecesGivesTheSamePackets) {
    RandomPackets random(seed + 1);
    for (int stream = 0; stream < 200; ++stream) {
        const auto version = stream % 2 == 0 ? Version::v3_1_1 : Version::v5;
        std::string wire;
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(encode(version, random.next(version), wire));
        expect_same_stream(random, version, wire);
        if (HasFailure()) return;
    }
}

/// The reader waits for more; decode, made to look at the prefix alone, refuses it.
void expect_incomplete(Version version, Octets whole) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string prefix(whole.substr(0, size));
        FrameReader reader;
        reader.feed(prefix);
        const auto frame = reader.next();
        ASSERT_TRUE(frame) << frame.error().describe();
        expect_quick_agrees(version, prefix);
        ASSERT_FALSE(*frame) << size << " octets of" << hex(whole);
        ASSERT_EQ(reader.pending(), size);
        ASSERT_FALSE(decode(version, prefix)) << size << " octets of" << hex(whole);
    }
}

/// The same with a Remaining Length that fits what is left: a body that ends too early. Some are packets in their own
/// right, such as a PUBLISH with less payload; whatever they are, encode agrees with decode.
void expect_harmless(Version version, const Frame& frame) {
    for (std::size_t size = 0; size < frame.body.size(); ++size) {
        const std::string body(frame.body.substr(0, size));
        expect_quick_agrees(version, Frame{frame.first, body, body});
        const auto packet = decode(version, Frame{frame.first, body, body});
        std::string out;
        if (packet) {
            ASSERT_TRUE(encode(version, *packet, out)) << print(*packet);
        } else {
            ASSERT_FALSE(packet.error().text.empty());
        }
    }
}

Frame only_frame(Octets whole) {
    FrameReader reader;
    reader.feed(whole);
    return **reader.next();
}

TEST(Truncation, EveryPrefixOfEveryGoldenPacketIsIncomplete) {
    for (const auto& golden : golden_packets()) {
        SCOPED_TRACE(golden.name);
        expect_incomplete(golden.version, golden.octets);
        expect_harmless(golden.version, only_frame(golden.octets));
        if (HasFatalFailure()) return;
    }
}

TEST(Truncation, EveryPrefixOfRandomPacketsIsIncomplete) {
    RandomPackets random(seed + 2);
    for (int i = 0; i < 3'000; ++i) {
        const auto version = i % 2 == 0 ? Version::v3_1_1 : Version::v5;
        std::string wire;
        ASSERT_TRUE(encode(version, random.next(version), wire));
        if (wire.size() > 400) continue;
        expect_incomplete(version, wire);
        expect_harmless(version, only_frame(wire));
        if (HasFatalFailure()) return;
    }
}

/// All 256 values at one place: decoded or refused; what is decoded can be encoded and printed.
void expect_survives(Version version, std::string wire, std::size_t at) {
    for (int value = 0; value < 256; ++value) {
        wire[at] = static_cast<char>(value);
        const std::string exact(wire);
        expect_quick_agrees(version, exact);
        const auto packet = decode(version, exact);
        std::string out;
        if (packet) {
            ASSERT_TRUE(encode(version, *packet, out)) << hex(exact);
            ASSERT_FALSE(print(*packet, {true}).empty());
        }
    }
}

TEST(Corruption, AnyOctetAnywhereInAGoldenPacketIsDecodedOrRefused) {
    for (const auto& golden : golden_packets())
        for (std::size_t at = 0; at < golden.octets.size(); ++at) {
            SCOPED_TRACE(golden.name);
            expect_survives(golden.version, golden.octets, at);
            if (HasFatalFailure()) return;
        }
}

TEST(Corruption, AnyOctetAtRandomPlacesOfRandomPacketsIsDecodedOrRefused) {
    RandomPackets random(seed + 3);
    for (int i = 0; i < 1'500; ++i) {
        const auto version = i % 2 == 0 ? Version::v3_1_1 : Version::v5;
        std::string wire;
        ASSERT_TRUE(encode(version, random.next(version), wire));
        expect_survives(version, wire, random.below(wire.size()));
        if (HasFatalFailure()) return;
    }
}

TEST(Corruption, RandomOctetsAreDecodedOrRefused) {
    std::mt19937_64 random(seed + 4);
    for (int i = 0; i < 100'000; ++i) {
        std::string body(random() % 40, '\0');
        for (auto& c : body) c = static_cast<char>(random() % 3 == 0 ? random() : random() % 8);
        const auto first = static_cast<std::uint8_t>(random());
        const auto version = i % 2 == 0 ? Version::v3_1_1 : Version::v5;
        expect_quick_agrees(version, Frame{first, body, body});
        const auto packet = decode(version, Frame{first, body, body});
        std::string out;
        if (packet) {
            ASSERT_TRUE(encode(version, *packet, out)) << hex(body);
        }
    }
}

} // namespace
} // namespace tortoise::core
