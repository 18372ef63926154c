// What each fault makes of the octets of a connection: the pure part, with virtual time.
#include "testing/fault_filter.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tortoise::test {
namespace {

using namespace std::chrono_literals;
using core::Ack;
using core::Connack;
using core::Connect;
using core::Packet;
using core::PacketType;
using core::Pingreq;
using core::Pingresp;
using core::Publish;
using core::Suback;
using core::Subscribe;
using testing::Capture;
using ::testing::ElementsAre;
using testing::FaultFilter;
using testing::Faults;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Side;
using End = FaultFilter::End;

/// A filter and what came out of it.
class Wire {
public:
    explicit Wire(Faults faults, std::optional<Capture> capture = {}, Version version = Version::v5)
        : version_(version), filter_(now, faults, capture, 1000, "a client") {
        filter_.received(now, Side::client, encoded(Connect{.version = version, .client_id = "me"}));
        take(Side::broker);
    }

    std::string encoded(const Packet& packet) const {
        std::string octets;
        const auto done = core::encode(version_, packet, octets);
        EXPECT_TRUE(done) << done.error().describe();
        return octets;
    }
    /// One side says it; what arrives at the other by now.
    std::vector<std::string> client(const Packet& packet) { return say(Side::client, packet); }
    std::vector<std::string> broker(const Packet& packet) { return say(Side::broker, packet); }
    std::vector<std::string> after(Duration time, Side side) {
        now += time;
        filter_.elapsed(now);
        return take(side);
    }
    /// What is to be written, as packets, or octets if they are none.
    std::vector<std::string> take(Side side) {
        std::string octets;
        for (auto out = filter_.output(side); !out.octets.empty(); out = filter_.output(side)) {
            const auto part = out.singly ? out.octets.substr(0, 1) : out.octets;
            octets += part;
            writes += 1;
            filter_.wrote(side, part.size());
        }
        core::FrameReader reader;
        reader.feed(octets);
        std::vector<std::string> packets;
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
            const auto packet = core::decode(version_, **frame);
            packets.push_back(packet ? core::print(*packet) : "malformed");
        }
        if (reader.pending() > 0) packets.push_back(std::to_string(reader.pending()) + " octets");
        return packets;
    }
    FaultFilter& filter() { return filter_; }

    core::Time now = core::Time(1s);
    int writes = 0;

private:
    std::vector<std::string> say(Side side, const Packet& packet) {
        filter_.received(now, side, encoded(packet));
        return take(side == Side::client ? Side::broker : Side::client);
    }

    const Version version_;
    FaultFilter filter_;
};

Publish publish(core::PacketId id, std::string_view topic = "a", QoS qos = QoS::at_least_once) {
    return {.id = id, .topic = topic, .payload = "hello", .qos = qos};
}
Ack ack(PacketType type, core::PacketId id) { return {.type = type, .id = id}; }
std::string printed(const Packet& packet) { return core::print(packet); }
const auto puback = [](core::PacketId id) { return ack(PacketType::puback, id); };

TEST(Filter, WithoutRulesPassesEverythingAsItIs) {
    for (const auto version : {Version::v3_1_1, Version::v5}) {
        Wire wire({}, {}, version);
        EXPECT_THAT(wire.broker(Connack{}), ElementsAre(printed(Connack{})));
        EXPECT_THAT(wire.client(publish(1)), ElementsAre(printed(publish(1))));
        EXPECT_THAT(wire.broker(puback(1)), ElementsAre(printed(puback(1))));
        EXPECT_EQ(wire.filter().deadline(), std::nullopt);
        EXPECT_EQ(wire.filter().end(Side::client), End::open);
    }
}

TEST(Filter, FramesPacketsThatArriveInPieces) {
    Wire wire(Faults{"drop PUBACK"});
    for (const char octet : wire.encoded(puback(1)) + wire.encoded(Pingresp{})) {
        EXPECT_TRUE(wire.filter().wants_input(Side::broker));
        wire.filter().received(wire.now, Side::broker, Octets(&octet, 1));
    }
    EXPECT_THAT(wire.take(Side::client), ElementsAre("PINGRESP"));
}

