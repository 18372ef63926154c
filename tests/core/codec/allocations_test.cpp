/// What the codec takes from the heap: nothing for what is frequent, and never what a peer merely claims.

#include "core/codec/allocations.hpp"

#include <gtest/gtest.h>

#include <tortoise/core/codec.hpp>

#include "core/codec/golden.hpp"
#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

TEST(Allocations, DecodingTakesNoneButForLists) {
    for (const auto& golden : golden_packets()) {
        SCOPED_TRACE(golden.name);
        const auto before = allocations();
        const auto packet = decode(golden.version, golden.octets);
        const auto taken = allocations().count - before.count;
        ASSERT_TRUE(packet);
        switch (type_of(golden.packet)) {
        case PacketType::subscribe:
        case PacketType::suback:
        case PacketType::unsubscribe:
        case PacketType::unsuback: EXPECT_LE(taken, 3u); break;
        default: EXPECT_EQ(taken, 0u);
        }
    }
}

TEST(Allocations, EncodingTakesNoneWhereThereIsRoom) {
    std::string out;
    out.reserve(1'000);
    for (const auto& golden : golden_packets()) {
        SCOPED_TRACE(golden.name);
        out.clear();
        const auto before = allocations();
        const auto done = encode(golden.version, golden.packet, out);
        EXPECT_EQ(allocations().count, before.count);
        ASSERT_TRUE(done);
    }
}

TEST(Allocations, EncodingTakesOneWhereThereIsNone) {
    const std::string payload(100'000, 'x');
    std::string out;
    const auto before = allocations();
    const auto done = encode(Version::v5, Publish{.topic = "a/b", .payload = payload}, out);
    EXPECT_EQ(allocations().count, before.count + 1);
    ASSERT_TRUE(done);
}

TEST(Allocations, WholePacketsAreFoundWithoutAny) {
    const auto one = octets("30 07 0003 'a/b' 'hi'");
    std::string input;
    for (int i = 0; i < 1'000; ++i) input.append(one);
    const auto before = allocations();
    FrameReader reader;
    reader.feed(input);
    std::size_t frames = 0;
    while (true) {
        const auto frame = reader.next();
        if (!frame || !*frame) break;
        ++frames;
    }
    EXPECT_EQ(allocations().count, before.count);
    EXPECT_EQ(frames, 1'000u);
}

// 256 MiB are claimed, 1,000 octets arrive.
TEST(Allocations, AClaimedLengthTakesOnlyWhatArrived) {
    const auto header = octets("30 FFFFFF7F");
    const std::string piece(10, 'x');
    FrameReader reader;
    const auto before = allocations();
    reader.feed(header);
    ASSERT_TRUE(reader.next());
    for (int i = 0; i < 100; ++i) {
        reader.feed(piece);
        ASSERT_TRUE(reader.next());
    }
    EXPECT_LE(allocations().octets - before.octets, 4'096u);
}

TEST(Allocations, ABodyThatClaimsLongStringsTakesNone) {
    for (const auto* notation : {"82 05 0001 FFFF 'a'", "30 03 FFFF 'a'", "10 0D 0004 'MQTT' 04 02 0000 FFFF 'a'"}) {
        const auto wire = octets(notation);
        const auto before = allocations();
        const auto packet = decode(Version::v3_1_1, wire);
        EXPECT_LE(allocations().octets - before.octets, 1'024u) << notation; // for the error's text, and an entry
        EXPECT_FALSE(packet);
    }
}

TEST(Allocations, ALargeBufferIsGivenBackOnceItsPacketIsDone) {
    const std::string payload(1'000'000, 'x'), ping = octets("C0 00");
    std::string large;
    ASSERT_TRUE(encode(Version::v5, Publish{.topic = "t", .payload = payload}, large));
    const auto before = allocations();
    FrameReader reader;
    reader.feed(Octets(large).substr(0, 900'000));
    ASSERT_TRUE(reader.next());
    EXPECT_GE(allocations().live - before.live, 900'000);
    reader.feed(Octets(large).substr(900'000));
    const auto frame = reader.next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->whole, large);
    reader.feed(ping);
    ASSERT_TRUE(reader.next());
    EXPECT_LE(allocations().live - before.live, 64 * 1'024);
}

TEST(Allocations, ABrokenStreamKeepsNothing) {
    const std::string piece(100'000, 'x');
    const auto header = octets("30 FFFFFF7F");
    const auto before = allocations();
    FrameReader reader;
    reader.feed(header);
    ASSERT_TRUE(reader.next());
    reader.feed(piece);
    ASSERT_TRUE(reader.next());
    reader.set_max_packet_size(1'000);
    reader.feed(piece);
    ASSERT_FALSE(reader.next());
    EXPECT_EQ(reader.pending(), 0u);
    EXPECT_LE(allocations().live - before.live, 64 * 1'024);
}

} // namespace
} // namespace tortoise::core
