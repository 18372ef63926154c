/// The broker engine, fed by up to four clients that say what the input says. Input: an octet of options, then steps,
/// each an octet, a client, and what it needs.

#include <algorithm>
#include <array>
#include <tortoise/core/codec.hpp>
#include <utility>

#include "broker/engine.hpp"
#include "fuzz/input.hpp"

namespace tortoise::fuzz {
namespace {

using namespace core;
using namespace std::chrono_literals;
using broker::ClientId;

constexpr std::size_t queue_limit = 8;
constexpr std::uint16_t broker_receive_maximum = 3;

testing::BrokerOptions options_of(std::uint8_t choice) {
    testing::BrokerOptions o;
    o.receive_maximum = broker_receive_maximum;
    o.maximum_packet_size = 300;
    o.topic_alias_maximum = 3;
    o.queue_limit = queue_limit;
    o.one_copy_per_subscription = (choice & 1) != 0;
    if ((choice & 2) != 0) o.users = {{"u", "p"}};
    if ((choice & 4) != 0) o.deny_publish = {"t/1"};
    if ((choice & 4) != 0) o.deny_subscribe = {"t/1"};
    if ((choice & 8) != 0) o.session_expiry_cap = 5s;
    const auto profiles = testing::broker_profiles();
    if (const std::size_t profile = choice >> 4; profile > 0 && profile <= profiles.size())
        o.profile = std::string(profiles[profile - 1]);
    return o;
}

/// A client's end of a connection. What the broker says to it must be packets of the version that it spoke first.
struct Wire {
    ClientId id = 0; // 0: there is no connection
    bool held = false;
    std::size_t unwritten = 0;
    std::optional<Version> version = {};
    FrameReader reader = FrameReader();
    bool closing = false;
};

class Play {
public:
    explicit Play(Input input) : input_(input), engine_(options_of(input_.octet())) {}

    void run() {
        for (int steps = 0; !input_.empty() && steps < 2'000; ++steps) {
            const auto what = input_.octet();
            step(what % 12, wires_[(what / 12) % wires_.size()]);
            drain();
            check_bounds();
        }
        finish();
    }

private:
    void step(unsigned what, Wire& wire) {
        if (wire.id == 0 && what < 9) open(wire);
        switch (what) {
        case 0: return say(wire, input_.piece());
        case 1: return say_connect(wire);
        case 2: return say_publish(wire);
        case 3: return say_subscribe(wire);
        case 4: return say_ack(wire);
        case 5: return say_packet(wire);
        case 6: return hold_writes(wire, input_.flag());
        case 7: return pass(std::chrono::milliseconds(1ll << input_.below(20)));
        case 8: return close(wire);
        case 9: return say(wire, Packet(Unsubscribe{1, {filter()}, {}}));
        case 10: return say(wire, Packet(Pingreq{}));
        default:
            return say(wire, Packet(Disconnect{input_.flag() ? Reason::disconnect_with_will : Reason::success, {}}));
        }
    }

    // ---- What clients say

    void say(Wire& wire, Octets octets) {
        if (wire.id == 0) return;
        // The version of the connection is that of its first packet.
        if (!wire.version && octets.size() > 8) wire.version = octets[8] == 5 ? Version::v5 : Version::v3_1_1;
        const Exact exact(octets);
        engine_.received(now_, wire.id, exact);
    }

    void say(Wire& wire, const Packet& packet) {
        std::string octets;
        if (encode(wire.version.value_or(Version::v5), packet, octets)) say(wire, octets);
    }

    void say_packet(Wire& wire) {
        std::string octets(1, static_cast<char>(input_.octet()));
        const auto body = input_.octets(input_.octet() & 127);
        octets += static_cast<char>(body.size());
        octets += body;
        say(wire, octets);
    }

    void say_connect(Wire& wire) {
        const auto choice = input_.octet();
        constexpr std::string_view names[] = {"a", "b", "c", ""};
        Connect c{.version = (choice & 1) != 0 ? Version::v5 : Version::v3_1_1,
                  .clean_start = (choice & 2) == 0,
                  .keep_alive = static_cast<std::uint16_t>((choice & 4) != 0 ? 5 : 0),
                  .client_id = names[(choice >> 4) & 3]};
        Properties properties;
        if ((choice & 8) != 0)
            c.will =
                ConnectWill{.topic = "t/1", .payload = "gone", .qos = QoS::at_least_once, .retain = (choice & 64) != 0};
        if ((choice & 128) != 0) c.user_name = "u";
        if ((choice & 128) != 0) c.password = "p";
        properties.set(property::session_expiry_interval, 10u).set(property::receive_maximum, std::uint16_t{2});
        properties.set(property::topic_alias_maximum, std::uint16_t{2}).set(property::maximum_packet_size, 120u);
        if (c.version == Version::v5) c.properties = properties;
        say(wire, Packet(c));
    }

