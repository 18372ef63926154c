#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/properties.hpp>
#include <vector>

#include "core/codec/octets.hpp"
#include "core/codec/property.hpp"

namespace tortoise {
namespace {

using core::octets;

std::string wire(PropertiesView view) { return core::hex(view.octets()); }

TEST(Properties, AreKeptAsTheyStandOnTheWire) {
    Properties list;
    list.set(property::payload_format_indicator, 1u)
        .set(property::receive_maximum, 0x1234u)
        .set(property::message_expiry_interval, 0xFFFF'FFFFu)
        .set(property::content_type, "text")
        .set(property::correlation_data, Octets("\0\xFF", 2))
        .add(property::subscription_identifier, 128u)
        .add_user("unit", "C");
    EXPECT_EQ(wire(list), core::hex(octets("01 01 21 1234 02 FFFFFFFF 03 0004 'text' 09 0002 00FF 0B 8001"
                                           "26 0004 'unit' 0001 'C'")));
}

TEST(Properties, WhatWasSetIsFound) {
    Properties list;
    EXPECT_TRUE(list.empty());
    EXPECT_FALSE(list.view().get(property::content_type));
    list.add_user("a", "1").set(property::content_type, "").set(property::topic_alias, 7u).add_user("a", "2");
    EXPECT_FALSE(list.empty());
    EXPECT_EQ(list.view().get(property::content_type), "");
    EXPECT_EQ(list.view().get(property::topic_alias), 7u);
    EXPECT_EQ(list.view().user("a"), "1");
    EXPECT_FALSE(list.view().user("b"));
    EXPECT_FALSE(list.view().get(property::receive_maximum));
}

TEST(Properties, SetReplacesAndAddDoesNot) {
    Properties list;
    list.set(property::topic_alias, 1u).add_user("k", "v").set(property::topic_alias, 2u);
    EXPECT_EQ(list.view().get(property::topic_alias), 2u);
    list.add(property::subscription_identifier, 1u).add(property::subscription_identifier, 2u);
    std::vector<std::uint32_t> numbers;
    std::size_t count = 0;
    for (const auto& p : list.view()) {
        ++count;
        if (p.id == PropertyId::subscription_identifier) numbers.push_back(p.number);
    }
    EXPECT_EQ(count, 4u);
    EXPECT_EQ(numbers, (std::vector<std::uint32_t>{1, 2}));
    list.remove(PropertyId::subscription_identifier).remove(PropertyId::user_property);
    EXPECT_EQ(wire(list), core::hex(octets("23 0002")));
    list.remove(PropertyId::topic_alias).remove(PropertyId::topic_alias);
    EXPECT_TRUE(list.empty());
}

TEST(Properties, AValueMayComeFromTheListItself) {
    Properties list;
    list.set(property::content_type, std::string(100, 'x')).add_user("k", "v");
    list.set(property::response_topic, *list.view().get(property::content_type));
    list.set(property::content_type, *list.view().get(property::content_type));
    list.add_user("copy", *list.view().user("k"));
    EXPECT_EQ(list.view().get(property::content_type), std::string(100, 'x'));
    EXPECT_EQ(list.view().get(property::response_topic), std::string(100, 'x'));
    EXPECT_EQ(list.view().user("copy"), "v");
}

// A value cut short would say something else, and its rest would be taken for further properties.
TEST(Properties, AValueThatCannotBeEncodedSpoilsTheList) {
    const std::string too_long(65'536, 'x'), longest(65'535, 'x');
    EXPECT_EQ(Properties{}.set(property::content_type, longest).view().get(property::content_type), longest);
    const Properties spoilt[] = {
        Properties{}.set(property::content_type, too_long),
        Properties{}.add_user(too_long, ""),
        Properties{}.add_user("", too_long),
        Properties{}.set(property::topic_alias, 65'536u),
        Properties{}.set(property::payload_format_indicator, 256u),
        Properties{}.set(property::subscription_identifier, 268'435'456u),
        Properties{}.set(PropertyKey<Octets>{PropertyId::topic_alias}, "x"),
        Properties{}.set(PropertyKey<std::uint32_t>{PropertyId::content_type}, 1u),
        Properties{}.set(PropertyKey<std::uint32_t>{static_cast<PropertyId>(0x60)}, 1u),
    };
    for (Properties list : spoilt) {
        list.add_user("after", "it");
        EXPECT_FALSE(list.empty());
        EXPECT_EQ(list.view().begin(), list.view().end());
        std::string out;
        const auto done = core::encode(Version::v5, core::Publish{.topic = "t", .properties = list}, out);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, Reason::malformed_packet);
    }
}

TEST(PropertiesView, ReadingNeverLeavesTheOctets) {
    const auto whole = octets("01 01 02 0000000A 0B 8001 03 0002 'ab' 26 0001 'k' 0001 'v' 09 0001 00 13 0001");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const std::string prefix = whole.substr(0, size); // of its own, so that reading beyond is found out
        const PropertiesView view{Octets(prefix)};
        std::size_t count = 0;
        for (const auto& p : view) count += p.id != PropertyId{};
        EXPECT_LE(count, 7u);
        EXPECT_EQ(count == 7, size == whole.size());
    }
}

TEST(PropertiesView, AnyOctetsCanBeIterated) {
    for (unsigned first = 0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second), '\0', '\1', 'x'};
            std::size_t count = 0;
            for (const auto& p : PropertiesView{Octets(text)}) count += p.id != PropertyId{};
            EXPECT_LE(count, 2u);
        }
}

