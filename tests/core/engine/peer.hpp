#pragma once
/// The engine under test, its shell, and the broker's end of the connection in the test's hands: packets in, packets
/// out, virtual time.

#include <deque>
#include <gtest/gtest.h>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>
#include <vector>

namespace tortoise::core::testing {

using namespace std::chrono_literals;

class Peer {
public:
    explicit Peer(EngineOptions options = {}, std::uint64_t seed = 1);

    // ---- The user. Each call is followed by what the shell does.
    void start();
    void stop(Duration drain = {}, Error why = make_error(Errc::stopped));
    void reconnect();
    void drop(Error why);
    Token publish(std::string topic, QoS qos, std::string payload = {}, std::optional<Duration> ttl = {});
    Token publish(PublishRequest);
    Token subscribe(std::vector<TopicFilter>, Route = 0);
    Token unsubscribe(std::vector<std::string>);
    void acknowledge(InboundId, Reason = Reason::success);
    void cancel(Token);
    Token ping();
    void set_authentication(std::string method, std::string data = {}) {
        engine.set_authentication(Authentication{std::move(method), std::move(data)});
    }
    void continue_authentication(Octets data);
    void accept_authentication(std::optional<Time> renew_at = {});
    void fail_authentication(Error why);
    void reauthenticate(Authentication);

    // ---- The shell
    Wish wish;                ///< the last one that was not answered
    bool writes_hang = false; ///< output is taken, and never reported as written
    void open();              ///< the wish to open comes true
    void close(Error why = make_error(Errc::connection_lost));
    void wrote(std::size_t octets);
    void pass(Duration); ///< time passes; timers fire at their time
    Time now = {};

    // ---- The broker
    void send(const Packet&);
    void send_octets(Octets);
    void puback(PacketId id, Reason r = Reason::success) { send(Ack{PacketType::puback, id, r, {}}); }
    void pubrec(PacketId id, Reason r = Reason::success) { send(Ack{PacketType::pubrec, id, r, {}}); }
    void pubrel(PacketId id, Reason r = Reason::success) { send(Ack{PacketType::pubrel, id, r, {}}); }
    void pubcomp(PacketId id, Reason r = Reason::success) { send(Ack{PacketType::pubcomp, id, r, {}}); }
    void suback(PacketId id, std::vector<Reason> r) { send(Suback{id, std::move(r), {}}); }
    void message(std::string_view topic, QoS, PacketId = 0, std::string_view payload = {}, bool duplicate = false);

    /// Start if need be, open, CONNECT, CONNACK, Up; returns the CONNECT.
    Connect connect(bool session_present = false, Properties connack = {});
    /// The connection is lost; the backoff passes.
    void lose_connection();
    /// The connection is lost, and so is the CONNACK of the next one: that the broker has a session does not say which.
    void become_uncertain();

    /// The next packet that the engine sent, which must be of that type; a failure otherwise.
    template <class P> P sent() {
        if (packets_.empty()) {
            ADD_FAILURE() << "nothing was sent";
            return P{};
        }
        const Packet packet = packets_.front();
        packets_.pop_front();
        if (const auto* p = std::get_if<P>(&packet)) return *p;
        ADD_FAILURE() << "sent: " << print(packet);
        return P{};
    }
    Ack sent_ack(PacketType);
    /// What was sent and not looked at, in words; empty if nothing was.
    std::string rest() const;
    bool silent() const { return packets_.empty(); }
    void forget_sent() { packets_.clear(); }

    /// The next event, which must be of that type; a failure otherwise.
    template <class E> E event() {
        if (events_.empty()) {
            ADD_FAILURE() << "no event";
            return E{};
        }
        Event e = std::move(events_.front());
        events_.pop_front();
        if (auto* wanted = std::get_if<E>(&e)) return std::move(*wanted);
        ADD_FAILURE() << "another event, number " << e.index();
        return E{};
    }
    /// The next event, whichever; there must be one.
    Event any_event() {
        Event e = std::move(events_.at(0));
        events_.pop_front();
        return e;
    }
    bool quiet() const { return events_.empty(); }
    void forget_events() { events_.clear(); }
    std::vector<Route> routes_of_last = {}; ///< of the last Received

    // ---- The store, of a persistent engine
    std::vector<Record> records;
    /// The program dies, and another begins with what is kept, that much later by the wall clock.
    void restart(Duration wall_later = {});

    Engine engine;
    const EngineOptions options;

private:
    void drain();
    void keep();

    std::chrono::milliseconds wall_ahead_ = std::chrono::hours(24 * 20'000);
    bool started_ = false;
    Token next_token_ = 1;
    std::deque<Packet> packets_;
    std::deque<std::string> sent_, received_; // what packets and messages point into
    std::deque<Message> messages_;
    std::deque<Event> events_;
    FrameReader reader_;
};

/// Options without randomness in the way: connects at once, and again after at most 1 s.
EngineOptions plain(Version = Version::v5);

inline const Version both_versions[] = {Version::v3_1_1, Version::v5};

/// Tests that hold for both versions.
class BothVersions : public ::testing::TestWithParam<Version> {};
inline std::string version_name(const ::testing::TestParamInfo<Version>& info) {
    return info.param == Version::v5 ? "v5" : "v3_1_1";
}

} // namespace tortoise::core::testing
