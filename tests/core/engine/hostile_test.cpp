// Brokers that break the protocol. Whatever they do: the connection ends with the reason that MQTT 5 has for it, what
// stands behind the violation in the same read is not handled, and the client comes back by its backoff.
#include "core/codec/violations.hpp"
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

constexpr auto malformed = Reason::malformed_packet;
constexpr auto protocol = Reason::protocol_error;
constexpr auto alias_invalid = Reason::topic_alias_invalid;

EngineOptions strict(Version version) {
    auto options = plain(version);
    options.receive_maximum = 2;
    options.maximum_packet_size = 1000;
    options.topic_alias_maximum = 2;
    return options;
}

std::string wire(Version version, const Packet& packet) {
    std::string out;
    EXPECT_TRUE(encode(version, packet, out));
    return out;
}

/// A message of QoS 0 and one of QoS 1 that nobody must get to see, and acknowledgements of whatever may be on its way.
std::string what_stands_behind(Version version, PacketId id) {
    return wire(version, Publish{.topic = "behind"}) +
           wire(version, Publish{.id = 77, .topic = "behind", .qos = QoS::at_least_once}) +
           wire(version, Ack{PacketType::puback, id, Reason::success, {}}) +
           wire(version, Ack{PacketType::pubcomp, id, Reason::success, {}});
}

/// Not before the time that was told, and then at once.
void expect_to_come_back(Peer& peer, const Down& down) {
    ASSERT_TRUE(down.retry_in);
    ASSERT_GT(*down.retry_in, Duration::zero());
    EXPECT_LE(*down.retry_in, peer.options.backoff.max);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(*down.retry_in - 1ns);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ns);
    ASSERT_EQ(peer.wish.kind, Wish::open);
    peer.open();
    peer.sent<Connect>();
    peer.send(Connack{});
    EXPECT_TRUE(peer.engine.is_up());
}

/// The three things that follow a violation on a connection that is up.
void expect_end(Peer& peer, Reason reason) {
    EXPECT_TRUE(peer.quiet()) << "something behind it was handled";
    if (peer.options.version == Version::v5) {
        EXPECT_EQ(to_string(peer.sent<Disconnect>().reason), to_string(reason));
    }
    EXPECT_TRUE(peer.silent()) << peer.rest();
    ASSERT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_TRUE(down.was_up);
    EXPECT_EQ(down.why.code, reason) << down.why.describe();
    EXPECT_FALSE(down.why.text.empty());
    expect_to_come_back(peer, down);
}

// ---- What does not decode ------------------------------------------------------------------------------------------

bool only_clients_send(std::uint8_t first) {
    const auto type = static_cast<PacketType>(first >> 4);
    return type == PacketType::connect || type == PacketType::subscribe || type == PacketType::unsubscribe ||
           type == PacketType::pingreq;
}

class HostileOctets : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, HostileOctets, ::testing::ValuesIn(both_versions), version_name);

// Every rule of the codec: properties that are not allowed or there twice, reserved reason codes and flags, texts that
// are none, packets that lie about their length. What only clients send is out of place whatever is in it.
TEST_P(HostileOctets, EndTheConnectionWithTheReasonOfTheRuleThatTheyBreak) { // [MQTT3-4.8.0-1] [MQTT5-4.13.1-1]
    for (const auto& row : violation_rows()) {
        if (!row.in(GetParam())) continue;
        const auto octets = row.octets(GetParam());
        SCOPED_TRACE(std::string(row.what) + ":" + hex(octets));
        Peer peer{strict(GetParam())};
        peer.connect();
        peer.send_octets(octets + what_stands_behind(GetParam(), 1));
        expect_end(peer, only_clients_send(static_cast<std::uint8_t>(octets[0])) ? protocol : row.reason);
        if (HasFailure()) return;
    }
}

