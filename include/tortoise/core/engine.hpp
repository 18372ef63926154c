#pragma once
/// The whole MQTT client protocol for one connection, as a value-in, value-out machine: no sockets, no clock, no threads.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tortoise/core/event.hpp>
#include <tortoise/core/record.hpp>
#include <tortoise/core/time.hpp>
#include <tortoise/core/work_list.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>
#include <variant>
#include <vector>

namespace tortoise::core {

struct EngineOptions {
    Version version = Version::v5;
    std::string client_id = {};
    SessionOptions session = {};
    std::size_t endpoints = 1;  ///< how many places there are to connect to; they are tried in turn
    Duration keep_alive = std::chrono::seconds(60);  ///< whole seconds, at most 65,535; 0: none
    Duration keep_alive_timeout = std::chrono::seconds(5);
    Duration connect_timeout = std::chrono::seconds(10);  ///< from the wish to open until CONNACK
    Duration reply_timeout = std::chrono::seconds(20);    ///< of SUBSCRIBE and UNSUBSCRIBE, then they are asked again
    Duration first_connect_delay = {};                    ///< a random part of it is waited before the first connect
    Backoff backoff = {};
    Retry (*classify)(const Error&) noexcept = &tortoise::classify;
    Queue queue = {};                                     ///< unless the engine is given a work list
    bool persistent = false;                              ///< tells what to keep for a next life: take_changes()
    TopicAliases topic_aliases = TopicAliases::automatic;
    /// How many unacknowledged QoS 1 and 2 messages we send at a time, within the broker's Receive Maximum. 0: as many as
    /// that; on MQTT 3.1.1, which has none, 20: brokers drop what is beyond their own limit, and say nothing.
    std::uint16_t max_in_flight = 0;
    std::uint16_t receive_maximum = 65'535;      ///< how many unacknowledged QoS 1 and 2 messages the broker may send
    std::uint32_t maximum_packet_size = 64u << 20;  ///< of packets received; at most largest_packet
    std::uint16_t topic_alias_maximum = 16;      ///< how many aliases the broker may use
    PeerLimits limits = {};                      ///< what the broker allows and CONNACK does not tell
    std::size_t output_high_water = 256 * 1024;  ///< messages wait in the queue while that much output is unwritten
    Properties connect_properties = {};          ///< further properties of CONNECT (user properties, …)
    Properties subscribe_properties = {};        ///< of SUBSCRIBE and UNSUBSCRIBE
    std::vector<TopicFilter> subscriptions = {}; ///< wanted from the start, for route 0
};

using tortoise::Credentials;

/// What enhanced authentication begins with: in CONNECT, or in AUTH 0x19. [MQTT-4.12]
struct Authentication {
    std::string method = {};
    std::string data = {};  ///< empty: none is sent
};

struct PublishRequest {
    std::string_view topic;
    Octets payload = {};
    QoS qos = QoS::at_most_once;
    bool retain = false;
    int priority = 0;
    std::optional<Duration> ttl = {};
    PropertiesView properties = {};
    Token token = 0;
    bool checked = false;  ///< what can be wrong with it was looked for, and not found: that is not done again
};

/// PUBLISH packets of QoS 0 end to end, as they go over the wire: each was checked, and has neither properties nor a time
/// to live.
struct PublishRun {
    Octets octets = {};
    std::uint32_t count = 0;
    std::uint32_t largest = 0;  ///< octets of its largest packet
    bool retained = false;      ///< a packet among them says so
};

// ---- What the shell is asked to do --------------------------------------------------------------------------------

/// About the transport. `open` names the endpoint; the shell answers with opened() or closed(). `close` means: write the
/// output that is left as far as that goes without waiting, close, and answer with closed().
struct Wish {
    enum Kind : std::uint8_t { nothing, open, close } kind = nothing;
    std::size_t endpoint = 0;
};

enum class Timer : std::uint8_t { connect, backoff, stable, ping, ping_response, reply, retry, expiry, pace, renew, authenticate, drain };
std::string_view to_string(Timer) noexcept;

struct Deadline {
    Time at;
    Timer why;
};

/// What stands in the engine, as data: for tests, dumps and comparisons.
struct Snapshot {
    struct Outbound {
        std::uint16_t id = 0;
        bool released = false;  ///< QoS 2: PUBREC arrived, PUBCOMP is awaited
        Message message;        ///< its payload is let go once released
        friend bool operator==(const Outbound& a, const Outbound& b) {
            return a.id == b.id && a.released == b.released && a.message.topic == b.message.topic &&
                   a.message.payload == b.message.payload && a.message.qos == b.message.qos;
        }
    };
    struct Filter {
        TopicFilter filter;
        std::optional<Grant> granted;
    };
    std::string state;                        ///< of the lifecycle
    std::string authentication;               ///< how far it is; empty: none
    std::size_t queued = 0, queued_bytes = 0; ///< not yet sent
    std::vector<Outbound> in_flight;          ///< in the order of sending
    std::vector<std::uint16_t> inbound_qos2;  ///< identifiers received and not yet released, ascending
    std::size_t unacknowledged = 0;           ///< received messages that await acknowledge()
    std::vector<Filter> subscriptions;
    std::uint16_t send_quota = 0;             ///< of the broker's Receive Maximum, what is left
};

/// What happened so far, in numbers: what events do not tell.
struct Counters {
    std::uint64_t packets_received = 0;
    std::uint64_t sent_at_most_once = 0; ///< messages of QoS 0
    std::uint64_t resent = 0;            ///< PUBLISH packets sent again
};
/// How much stands in the engine.
struct Levels {
    std::size_t queued = 0, queued_bytes = 0; ///< not yet sent
    std::size_t in_flight = 0;
};

/// How to drive it. After ANY call in (A) or (B), drain (C) in order, then arm one timer for (D).
///
///   A  world → engine   opened, received, wrote, closed, elapsed
///   B  user → engine    start, stop, reconnect, publish, subscribe, unsubscribe, acknowledge, cancel, ping, hold_input
///   C  engine → world   1 take_changes   2 take_events   3 take_output   4 take_wish
///   D  engine → world   deadline
///
/// Time never runs backwards. elapsed() too early is a no-op. No call re-enters, none blocks, and none throws or asserts on
/// what the peer sent. Every operation with a token ends in exactly one event.
class Engine {
public:
    /// `seed` feeds the jitter of the backoff; nothing else is random. Without a work list it makes one of `queue`.
    Engine(EngineOptions, std::uint64_t seed, std::unique_ptr<WorkList> = nullptr);
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    ~Engine();

