#pragma once
/// A proxy in front of any broker, for faults between it and its clients.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tortoise/result.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/testing/capture.hpp>
#include <tortoise/testing/faults.hpp>
#include <tortoise/tls.hpp>

namespace tortoise::testing {

struct ProxyOptions {
    std::string to = {};                       ///< the broker: mqtt://, mqtts://, ws://, wss:// or unix://
    Faults faults = {};
    std::optional<Capture> capture = {};
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;                    ///< 0: the system chooses one
    std::string unix_path = {};                ///< listens on this Unix socket instead
    std::optional<BrokerTls> tls = {};         ///< towards the clients
    bool websocket = false;                    ///< towards the clients: WebSocket
    Tls to_tls = {};                           ///< towards a broker at mqtts:// or wss://
    std::size_t most_connections = 1000;       ///< at a time; further ones are closed
    std::size_t maximum_packet_size = 64u << 20;  ///< a larger packet ends its connection, as does what is no MQTT
};

/// Passes packets on, both versions, as its rules say; without rules as they are. Of what one side does not take it keeps
/// little, and reads no more of the other. Has a thread of its own; every function may be called from any thread (not from a
/// loop thread).
class Proxy {
public:
    /// Starts at once; ok() tells whether it listens.
    explicit Proxy(ProxyOptions);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    /// Why it does not listen. A broker that cannot be reached shows as a connection that is closed.
    Result<Done> ok() const;
    std::uint16_t port() const;
    std::string url() const;  ///< for clients: "mqtt://127.0.0.1:PORT", "mqtts://…" with TLS, "ws://…/mqtt", "unix:///…"
    /// Open at present: those with a client or a broker at the other end.
    std::size_t connections() const;
    /// Closes every connection without a word, and goes on listening.
    void drop_connections();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::testing
