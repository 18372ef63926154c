// WebSocket's frames: what they carry, however they come; and what ends the connection.
#include "io/websocket_frames.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using ::testing::HasSubstr;

constexpr WebSocketMask mask{{'\x11', '\xF2', '\x03', '\x84'}};

std::string binary(Octets payload, const WebSocketMask& m) {
    std::string out;
    append_binary(out, payload, m);
    return out;
}

/// What a reader makes of octets that come so many at a time.
std::string read(WebSocketReader& reader, Octets octets, std::size_t at_a_time) {
    std::string out;
    for (; !octets.empty(); octets.remove_prefix(std::min(at_a_time, octets.size()))) {
        std::string part(octets.substr(0, at_a_time));
        part.resize(reader.take({part.data(), part.size()}));
        out += part;
    }
    return out;
}

class WebSocketFrames : public ::testing::TestWithParam<WebSocketSide> {
protected:
    WebSocketMask own_mask() const { return GetParam() == WebSocketSide::client ? mask : std::nullopt; }
    WebSocketMask other_mask() const { return GetParam() == WebSocketSide::client ? std::nullopt : mask; }
    /// A frame's octets, of an empty payload.
    std::string frame(std::string_view first, std::string_view payload = {}) const {
        std::string out(first);
        out += static_cast<char>(payload.size() | (own_mask() ? 0x80 : 0));
        if (own_mask()) out += std::string(4, '\0');
        return out += payload;
    }
    void expect_end(std::string octets, WebSocketClose answer, const char* why) const {
        WebSocketReader reader(GetParam());
        reader.take({octets.data(), octets.size()});
        ASSERT_TRUE(reader.end()) << why;
        EXPECT_EQ(reader.end()->answer, answer) << why;
        EXPECT_THAT(reader.end()->why, HasSubstr(why));
    }
};
INSTANTIATE_TEST_SUITE_P(, WebSocketFrames, ::testing::Values(WebSocketSide::client, WebSocketSide::server),
                         [](const auto& test) { return test.param == WebSocketSide::client ? "client" : "server"; });

/// [MQTT-6.0.0-2]
TEST_P(WebSocketFrames, CarryTheSameHoweverTheyComeApart) {
    for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 125u, 126u, 127u, 1000u, 65'535u, 65'536u, 70'001u}) {
        std::string payload;
        for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>(i * 7);
        auto octets = binary(payload, own_mask()) + binary("|", own_mask());
        for (const std::size_t at_a_time : {1u, 2u, 3u, 13u, 4096u, 1'000'000u}) {
            WebSocketReader reader(GetParam());
            EXPECT_EQ(read(reader, octets, at_a_time), payload + "|") << size << " " << at_a_time;
            EXPECT_FALSE(reader.end());
        }
    }
}

TEST_P(WebSocketFrames, OfAMessageMayHaveControlFramesBetweenThem) {
    std::string octets = frame("\x02", "one") + frame("\x89", "beat") + frame(std::string("\x00", 1), "two") +
                         frame("\x8A", "late") + frame("\x80", "three");
    WebSocketReader reader(GetParam());
    EXPECT_EQ(read(reader, octets, 1), "onetwothree");
    EXPECT_EQ(reader.take_ping(), "beat");
    EXPECT_EQ(reader.take_ping(), std::nullopt);
    EXPECT_FALSE(reader.end());
}

TEST_P(WebSocketFrames, AreAnsweredByTheLastPingOnly) {
    WebSocketReader reader(GetParam());
    EXPECT_EQ(read(reader, frame("\x89", "1") + frame("\x89"), 100), "");
    EXPECT_EQ(reader.take_ping(), "");
}

TEST_P(WebSocketFrames, EndWithAClose) {
    expect_end(frame("\x88"), WebSocketClose::normal, "closed the connection");
    expect_end(frame("\x88", "\x03\xE9"), WebSocketClose::normal, "closed the connection (1001)");
    expect_end(frame("\x88", "\x03\xE9going\naway"), WebSocketClose::normal,
               "closed the connection (1001: going.away)");
    expect_end(frame("\x88", "\x03"), WebSocketClose::protocol_error, "half a code");
}

TEST_P(WebSocketFrames, BehindTheEndDoNotCount) {
    WebSocketReader reader(GetParam());
    EXPECT_EQ(read(reader, binary("a", own_mask()) + frame("\x88") + binary("b", own_mask()), 1000), "a");
    std::string more = binary("c", own_mask());
    EXPECT_EQ(reader.take({more.data(), more.size()}), 0u);
}

/// [MQTT-6.0.0-1]
TEST_P(WebSocketFrames, OfTextEndTheConnection) {
    expect_end(frame("\x81", "text"), WebSocketClose::not_acceptable, "sent a text message");
}

TEST_P(WebSocketFrames, ThatBreakTheProtocolEndTheConnection) {
    const auto wrong = [&](std::string octets, const char* why) {
        expect_end(std::move(octets), WebSocketClose::protocol_error, why);
    };
    wrong(frame("\xC2", "x"), "sent a frame with reserved bits");
    wrong(frame("\x83", "x"), "sent a frame of unknown kind 3");
    wrong(frame("\x8B", "x"), "sent a frame of unknown kind 11");
    wrong(frame("\x80", "x"), "sent a continuation of no message");
    wrong(frame("\x02", "x") + frame("\x82", "x"), "sent a message in the middle of another");
    wrong(frame("\x09", "x"), "sent a control frame that is fragmented");
    const bool masked = own_mask().has_value();
    const std::string no_mask(masked ? 4 : 0, '\0');
    wrong(std::string("\x89") + (masked ? '\xFE' : '\x7E') + std::string("\x00\x7E", 2) + no_mask, "too long");
    wrong(std::string("\x82") + (masked ? '\xFF' : '\x7F') + std::string(8, '\xFF') + no_mask, "too long");
    wrong(binary("x", other_mask()), masked ? "sent a frame without a mask" : "sent a masked frame");
}

TEST(WebSocketMasking, HidesTheOctets) {
    EXPECT_EQ(binary(std::string_view("\0\0\0\0\0", 5), mask),
              std::string("\x82\x85\x11\xF2\x03\x84\x11\xF2\x03\x84\x11"));
    EXPECT_EQ(binary("a", std::nullopt), "\x82\x01"
                                         "a");
}

} // namespace
} // namespace tortoise::io
