#pragma once
/// Every option, as plain structs: each field has a value that works, and designated initialisers read like keywords.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tortoise/message.hpp>
#include <tortoise/result.hpp>
#include <tortoise/types.hpp>
#include <vector>

namespace tortoise {

/// How long to wait between attempts to connect: a uniformly random part ("full jitter") of an exponentially growing span.
struct Backoff {
    Duration min = std::chrono::milliseconds(100);
    Duration max = std::chrono::seconds(30);
    Duration stable_after = std::chrono::seconds(30);  ///< a connection up for that long resets the growth
};

/// What happens to a publish when the queue is at its bound.
enum class Overflow : std::uint8_t {
    reject,            ///< the new one is refused with queue_full
    drop_oldest,       ///< the oldest one gives way, with displaced
    drop_newest,       ///< the new one gives way, with displaced
    latest_per_topic,  ///< a queued one of the same topic always gives way to the new one; at the bound, the oldest
    by_priority,       ///< the oldest of the lowest priority gives way, which may be the new one
};

/// The queue of messages that could not be sent yet. Both bounds hold. What was published and has not reached the queue
/// is bounded as well: by the same octets, or 1 MiB if that is more; and, where the new ones are refused, by the same
/// number, or 10,000 if that is more. Beyond it the answer is queue_full at once, whatever the policy.
struct Queue {
    std::size_t messages = 10'000;
    std::size_t bytes = 64u << 20;  ///< topics, payloads and properties together
    Overflow overflow = Overflow::reject;
};

/// At most so many per second, and so many at once if there were none for a while.
struct Rate {
    std::uint32_t per_second = 0;  ///< 0: no limit
    std::uint32_t burst = 0;       ///< 0: as many as per second
    friend bool operator==(const Rate&, const Rate&) = default;
};

/// What the server allows and CONNACK does not tell; where both speak, the stricter holds. What is beyond ends at once, or
/// stops the connection from the start, with an error that names the value and what is allowed. What is too fast waits.
/// Sizes are in octets. The defaults limit nothing; tortoise/profile.hpp has those of the clouds.
struct PeerLimits {
    /// False: neither these nor what CONNACK tells is looked at; everything goes out as it is, at once. For tests.
    bool check = true;
    QoS maximum_qos = QoS::exactly_once;
    bool retain = true;
    bool shared_subscriptions = true;
    bool request_user_properties = true;  ///< user properties in other packets than PUBLISH
    std::uint32_t packet_size = 268'435'460;
    std::uint32_t payload_size = 268'435'460;
    std::uint32_t user_properties_size = 268'435'460;  ///< names and values of a packet together
    std::uint16_t topic_size = 65'535;    ///< of topics and filters
    std::uint16_t topic_levels = 65'535;  ///< of topics and filters
    std::string uncounted = {};           ///< where a topic begins so ("$aws/rules/"), this and a level behind it do not count
    std::uint16_t client_id_size = 65'535;
    std::uint32_t subscriptions = 4'294'967'295;  ///< filters that are wanted at a time
    std::uint16_t filters_per_subscribe = 65'535;  ///< and per UNSUBSCRIBE; some brokers take 8
    bool split_subscribes = true;  ///< false: a request for more filters than that is an error instead of several SUBSCRIBEs
    Duration least_keep_alive = {};  ///< keep_alive is raised to it
    Duration most_keep_alive = {};   ///< and lowered to it, also from none; 0: no limit
    Rate publishes = {}, octets = {};  ///< PUBLISH packets, and the octets of their topics, payloads and properties
    Rate subscribes = {}, connects = {};
    friend bool operator==(const PeerLimits&, const PeerLimits&) = default;
};

/// The message that the broker publishes when the connection ends without a DISCONNECT. [MQTT-3.1.2.5]
struct Will {
    std::string topic = {};
    std::string payload = {};
    QoS qos = QoS::at_most_once;
    bool retain = false;
    Duration delay = {};  ///< MQTT 5: how long the broker waits for the client to come back; whole seconds
    Properties properties = {};
};

/// What is done with an error that ended an attempt or a connection.
enum class Retry : std::uint8_t {
    retry,  ///< after the backoff
    slow,   ///< after the longest backoff: it needs somebody's help, yet may get it
    fatal,  ///< not at all: the connection stops with that error
};
/// The default classification: the network's and the server's passing troubles are retried, refused credentials are
/// retried slowly, and what cannot get better (an unsupported protocol version, a handler that threw) is fatal.
Retry classify(const Error&) noexcept;

/// Who we are, as CONNECT says it. [MQTT-3.1.3.5]
struct Credentials {
    std::optional<std::string> user_name = {};
    std::optional<std::string> password = {};  ///< on MQTT 3.1.1 not without a user name
    /// When they end. Ahead of it the connection is made anew with others, if there is a function that gives them; if it
    /// has an authenticator, it authenticates again instead.
    std::optional<std::chrono::system_clock::time_point> expires = {};
};

/// What an attempt to connect tells the function that is asked for its credentials.
struct CredentialsRequest {
    unsigned attempt = 1;  ///< 1, and one more for each failed attempt in a row
    std::string server = {};  ///< the host and port that this attempt goes to
    Error last_failure = {};  ///< why the last attempt failed or the last connection ended; empty at first
};

/// When a new connection should start with a new session. [MQTT-3.1.2.4]
/// MQTT 5: `clean_start` holds for the first connect of this object; later ones rejoin the session.
/// MQTT 3.1.1: the flag is sent with every connect, and the session ends with the connection if it is set.
struct SessionOptions {
    bool clean_start = true;
    /// MQTT 5: how long the broker keeps the session after the connection ends; whole seconds.
    Duration expiry = std::chrono::hours(1);
};

/// Who gives topic aliases to the topics of outgoing messages (MQTT 5). [MQTT-3.3.2.3.4]
enum class TopicAliases : std::uint8_t {
    off,
    automatic,  ///< the connection; the least recently used one gives way
    /// The user, by property::topic_alias; the topic may be empty once the alias was named with one. The topic travels once
    /// on each connection, and always with an alias that the broker does not allow.
    manual,
};

struct PublishOptions {
    QoS qos = QoS::at_most_once;
    bool retain = false;
    /// Withdraws the message if it could not be sent in that time; on MQTT 5 the rest of it is the Message Expiry Interval.
    std::optional<Duration> ttl = {};
    int priority = 0;  ///< for Overflow::by_priority; higher stays longer
    Properties properties = {};
};

/// What to do with retained messages when a subscription is made (MQTT 5). [MQTT-3.8.3.1]
enum class RetainHandling : std::uint8_t { send = 0, send_if_new = 1, do_not_send = 2 };

/// What DISCONNECT says when a connection is stopped. The fields but `reason` are of MQTT 5 only.
struct DisconnectOptions {
    Reason reason = Reason::success;  ///< disconnect_with_will: the will is published
    Properties properties = {};       ///< a Reason String, user properties
    /// How long the broker keeps the session; empty: 0 after a clean start (unless there is a store), else as CONNECT said.
    std::optional<Duration> session_expiry = {};
};

struct SubscribeOptions {
    QoS qos = QoS::at_most_once;
    bool no_local = false;             ///< MQTT 5: not what this connection published itself
    bool retain_as_published = false;  ///< MQTT 5: keep the retain flag as the publisher set it
    RetainHandling retain_handling = RetainHandling::send;
    friend bool operator==(const SubscribeOptions&, const SubscribeOptions&) = default;
};

/// A topic filter and how it is subscribed: `{"rooms/+/temp", {.qos = QoS::at_least_once}}` or `{"rooms/#", QoS::…}`.
/// Of a TopicTemplate: its filter. A text is a filter as it stands, also with braces in it.
struct TopicFilter {
    std::string filter = {};
    SubscribeOptions options = {};

