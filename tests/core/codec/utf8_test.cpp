#include "core/codec/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

/// The encoding of a code point by the plain rule, whatever it is.
std::string encoded(unsigned point) {
    std::string text;
    const auto tail = [&](unsigned shift) { text.push_back(static_cast<char>(0x80 | (point >> shift & 0x3F))); };
    if (point < 0x80) {
        text.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        text.push_back(static_cast<char>(0xC0 | point >> 6));
        tail(0);
    } else if (point < 0x10000) {
        text.push_back(static_cast<char>(0xE0 | point >> 12));
        tail(6);
        tail(0);
    } else {
        text.push_back(static_cast<char>(0xF0 | point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
    return text;
}

// [MQTT3-1.5.3-1] [MQTT5-1.5.4-1] well-formed, without surrogates; control characters and non-characters are let
// through.
TEST(Utf8, EveryCodePointIsJudged) {
    for (unsigned point = 1; point < 0x20'0000; ++point) {
        const bool legal = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        ASSERT_EQ(utf8_fault(encoded(point)), legal ? Utf8Fault::none : Utf8Fault::ill_formed) << std::hex << point;
    }
}

// [MQTT3-1.5.3-2] [MQTT5-1.5.4-2]
TEST(Utf8, NullIsFoundWhereverItStands) {
    for (std::size_t size = 1; size < 40; ++size)
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'a');
            text[at] = '\0';
            ASSERT_EQ(utf8_fault(text), Utf8Fault::null) << size << ", " << at;
        }
}

TEST(Utf8, AWrongOctetIsFoundWhereverItStands) {
    for (std::size_t size = 1; size < 40; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (const int wrong : {0x80, 0xBF, 0xC0, 0xC1, 0xC3, 0xE2, 0xF1, 0xF5, 0xFF}) {
                std::string text(size, '\x01');
                text[at] = static_cast<char>(wrong);
                ASSERT_EQ(utf8_fault(text), Utf8Fault::ill_formed) << size << ", " << at << ", " << wrong;
            }
}

TEST(Utf8, OverlongFormsAreIllFormed) {
    for (const auto* form : {"C080", "C1BF", "E08080", "E09FBF", "F0808080", "F08FBFBF", "F8808080 80"})
        EXPECT_EQ(utf8_fault(octets(form)), Utf8Fault::ill_formed) << form;
}

TEST(Utf8, CharactersCutOffAreIllFormed) {
    for (const auto* text : {"é", "€", "\U0002A6D4"}) {
        const std::string whole = std::string("abcdefgh") + text;
        ASSERT_EQ(utf8_fault(whole), Utf8Fault::none);
        for (std::size_t size = 9; size < whole.size(); ++size)
            EXPECT_EQ(utf8_fault(std::string_view(whole).substr(0, size)), Utf8Fault::ill_formed);
    }
}

// The example of figure 1-2. [MQTT-1.5.4]
TEST(Utf8, TheSpecificationsExample) { EXPECT_EQ(utf8_fault(octets("41 F0AA9B94")), Utf8Fault::none); }

// [MQTT3-1.5.3-3] [MQTT5-1.5.4-3] U+FEFF is a character like any other.
TEST(Utf8, AByteOrderMarkIsACharacter) { EXPECT_EQ(utf8_fault(octets("EFBBBF 41")), Utf8Fault::none); }

TEST(Utf8, SixtyFourKibibytesIsTheLimit) {
    EXPECT_EQ(utf8_fault(std::string(65'535, 'a')), Utf8Fault::none);
    EXPECT_EQ(utf8_fault(std::string(65'536, 'a')), Utf8Fault::too_long);
    EXPECT_EQ(utf8_fault({}), Utf8Fault::none);
}

} // namespace
} // namespace tortoise::core