TEST(PropertiesView, IsWhatTheListHolds) {
    Properties list;
    list.add_user("k", "v");
    const Properties copy{list.view()};
    EXPECT_EQ(copy, list);
    EXPECT_EQ(copy.view(), list.view());
    EXPECT_FALSE(copy == Properties{});
}

TEST(PropertyTable, HasTheTwentySevenPropertiesOfTheSpecification) {
    std::set<std::string_view> names;
    for (unsigned id = 0; id < 300; ++id) {
        const auto* spec = core::property_spec(id);
        if (!spec) continue;
        EXPECT_EQ(static_cast<unsigned>(spec->id), id);
        EXPECT_EQ(to_string(spec->id), spec->name);
        names.insert(spec->name);
    }
    EXPECT_EQ(names.size(), 27u);
    EXPECT_EQ(to_string(static_cast<PropertyId>(4)), "unknown property");
}

// Table 2-4 of the specification, row by row: 1 CONNECT … F AUTH, W the will.
TEST(PropertyTable, SaysWhereAPropertyMayStand) {
    const std::pair<PropertyId, std::string_view> rows[] = {
        {PropertyId::payload_format_indicator, "3W"},
        {PropertyId::message_expiry_interval, "3W"},
        {PropertyId::content_type, "3W"},
        {PropertyId::response_topic, "3W"},
        {PropertyId::correlation_data, "3W"},
        {PropertyId::subscription_identifier, "38"},
        {PropertyId::session_expiry_interval, "12E"},
        {PropertyId::assigned_client_identifier, "2"},
        {PropertyId::server_keep_alive, "2"},
        {PropertyId::authentication_method, "12F"},
        {PropertyId::authentication_data, "12F"},
        {PropertyId::request_problem_information, "1"},
        {PropertyId::will_delay_interval, "W"},
        {PropertyId::request_response_information, "1"},
        {PropertyId::response_information, "2"},
        {PropertyId::server_reference, "2E"},
        {PropertyId::reason_string, "245679BEF"},
        {PropertyId::receive_maximum, "12"},
        {PropertyId::topic_alias_maximum, "12"},
        {PropertyId::topic_alias, "3"},
        {PropertyId::maximum_qos, "2"},
        {PropertyId::retain_available, "2"},
        {PropertyId::user_property, "123456789ABEFW"},
        {PropertyId::maximum_packet_size, "12"},
        {PropertyId::wildcard_subscription_available, "2"},
        {PropertyId::subscription_identifier_available, "2"},
        {PropertyId::shared_subscription_available, "2"},
    };
    for (const auto& [id, places] : rows) {
        unsigned bits = 0;
        for (const char c : places) bits |= c == 'W' ? 1u : 1u << (c <= '9' ? c - '0' : c - 'A' + 10);
        const auto* spec = core::property_spec(static_cast<unsigned>(id));
        ASSERT_NE(spec, nullptr);
        EXPECT_EQ(spec->places, bits) << spec->name;
        const bool repeats = id == PropertyId::user_property;
        const unsigned repeatable = repeats ? bits : id == PropertyId::subscription_identifier ? 1u << 3 : 0u;
        EXPECT_EQ(spec->repeatable, repeatable) << spec->name;
    }
}

} // namespace
} // namespace tortoise
