/// Clients that break the protocol, row by row: the connection ends with the reason that MQTT 5 has for it, what stands
/// behind the violation in the same read is not handled, the will is published, and nobody else notices.

#include "broker/world.hpp"

namespace broker_test {
namespace {

constexpr auto malformed = Reason::malformed_packet;
constexpr auto protocol = Reason::protocol_error;

std::string wire(Version version, const core::Packet& packet) {
    std::string octets;
    EXPECT_TRUE(core::encode(version, packet, octets));
    return octets;
}

/// What the broker waits for from the client when the violation comes.
enum class Open { nothing, puback, pubrec, pubcomp };

enum class In { v3, v5, both };

struct Row {
    std::string name;
    In versions;
    Open open;
    std::string (*says)(Version, PacketId);
    Reason reason;
    std::size_t before = 0; // messages that come before the violation, and count
};

std::string ack(Version v, PacketType type, PacketId id) { return wire(v, core::Ack{.type = type, .id = id}); }

std::string message(Version v, PacketId id, QoS qos) {
    return wire(v, core::Publish{.id = id, .topic = "fine", .payload = "x", .qos = qos});
}

std::string aliased(std::string_view topic, std::uint16_t alias) {
    const auto properties = with(property::topic_alias, std::uint32_t{alias});
    return wire(Version::v5, core::Publish{.topic = topic, .payload = "x", .properties = properties});
}

std::string raw(std::string_view octets) { return std::string(octets); }

const Row rows[] = {
    // the wrong direction, or the wrong state
    {"a_connack", In::both, Open::nothing, [](Version v, PacketId) { return wire(v, core::Connack{}); }, protocol},
    {"a_suback", In::both, Open::nothing,
     [](Version v, PacketId) { return wire(v, core::Suback{.id = 1, .reasons = {Reason::success}}); }, protocol},
    {"an_unsuback", In::both, Open::nothing,
     [](Version v, PacketId) {
         return wire(v, core::Unsuback{1, std::vector<Reason>(v == Version::v5 ? 1 : 0, Reason::success), {}});
     },
     protocol},
    {"a_pingresp", In::both, Open::nothing, [](Version v, PacketId) { return wire(v, core::Pingresp{}); }, protocol},
    {"a_second_connect", In::both, Open::nothing,
     [](Version v, PacketId) { return wire(v, core::Connect{.version = v, .client_id = "again"}); }, protocol},
    {"an_auth", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\xF0\x06\x18\x04\x15\0\1m", 8});
     },
     protocol},
    // acknowledgements of the wrong type (MQTT.js PR 2061)
    {"a_pubrec_for_qos_1", In::both, Open::puback,
     [](Version v, PacketId id) { return ack(v, PacketType::pubrec, id); }, protocol},
    {"a_pubcomp_for_qos_1", In::both, Open::puback,
     [](Version v, PacketId id) { return ack(v, PacketType::pubcomp, id); }, protocol},
    {"a_puback_for_qos_2", In::both, Open::pubrec,
     [](Version v, PacketId id) { return ack(v, PacketType::puback, id); }, protocol},
    {"a_pubcomp_before_the_pubrec", In::both, Open::pubrec,
     [](Version v, PacketId id) { return ack(v, PacketType::pubcomp, id); }, protocol},
    {"a_puback_after_the_pubrec", In::both, Open::pubcomp,
     [](Version v, PacketId id) { return ack(v, PacketType::puback, id); }, protocol},
    // topic aliases (MQTT.js PR 2060)
    {"an_alias_that_nobody_set", In::v5, Open::nothing, [](Version, PacketId) { return aliased("", 1); }, protocol},
    {"an_alias_above_the_maximum", In::v5, Open::nothing,
     [](Version, PacketId) { return aliased("fine", 1) + aliased("x", 3); }, Reason::topic_alias_invalid, 1},
    {"alias_0", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\x07\0\1a\3\x23\0\0", 9});
     },
     Reason::topic_alias_invalid},
    // the Receive Maximum (mosquitto 3587, 3588, 3611; MQTT.js PR 2065)
    {"more_qos_2_than_the_receive_maximum", In::v5, Open::nothing,
     [](Version v, PacketId) { return message(v, 1, qos_2) + message(v, 2, qos_2) + message(v, 3, qos_2); },
     Reason::receive_maximum_exceeded, 2},
    {"a_new_qos_1_behind_as_many_qos_2", In::v5, Open::nothing,
     [](Version v, PacketId) { return message(v, 1, qos_2) + message(v, 2, qos_2) + message(v, 3, qos_1); },
     Reason::receive_maximum_exceeded, 2},
    // properties and reasons
    {"a_subscription_identifier_in_a_publish", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\x06\0\1a\2\x0B\1", 8});
     },
     protocol},
    {"a_property_twice", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\x08\0\1a\4\1\1\1\1", 10});
     },
     protocol},
    {"a_property_of_connect_in_a_publish", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\x07\0\1a\3\x21\0\1", 9});
     },
     malformed},
    {"a_session_expiry_that_was_0", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\xE0\7\0\5\x11\0\0\0\1", 9});
     },
     protocol},
    {"a_reserved_reason_in_a_disconnect", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\xE0\1\5", 3});
     },
     protocol},
    {"a_reserved_reason_in_a_puback", In::v5, Open::puback,
     [](Version, PacketId id) {
         return raw({"\x40\3\0", 3}) + static_cast<char>(id) + '\x7F';
     },
     protocol},
    // lengths
    {"a_topic_longer_than_its_packet", In::both, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\3\0\7a", 5});
     },
     malformed},
    {"properties_longer_than_their_packet", In::v5, Open::nothing,
     [](Version, PacketId) {
         return raw({"\x30\5\0\1a\7\1", 7});
     },
     malformed},
    {"a_packet_above_the_maximum", In::both, Open::nothing, [](Version, PacketId) { return raw("\x30\xE9\x07"); },
     Reason::packet_too_large},
    {"a_length_of_256_mb", In::both, Open::nothing, [](Version, PacketId) { return raw("\x30\xFF\xFF\xFF\x7F"); },
     Reason::packet_too_large},
    {"a_length_of_five_octets", In::both, Open::nothing,
     [](Version, PacketId) { return raw("\x30\xFF\xFF\xFF\xFF\x01"); }, malformed},
    {"a_padded_length", In::both, Open::nothing,
     [](Version, PacketId) {
         return raw({"\xC0\x80\0", 3});
     },
     malformed},
};

