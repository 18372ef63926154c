#include "core/codec/golden.hpp"

#include <memory>

#include "core/codec/octets.hpp"

namespace tortoise::core {
namespace {

constexpr auto v3 = Version::v3_1_1;
constexpr auto v5 = Version::v5;

/// Properties that live as long as the program.
PropertiesView properties(std::string_view notation) {
    static std::vector<std::unique_ptr<std::string>> kept;
    return PropertiesView(*kept.emplace_back(std::make_unique<std::string>(octets(notation))));
}

std::vector<Golden> connects() {
    const ConnectWill will{.topic = "w/t", .payload = "gone", .qos = QoS::at_least_once};
    ConnectWill delayed = will;
    delayed.retain = true;
    delayed.qos = QoS::exactly_once;
    delayed.properties = properties("18 0000003C 01 01");
    return {
        // The variable header of the specification's example: flags 0xCE, Keep Alive 10. [MQTT-3.1.2]
        {"CONNECT of figure 3.6", v3,
         octets("10 1F 0004 'MQTT' 04 CE 000A 0001 'c' 0003 'w/t' 0004 'gone' 0001 'u' 0002 'pw'"),
         Connect{.version = v3, .keep_alive = 10, .client_id = "c", .will = will, .user_name = "u", .password = "pw"}},
        {"CONNECT of figure 3-6", v5,
         octets("10 26 0004 'MQTT' 05 CE 000A 05 11 0000000A 0001 'c' 00 0003 'w/t' 0004 'gone' 0001 'u' 0002 'pw'"),
         Connect{.keep_alive = 10,
                 .client_id = "c",
                 .will = will,
                 .user_name = "u",
                 .password = "pw",
                 .properties = properties("11 0000000A")}},
        {"the smallest CONNECT", v3, octets("10 0C 0004 'MQTT' 04 02 0000 0000"), Connect{.version = v3}},
        {"the smallest CONNECT", v5, octets("10 0D 0004 'MQTT' 05 02 0000 00 0000"), Connect{}},
        {"CONNECT that resumes, empty client identifier", v3, octets("10 0C 0004 'MQTT' 04 00 003C 0000"),
         Connect{.version = v3, .clean_start = false, .keep_alive = 60}},
        {"CONNECT with a password alone", v5, octets("10 10 0004 'MQTT' 05 42 0000 00 0000 0001 00"),
         Connect{.password = Octets("\0", 1)}},
        {"CONNECT with a will and its properties", v5,
         octets("10 21 0004 'MQTT' 05 36 FFFF 00 0001 'c' 07 18 0000003C 0101 0003 'w/t' 0004 'gone'"),
         Connect{.keep_alive = 65'535, .client_id = "c", .will = delayed}},
        {"CONNECT with every property", v5,
         octets("10 34 0004 'MQTT' 05 02 0000 27 11 FFFFFFFF 21 0001 27 00000001 22 0000 19 01 17 00"
                "26 0001 'k' 0000 15 0001 'm' 16 0001 FF 26 0000 0000 0000"),
         Connect{.properties = properties("11 FFFFFFFF 21 0001 27 00000001 22 0000 19 01 17 00"
                                          "26 0001 'k' 0000 15 0001 'm' 16 0001 FF 26 0000 0000")}},
    };
}

std::vector<Golden> connacks() {
    return {
        {"CONNACK", v3, octets("20 02 00 00"), Connack{}},
        {"CONNACK with Session Present", v3, octets("20 02 01 00"), Connack{.session_present = true}},
        {"CONNACK 1", v3, octets("20 02 00 01"), Connack{.reason = Reason::unsupported_protocol_version}},
        {"CONNACK 2", v3, octets("20 02 00 02"), Connack{.reason = Reason::client_identifier_not_valid}},
        {"CONNACK 3", v3, octets("20 02 00 03"), Connack{.reason = Reason::server_unavailable}},
        {"CONNACK 4", v3, octets("20 02 00 04"), Connack{.reason = Reason::bad_user_name_or_password}},
        {"CONNACK 5", v3, octets("20 02 00 05"), Connack{.reason = Reason::not_authorized}},
        {"CONNACK", v5, octets("20 03 00 00 00"), Connack{}},
        {"CONNACK with Session Present", v5, octets("20 03 01 00 00"), Connack{.session_present = true}},
        {"CONNACK that refuses", v5, octets("20 0B 00 9C 08 1C 0005 'other'"),
         Connack{.reason = Reason::use_another_server, .properties = properties("1C 0005 'other'")}},
        {"CONNACK with every property", v5,
         octets("20 36 00 00 33 11 00000000 21 FFFF 24 01 25 00 27 00000400 12 0001 'i' 22 000A 1F 0000"
                "28 00 29 01 2A 00 13 0000 1A 0001 'r' 1C 0001 's' 15 0001 'm' 16 0000"),
         Connack{.properties = properties("11 00000000 21 FFFF 24 01 25 00 27 00000400 12 0001 'i' 22 000A 1F 0000"
                                          "28 00 29 01 2A 00 13 0000 1A 0001 'r' 1C 0001 's' 15 0001 'm' 16 0000")}},
    };
}

std::vector<Golden> publishes() {
    return {
        // The variable header of the specification's example: "a/b", Packet Identifier 10. [MQTT-3.3.2]
        {"PUBLISH of figure 3.11", v3, octets("32 07 0003 'a/b' 000A"),
         Publish{.id = 10, .topic = "a/b", .qos = QoS::at_least_once}},
        {"PUBLISH of figure 3-9", v5, octets("32 08 0003 'a/b' 000A 00"),
         Publish{.id = 10, .topic = "a/b", .qos = QoS::at_least_once}},
        {"PUBLISH of QoS 0", v3, octets("30 07 0003 'a/b' 'hi'"), Publish{.topic = "a/b", .payload = "hi"}},
        {"PUBLISH of QoS 0, retained, empty", v5, octets("31 06 0003 'a/b' 00"),
         Publish{.topic = "a/b", .retain = true}},
        {"PUBLISH of QoS 2, again", v3, octets("3D 09 0003 'a/b' FFFF 00FF"),
         Publish{.id = 65'535,
                 .topic = "a/b",
                 .payload = Octets("\0\xFF", 2),
                 .qos = QoS::exactly_once,
                 .retain = true,
                 .duplicate = true}},
        {"PUBLISH of U+2A6D4, figure 1.1", v3, octets("30 07 0005 41 F0AA9B94"), Publish{.topic = "A\xF0\xAA\x9B\x94"}},
        {"PUBLISH by alias alone", v5, octets("30 07 0000 03 23 0001 'x'"),
         Publish{.payload = "x", .properties = properties("23 0001")}},
        {"PUBLISH with every property", v5,
         octets("30 32 0001 't' 2D 01 01 02 0000000A 23 FFFF 08 0003 'r/t' 09 0002 00FF 26 0001 'a' 0001 'b'"
                "26 0001 'a' 0001 'c' 0B FFFFFF7F 0B 01 03 0000 '.'"),
         Publish{.topic = "t",
                 .payload = ".",
                 .properties = properties("01 01 02 0000000A 23 FFFF 08 0003 'r/t' 09 0002 00FF 26 0001 'a' 0001 'b'"
                                          "26 0001 'a' 0001 'c' 0B FFFFFF7F 0B 01 03 0000")}},
    };
}

std::vector<Golden> acks() {
    const auto text = properties("1F 0003 'why' 26 0001 'a' 0001 'b'");
    std::vector<Golden> list;
    const auto add = [&](PacketType type, std::string_view first, Reason refusal, std::string_view code) {
        const std::string name(to_string(type)), head(first), reason(code);
        list.push_back({name, v3, octets(head + "02 1234"), Ack{.type = type, .id = 0x1234}});
        list.push_back({name, v5, octets(head + "02 1234"), Ack{.type = type, .id = 0x1234}});
        list.push_back({name + " with its reason written out", v5, octets(head + "03 1234 00"),
                        Ack{.type = type, .id = 0x1234}, false});
        list.push_back({name + " with everything written out", v5, octets(head + "04 1234 00 00"),
                        Ack{.type = type, .id = 0x1234}, false});
        list.push_back({name + " with a reason", v5, octets(head + "03 0001" + reason),
                        Ack{.type = type, .id = 1, .reason = refusal}});
        list.push_back({name + " with properties", v5,
                        octets(head + "11 0001" + reason + "0D 1F 0003 'why' 26 0001 'a' 0001 'b'"),
                        Ack{.type = type, .id = 1, .reason = refusal, .properties = text}});
    };
    add(PacketType::puback, "40", Reason::no_matching_subscribers, "10");
    add(PacketType::pubrec, "50", Reason::quota_exceeded, "97");
    add(PacketType::pubrel, "62", Reason::packet_identifier_not_found, "92");
    add(PacketType::pubcomp, "70", Reason::packet_identifier_not_found, "92");
    return list;
}

std::vector<Golden> subscriptions() {
    const std::vector<Subscribe::Entry> example = {{"a/b", {.qos = QoS::at_least_once}},
                                                   {"c/d", {.qos = QoS::exactly_once}}};
    const SubscribeOptions all{.qos = QoS::exactly_once,
                               .no_local = true,
                               .retain_as_published = true,
                               .retain_handling = RetainHandling::do_not_send};
    const std::vector<Reason> three = {Reason::success, Reason::granted_qos_2, Reason::unspecified_error};
    return {
        // "a/b" at QoS 1 and "c/d" at QoS 2. [MQTT-3.8.3]
        {"SUBSCRIBE of figure 3.23", v3, octets("82 0E 000A 0003 'a/b' 01 0003 'c/d' 02"),
         Subscribe{.id = 10, .entries = example}},
        {"SUBSCRIBE of figure 3-22", v5, octets("82 0F 000A 00 0003 'a/b' 01 0003 'c/d' 02"),
         Subscribe{.id = 10, .entries = example}},
        {"SUBSCRIBE with options and properties", v5,
         octets("82 14 0001 09 0B 8001 26 0001 'k' 0000 0001 '#' 2E 0001 '+' 10"),
         Subscribe{.id = 1,
                   .entries = {{"#", all}, {"+", {.retain_handling = RetainHandling::send_if_new}}},
                   .properties = properties("0B 8001 26 0001 'k' 0000")}},
        {"SUBSCRIBE to a shared filter", v5, octets("82 12 0001 00 000C '$share/g/+/#' 01"),
         Subscribe{.id = 1, .entries = {{"$share/g/+/#", {.qos = QoS::at_least_once}}}}},
        // Return codes 0, 2 and failure. [MQTT-3.9.3]
        {"SUBACK of figure 3.27", v3, octets("90 05 000A 00 02 80"), Suback{.id = 10, .reasons = three}},
        {"SUBACK", v5, octets("90 0B 000A 04 1F 0001 '!' 00 02 80 9E"),
         Suback{.id = 10,
                .reasons = {Reason::success, Reason::granted_qos_2, Reason::unspecified_error,
                            Reason::shared_subscriptions_not_supported},
                .properties = properties("1F 0001 '!'")}},
        // "a/b" and "c/d". [MQTT-3.10.3]
        {"UNSUBSCRIBE of figure 3.30", v3, octets("A2 0C 000A 0003 'a/b' 0003 'c/d'"),
         Unsubscribe{.id = 10, .filters = {"a/b", "c/d"}}},
        {"UNSUBSCRIBE of figure 3-28", v5, octets("A2 0D 000A 00 0003 'a/b' 0003 'c/d'"),
         Unsubscribe{.id = 10, .filters = {"a/b", "c/d"}}},
        {"UNSUBSCRIBE with a property", v5, octets("A2 0B 000A 05 26 0000 0000 0001 '#'"),
         Unsubscribe{.id = 10, .filters = {"#"}, .properties = properties("26 0000 0000")}},
        {"UNSUBACK", v3, octets("B0 02 000A"), Unsuback{.id = 10}},
        {"UNSUBACK", v5, octets("B0 05 000A 00 00 11"),
         Unsuback{.id = 10, .reasons = {Reason::success, Reason::no_subscription_existed}}},
    };
}

std::vector<Golden> the_rest() {
    return {
        {"PINGREQ", v3, octets("C0 00"), Pingreq{}},
        {"PINGREQ", v5, octets("C0 00"), Pingreq{}},
        {"PINGRESP", v3, octets("D0 00"), Pingresp{}},
        {"PINGRESP", v5, octets("D0 00"), Pingresp{}},
        {"DISCONNECT", v3, octets("E0 00"), Disconnect{}},
        {"DISCONNECT", v5, octets("E0 00"), Disconnect{}},
        {"DISCONNECT with its reason written out", v5, octets("E0 01 00"), Disconnect{}, false},
        {"DISCONNECT with everything written out", v5, octets("E0 02 00 00"), Disconnect{}, false},
        {"DISCONNECT with will", v5, octets("E0 01 04"), Disconnect{.reason = Reason::disconnect_with_will}},
        {"DISCONNECT with properties", v5, octets("E0 10 9D 0E 11 00000000 1C 0002 's2' 1F 0001 'x'"),
         Disconnect{.reason = Reason::server_moved, .properties = properties("11 00000000 1C 0002 's2' 1F 0001 'x'")}},
        {"AUTH", v5, octets("F0 00"), Auth{}},
        {"AUTH that goes on", v5, octets("F0 0A 18 08 15 0001 'm' 16 0001 00"),
         Auth{.reason = Reason::continue_authentication, .properties = properties("15 0001 'm' 16 0001 00")}},
        {"AUTH that asks again", v5, octets("F0 06 19 04 15 0001 'm'"),
         Auth{.reason = Reason::reauthenticate, .properties = properties("15 0001 'm'")}},
    };
}

} // namespace

const std::vector<Golden>& golden_packets() {
    static const std::vector<Golden> all = [] {
        std::vector<Golden> list;
        for (auto part : {connects(), connacks(), publishes(), acks(), subscriptions(), the_rest()})
            for (auto& golden : part) list.push_back(std::move(golden));
        return list;
    }();
    return all;
}

} // namespace tortoise::core