    /// Before start(): goes on where an earlier life ended. The error is Errc::store_damaged, naming the record.
    Result<Done> restore(Time now, WallTime wall, std::span<const Record>);
    /// What time it is, as often as that may have changed: for the times to live of what is kept.
    void set_wall_clock(Time now, WallTime wall) noexcept;

    // A. What happened.
    /// The transport that was wished for is open.
    void opened(Time now);
    /// Octets arrived. They must stay valid until the events have been handled.
    void received(Time now, Octets);
    /// That many octets of the output went out: there is room again.
    void wrote(Time now, std::size_t octets);
    /// The transport is closed, could not be opened, or was closed as wished.
    void closed(Time now, Error why);
    /// The deadline passed.
    void elapsed(Time now);

    // B. What the user wants. Returns at once; the outcome is an event, also that of bad arguments.
    void start(Time now);
    /// Sends what is queued and awaits what is in flight for at most `drain`, says DISCONNECT, closes; what is left ends
    /// with `why`; what is kept stays kept. The session ends too if a clean start was asked for and nothing is kept.
    void stop(Time now, Duration drain = {}, Error why = make_error(Errc::stopped), DisconnectOptions = {});
    /// Drops the connection, if any, and connects at once: the network changed.
    void reconnect(Time now);
    /// Ends the wait for the backoff, and leaves its growth as it is: there is another server to try.
    void retry_now(Time now);
    /// Ends the connection, if any, for a reason of the user's side; the backoff follows. The will is published.
    /// What was handed out and not acknowledged is handed out again when the broker repeats it.
    void drop(Time now, Error why);
    void publish(Time now, const PublishRequest&);
    /// True: all of them go as they are. They count as output that was taken: the shell writes them, behind all that
    /// take_output() gave; no events follow. False: nothing was done, since something is in the way (no connection, other
    /// output or messages before them, a limit, a pace, topic aliases): they have to be published one by one.
    bool pass(Time now, const PublishRun&);
    /// Wants the filters from now on, over reconnects, until they are unsubscribed or refused for good.
    void subscribe(Time now, std::vector<TopicFilter>, Route = 0, Token = 0);
    void unsubscribe(Time now, std::vector<std::string>, Token = 0);
    /// The message was handled (or refused, by a reason >= 0x80). Acks leave in the order of arrival. Unknown ids, such as
    /// those of an earlier connection, are ignored.
    void acknowledge(Time now, InboundId, Reason = Reason::success);
    /// Withdraws a publish: gone if still queued; else it goes on, but its outcome is reported now, as cancelled.
    void cancel(Time now, Token);
    void ping(Time now, Token);
    /// Nothing shall be read while the user cannot take more, as wants_input() then says: the broker's silence is not
    /// held against it. Pings go on.
    void hold_input(Time now, bool held);

