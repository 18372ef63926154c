#include "core/codec/golden.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <tortoise/core/codec.hpp>

#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

std::string label(const Golden& golden) {
    return golden.name + " in MQTT " + std::string(to_string(golden.version)) + ":" + hex(golden.octets);
}

TEST(Golden, EveryPacketTypeOfBothVersionsIsThere) {
    std::set<std::pair<Version, PacketType>> seen;
    for (const auto& golden : golden_packets()) seen.emplace(golden.version, type_of(golden.packet));
    EXPECT_EQ(seen.size(), 14u + 15u); // AUTH is of MQTT 5 only
}

TEST(Golden, DecodeGivesThePacket) {
    for (const auto& golden : golden_packets()) {
        SCOPED_TRACE(label(golden));
        const auto packet = decode(golden.version, golden.octets);
        ASSERT_TRUE(packet) << packet.error().describe();
        EXPECT_EQ(*packet, golden.packet) << print(*packet, {true});
    }
}

// [MQTT3-2.2.2-1] [MQTT3-3.1.2-11] [MQTT5-2.2.2-1] [MQTT-3.1.3-1] [MQTT-3.1.3-3]
TEST(Golden, EncodeGivesTheOctets) {
    for (const auto& golden : golden_packets()) {
        if (!golden.shortest) continue;
        SCOPED_TRACE(label(golden));
        std::string out = "before";
        const auto done = encode(golden.version, golden.packet, out);
        ASSERT_TRUE(done) << done.error().describe();
        EXPECT_EQ(hex(out), hex("before" + golden.octets));
    }
}

TEST(Golden, TheSizeOfAPublishIsKnownBeforehand) {
    for (const auto& golden : golden_packets())
        if (const auto* publish = std::get_if<Publish>(&golden.packet)) {
            SCOPED_TRACE(label(golden));
            EXPECT_EQ(encoded_size(golden.version, *publish), golden.octets.size());
        }
}

TEST(Golden, AConnectTellsItsVersionItself) {
    for (const auto& golden : golden_packets())
        if (const auto* connect = std::get_if<Connect>(&golden.packet)) {
            SCOPED_TRACE(label(golden));
            for (const auto version : {Version::v3_1_1, Version::v5}) {
                const auto packet = decode(version, golden.octets);
                ASSERT_TRUE(packet);
                EXPECT_EQ(std::get<Connect>(*packet), *connect);
                std::string out;
                ASSERT_TRUE(encode(version, golden.packet, out));
                EXPECT_EQ(out, golden.octets);
            }
        }
}

// The table of the specification: where Remaining Length grows by an octet. [MQTT-2.2.3]
TEST(Golden, RemainingLengthHasTheOctetsOfTheTable) {
    const std::pair<std::size_t, const char*> rows[] = {
        {127, "7F"},        {128, "8001"},         {16'383, "FF7F"},
        {16'384, "808001"}, {2'097'151, "FFFF7F"}, {2'097'152, "80808001"},
    };
    for (const auto& [length, notation] : rows) {
        const std::string payload(length - 3, 'x');
        const Publish packet{.topic = "t", .payload = payload};
        std::string out;
        ASSERT_TRUE(encode(Version::v3_1_1, packet, out));
        const auto header = octets("30" + std::string(notation));
        EXPECT_EQ(hex(out.substr(0, header.size())), hex(header));
        EXPECT_EQ(out.size(), header.size() + length);
        EXPECT_EQ(encoded_size(Version::v3_1_1, packet), out.size());
        const auto decoded = decode(Version::v3_1_1, out);
        ASSERT_TRUE(decoded);
        EXPECT_EQ(*decoded, Packet(packet));
    }
}

TEST(Golden, APacketCannotBeLargerThanRemainingLengthCanSay) {
    const std::size_t size = 268'435'456 - 3;
    const auto untouched = std::make_unique_for_overwrite<char[]>(size); // never read: it costs no memory
    const Publish packet{.topic = "t", .payload = Octets(untouched.get(), size)};
    EXPECT_EQ(encoded_size(Version::v3_1_1, packet), largest_packet + 1);
    std::string out;
    const auto done = encode(Version::v3_1_1, packet, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::packet_too_large);
    EXPECT_TRUE(out.empty());
}

} // namespace
} // namespace tortoise::core