TEST(Filter, DropsTheNthOnATopic) {
    Faults faults{"drop PUBACK nth=2 on=a/#"};
    Wire wire(faults);
    for (core::PacketId id = 1; id <= 6; ++id) wire.client(publish(id, id % 2 == 0 ? "a/b" : "b"));
    std::vector<std::string> passed;
    for (core::PacketId id = 1; id <= 6; ++id)
        for (const auto& packet : wire.broker(puback(id))) passed.push_back(packet);
    EXPECT_THAT(passed, ElementsAre(printed(puback(1)), printed(puback(2)), printed(puback(3)), printed(puback(5)),
                                    printed(puback(6))));
    EXPECT_EQ(faults.applied(), 1u);
    EXPECT_EQ(faults.report(), "drop PUBACK on=a/# nth=2: applied to 1 of 3\n");
    EXPECT_TRUE(faults.wait(0, 1, 0s));
    EXPECT_FALSE(faults.wait(0, 2, 0s));
}

/// The packet identifiers of the PINGREQs … of the publishes 1 to 12 that were dropped.
std::vector<int> dropped(std::string_view rule, QoS qos = QoS::at_least_once) {
    Wire wire(Faults{rule});
    std::vector<int> ids;
    for (core::PacketId id = 1; id <= 12; ++id)
        if (wire.client(publish(id, "a", qos)).empty()) ids.push_back(id);
    return ids;
}

TEST(Filter, CountsAsItIsTold) {
    EXPECT_THAT(dropped("drop PUBLISH every=4"), ElementsAre(4, 8, 12));
    EXPECT_THAT(dropped("drop PUBLISH first=2"), ElementsAre(1, 2));
    EXPECT_THAT(dropped("drop PUBLISH from=11"), ElementsAre(11, 12));
    EXPECT_THAT(dropped("drop PUBLISH from=3 first=2"), ElementsAre(3, 4));
    EXPECT_THAT(dropped("drop PUBLISH nth=5"), ElementsAre(5));
    EXPECT_THAT(dropped("drop to=client"), IsEmpty());
    EXPECT_THAT(dropped("drop PUBLISH qos=2"), IsEmpty());
    EXPECT_THAT(dropped("drop PUBLISH qos=2 nth=1", QoS::exactly_once), ElementsAre(1));
    EXPECT_THAT(dropped("drop PUBLISH client=me nth=1"), ElementsAre(1));
    EXPECT_THAT(dropped("drop PUBLISH client=you"), IsEmpty());
    EXPECT_THAT(dropped("drop PUBLISH connection=1 nth=2"), ElementsAre(2));
    EXPECT_THAT(dropped("drop PUBLISH connection=2"), IsEmpty());
}

TEST(Filter, DrawsTheSameLotsFromTheSameSeed) {
    const auto once = dropped("drop PUBLISH chance=0.5 seed=3");
    EXPECT_EQ(dropped("drop PUBLISH chance=0.5 seed=3"), once);
    EXPECT_THAT(once, ::testing::AllOf(::testing::SizeIs(::testing::Gt(1u)), ::testing::SizeIs(::testing::Lt(11u))));
    EXPECT_NE(dropped("drop PUBLISH chance=0.5 seed=4"), once);
}

