#include <gtest/gtest.h>

#include <string>
#include <tortoise/topic.hpp>
#include <vector>

namespace tortoise {
namespace {

using namespace std::string_view_literals;

TEST(Topic, WhatIsATopicName) {
    for (const auto topic : {"a"sv, "/"sv, "a/b"sv, "//"sv, "a//b"sv, "/a"sv, "a/"sv, " "sv, "$SYS/x"sv, "$share/g/t"sv,
                             "rooms/küche/\U0001F321"sv, "\x01"sv})
        EXPECT_TRUE(check_topic(topic)) << topic;
    EXPECT_TRUE(check_topic(std::string(65'535, 'x')));
}

// [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3] [MQTT3-4.7.1-1] [MQTT5-4.7.0-1]
TEST(Topic, WhatIsNotATopicNameNamesTheRule) {
    const std::pair<std::string, const char*> rows[] = {
        {"", "[MQTT-4.7.3-1]"},
        {"a/+/b", "[MQTT-4.7.0-1]"},
        {"a#", "[MQTT-4.7.0-1]"},
        {std::string("a\0b", 3), "[MQTT-4.7.3-2]"},
        {"\xED\xA0\x80", "[MQTT-1.5.4-1]"},
        {std::string(65'536, 'x'), "[MQTT-4.7.3-3]"},
    };
    for (const auto& [topic, number] : rows) {
        const auto done = check_topic(topic);
        ASSERT_FALSE(done) << topic;
        EXPECT_EQ(done.error().code, Errc::invalid_topic);
        EXPECT_TRUE(done.error().text.starts_with(number)) << done.error().text;
    }
}

// [MQTT3-4.7.1-1] [MQTT5-4.7.0-1]
TEST(Topic, AWildcardIsFoundWhereverItStandsAndNothingElseIsTakenForOne) {
    for (std::size_t size = 1; size < 20; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (int c = 1; c < 0x80; ++c) {
                std::string topic(size, 'x');
                topic[at] = static_cast<char>(c);
                ASSERT_EQ(check_topic(topic).has_value(), c != '+' && c != '#') << topic;
            }
    EXPECT_TRUE(check_topic("\u00A3\u00AB\u00A3\u00AB\u00A3\u00AB"));
}

TEST(Topic, WhatIsAFilter) {
    for (const auto filter : {"#"sv, "+"sv, "/#"sv, "+/+"sv, "/+"sv, "a/#"sv, "a/+/b"sv, "+/a/#"sv, "a//+/"sv,
                              "$share/g/a"sv, "$share/g/#"sv, "$share/g/+/b"sv, "$share/a b/$SYS/#"sv, "$share"sv,
                              "$shared/+"sv, "$SHARE//"sv, "$share/g//"sv})
        EXPECT_TRUE(check_filter(filter)) << filter;
}

// [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3] [MQTT3-4.7.1-2] [MQTT3-4.7.1-3] [MQTT5-4.7.1-1] [MQTT5-4.7.1-2]
// [MQTT-4.8.2-1] [MQTT-4.8.2-2]
TEST(Topic, WhatIsNotAFilterNamesTheRule) {
    const std::pair<std::string_view, const char*> rows[] = {
        {"", "[MQTT-4.7.3-1]"},
        {"a\0"sv, "[MQTT-4.7.3-2]"},
        {"\xFF", "[MQTT-1.5.4-1]"},
        {"#/a", "[MQTT-4.7.1-1]"},
        {"a#", "[MQTT-4.7.1-1]"},
        {"a/b#", "[MQTT-4.7.1-1]"},
        {"##", "[MQTT-4.7.1-1]"},
        {"+a", "[MQTT-4.7.1-2]"},
        {"a+", "[MQTT-4.7.1-2]"},
        {"a/b+/c", "[MQTT-4.7.1-2]"},
        {"++", "[MQTT-4.7.1-2]"},
        {"+#", "[MQTT-4.7.1-2]"},
        {"$share/", "[MQTT-4.8.2-1]"},
        {"$share/g", "[MQTT-4.8.2-1]"},
        {"$share/g/", "[MQTT-4.8.2-1]"},
        {"$share//a", "[MQTT-4.8.2-1]"},
        {"$share/+/a", "[MQTT-4.8.2-2]"},
        {"$share/g#/a", "[MQTT-4.8.2-2]"},
        {"$share/g/a#", "[MQTT-4.7.1-1]"},
    };
    for (const auto& [filter, number] : rows) {
        const auto done = check_filter(filter);
        ASSERT_FALSE(done) << filter;
        EXPECT_EQ(done.error().code, Errc::invalid_filter);
        EXPECT_TRUE(done.error().text.starts_with(number)) << filter << ": " << done.error().text;
    }
    EXPECT_TRUE(check_filter(std::string(65'536, 'x')).error().text.starts_with("[MQTT-4.7.3-3]"));
}

// The examples of section 4.7.
TEST(Topic, FiltersMatchAsTheSpecificationSays) {
    const std::pair<const char*, const char*> matching[] = {
        // # stands for the parent and any number of levels below
        {"sport/tennis/player1/#", "sport/tennis/player1"},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking"},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"},
        {"sport/#", "sport"},
        {"#", "sport"},
        {"#", "/"},
        // + stands for one whole level, also an empty one
        {"sport/tennis/+", "sport/tennis/player1"},
        {"sport/+", "sport/"},
        {"+/+", "/finance"},
        {"/+", "/finance"},
        {"+/tennis/#", "sport/tennis"},
        {"a/+/c", "a//c"},
        {"sport/+/player1", "sport/tennis/player1"},
        {"$SYS/#", "$SYS/monitor/Clients"},
        {"$SYS/monitor/+", "$SYS/monitor/Clients"},
        {"$share/g/sport/+", "sport/tennis"},
        {"a/b", "a/b"},
        {"/", "/"},
        {"a/$b/+", "a/$b/c"},
        {"+/x", "a/x"},
    };
    for (const auto& [filter, topic] : matching) EXPECT_TRUE(matches(filter, topic)) << filter << " " << topic;
    const std::pair<const char*, const char*> different[] = {
        {"sport/tennis/+", "sport/tennis/player1/ranking"},
        {"sport/+", "sport"},
        {"+", "/finance"},
        {"+", "a/b"},
        {"a/b", "a/b/c"},
        {"a/b/c", "a/b"},
        {"a/b", "A/b"},
        {"a/b", "a/b/"},
        {"/a", "a"},
        {"sport/tennis/#", "sport/tenniscourt"},
        // [MQTT-4.7.2-1] no wildcard at the first level for $ topics
        {"#", "$SYS/x"},
        {"+/monitor/Clients", "$SYS/monitor/Clients"},
        {"+/+", "$SYS/x"},
        {"$share/g/#", "$SYS/x"},
        {"$share/g/a", "$share/g/a"},
    };
    for (const auto& [filter, topic] : different) EXPECT_FALSE(matches(filter, topic)) << filter << " " << topic;
}

// [MQTT-4.7.3-4] no normalization
TEST(Topic, CharactersAreComparedAsTheyAre) {
    EXPECT_FALSE(matches("caf\u00e9", "cafe\u0301"));
    EXPECT_FALSE(matches("\uFEFFa", "a"));
}

TEST(Topic, SharedFiltersAreTakenApart) {
    const auto shared = parse_shared("$share/group/a/+/#");
    ASSERT_TRUE(shared);
    EXPECT_EQ(shared->group, "group");
    EXPECT_EQ(shared->filter, "a/+/#");
    EXPECT_EQ(parse_shared("$share/g//")->filter, "/");
    for (const auto* filter : {"a/b", "$share", "$share/", "$share/g", "$share//a", "$share/+/a", "$shared/g/a", "#"})
        EXPECT_FALSE(parse_shared(filter)) << filter;
}

std::vector<std::string_view> levels_of(std::string_view topic) {
    std::vector<std::string_view> list;
    for (const auto level : Levels(topic)) list.push_back(level);
    return list;
}

TEST(Levels, AreWhatStandsBetweenTheSeparators) {
    using List = std::vector<std::string_view>;
    EXPECT_EQ(levels_of("rooms/hall/temp"), (List{"rooms", "hall", "temp"}));
    EXPECT_EQ(levels_of("a"), (List{"a"}));
    EXPECT_EQ(levels_of("/"), (List{"", ""}));
    EXPECT_EQ(levels_of("/a/"), (List{"", "a", ""}));
    EXPECT_EQ(levels_of("a//b"), (List{"a", "", "b"}));
    EXPECT_EQ(levels_of(""), (List{""}));
}

TEST(Levels, CanBeCountedAndPicked) {
    for (const auto* topic : {"rooms/hall/temp", "a", "/", "//", "", "/a/"}) {
        const auto list = levels_of(topic);
        const Levels levels(topic);
        ASSERT_EQ(levels.size(), list.size()) << topic;
        for (std::size_t i = 0; i < list.size(); ++i) EXPECT_EQ(levels[i], list[i]) << topic;
        EXPECT_EQ(levels[list.size()], "");
    }
}

} // namespace
} // namespace tortoise
