#pragma once
/// A whole MQTT broker in the process, for tests and demonstrations: both versions, on a loopback port.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tortoise/fn.hpp>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>
#include <tortoise/testing/capture.hpp>
#include <tortoise/testing/faults.hpp>
#include <tortoise/tls.hpp>
#include <vector>

namespace tortoise::testing {

/// The broker's side of TLS. Certificates and keys are PEM or DER; from a file or from memory.
struct BrokerTls {
    std::string certificate_file = {}, key_file = {};  ///< the certificate with its chain behind it, if PEM
    std::string certificate = {}, key = {};            ///< in memory, instead
    std::vector<std::string> ca_certificates = {};     ///< in memory: who may issue the clients' certificates
    std::string ca_file = {};
    bool require_client_certificate = false;
    std::map<std::string, std::string> psk = {};       ///< identities and the octets of their keys
    std::vector<std::string> alpn = {};                ///< protocols spoken, the best one first; empty: any
    TlsVersion minimum = TlsVersion::v1_2;
    TlsVersion maximum = TlsVersion::v1_3;
};

/// The broker's side of one conversation of enhanced authentication (MQTT 5).
class BrokerAuthentication {
public:
    struct Step {
        enum class Kind : std::uint8_t { go_on, accept, refuse } kind = Kind::refuse;
        std::string data = {};  ///< of go_on and accept: for the client
    };
    virtual ~BrokerAuthentication() = default;
    /// What the client says, at first with its CONNECT (or AUTH 0x19); empty: no data.
    virtual Step step(Octets data) = 0;
};
/// Begins a conversation by that method, by `new`; null: the method is not known. Called on the broker's thread.
using BrokerAuthentications = SharedFn<BrokerAuthentication*(std::string_view method)>;

/// Sends every client of MQTT 5 away. [MQTT-4.11]
struct BrokerRedirect {
    std::string server = {};                       ///< "host:port", as the Server Reference tells it
    Reason reason = Reason::use_another_server;    ///< or server_moved
};

/// What the broker offers and refuses. The defaults offer everything that MQTT has.
struct BrokerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: the system chooses one; a restart keeps it

    std::string unix_path = {};  ///< listens on this Unix socket instead
    std::optional<BrokerTls> tls = {};
    bool websocket = false;  ///< WebSocket at any path, in place of plain MQTT; with tls: wss

    /// Behaves like that cloud, limits and deviations included: one of broker_profiles(). What else is set here can make it
    /// stricter only.
    std::string profile = {};
    std::map<std::string, std::string> users = {};    ///< name and password; empty: everybody may connect
    /// Name and password of those who may authenticate by SCRAM-SHA-256. With these (or `authentication`) who is neither
    /// authenticated nor one of `users` is not_authorized.
    std::map<std::string, std::string> scram_users = {};
    BrokerAuthentications authentication = {};        ///< other methods
    std::optional<BrokerRedirect> redirect = {};      ///< instead of letting anybody in
    std::vector<std::string> deny_subscribe = {};     ///< a filter equal to, or covered by, one of these is not_authorized
    std::vector<std::string> deny_publish = {};       ///< topics that match one of these are not_authorized

    std::optional<std::chrono::seconds> server_keep_alive = {};  ///< told to MQTT 5 clients, in place of theirs
    QoS maximum_qos = QoS::exactly_once;
    bool retain_available = true;
    bool wildcard_subscriptions = true;
    bool shared_subscriptions = true;
    bool subscription_identifiers = true;
    std::uint16_t receive_maximum = 65'535;           ///< unacknowledged messages that a client may send at a time
    std::uint32_t maximum_packet_size = 268'435'460;
    std::uint16_t topic_alias_maximum = 65'535;       ///< that clients may use; towards clients it uses what they allow
    std::optional<std::chrono::seconds> session_expiry_cap = {};  ///< longest session expiry it grants
    bool one_copy_per_subscription = false;           ///< overlapping filters: a copy each, instead of one with the highest QoS
    std::size_t queue_limit = 1'000'000;              ///< messages kept for a session; beyond, the oldest QoS 0, then new ones go

    std::optional<Faults> faults = {};                ///< between its clients and itself
    std::optional<Capture> capture = {};              ///< records what passes there
};

/// "aws", "azure-event-grid", …
std::span<const std::string_view> broker_profiles() noexcept;

struct BrokerStatistics {
    std::uint64_t connections = 0;        ///< open at present
    std::uint64_t sessions = 0;           ///< kept, connected or not
    std::uint64_t retained = 0;
    std::uint64_t publishes_received = 0;
    std::uint64_t publishes_sent = 0;
};

/// Runs on its own thread; every function may be called from any thread (not from a loop thread) and returns when it is done.
class Broker {
public:
    /// Starts at once; ok() tells whether the port could be had.
    explicit Broker(BrokerOptions = {});
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    /// Why it does not listen; no value while it runs or after stop().
    Result<Done> ok() const;
    std::uint16_t port() const;
    std::string url() const;  ///< "mqtt://127.0.0.1:PORT", "mqtts://…" with TLS, "ws://…/mqtt", "unix:///…"

    /// Closes every connection without a word, and the port. Sessions and retained messages are kept for start().
    void stop();
    /// Listens again, on the same port.
    Result<Done> start();
    /// Closes every connection without a word, and goes on listening.
    void drop_connections();
    /// Forgets sessions and retained messages; closes every connection first.
    void forget_sessions();
    BrokerStatistics statistics() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::testing
