/// What FrameReader promises: whole packets are not copied, an unfinished one costs no more than what arrived of it.

#include <gtest/gtest.h>

#include <tortoise/core/codec.hpp>
#include <vector>

#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

const std::string ping = octets("C0 00");
const std::string publish = octets("30 07 0003 'a/b' 'hi'");

/// The next frame, which must be there.
Frame take(FrameReader& reader) {
    const auto frame = reader.next();
    EXPECT_TRUE(frame && *frame);
    return frame && *frame ? **frame : Frame{};
}

void expect_nothing(FrameReader& reader) {
    const auto frame = reader.next();
    ASSERT_TRUE(frame) << frame.error().describe();
    EXPECT_FALSE(*frame);
}

bool within(Octets part, Octets whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

/// A PUBLISH of that many octets altogether, between 131 and 16,386: its fixed header has three.
std::string large_publish(std::size_t size) {
    const std::string payload(size - 6, 'x');
    std::string wire;
    EXPECT_TRUE(encode(Version::v3_1_1, Publish{.topic = "t", .payload = payload}, wire));
    EXPECT_EQ(wire.size(), size);
    return wire;
}

TEST(FrameReader, NothingComesOfNothing) {
    FrameReader reader;
    expect_nothing(reader);
    reader.feed({});
    expect_nothing(reader);
    EXPECT_EQ(reader.pending(), 0u);
}

TEST(FrameReader, WholePacketsPointIntoWhatWasFed) {
    const std::string input = ping + publish + ping;
    FrameReader reader;
    reader.feed(input);
    for (const auto& expected : {ping, publish, ping}) {
        const auto frame = take(reader);
        EXPECT_EQ(frame.whole, expected);
        EXPECT_EQ(frame.first, static_cast<std::uint8_t>(expected[0]));
        EXPECT_EQ(frame.body, Octets(expected).substr(2));
        EXPECT_TRUE(within(frame.whole, input));
        EXPECT_TRUE(within(frame.body, input));
    }
    expect_nothing(reader);
    EXPECT_EQ(reader.pending(), 0u);
}

TEST(FrameReader, OnlyTheUnfinishedTailIsKept) {
    const std::string first = publish + publish.substr(0, 4), second = publish.substr(4) + publish;
    FrameReader reader;
    reader.feed(first);
    EXPECT_TRUE(within(take(reader).whole, first));
    expect_nothing(reader);
    EXPECT_EQ(reader.pending(), 4u);
    reader.feed(second);
    const auto joined = take(reader);
    EXPECT_EQ(joined.whole, publish);
    EXPECT_FALSE(within(joined.whole, second));
    EXPECT_TRUE(within(take(reader).whole, second)); // behind it nothing is copied again
    EXPECT_EQ(joined.whole, publish);                // and the joined one stays valid
    expect_nothing(reader);
    EXPECT_EQ(joined.whole, publish);
    EXPECT_EQ(reader.pending(), 0u);
}

TEST(FrameReader, AJoinedFrameStaysValidWhileTheNextTailIsKept) {
    const auto large = large_publish(1'000);
    const std::string second = large.substr(500) + large.substr(0, 700);
    FrameReader reader;
    reader.feed(Octets(large).substr(0, 500));
    expect_nothing(reader);
    reader.feed(second);
    const auto joined = take(reader);
    expect_nothing(reader);
    EXPECT_EQ(reader.pending(), 700u);
    EXPECT_EQ(joined.whole, large);
    reader.feed(Octets(large).substr(700));
    EXPECT_EQ(take(reader).whole, large);
}

TEST(FrameReader, OctetByOctet) {
    const std::string input = publish + ping + large_publish(300) + publish;
    FrameReader reader;
    std::string back;
    for (const char c : input) {
        reader.feed(Octets(&c, 1));
        while (true) {
            const auto frame = reader.next();
            ASSERT_TRUE(frame);
            if (!*frame) break;
            back.append((*frame)->whole);
        }
    }
    EXPECT_EQ(back, input);
}

// The length is a claim of the peer; memory follows what it sends.
TEST(FrameReader, AClaimedLengthAloneTakesNoMemory) {
    FrameReader reader;
    const auto header = octets("30 FFFFFF7F");
    reader.feed(header);
    expect_nothing(reader);
    EXPECT_EQ(reader.pending(), 5u);
    const std::string piece(100, 'x');
    for (int i = 1; i <= 10; ++i) {
        reader.feed(piece);
        expect_nothing(reader);
        EXPECT_EQ(reader.pending(), 5u + 100u * i);
    }
}

TEST(FrameReader, APacketOfTheMaximumSizeIsTaken) {
    const auto wire = large_publish(1'000);
    FrameReader reader(1'000);
    reader.feed(wire);
    EXPECT_EQ(take(reader).whole, wire);
}

// The other side must not send more than Maximum Packet Size.
TEST(FrameReader, OversizeIsReportedAsSoonAsTheFixedHeaderIsKnown) {
    const auto wire = large_publish(1'001);
    for (const std::size_t cut : {3, 1, 2}) {
        FrameReader reader(1'000);
        reader.feed(Octets(wire).substr(0, cut));
        if (cut < 3) {
            expect_nothing(reader);
            reader.feed(Octets(wire).substr(cut, 3 - cut));
        }
        for (int again = 0; again < 3; ++again) {
            const auto frame = reader.next();
            ASSERT_FALSE(frame);
            EXPECT_EQ(frame.error().code, Reason::packet_too_large);
            EXPECT_NE(frame.error().text.find("1000"), std::string::npos) << frame.error().text;
        }
        EXPECT_EQ(reader.pending(), 0u);
    }
}

TEST(FrameReader, PacketsInFrontOfAnOversizeOneAreStillGiven) {
    const auto wire = ping + large_publish(1'001) + ping;
    FrameReader reader(1'000);
    reader.feed(wire);
    EXPECT_EQ(take(reader).whole, ping);
    EXPECT_FALSE(reader.next());
    reader.feed(ping); // nothing behind it is looked at
    EXPECT_FALSE(reader.next());
}

TEST(FrameReader, TheMaximumMayChange) {
    FrameReader reader(3);
    reader.set_max_packet_size(9);
    reader.feed(publish);
    EXPECT_EQ(take(reader).whole, publish);
}

TEST(FrameReader, TheQuickWayTakesAWholePacketOrLeavesItToTheCarefulOne) {
    for (const std::size_t payload : {0u, 123u, 124u, 16'379u, 16'380u, 16'381u, 50'000u, 3'000'000u}) {
        std::string wire;
        const std::string text(payload, 'x');
        ASSERT_TRUE(encode(Version::v3_1_1, Publish{.topic = "t", .payload = text}, wire));
        const auto all = wire + ping;
        FrameReader reader;
        reader.feed(all);
        Frame quick;
        const bool taken = reader.next_whole(quick);
        EXPECT_EQ(taken, wire.size() <= 16'386) << payload;
        const auto first = taken ? quick : take(reader);
        EXPECT_EQ(first.whole.size(), wire.size());
        EXPECT_EQ(first.body.substr(3).size(), payload);
        EXPECT_EQ(take(reader).whole, ping);
    }
}

// [MQTT-1.5.5-1] and the four octets at most of [MQTT-2.1.4]
TEST(FrameReader, AMalformedRemainingLengthEndsTheStream) {
    for (const auto* wrong : {"C0 8000", "C0 808000", "C0 80808000", "C0 FFFFFF80", "C0 FFFFFFFF", "30 FF00"}) {
        const auto wire = octets(wrong);
        for (std::size_t cut = 1; cut <= wire.size(); ++cut) {
            SCOPED_TRACE(wrong);
            FrameReader reader;
            reader.feed(Octets(wire).substr(0, cut));
            if (cut < wire.size()) {
                expect_nothing(reader);
                reader.feed(Octets(wire).substr(cut));
            }
            for (int again = 0; again < 2; ++again) {
                const auto frame = reader.next();
                ASSERT_FALSE(frame);
                EXPECT_EQ(frame.error().code, Reason::malformed_packet);
                EXPECT_TRUE(frame.error().text.starts_with("[MQTT-1.5.5-1]")) << frame.error().text;
            }
        }
    }
}

TEST(FrameReader, ResetBeginsANewStream) {
    FrameReader reader;
    const auto wrong = octets("C0 8000");
    reader.feed(wrong);
    ASSERT_FALSE(reader.next());
    reader.reset();
    reader.feed(ping);
    EXPECT_EQ(take(reader).whole, ping);
    reader.feed(Octets(publish).substr(0, 5));
    expect_nothing(reader);
    reader.reset();
    EXPECT_EQ(reader.pending(), 0u);
    reader.feed(ping);
    EXPECT_EQ(take(reader).whole, ping);
}

TEST(FrameReader, LargePacketsOneAfterAnotherInSmallPieces) {
    const std::string payload(300'000, 'x');
    std::string large;
    ASSERT_TRUE(encode(Version::v3_1_1, Publish{.topic = "t", .payload = payload}, large));
    const std::string input = large + publish + large + ping;
    FrameReader reader;
    std::string back;
    for (std::size_t at = 0; at < input.size(); at += 1'448) {
        const auto piece = input.substr(at, 1'448);
        reader.feed(piece);
        while (true) {
            const auto frame = reader.next();
            ASSERT_TRUE(frame);
            if (!*frame) break;
            back.append((*frame)->whole);
        }
        ASSERT_LT(reader.pending(), large.size());
    }
    EXPECT_EQ(back, input);
    EXPECT_EQ(reader.pending(), 0u);
}

TEST(Decode, WantsExactlyOnePacket) {
    EXPECT_EQ(decode(Version::v5, Octets{}).error().code, Reason::malformed_packet);
    EXPECT_EQ(decode(Version::v5, octets("C0")).error().code, Reason::malformed_packet);
    EXPECT_EQ(decode(Version::v5, octets("C0 00 C0 00")).error().code, Reason::malformed_packet);
    EXPECT_EQ(decode(Version::v5, octets("C0 8000")).error().code, Reason::malformed_packet);
    EXPECT_TRUE(decode(Version::v5, octets("C0 00")));
}

} // namespace
} // namespace tortoise::core
