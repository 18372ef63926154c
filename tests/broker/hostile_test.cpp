/// Whatever clients send, in whatever pieces, the broker neither crashes nor forgets the others.

#include "broker/world.hpp"

#include <array>
#include <random>

namespace broker_test {
namespace {

/// Packets of every kind that a client can send, some of them with a will or properties.
std::vector<std::string> valid_packets(Version version) {
    const bool v5 = version == Version::v5;
    const auto properties =
        v5 ? Properties{}.set(property::topic_alias, 1u).set(property::message_expiry_interval, 3u).add_user("k", "v")
           : Properties{};
    const SubscribeOptions options{
        .qos = qos_2, .no_local = v5, .retain_handling = v5 ? RetainHandling::send_if_new : RetainHandling::send};
    std::vector<core::Packet> packets;
    packets.push_back(core::Publish{.topic = "a/b", .payload = "x", .retain = true, .properties = properties});
    packets.push_back(core::Publish{.id = 1, .topic = "a/c", .payload = "y", .qos = qos_1});
    packets.push_back(core::Publish{.id = 2, .topic = "a/b", .payload = "z", .qos = qos_2, .properties = properties});
    for (const auto type : {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp})
        for (PacketId id = 1; id <= 3; ++id) packets.push_back(core::Ack{.type = type, .id = id});
    packets.push_back(core::Subscribe{.id = 3, .entries = {{"a/#", options}, {"+/b", {.qos = qos_1}}}});
    packets.push_back(core::Subscribe{.id = 4, .entries = {{"$share/g/a/b", {.qos = qos_2}}}});
    packets.push_back(core::Unsubscribe{.id = 5, .filters = {"a/#", "$share/g/a/b"}});
    packets.push_back(core::Pingreq{});
    packets.push_back(core::Disconnect{});
    const auto alias_only = with(property::topic_alias, 1u);
    if (v5) packets.push_back(core::Publish{.topic = "", .payload = "w", .properties = alias_only});
    std::vector<std::string> octets;
    for (const auto& packet : packets) EXPECT_TRUE(core::encode(version, packet, octets.emplace_back()));
    return octets;
}

std::string connect_packet(Version version, std::string_view client_id, bool clean_start) {
    core::Connect connect{.version = version, .clean_start = clean_start, .keep_alive = 30, .client_id = client_id};
    connect.will = core::ConnectWill{.topic = "a/will", .payload = "gone", .qos = qos_1, .retain = true};
    const auto properties = with(property::session_expiry_interval, 20u)
                                .set(property::receive_maximum, 3u)
                                .set(property::topic_alias_maximum, 2u);
    if (version == Version::v5) connect.properties = properties;
    std::string octets;
    EXPECT_TRUE(core::encode(version, core::Packet(connect), octets));
    return octets;
}

class Hostile : public ::testing::TestWithParam<unsigned> {
protected:
    using Random = std::mt19937;

    static std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

    static void mutate(Random& random, std::string& octets) {
        for (auto times = below(random, 4); times > 0 && !octets.empty(); --times) {
            const auto at = below(random, octets.size());
            switch (below(random, 5)) {
            case 0: octets[at] = static_cast<char>(random()); break;
            case 1: octets[at] = static_cast<char>(octets[at] ^ (1 << below(random, 8))); break;
            case 2: octets.erase(at, below(random, 4)); break;
            case 3: octets.insert(at, 1 + below(random, 3), static_cast<char>(random())); break;
            default: octets.resize(at); break;
            }
        }
    }

    std::string stream(Random& random, Version version) {
        auto octets =
            connect_packet(version, std::string(1, static_cast<char>('a' + below(random, 6))), below(random, 2) == 0);
        const auto& packets = version == Version::v5 ? packets_[1] : packets_[0];
        for (auto count = below(random, 12); count > 0; --count) octets += packets[below(random, packets.size())];
        return octets;
    }