TEST_P(HostileOctets, InPlaceOfAConnackEndTheAttemptWithoutAWord) {
    for (const auto& row : violation_rows()) {
        const auto octets = row.octets(GetParam());
        if (!row.in(GetParam()) || only_clients_send(static_cast<std::uint8_t>(octets[0]))) continue;
        SCOPED_TRACE(std::string(row.what) + ":" + hex(octets));
        Peer peer{strict(GetParam())};
        peer.start();
        peer.open();
        peer.sent<Connect>();
        peer.send_octets(octets + wire(GetParam(), Connack{}) + what_stands_behind(GetParam(), 1));
        EXPECT_TRUE(peer.quiet());
        EXPECT_TRUE(peer.silent()) << peer.rest();
        ASSERT_EQ(peer.wish.kind, Wish::close);
        peer.close();
        const auto down = peer.event<Down>();
        EXPECT_FALSE(down.was_up);
        EXPECT_EQ(down.why.code, row.reason) << down.why.describe();
        expect_to_come_back(peer, down);
        if (HasFailure()) return;
    }
}

TEST_P(HostileOctets, BeforeTheConnackNothingElseIsListenedTo) { // [MQTT3-3.2.0-1] [MQTT5-3.2.0-1]
    std::vector<Packet> packets = {Publish{.topic = "early"},
                                   Publish{.id = 1, .topic = "early", .qos = QoS::exactly_once},
                                   Ack{PacketType::puback, 1, Reason::success, {}},
                                   Ack{PacketType::pubrel, 1, Reason::success, {}},
                                   Suback{1, {Reason::success}, {}},
                                   Pingresp{},
                                   Disconnect{},
                                   Connect{.client_id = "you"},
                                   Pingreq{}};
    for (const auto& packet : packets) {
        SCOPED_TRACE(print(packet));
        Peer peer{strict(GetParam())};
        peer.publish("ours", QoS::at_least_once);
        peer.start();
        peer.open();
        peer.sent<Connect>();
        peer.send_octets(wire(GetParam(), packet) + wire(GetParam(), Connack{}) + what_stands_behind(GetParam(), 1));
        EXPECT_TRUE(peer.quiet());
        EXPECT_TRUE(peer.silent()) << peer.rest();
        ASSERT_EQ(peer.wish.kind, Wish::close);
        peer.close();
        const auto down = peer.event<Down>();
        EXPECT_EQ(down.why.code, protocol);
        expect_to_come_back(peer, down);
    }
}

// ---- What decodes and is out of place ------------------------------------------------------------------------------

/// What is on its way when the violation comes.
enum class Open { nothing, publish_1, publish_2, released, subscribe_2, unsubscribe };

/// Begins it; its packet identifier.
PacketId begin(Peer& peer, Open open) {
    PacketId id = 0;
    switch (open) {
    case Open::nothing: break;
    case Open::publish_1:
        peer.publish("ours", QoS::at_least_once);
        id = peer.sent<Publish>().id;
        break;
    case Open::publish_2:
    case Open::released:
        peer.publish("ours", QoS::exactly_once);
        id = peer.sent<Publish>().id;
        if (open == Open::released) peer.pubrec(id);
        break;
    case Open::subscribe_2:
        peer.subscribe({"one", "two"});
        id = peer.sent<Subscribe>().id;
        break;
    case Open::unsubscribe:
        peer.subscribe({"one"});
        peer.suback(peer.sent<Subscribe>().id, {Reason::success});
        peer.unsubscribe({"one"});
        id = peer.sent<Unsubscribe>().id;
        break;
    }
    peer.forget_sent();
    peer.forget_events();
    return id;
}

std::string ack(Version v, PacketType type, PacketId id) { return wire(v, Ack{type, id, Reason::success, {}}); }

std::string message_2(Version v, PacketId id) {
    return wire(v, Publish{.id = id, .topic = "fine", .qos = QoS::exactly_once});
}

std::string aliased(std::string_view topic, std::uint16_t alias) {
    const auto properties = Properties{}.set(property::topic_alias, alias);
    return wire(Version::v5, Publish{.topic = topic, .properties = properties});
}

std::string suback(Version v, PacketId id, std::size_t reasons) {
    return wire(v, Suback{id, std::vector<Reason>(reasons, Reason::success), {}});
}