    /// For the next CONNECT. At `renew_at` a connection that was made with them (and without an authentication) is ended in good order, and made anew at
    /// once: what is in flight is given a few seconds, what comes meanwhile waits in the queue.
    void set_credentials(Credentials, std::optional<Time> renew_at = {});
    void set_will(std::optional<Will>);

    /// For the next CONNECT; nothing: none. Not on MQTT 3.1.1.
    void set_authentication(std::optional<Authentication>);
    // What answers the events of the authentication; ignored if nothing is to be answered.
    void continue_authentication(Time now, Octets data);
    /// At `renew_at` (or that of the credentials, at the first time) RenewalDue follows.
    void accept_authentication(Time now, std::optional<Time> renew_at = {});
    /// Ends the connection, or the attempt.
    void fail_authentication(Time now, Error why);
    /// Authenticates anew on the open connection, with the same method; it stays in use meanwhile. One at a time: while one
    /// is under way it does nothing.
    void reauthenticate(Time now, Authentication);

    // C. What follows from it.
    /// Appends what is to be kept, if the engine is persistent. True: the output taken from now on must not be written
    /// before these changes are kept; so must take_changes() be called right before each take_output().
    bool take_changes(std::vector<RecordChange>&);
    bool has_changes() const noexcept;
    /// Appends the events since the last time. Swap-friendly: pass an empty vector that keeps its capacity.
    void take_events(std::vector<Event>&);
    /// The routes of a received message: those that its subscription identifiers name (MQTT 5), or else those whose
    /// filters match it; empty: the default destination.
    std::span<const Route> routes(const Received&) const noexcept;
    /// Appends what is to be written, and counts it as unwritten until wrote().
    void take_output(std::string& into);
    bool has_output() const noexcept;
    Wish take_wish();
    /// False while the shell should not read: the input is held, or so much output is unwritten: a peer that does not
    /// read its acknowledgements must not make us keep them all.
    bool wants_input() const noexcept;

    // D. When to call elapsed(), and why.
    std::optional<Deadline> deadline() const;

    bool is_up() const noexcept;
    const Counters& counters() const noexcept;
    Levels levels() const noexcept;
    Snapshot snapshot() const;
    std::vector<TopicFilter> subscriptions() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::core
