#include <gtest/gtest.h>

#include <tortoise/core/codec.hpp>

#include "core/codec/golden.hpp"

namespace tortoise::core {
namespace {

TEST(Print, APublish) {
    Properties properties;
    properties.set(property::content_type, "text/plain").add_user("unit", "C").set(property::correlation_data, "\x01x");
    const Publish packet{.id = 7,
                         .topic = "a/b",
                         .payload = "hello",
                         .qos = QoS::at_least_once,
                         .retain = true,
                         .duplicate = true,
                         .properties = properties};
    EXPECT_EQ(print(packet), "PUBLISH id=7 qos=1 dup retain topic=\"a/b\" payload=5 bytes {Content Type: "
                             "\"text/plain\", User Property: \"unit\"=\"C\", Correlation Data: 2 bytes}");
    EXPECT_EQ(print(packet, {.payloads = true}),
              "PUBLISH id=7 qos=1 dup retain topic=\"a/b\" payload=\"hello\" {Content Type: \"text/plain\", "
              "User Property: \"unit\"=\"C\", Correlation Data: \"\\x01x\"}");
}

TEST(Print, AConnectNeverShowsThePassword) {
    Properties properties;
    properties.set(property::authentication_method, "m").set(property::authentication_data, "secret");
    const Connect packet{.keep_alive = 60,
                         .client_id = "home",
                         .will = ConnectWill{.topic = "w", .payload = "!", .qos = QoS::exactly_once, .retain = true},
                         .user_name = "joe",
                         .password = "swordfish",
                         .properties = properties};
    for (const bool payloads : {false, true}) {
        const auto line = print(packet, {payloads});
        EXPECT_EQ(line.find("swordfish"), std::string::npos) << line;
        EXPECT_EQ(line.find("secret") != std::string::npos, payloads) << line;
    }
    EXPECT_EQ(print(packet), "CONNECT client_id=\"home\" version=5 clean_start keep_alive=60 user_name=\"joe\" "
                             "password=(hidden) {Authentication Method: \"m\", Authentication Data: 6 bytes} "
                             "will=(qos=2 retain topic=\"w\" payload=1 byte)");
}

TEST(Print, TheOthers) {
    const std::pair<Packet, const char*> rows[] = {
        {Connack{.session_present = true}, "CONNACK reason=\"success\" session_present"},
        {Connack{.reason = Reason::not_authorized}, "CONNACK reason=\"not authorized\""},
        {Ack{.type = PacketType::pubrec, .id = 3}, "PUBREC id=3 reason=\"success\""},
        {Subscribe{.id = 1,
                   .entries = {{"a/+", {.qos = QoS::exactly_once, .no_local = true}},
                               {"#", {.retain_as_published = true, .retain_handling = RetainHandling::do_not_send}}}},
         "SUBSCRIBE id=1 filter=\"a/+\" qos=2 no_local filter=\"#\" qos=0 retain_as_published retain_handling=2"},
        {Suback{.id = 1, .reasons = {Reason::success, Reason::unspecified_error}},
         "SUBACK id=1 reason=\"granted QoS 0\" reason=\"unspecified error\""},
        {Unsubscribe{.id = 2, .filters = {"a", "b"}}, "UNSUBSCRIBE id=2 filter=\"a\" filter=\"b\""},
        {Unsuback{.id = 2, .reasons = {Reason::no_subscription_existed}},
         "UNSUBACK id=2 reason=\"no subscription existed\""},
        {Unsuback{.id = 2}, "UNSUBACK id=2"},
        {Pingreq{}, "PINGREQ"},
        {Pingresp{}, "PINGRESP"},
        {Disconnect{}, "DISCONNECT reason=\"normal disconnection\""},
        {Auth{.reason = Reason::continue_authentication}, "AUTH reason=\"continue authentication\""},
    };
    for (const auto& [packet, line] : rows) EXPECT_EQ(print(packet), line);
}

TEST(Print, WhatIsNotPrintableIsEscapedAndUtf8IsNot) {
    EXPECT_EQ(print(Publish{.topic = "caf\u00e9\n\"\\", .payload = Octets("\x00\xFF", 2)}, {.payloads = true}),
              "PUBLISH qos=0 topic=\"caf\u00e9\\x0a\\\"\\\\\" payload=\"\\x00\\xff\"");
}

TEST(Print, EveryPacketIsOneLineThatBeginsWithItsName) {
    for (const auto& golden : golden_packets()) {
        const auto line = print(golden.packet, {.payloads = true});
        EXPECT_TRUE(line.starts_with(to_string(type_of(golden.packet)))) << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
}

TEST(Print, PacketTypesHaveNames) {
    EXPECT_EQ(to_string(PacketType::connect), "CONNECT");
    EXPECT_EQ(to_string(PacketType::auth), "AUTH");
    EXPECT_EQ(to_string(PacketType{0}), "unknown packet");
    EXPECT_EQ(to_string(PacketType{16}), "unknown packet");
}

} // namespace
} // namespace tortoise::core