TEST(Filter, RulesSeeInTheirOrderWhatIsStillThere) {
    Faults faults{"drop PUBLISH nth=1", "duplicate PUBLISH", "byte-by-byte PUBLISH"};
    Wire wire(faults);
    EXPECT_THAT(wire.client(publish(1)), IsEmpty());
    wire.writes = 0;
    EXPECT_THAT(wire.client(publish(2)), ::testing::SizeIs(2));
    EXPECT_EQ(wire.writes, 2 * static_cast<int>(wire.encoded(publish(2)).size()));
    EXPECT_EQ(faults.applied(1), 1u);
    EXPECT_EQ(faults.applied(2), 1u);
    faults.clear();
    EXPECT_THAT(wire.client(publish(3)), ::testing::SizeIs(1));
    ASSERT_TRUE(faults.add("drop PUBLISH"));
    EXPECT_THAT(wire.client(publish(4)), IsEmpty());
}

TEST(Filter, DelaysAPacketAndWhatIsBehindIt) {
    Wire wire(Faults{"delay PUBLISH 200ms nth=1"});
    EXPECT_THAT(wire.client(publish(1)), IsEmpty());
    EXPECT_THAT(wire.client(Pingreq{}), IsEmpty());
    EXPECT_THAT(wire.broker(Pingresp{}), ElementsAre("PINGRESP")) << "the other direction goes on";
    EXPECT_EQ(wire.filter().deadline(), wire.now + 200ms);
    EXPECT_THAT(wire.after(199ms, Side::broker), IsEmpty());
    EXPECT_THAT(wire.after(1ms, Side::broker), ElementsAre(printed(publish(1)), "PINGREQ"));
    EXPECT_EQ(wire.filter().deadline(), std::nullopt);
}

TEST(Filter, DuplicatesWithDup) {
    Wire wire(Faults{"duplicate"});
    auto again = publish(7);
    again.duplicate = true;
    EXPECT_THAT(wire.client(publish(7)), ElementsAre(printed(publish(7)), printed(again)));
    const Publish once = {.topic = "a", .payload = "x"};
    EXPECT_THAT(wire.client(once), ElementsAre(printed(once), printed(once))) << "[MQTT-3.3.1-2]: no DUP at QoS 0";
    EXPECT_THAT(wire.broker(puback(7)), ElementsAre(printed(puback(7)), printed(puback(7))));
}

TEST(Filter, ReordersWithTheNextOfItsType) {
    Faults faults{"reorder PUBACK nth=1"};
    Wire wire(faults);
    EXPECT_THAT(wire.broker(puback(1)), IsEmpty());
    EXPECT_THAT(wire.broker(Pingresp{}), ElementsAre("PINGRESP")) << "others pass";
    EXPECT_THAT(wire.broker(puback(2)), ElementsAre(printed(puback(2)), printed(puback(1))));
    EXPECT_THAT(wire.broker(puback(3)), ElementsAre(printed(puback(3))));
    EXPECT_EQ(faults.applied(), 1u);
}

TEST(Filter, SwapsPairsAndWaitsNotForEver) {
    Faults faults{"reorder PUBACK 50ms"};
    Wire wire(faults);
    wire.broker(puback(1));
    EXPECT_THAT(wire.broker(puback(2)), ElementsAre(printed(puback(2)), printed(puback(1))));
    EXPECT_THAT(wire.broker(puback(3)), IsEmpty());
    EXPECT_EQ(wire.filter().deadline(), wire.now + 50ms);
    EXPECT_THAT(wire.after(50ms, Side::client), ElementsAre(printed(puback(3))));
    EXPECT_EQ(faults.applied(), 2u);
}