    TopicFilter() = default;
    TopicFilter(std::string f, SubscribeOptions o = {}) : filter(std::move(f)), options(o) {}
    TopicFilter(const char* f, SubscribeOptions o = {}) : filter(f), options(o) {}
    TopicFilter(std::string f, QoS qos) : filter(std::move(f)), options{.qos = qos} {}
    TopicFilter(const char* f, QoS qos) : filter(f), options{.qos = qos} {}
    TopicFilter(TopicTemplate t, SubscribeOptions o = {}) : filter(t.filter()), options(o) {}
    TopicFilter(TopicTemplate t, QoS qos) : filter(t.filter()), options{.qos = qos} {}
    friend bool operator==(const TopicFilter&, const TopicFilter&) = default;
};

/// What the broker said to a filter. [MQTT-3.9.3]
struct Grant {
    QoS requested = QoS::at_most_once;
    QoS granted = QoS::at_most_once;  ///< may be lower than what was asked for
    Properties properties = {};       ///< of SUBACK: a Reason String, user properties
    friend bool operator==(const Grant&, const Grant&) = default;
};

/// How a publish ended well.
struct Receipt {
    QoS qos = QoS::at_most_once;
    Reason reason = Reason::success;  ///< e.g. no_matching_subscribers
    std::uint32_t attempts = 1;       ///< how often it was sent
    Duration took = {};               ///< from the publish to its last acknowledgement
    std::string text = {};            ///< the broker's Reason String, if any
    Properties properties = {};       ///< of its last acknowledgement
};

/// What is known when a connection is up.
struct SessionInfo {
    bool session_present = false;
    std::string client_id = {};  ///< the one in use: asked for, made up, or assigned by the broker
    Version version = Version::v5;
    Duration keep_alive = {};    ///< in force; zero: none
    Properties properties = {};  ///< of CONNACK: what the broker allows, Response Information, user properties
    friend bool operator==(const SessionInfo&, const SessionInfo&) = default;
};

} // namespace tortoise
