#pragma once
/// Clients and brokers in one thread, on a simulated network, with a clock that goes as fast as the test wants: hours pass
/// in milliseconds, and the same seed gives the same course of events.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/core/engine.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/result.hpp>
#include <tortoise/testing/broker.hpp>
#include <vector>

namespace tortoise::testing {

/// How the network behaves from now on. What is random is drawn from the seed.
struct SimNetwork {
    Duration latency_min = std::chrono::milliseconds(1), latency_max = std::chrono::milliseconds(1);  ///< one way
    std::size_t bandwidth = 0;   ///< octets a second in each direction of a connection; 0: no limit
    unsigned in_pieces = 0;      ///< of 1,000 arrivals, how many are read in several pieces
    unsigned slow_writes = 0;    ///< of 1,000 writes, how many wait, up to 300 ms, and go out in parts
    unsigned resets = 0;         ///< of 1,000 closes, how many lose what is on its way
    bool black_hole = false;     ///< attempts to connect are never answered
};

/// How a connection breaks.
struct SimCut {
    std::optional<Duration> client_learns = Duration{};  ///< nothing: the network does not tell that side
    std::optional<Duration> broker_learns = Duration{};
    enum class Lost : std::uint8_t { everything, to_broker, to_client };
    Lost lost = Lost::everything;     ///< the others: half-open
    bool writes_hang = false;         ///< into the void, instead of going out
    bool some_arrives = true;         ///< a part of what is on its way
    /// Not now, but when so many more went out from the client; they arrive.
    std::optional<std::size_t> after_octets = {};
};

struct SimClient {
    /// With client_id; all endpoints lead to the same broker. What that does not allow has to be in `limits` on MQTT 3.1.1,
    /// which has no word for it.
    core::EngineOptions engine = {};
    /// In place of engine.queue. Made by `new` for each life, and for engines that check what the disk has; may not throw.
    SharedFn<core::WorkList*()> work_list = {};
    std::size_t broker = 0;
    Duration disk_takes = std::chrono::milliseconds(1);  ///< of a persistent engine: until a write is kept
    unsigned late_acknowledgements = 0;              ///< of 1,000 messages, how many are acknowledged up to 3 s later
};

struct SimPublish {
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::optional<Duration> ttl = {};
    int priority = 0;
    std::size_t size = 8;   ///< of the payload, in octets: at least 8, which hold its number
};

/// A world for core::Engine. Each client is an engine in a shell that keeps its contract, and acknowledges what it gets; a
/// broker is that of testing::Broker. Of its options those count that are not about sockets, TLS, faults and captures; a
/// Sim has no use for users, authentication, redirects, profiles, and what makes a broker lose or repeat messages on purpose
/// (one_copy_per_subscription, queue_limit): such options, and the number of a client or a broker that is not there, are
/// kept as a broken promise, so that check() tells them.
///
/// It checks what holds for a client and a broker that keep to MQTT, as things happen: the rules for each packet on the
/// wire; every operation ends once; what is published at QoS 2 arrives once, at QoS 1 at least once (if it was let in, and
/// has not expired), at those who subscribed before and take packets of that size (shared subscriptions are not followed);
/// order per topic and QoS; no identifier is used twice at a time; nothing is sent after its time; the Receive Maximum is
/// kept in both directions. At the end of step(), run_for() and settle(): queues are within their bounds; and, but for
/// step(): what is kept on a disk makes an engine like the one that runs. The first promise that is broken is kept, and
/// then time stands still.
///
/// Of one thread. References that events have are valid during the call. Durations below zero count as none, and those
/// above 20 years as that. Time ends after 100 years: to run on is a broken promise, and so is to set the clocks on the wall
/// by more than that in all.
class Sim {
public:
    using Client = std::uint32_t;
    static constexpr std::size_t most_clients = 32;

    explicit Sim(std::uint64_t seed = 1, BrokerOptions = {});
    ~Sim();
    Sim(const Sim&) = delete;
    Sim& operator=(const Sim&) = delete;

    // ---- Who is there
    /// Another broker: its number; that of the constructor is 0. They know nothing of each other.
    std::size_t add_broker(BrokerOptions = {});
    /// Starts at once. Errc::invalid_option if there are too many, the broker is not there, it has no client identifier or
    /// that of another one there, or the engine's options make no sense.
    Result<Client> add(SimClient);

    // ---- What a user does; `on_event` tells what comes of it
    /// Returns the number of the message, which is also its token and in its payload; 0 if there is no such client, or a
    /// promise was broken.
    std::uint64_t publish(Client, std::string_view topic, const SimPublish& = {});
    void subscribe(Client, std::vector<TopicFilter>);
    void unsubscribe(Client, std::vector<std::string>);
    void reconnect(Client);
    void stop(Client, Duration drain = {});
    /// The number in a payload; 0: there is none.
    static std::uint64_t number_of(Octets payload) noexcept;
    /// Each event of a client, before anything follows from it. What users do and what breaks may be called in it; time
    /// goes on when it has returned. What it throws is kept as a broken promise. Not to be assigned in itself.
    Fn<void(Client, const core::Event&)> on_event;

    // ---- What breaks
    void set_network(const SimNetwork&);
    void cut(Client, const SimCut& = {});
    /// The program dies, and is started again: a persistent engine goes on with what was kept, another one with nothing.
    /// Such a one should ask for a clean start: to the broker, new messages of QoS 2 look like those of its former life, and
    /// are lost. In on_event it dies before anything follows from the event: a message is not acknowledged.
    void crash(Client);
    /// The disk takes nothing any more: the client stops with Errc::store_failed.
    void fail_disk(Client);
    /// Another program connects with the same client identifier, if the broker runs.
    void take_over(Client);
    void stop_broker(std::size_t broker = 0);
    /// With the sessions that it had, or without. Nothing, if it runs.
    void start_broker(std::size_t broker = 0, bool forget_sessions = false);
    /// The clocks on the wall, not the one that time goes by.
    void jump_wall_clock(std::chrono::milliseconds by);

    // ---- Time
    /// Since the beginning.
    Duration now() const noexcept;
    /// The next thing happens; false if nothing will, or a promise was broken.
    bool step();
    void run_for(Duration);
    /// Mends the network, starts the brokers, and lets time go until every client that was not stopped is up, and everything
    /// has ended and arrived. The error says what has not in that time, or which promise was broken.
    Result<Done> settle(Duration at_most = std::chrono::hours(1));

    // ---- Looking
    /// The error says which promise was broken, and when.
    Result<Done> check() const;
    bool is_up(Client) const;
    core::Snapshot snapshot(Client) const;
    /// The last things that happened, a line each: packets, events, calls, breaks. Without payloads.
    std::string transcript() const;
    /// Two runs have the same number only if they had the same course.
    std::uint64_t digest() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::testing