TEST(Filter, ChangesIdentifiers) {
    Wire wire(Faults{"change-id PUBACK nth=1", "change-id PUBACK id=9 nth=2"});
    EXPECT_THAT(wire.broker(puback(65'535)), ElementsAre(printed(puback(1))));
    EXPECT_THAT(wire.broker(puback(2)), ElementsAre(printed(puback(9))));
    Faults all{"change-id"};
    Wire other(all);
    EXPECT_THAT(other.broker(Connack{}), ElementsAre(printed(Connack{}))) << "it has none";
    EXPECT_EQ(all.applied(), 0u);
}

TEST(Filter, RefusesInTheBrokersPlace) {
    Wire wire(Faults{"refuse PUBLISH reason=quota-exceeded", "refuse SUBSCRIBE reason=not-authorized on=b/#",
                     "refuse UNSUBSCRIBE reason=not-authorized"});
    const auto answer = [&](const Packet& request) {
        EXPECT_THAT(wire.client(request), IsEmpty());
        return wire.take(Side::client);
    };
    EXPECT_THAT(answer(publish(3)),
                ElementsAre(printed(Ack{.type = PacketType::puback, .id = 3, .reason = Reason::quota_exceeded})));
    EXPECT_THAT(answer(publish(4, "a", QoS::exactly_once)),
                ElementsAre(printed(Ack{.type = PacketType::pubrec, .id = 4, .reason = Reason::quota_exceeded})));
    EXPECT_THAT(answer(Publish{.topic = "a"}), IsEmpty());
    EXPECT_THAT(answer(Subscribe{.id = 5, .entries = {{"a", {}}, {"b/#", {}}}}),
                ElementsAre(printed(Suback{.id = 5, .reasons = {Reason::not_authorized, Reason::not_authorized}})));
    EXPECT_THAT(answer(core::Unsubscribe{.id = 6, .filters = {"a"}}),
                ElementsAre(printed(core::Unsuback{.id = 6, .reasons = {Reason::not_authorized}})));
    EXPECT_THAT(wire.client(Subscribe{.id = 5, .entries = {{"a", {}}}}), ::testing::SizeIs(1));
    EXPECT_THAT(wire.broker(publish(3)), ::testing::SizeIs(1)) << "brokers are not refused";
    EXPECT_EQ(wire.filter().end(Side::client), End::open);
}

TEST(Filter, RefusesAConnectAndCloses) {
    const Faults faults{"refuse CONNECT reason=server-busy"};
    for (const auto version : {Version::v3_1_1, Version::v5}) {
        Wire wire(faults, {}, version);
        EXPECT_THAT(wire.take(Side::client), ElementsAre(HasSubstr(version == Version::v5 ? "busy" : "unavailable")));
        EXPECT_EQ(wire.filter().end(Side::client), End::finish);
        EXPECT_EQ(wire.filter().end(Side::broker), End::finish);
    }
}

TEST(Filter, ClosesWhereAVersionCannotRefuse) {
    Wire wire(Faults{"refuse PUBLISH"}, {}, Version::v3_1_1);
    EXPECT_THAT(wire.client(publish(3)), IsEmpty());
    EXPECT_THAT(wire.take(Side::client), IsEmpty());
    EXPECT_EQ(wire.filter().end(Side::client), End::finish);
}

TEST(Filter, CutsInTheMiddle) {
    Wire wire(Faults{"cut PUBLISH at=3"});
    wire.filter().received(wire.now, Side::client,
                           wire.encoded(Pingreq{}) + wire.encoded(publish(1)) + wire.encoded(Pingreq{}));
    EXPECT_EQ(wire.filter().end(Side::client), End::open) << "not before it is written";
    EXPECT_THAT(wire.take(Side::broker), ElementsAre("PINGREQ", "3 octets"));
    EXPECT_EQ(wire.filter().end(Side::client), End::finish);
    EXPECT_EQ(wire.filter().end(Side::broker), End::finish);
    EXPECT_FALSE(wire.filter().wants_input(Side::client));
}

TEST(Filter, CutsEverywhere) {
    const auto size = Wire({}).encoded(publish(1)).size();
    for (std::size_t at = 0; at <= size + 1; ++at) {
        Wire wire(Faults{"cut PUBLISH at=" + std::to_string(at)});
        const auto left = wire.client(publish(1));
        if (at == 0)
            EXPECT_THAT(left, IsEmpty());
        else if (at < size)
            EXPECT_THAT(left, ElementsAre(std::to_string(at) + " octets"));
        else
            EXPECT_THAT(left, ElementsAre(printed(publish(1))));
        EXPECT_EQ(wire.filter().end(Side::client), End::finish);
    }
    EXPECT_THAT(Wire(Faults{"cut PUBLISH"}).client(publish(1)), ElementsAre(std::to_string(size / 2) + " octets"));
}

TEST(Filter, ResetsBothSides) {
    Wire wire(Faults{"reset PINGREQ"});
    EXPECT_THAT(wire.client(Pingreq{}), IsEmpty());
    EXPECT_EQ(wire.filter().end(Side::client), End::reset);
    EXPECT_EQ(wire.filter().end(Side::broker), End::reset);
}

TEST(Filter, StallsForATime) {
    Wire wire(Faults{"stall PUBLISH 2s"});
    EXPECT_THAT(wire.client(publish(1)), IsEmpty());
    EXPECT_THAT(wire.broker(Pingresp{}), IsEmpty());
    EXPECT_EQ(wire.filter().deadline(), wire.now + 2s);
    EXPECT_THAT(wire.after(2s, Side::broker), ElementsAre(printed(publish(1))));
    EXPECT_THAT(wire.take(Side::client), ElementsAre("PINGRESP"));
}

TEST(Filter, StallsForEverAndTellsNobodyOfTheEnd) {
    Wire wire(Faults{"stall PUBLISH"});
    EXPECT_THAT(wire.client(publish(1)), IsEmpty());
    EXPECT_THAT(wire.client(Pingreq{}), IsEmpty());
    EXPECT_THAT(wire.broker(Pingresp{}), IsEmpty());
    EXPECT_TRUE(wire.filter().wants_input(Side::client)) << "to see it go";
    wire.filter().closed(wire.now, Side::client);
    EXPECT_EQ(wire.filter().end(Side::broker), End::open);
    EXPECT_EQ(wire.filter().deadline(), std::nullopt);
}

TEST(Filter, HalfOpensTheDirectionOfThePacket) {
    Wire wire(Faults{"half-open PUBLISH to=broker"});
    wire.broker(publish(1));
    EXPECT_THAT(wire.client(publish(1)), IsEmpty());
    EXPECT_THAT(wire.client(Pingreq{}), IsEmpty());
    EXPECT_THAT(wire.broker(puback(1)), ElementsAre(printed(puback(1))));
    wire.filter().closed(wire.now, Side::client);
    EXPECT_EQ(wire.filter().end(Side::broker), End::open) << "it does not learn of it";
}

TEST(Filter, HalfOpensTowardsTheClient) {
    Wire wire(Faults{"half-open PUBACK"});
    EXPECT_THAT(wire.broker(puback(1)), IsEmpty());
    EXPECT_THAT(wire.client(Pingreq{}), ElementsAre("PINGREQ"));
    EXPECT_THAT(wire.broker(Pingresp{}), IsEmpty());
    wire.filter().closed(wire.now, Side::client);
    EXPECT_EQ(wire.filter().end(Side::broker), End::finish);
}

TEST(Filter, LiesInConnack) {
    Faults faults{"session-present=1", "receive-maximum=2"};
    Wire wire(faults);
    Properties properties;
    properties.set(property::receive_maximum, 100).set(property::server_keep_alive, 7);
    Properties lie;
    lie.set(property::receive_maximum, 2).set(property::server_keep_alive, 7);
    const auto got = wire.broker(Connack{.properties = properties});
    ASSERT_THAT(got, ::testing::SizeIs(1));
    EXPECT_THAT(got[0], ::testing::AllOf(HasSubstr("session_present"), HasSubstr("Receive Maximum: 2"),
                                         HasSubstr("Server Keep Alive: 7")));
    Wire old(faults, {}, Version::v3_1_1);
    EXPECT_THAT(old.broker(Connack{}), ElementsAre(HasSubstr("session_present")));
    EXPECT_EQ(faults.applied(0), 2u);
    EXPECT_EQ(faults.applied(1), 1u) << "MQTT 3.1.1 has none";
}

/// A topic alias is known to the broker although the packet that said it was dropped.
TEST(Filter, SaysATopicThatWasDroppedWithItsAlias) {
    Wire wire(Faults{"drop PUBLISH nth=1"});
    Properties alias;
    alias.set(property::topic_alias, 4);
    const Publish names = {.topic = "a/b", .payload = "1", .properties = alias};
    const Publish uses = {.topic = "", .payload = "2", .properties = alias};
    EXPECT_THAT(wire.client(names), IsEmpty());
    EXPECT_THAT(wire.client(uses), ElementsAre(HasSubstr("topic=\"a/b\"")));
    EXPECT_THAT(wire.client(uses), ElementsAre(HasSubstr("topic=\"\"")));
}

TEST(Filter, KnowsTheTopicOfAnAlias) {
    Faults faults{"drop PUBLISH on=a/+ from=2", "drop PUBACK on=a/+"};
    Wire wire(faults);
    Properties alias;
    alias.set(property::topic_alias, 4);
    EXPECT_THAT(wire.client(Publish{.id = 1, .topic = "a/b", .qos = QoS::at_least_once, .properties = alias}),
                ::testing::SizeIs(1));
    EXPECT_THAT(wire.client(Publish{.id = 2, .topic = "", .qos = QoS::at_least_once, .properties = alias}), IsEmpty());
    EXPECT_THAT(wire.broker(puback(1)), IsEmpty());
    EXPECT_THAT(wire.broker(puback(2)), IsEmpty());
}

TEST(Filter, HoldsBackWhoSendsMoreThanIsTaken) {
    FaultFilter filter(core::Time(), Faults{}, {}, core::largest_packet, "a client");
    std::string octets;
    ASSERT_TRUE(core::encode(Version::v5, Publish{.topic = "a", .payload = std::string(100'000, 'x')}, octets));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(filter.wants_input(Side::client));
        filter.received(core::Time(), Side::client, octets);
    }
    EXPECT_FALSE(filter.wants_input(Side::client));
    EXPECT_TRUE(filter.wants_input(Side::broker));
    filter.wrote(Side::broker, octets.size());
    EXPECT_TRUE(filter.wants_input(Side::client));
}

TEST(Filter, EndsAConnectionThatIsTooMuchOrNoMqtt) {
    Capture capture;
    Wire wire({}, capture);
    wire.filter().received(wire.now, Side::client,
                           wire.encoded(Publish{.topic = "a", .payload = std::string(2000, 'x')}));
    EXPECT_EQ(wire.filter().end(Side::client), End::finish);
    EXPECT_THAT(capture.text(), HasSubstr("the client sent what is no packet: packet too large"));
    Wire other({});
    other.filter().received(other.now, Side::broker, "\x20\xff\xff\xff\xff\xff");
    EXPECT_EQ(other.filter().end(Side::client), End::finish);
}

TEST(Filter, PassesOnPacketsThatBreakRules) {
    Wire wire(Faults{"drop PUBACK"});
    wire.filter().received(wire.now, Side::broker, Octets("\x40\x01\x01", 3)); // half an identifier
    EXPECT_THAT(wire.take(Side::client), ElementsAre("malformed"));
    EXPECT_EQ(wire.filter().end(Side::client), End::open);
}

TEST(Filter, PassesOnAnEndBehindWhatWasSaid) {
    Wire wire(Faults{"delay PUBLISH 1s"});
    wire.client(publish(1));
    wire.filter().closed(wire.now, Side::client);
    EXPECT_EQ(wire.filter().end(Side::broker), End::open);
    EXPECT_THAT(wire.after(1s, Side::broker), ::testing::SizeIs(1));
    EXPECT_EQ(wire.filter().end(Side::broker), End::finish);
}

} // namespace
} // namespace tortoise::test
