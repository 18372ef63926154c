// Templates: what is one, what it subscribes to, what it matches, what it builds.
#include "core/codec/allocations.hpp"
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <vector>

namespace tortoise {
namespace {

template <class Text> constexpr bool parses = requires(Text text) { TopicTemplate::parse(static_cast<Text&&>(text)); };

constexpr TopicTemplate rooms = "rooms/{room}/temp";
constexpr TopicTemplate house = "{house}/{room}/{rest...}";

TEST(Template, SubscribesToItsFilter) {
    EXPECT_EQ(rooms.text(), "rooms/{room}/temp");
    EXPECT_EQ(rooms.filter(), "rooms/+/temp");
    EXPECT_EQ(house.filter(), "+/+/#");
    EXPECT_EQ(TopicTemplate("{all...}").filter(), "#");
    EXPECT_EQ(TopicTemplate("a/b").filter(), "a/b");
    EXPECT_EQ(TopicTemplate("/{a}/").filter(), "/+/");
    EXPECT_EQ(TopicTemplate("$share/group/rooms/{room}").filter(), "$share/group/rooms/+");
    EXPECT_EQ(TopicFilter(rooms, QoS::exactly_once), TopicFilter("rooms/+/temp", QoS::exactly_once));
    EXPECT_EQ(TopicFilter(rooms), TopicFilter("rooms/+/temp"));
    EXPECT_EQ(TopicFilter("rooms/{room}").filter, "rooms/{room}"); // a text stays what it is
}

TEST(Template, GivesWhatStandsInThePlaceOfItsNames) {
    const auto room = rooms.match("rooms/hall/temp");
    ASSERT_TRUE(room);
    EXPECT_EQ((*room)["room"], "hall");
    EXPECT_EQ((*room)["roof"], "");
    const auto all = house.match("home/hall/window/left/state");
    ASSERT_TRUE(all);
    EXPECT_EQ((*all)["house"], "home");
    EXPECT_EQ((*all)["room"], "hall");
    EXPECT_EQ((*all)["rest"], "window/left/state");
    EXPECT_EQ((*rooms.match("rooms//temp"))["room"], "");
    EXPECT_EQ((*TopicTemplate("{a}/{b}").match("/x"))["b"], "x");
    EXPECT_EQ((*TopicTemplate("$share/group/rooms/{room}").match("rooms/hall"))["room"], "hall");
}

TEST(Template, OfATailMatchesItsParentToo) {
    constexpr TopicTemplate t = "rooms/{rest...}";
    for (const auto* topic : {"rooms", "rooms/"}) {
        const auto match = t.match(topic);
        ASSERT_TRUE(match) << topic;
        EXPECT_EQ((*match)["rest"], "");
    }
    EXPECT_FALSE(t.match("room"));
    EXPECT_FALSE(t.match("roomsx"));
}

TEST(Template, IsMatchedByAMessage) {
    const Message m("rooms/hall/temp", "21.5");
    const auto room = m.view().match("rooms/{room}/temp");
    ASSERT_TRUE(room);
    EXPECT_EQ((*room)["room"], "hall");
    EXPECT_FALSE(m.view().match("rooms/{room}/door"));
    EXPECT_FALSE(m.view().match("rooms/{room}"));
    EXPECT_FALSE(m.view().match("rooms/{room}/temp/{what}"));
}

// [MQTT-4.7.2-1]
TEST(Template, DoesNotMatchDollarTopicsByAName) {
    EXPECT_FALSE(house.match("$SYS/broker/load"));
    EXPECT_FALSE(TopicTemplate("{all...}").match("$SYS"));
    EXPECT_TRUE(TopicTemplate("$SYS/{what...}").match("$SYS/broker/load"));
    EXPECT_TRUE(TopicTemplate("a/{x}").match("a/$x"));
}

// What a template matches is what its filter matches, and what it captured builds the topic again.
TEST(Template, AgreesWithItsFilter) {
    constexpr TopicTemplate templates[] = {"{a}",     "{a...}", "a/{b}", "a/{b...}",    "{a}/b",
                                           "{a}/{b}", "a/b",    "/{a}",  "{a}//{b...}", "$a/{b}"};
    std::mt19937 random(1);
    const char letters[] = "ab//$";
    int matched = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string topic;
        for (auto length = 1 + random() % 6; length > 0; --length) topic += letters[random() % 5];
        for (const auto& t : templates) {
            const auto match = t.match(topic);
            ASSERT_EQ(match.has_value(), matches(t.filter(), topic)) << t.text() << " " << topic;
            matched += match ? 1 : 0;
        }
        const auto both = templates[5].match(topic);
        if (both && !(*both)["a"].empty() && !(*both)["b"].empty()) {
            const auto again = templates[5].topic({{"b", (*both)["b"]}, {"a", (*both)["a"]}});
            ASSERT_TRUE(again) << again.error().text;
            ASSERT_EQ(*again, topic);
        }
    }
    EXPECT_GT(matched, 1'000);
}

TEST(Template, TakesNoMemoryToMatch) {
    const auto before = core::allocations().count;
    const auto match = house.match("home/hall/window/left");
    const auto rest = match ? (*match)["rest"] : std::string_view();
    EXPECT_EQ(core::allocations().count, before);
    EXPECT_EQ(rest, "window/left");
}

TEST(Template, BuildsTopics) {
    EXPECT_EQ(*rooms.topic({{"room", "hall"}}), "rooms/hall/temp");
    EXPECT_EQ(*house.topic({{"rest", "a/b"}, {"room", "hall"}, {"house", "home"}}), "home/hall/a/b");
    EXPECT_EQ(*TopicTemplate("a/b").topic({}), "a/b");
    EXPECT_EQ(*TopicTemplate("$share/group/rooms/{room}").topic({{"room", "k\u00fcche"}}), "rooms/k\u00fcche");
    EXPECT_EQ(*TopicTemplate("a/{b}").topic({{"b", "$x"}}), "a/$x");
}

TEST(Template, NamesTheValueThatIsNotAllowed) {
    const auto wrong = [](std::string_view value) { return rooms.topic({{"room", value}}).error(); };
    const std::pair<std::string_view, const char*> rows[] = {
        {"", "the value of {room}, '', is empty"},
        {"a/b", "the value of {room}, 'a/b', contains a /"},
        {"+", "the value of {room}, '+', contains a wildcard"},
        {"a#", "the value of {room}, 'a#', contains a wildcard"},
        {std::string_view("a\0b", 3), "the value of {room}, '?', contains U+0000"},
        {"\xff", "the value of {room}, '?', is not well-formed UTF-8"},
    };
    for (const auto& [value, text] : rows) {
        EXPECT_EQ(wrong(value).code, Errc::invalid_topic) << text;
        EXPECT_EQ(wrong(value).text, text);
    }
    EXPECT_EQ(house.topic({{"house", "$home"}, {"room", "a"}, {"rest", "b"}}).error().text,
              "the value of {house}, '$home', begins with a $ at the first level");
    EXPECT_EQ(house.topic({{"house", "h"}, {"room", "a"}, {"rest", "b/#"}}).error().text,
              "the value of {rest}, 'b/#', contains a wildcard");
    EXPECT_EQ(rooms.topic({}).error().text, "there is no value for {room} of 'rooms/{room}/temp'");
    EXPECT_EQ(rooms.topic({{"room", "a"}, {"floor", "1"}}).error().text, "there is no {floor} in 'rooms/{room}/temp'");
    EXPECT_EQ(rooms.topic({{"room", "a"}, {"room", "b"}}).error().text,
              "there are two values for {room} of 'rooms/{room}/temp'");
    EXPECT_EQ(rooms.topic({{"room", std::string(65'535, 'x')}}).error().code, Errc::invalid_topic);
}

TEST(Template, ThatIsNoneSaysWhy) {
    std::string many;
    for (int i = 0; i <= TopicTemplate::most_names; ++i) many += "{n" + std::to_string(i) + "}/";
    const std::pair<std::string, const char*> rows[] = {
        {"", "is empty"},
        {"$share/g", "is empty"},
        {"$share/g/", "is empty"},
        {"rooms/+/temp", "has a wildcard; say {name} or {name...}"},
        {"rooms/#", "has a wildcard; say {name} or {name...}"},
        {"{rest...}/temp", "has a {name...} before its end"},
        {"rooms/{}", "has braces that are not {name}, a whole level"},
        {"rooms/{...}", "has braces that are not {name}, a whole level"},
        {"rooms/x{room}", "has braces that are not {name}, a whole level"},
        {"rooms/{room", "has braces that are not {name}, a whole level"},
        {"rooms/}room{", "has braces that are not {name}, a whole level"},
        {"rooms/{{room}}", "has braces that are not {name}, a whole level"},
        {"{a}/{a}", "has a name twice"},
        {"{a}/{a...}", "has a name twice"},
        {many, "has more than 32 names"},
    };
    for (const auto& [text, why] : rows) {
        const auto parsed = TopicTemplate::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::invalid_filter);
        EXPECT_EQ(parsed.error().text, "the topic template '" + text + "' " + why);
    }
    EXPECT_EQ(TopicTemplate::parse("$share/+/{a}").error().code, Errc::invalid_filter);
    EXPECT_EQ(TopicTemplate::parse("\xff/{a}").error().code, Errc::invalid_filter);
    const std::string text = "rooms/{room}";
    EXPECT_EQ(TopicTemplate::parse(text)->filter(), "rooms/+");
    // A temporary would leave it behind.
    static_assert(parses<const std::string&> && !parses<std::string>);
}

} // namespace
} // namespace tortoise