std::string unsuback(Version v, PacketId id, std::size_t reasons) {
    return wire(v, Unsuback{id, std::vector<Reason>(v == Version::v5 ? reasons : 0, Reason::success), {}});
}

enum class In { v3, v5, both };

struct Row {
    std::string name;
    In versions;
    Open open;
    std::string (*says)(Version, PacketId);
    Reason reason;
    std::size_t before = 0; // messages that come before the violation, and count
};

using enum Open;
using PacketType::puback, PacketType::pubcomp, PacketType::pubrec, PacketType::pubrel;

const Row rows[] = {
    // the wrong direction, or the wrong state
    {"a_second_connack", In::both, nothing, [](Version v, PacketId) { return wire(v, Connack{}); }, protocol},
    {"a_connect", In::both, nothing,
     [](Version v, PacketId) { return wire(v, Connect{.version = v, .client_id = "you"}); }, protocol},
    {"a_subscribe", In::both, nothing,
     [](Version v, PacketId) {
         return wire(v, Subscribe{1, {{"a", {}}}, {}});
     },
     protocol},
    {"an_unsubscribe", In::both, nothing,
     [](Version v, PacketId) {
         return wire(v, Unsubscribe{1, {"a"}, {}});
     },
     protocol},
    {"a_pingreq", In::both, nothing, [](Version v, PacketId) { return wire(v, Pingreq{}); }, protocol},
    {"a_disconnect", In::v3, nothing, [](Version v, PacketId) { return wire(v, Disconnect{}); }, protocol},
    {"an_auth", In::v5, nothing, [](Version, PacketId) { return packet_octets("F0", "18 04 15 0001 'm'"); }, protocol},
    {"a_pubrel_ahead_of_our_pubrec", In::both, nothing,
     [](Version v, PacketId) { return message_2(v, 1) + ack(v, pubrel, 1); }, protocol, 1},
    // acknowledgements of the wrong type (MQTT.js PR 2061)
    {"a_pubrec_for_qos_1", In::both, publish_1, [](Version v, PacketId id) { return ack(v, pubrec, id); }, protocol},
    {"a_pubcomp_for_qos_1", In::both, publish_1, [](Version v, PacketId id) { return ack(v, pubcomp, id); }, protocol},
    {"a_suback_for_qos_1", In::both, publish_1, [](Version v, PacketId id) { return suback(v, id, 1); }, protocol},
    {"an_unsuback_for_qos_1", In::both, publish_1, [](Version v, PacketId id) { return unsuback(v, id, 1); }, protocol},
    {"a_puback_for_qos_2", In::both, publish_2, [](Version v, PacketId id) { return ack(v, puback, id); }, protocol},
    {"a_pubcomp_before_the_pubrec", In::both, publish_2, [](Version v, PacketId id) { return ack(v, pubcomp, id); },
     protocol},
    {"a_suback_for_qos_2", In::both, publish_2, [](Version v, PacketId id) { return suback(v, id, 1); }, protocol},
    {"a_puback_after_the_pubrec", In::both, released, [](Version v, PacketId id) { return ack(v, puback, id); },
     protocol},
    {"an_unsuback_after_the_pubrec", In::both, released, [](Version v, PacketId id) { return unsuback(v, id, 1); },
     protocol},
    {"a_puback_for_a_subscribe", In::both, subscribe_2, [](Version v, PacketId id) { return ack(v, puback, id); },
     protocol},
    {"a_pubrec_for_a_subscribe", In::both, subscribe_2, [](Version v, PacketId id) { return ack(v, pubrec, id); },
     protocol},
    {"a_pubcomp_for_a_subscribe", In::both, subscribe_2, [](Version v, PacketId id) { return ack(v, pubcomp, id); },
     protocol},
    {"an_unsuback_for_a_subscribe", In::both, subscribe_2, [](Version v, PacketId id) { return unsuback(v, id, 2); },
     protocol},
    {"a_suback_for_an_unsubscribe", In::both, unsubscribe, [](Version v, PacketId id) { return suback(v, id, 1); },
     protocol},
    {"a_puback_for_an_unsubscribe", In::both, unsubscribe, [](Version v, PacketId id) { return ack(v, puback, id); },
     protocol},
    // acknowledgements of another count (the same)
    {"a_suback_with_a_reason_too_few", In::both, subscribe_2, [](Version v, PacketId id) { return suback(v, id, 1); },
     protocol},
    {"a_suback_with_a_reason_too_many", In::both, subscribe_2, [](Version v, PacketId id) { return suback(v, id, 3); },
     protocol},
    {"an_unsuback_with_a_reason_too_many", In::v5, unsubscribe,
     [](Version v, PacketId id) { return unsuback(v, id, 2); }, protocol},
    // topic aliases (MQTT.js PR 2060)
    {"an_alias_that_nobody_set", In::v5, nothing, [](Version, PacketId) { return aliased("", 1); }, alias_invalid},
    {"an_alias_above_our_maximum", In::v5, nothing,
     [](Version, PacketId) { return aliased("fine", 1) + aliased("x", 3); }, alias_invalid, 1},
    {"another_alias_than_the_one_that_was_set", In::v5, nothing,
     [](Version, PacketId) { return aliased("fine", 1) + aliased("", 2); }, alias_invalid, 1},
    {"alias_0", In::v5, nothing, [](Version, PacketId) { return packet_octets("30", "0001 'a' 03 23 0000"); },
     alias_invalid},
    // our Receive Maximum (MQTT.js PR 2065)
    {"more_qos_2_than_our_receive_maximum", In::v5, nothing,
     [](Version v, PacketId) { return message_2(v, 1) + message_2(v, 2) + message_2(v, 3); },
     Reason::receive_maximum_exceeded, 2},
    {"more_qos_1_and_2_than_our_receive_maximum", In::v5, nothing,
     [](Version v, PacketId) {
         return wire(v, Publish{.id = 1, .topic = "fine", .qos = QoS::at_least_once}) + message_2(v, 1) +
                message_2(v, 3);
     },
     Reason::receive_maximum_exceeded, 2},
    // lengths
    {"a_packet_above_our_maximum", In::both, nothing, [](Version, PacketId) { return octets("30 E9 07"); },
     Reason::packet_too_large},
    {"a_length_of_256_mb", In::both, nothing, [](Version, PacketId) { return octets("30 FF FF FF 7F"); },
     Reason::packet_too_large},
    {"a_length_of_five_octets", In::both, nothing, [](Version, PacketId) { return octets("30 FF FF FF FF 01"); },
     malformed},
    {"a_padded_length", In::both, nothing, [](Version, PacketId) { return octets("D0 80 00"); }, malformed},
};