    void say_publish(Wire& wire) {
        const auto choice = input_.octet();
        Publish p{.topic = (choice & 4) != 0 ? "t/1" : "t/2", .payload = "m", .qos = static_cast<QoS>(choice % 3)};
        p.retain = (choice & 8) != 0;
        if (p.qos != QoS::at_most_once) p.id = static_cast<PacketId>(1 + ((choice >> 4) & 7));
        Properties properties;
        if (wire.version == Version::v5 && (choice & 128) != 0)
            properties.set(property::topic_alias, std::uint16_t{2}).set(property::message_expiry_interval, 3u);
        p.properties = properties;
        say(wire, Packet(p));
    }

    std::string_view filter() {
        constexpr std::string_view filters[] = {"t/1", "t/+", "#", "$share/g/t/#", "$share/h/t/1", "t/2", "+/1", "x"};
        return filters[input_.below(8)];
    }

    void say_subscribe(Wire& wire) {
        const auto choice = input_.octet();
        SubscribeOptions options{.qos = static_cast<QoS>(choice % 3)};
        Properties properties;
        if (wire.version == Version::v5) {
            options.no_local = (choice & 4) != 0;
            options.retain_as_published = (choice & 8) != 0;
            options.retain_handling = static_cast<RetainHandling>((choice >> 4) % 3);
            if ((choice & 64) != 0) properties.set(property::subscription_identifier, 7u);
        }
        Subscribe s{.id = 1, .entries = {{filter(), options}}, .properties = properties};
        if ((choice & 128) != 0) s.entries.push_back({filter(), {.qos = QoS::exactly_once}});
        say(wire, Packet(s));
    }

    void say_ack(Wire& wire) {
        const auto choice = input_.octet();
        const auto reason = (choice & 128) != 0 ? Reason::quota_exceeded : Reason::success;
        say(wire,
            Packet(Ack{
                static_cast<PacketType>(4 + choice % 4), static_cast<PacketId>(1 + ((choice >> 2) & 7)), reason, {}}));
    }

    // ---- What carries it

    void open(Wire& wire) {
        wire = Wire{};
        wire.id = ++last_id_;
        engine_.connected(now_, wire.id);
    }

    void close(Wire& wire) {
        if (const auto id = std::exchange(wire.id, 0); id != 0) engine_.closed(now_, id);
    }

    void hold_writes(Wire& wire, bool hold) {
        wire.held = hold;
        if (!hold) engine_.wrote(now_, wire.id, std::exchange(wire.unwritten, 0));
    }

    void pass(std::chrono::nanoseconds duration) {
        const Time until = now_ + duration;
        for (int fired = 0;; ++fired) {
            const auto deadline = engine_.deadline();
            if (!deadline || *deadline > until) break;
            require(fired < 10'000, "timers advance");
            now_ = std::max(now_, *deadline);
            engine_.elapsed(now_);
            drain();
        }
        now_ = until;
    }

    void drain() {
        for (int turns = 0; turns < 1'000; ++turns) {
            std::vector<ClientId> touched;
            engine_.touched(touched);
            if (touched.empty()) return;
            for (const auto id : touched) {
                const auto wire =
                    std::find_if(wires_.begin(), wires_.end(), [id](const auto& w) { return w.id == id; });
                if (wire != wires_.end()) carry(*wire);
            }
        }
        require(false, "the broker comes to rest");
    }

    void carry(Wire& wire) {
        std::string output;
        engine_.take_output(wire.id, output);
        require(wire.unwritten + output.size() < 1'000'000, "unwritten output is bounded");
        read(wire, output);
        if (wire.held && !engine_.wants_close(wire.id)) {
            wire.unwritten += output.size();
            return;
        }
        engine_.wrote(now_, wire.id, output.size());
        if (engine_.wants_close(wire.id)) close(wire);
    }

    static void read(Wire& wire, Octets output) {
        wire.reader.feed(output);
        while (true) {
            const auto frame = wire.reader.next();
            require(bool(frame), "what it says can be framed");
            if (!*frame) break;
            require(!wire.closing, "DISCONNECT is the last packet");
            const bool v5 = bool(decode(Version::v5, **frame)), v3 = bool(decode(Version::v3_1_1, **frame));
            require(v5 || v3, "what it says can be decoded");
            wire.closing = (*frame)->first == 0xe0;
        }
        require(wire.reader.pending() == 0, "it says whole packets");
    }

    void check_bounds() {
        const auto s = engine_.snapshot();
        const auto numbers = engine_.statistics();
        require(numbers.sessions == s.sessions.size() && numbers.retained == s.retained,
                "statistics are the snapshot's");
        require(numbers.connections <= wires_.size(), "closed connections are forgotten");
        for (const auto& session : s.sessions) {
            require(session.queued <= queue_limit, "a session's queue is bounded");
            require(session.inbound_qos2.size() <= 65'535, "identifiers are bounded");
        }
    }

    void finish() {
        for (auto& wire : wires_) close(wire);
        drain();
        require(engine_.statistics().connections == 0, "closed connections are forgotten");
        engine_.forget_sessions();
        require(engine_.statistics().sessions == 0 && engine_.statistics().retained == 0,
                "everything can be forgotten");
        pass(std::chrono::hours(24));
    }

    Input input_;
    broker::Engine engine_;
    Time now_{};
    std::array<Wire, 4> wires_ = {};
    ClientId last_id_ = 0;
};

} // namespace
} // namespace tortoise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tortoise::fuzz::Play({data, size}).run();
    return 0;
}