    std::array<std::vector<std::string>, 2> packets_{valid_packets(Version::v3_1_1), valid_packets(Version::v5)};
};
INSTANTIATE_TEST_SUITE_P(Seeds, Hostile, ::testing::Range(1U, 5U));

/// Drives the engine by hand: many connections, fed in turn with pieces of their streams.
TEST_P(Hostile, MutatedStreamsInRandomPiecesEndInCloseOrANormalState) {
    Random random(GetParam());
    Engine engine({.receive_maximum = 5, .maximum_packet_size = 500, .queue_limit = 20});
    Time now{};
    const ClientId watcher = 1;
    engine.connected(now, watcher);
    std::string hello;
    ASSERT_TRUE(core::encode(Version::v5, core::Packet(core::Connect{.client_id = "watcher"}), hello));
    engine.received(now, watcher, hello);
    ClientId last = watcher;
    std::vector<ClientId> touched;
    std::string output;
    for (int round = 0; round < 5'000; ++round) {
        const auto version = below(random, 2) == 0 ? Version::v3_1_1 : Version::v5;
        auto octets = stream(random, version);
        if (below(random, 5) != 0) mutate(random, octets);
        const auto id = ++last;
        engine.connected(now, id);
        for (std::string_view rest = octets; !rest.empty() && !engine.wants_close(id);) {
            const auto size = std::min(rest.size(), 1 + below(random, 40));
            // A copy of its own, so that a sanitizer sees every octet read beyond it.
            const std::vector<char> piece(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
            engine.received(now, id, {piece.data(), piece.size()});
            rest.remove_prefix(size);
            if (below(random, 10) == 0) engine.elapsed(now += std::chrono::milliseconds(below(random, 3'000)));
        }
        touched.clear();
        engine.touched(touched);
        for (const auto seen : touched) {
            output.clear();
            engine.take_output(seen, output);
            engine.wrote(now, seen, output.size());
        }
        if (engine.wants_close(id) || below(random, 3) != 0) engine.closed(now, id);
        if (last > watcher + 20) engine.closed(now, last - 20);
        ASSERT_LE(engine.statistics().sessions, 40U);
        ASSERT_LE(engine.statistics().connections, 25U);
    }
    // The broker still works for the one who did nothing wrong.
    ASSERT_TRUE(engine.statistics().connections > 0 && !engine.wants_close(watcher));
    touched.clear();
    engine.received(now, watcher, std::string_view("\xC0\0", 2));
    output.clear();
    engine.take_output(watcher, output);
    EXPECT_TRUE(output.ends_with(std::string_view("\xD0\0", 2)));
    for (const auto& session : engine.snapshot().sessions) EXPECT_LE(session.queued, 20U);
    engine.elapsed(now + 24h);
    EXPECT_TRUE(engine.deadline() == std::nullopt || *engine.deadline() > now + 24h);
}

TEST_P(Hostile, RandomOctetsEndInClose) {
    Random random(GetParam() + 100);
    World world;
    for (int round = 0; round < 500; ++round) {
        auto& client = world.open(Version::v5);
        if (below(random, 2) == 0) {
            client.connect("c");
            client.expect<core::Connack>();
        }
        std::string octets(1 + below(random, 200), ' ');
        for (auto& octet : octets) octet = static_cast<char>(random());
        client.send_raw(octets);
        if (!client.closed()) client.drop();
    }
    EXPECT_EQ(world.engine.statistics().connections, 0U);
    EXPECT_EQ(world.engine.statistics().sessions, 0U);
}

TEST(HostileStreams, CallsForUnknownConnectionsAreHarmless) {
    Engine engine({});
    const Time now{};
    engine.received(now, 7, "x");
    engine.wrote(now, 7, 100);
    engine.closed(now, 7);
    std::string output;
    engine.take_output(7, output);
    EXPECT_TRUE(output.empty());
    EXPECT_FALSE(engine.wants_close(7));
    std::vector<ClientId> touched;
    engine.touched(touched);
    EXPECT_TRUE(touched.empty());
    engine.connected(now, 7);
    engine.connected(now, 7);
    engine.received(now, 7, {});
    engine.wrote(now, 7, 1'000'000);
    EXPECT_EQ(engine.statistics().connections, 1U);
}

TEST(HostileStreams, AnEngineMovesAndAppendsToWhatIsThere) {
    Engine first({});
    const Time now{};
    first.connected(now, 1);
    first.received(now, 1, connect_packet(Version::v5, "c", true));
    Engine engine(std::move(first));
    engine = Engine(std::move(engine));
    std::string output = "before";
    engine.take_output(1, output);
    EXPECT_TRUE(output.starts_with("before\x20"));
    EXPECT_EQ(engine.statistics().sessions, 1U);
}

TEST(HostileStreams, DeepTopicsAreNotTooDeep) {
    World world;
    std::string deep = "a";
    while (deep.size() < 65'000) deep += "/a";
    auto& client = world.join(Version::v5, "c").subscribed(deep + "/#").subscribed("#");
    client.publish(deep, "x", {.retain = true});
    client.expect_publish(deep, "x");
    client.subscribed("a/+/#").expect_publish(deep, "x");
    client.drop();
    EXPECT_FALSE(world.has_session("c"));
}

} // namespace
} // namespace broker_test