class HostilePackets : public ::testing::TestWithParam<std::tuple<Row, Version>> {};

// [MQTT3-4.8.0-1] [MQTT5-4.13.1-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]
TEST_P(HostilePackets, EndTheConnection) {
    const auto& [row, version] = GetParam();
    Peer peer{strict(version)};
    peer.connect();
    const auto id = begin(peer, row.open);
    const auto in_flight = peer.engine.snapshot().in_flight;
    peer.send_octets(row.says(version, id) + what_stands_behind(version, id != 0 ? id : PacketId{1}));
    for (std::size_t i = 0; i < row.before; ++i) EXPECT_NE(peer.event<Received>().message.topic, "behind");
    EXPECT_EQ(peer.engine.snapshot().in_flight, in_flight);
    expect_end(peer, row.reason);
}

std::vector<std::tuple<Row, Version>> in_their_versions() {
    std::vector<std::tuple<Row, Version>> all;
    for (const auto& row : rows) {
        if (row.versions != In::v5) all.emplace_back(row, Version::v3_1_1);
        if (row.versions != In::v3) all.emplace_back(row, Version::v5);
    }
    return all;
}
INSTANTIATE_TEST_SUITE_P(Rows, HostilePackets, ::testing::ValuesIn(in_their_versions()), [](const auto& test) {
    return std::get<0>(test.param).name + (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
});

} // namespace
} // namespace tortoise::core::testing