/// Lets the broker send a message and come to where it waits; the packet identifier.
PacketId begin(World& world, Client& client, Open open) {
    if (open == Open::nothing) return 1;
    const auto qos = open == Open::puback ? qos_1 : qos_2;
    client.subscribed("its/own", qos);
    world.join(client.version, "sender").publish("its/own", "x", {.qos = qos, .id = 1});
    const auto id = client.expect_publish("its/own", "x", qos)->id;
    if (open == Open::pubcomp) client.ack(PacketType::pubrec, id).expect_ack(PacketType::pubrel, id);
    return id;
}

class Violating : public ::testing::TestWithParam<std::tuple<Row, Version>> {};

// [MQTT3-4.8.0-1] [MQTT5-4.13.1-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2] [MQTT3-3.1.2-8] [MQTT5-3.1.2-8]
TEST_P(Violating, EndsTheConnectionAndNothingElse) {
    const auto& [row, version] = GetParam();
    World world({.receive_maximum = 2, .maximum_packet_size = 1'000, .topic_alias_maximum = 2});
    auto& watcher = world.join(Version::v5, "watcher").subscribed("will").subscribed("behind").subscribed("fine");
    auto& client = world.join(version, "c", {.will = core::ConnectWill{.topic = "will", .payload = "gone"}});
    const auto id = begin(world, client, row.open);
    const auto in_flight = world.session("c").in_flight;
    const auto behind = wire(version, core::Publish{.topic = "behind"}) +
                        wire(version, core::Subscribe{.id = 9, .entries = {{"#", {}}}}) +
                        wire(version, core::Pingreq{}) + ack(version, PacketType::puback, id);
    client.send_raw(row.says(version, id) + behind);
    for (std::size_t i = 0; i < row.before; ++i) {
        watcher.expect_publish("fine", "x");
        if (row.reason == Reason::receive_maximum_exceeded) client.expect<core::Ack>();
    }
    client.expect_closed(row.reason);
    watcher.expect_publish("will", "gone");
    watcher.expect_nothing();
    EXPECT_FALSE(world.has_session("c")); // it had no expiry
    EXPECT_EQ(in_flight, row.open == Open::nothing ? 0u : 1u);
}

std::vector<std::tuple<Row, Version>> in_their_versions() {
    std::vector<std::tuple<Row, Version>> all;
    for (const auto& row : rows) {
        if (row.versions != In::v5) all.emplace_back(row, Version::v3_1_1);
        if (row.versions != In::v3) all.emplace_back(row, Version::v5);
    }
    return all;
}
INSTANTIATE_TEST_SUITE_P(Rows, Violating, ::testing::ValuesIn(in_their_versions()), [](const auto& test) {
    return std::get<0>(test.param).name + (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
});

// ---- No single packet is wrong, and yet they mean harm
// ----------------------------------------------------------------

class Straining : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(Versions, Straining, both_versions, version_name);

// A flood of QoS 2 that is never released: the identifiers are the bound, and each message goes out once.
TEST_P(Straining, AFloodOfQos2IsBoundedByTheIdentifiers) {
    World world;
    auto& client = world.join(GetParam(), "c");
    auto& watcher = world.join(GetParam(), "w").subscribed("t");
    for (unsigned i = 0; i < 30'000; ++i) {
        client.publish("t", "x", {.qos = qos_2, .id = static_cast<PacketId>(i % 10'000 + 1), .duplicate = i >= 10'000});
        client.expect<core::Ack>();
    }
    EXPECT_EQ(world.session("c").inbound_qos2.size(), 10'000u);
    EXPECT_EQ(watcher.waiting(), 10'000u);
}

TEST_P(Straining, ABytePerSecondIsAPacketInTheEndIfKeepAliveAllows) {
    World world;
    auto& slow = world.open(GetParam());
    const auto connect = wire(GetParam(), core::Connect{.version = GetParam(), .client_id = "slow"});
    for (const char octet : connect.substr(0, 8)) {
        slow.send_raw({&octet, 1});
        world.pass(1s);
    }
    EXPECT_FALSE(slow.closed());
    world.pass(2s); // a CONNECT has 10 s
    EXPECT_TRUE(slow.closed());
    auto& steady = world.join(GetParam(), "steady");
    for (const char octet : wire(GetParam(), core::Pingreq{})) {
        steady.send_raw({&octet, 1});
        world.pass(1s);
    }
    steady.expect<core::Pingresp>();
    auto& stuck = world.join(GetParam(), "stuck", {.keep_alive = 10});
    stuck.send_raw("\x30\xFF\x7F");
    for (int i = 0; i < 16 && !stuck.closed(); ++i) {
        stuck.send_raw("x");
        world.pass(1s);
    }
    stuck.expect_closed(Reason::keep_alive_timeout);
}

// A subscriber that acknowledges nothing, over many connections: its queue and what is in flight stay bounded.
TEST_P(Straining, AClientThatNeverAcknowledgesHoldsABoundedQueue) {
    World world({.queue_limit = 10});
    auto& publisher = world.join(GetParam(), "p");
    ConnectAs as{.clean_start = false};
    if (GetParam() == Version::v5)
        as.properties = with(property::session_expiry_interval, 3'600u).set(property::receive_maximum, 3u);
    for (int connection = 0; connection < 5; ++connection) {
        auto& silent = world.join(GetParam(), "silent", as);
        if (connection == 0) silent.subscribed("t", qos_1);
        for (int i = 0; i < 100; ++i) publisher.publish("t", "x", {.qos = qos_1, .id = 1}).expect<core::Ack>();
        EXPECT_LE(world.session("silent").queued, 10u);
        if (GetParam() == Version::v5) {
            EXPECT_EQ(world.session("silent").in_flight, 3u);
        }
        silent.drop();
    }
}

} // namespace
} // namespace broker_test
