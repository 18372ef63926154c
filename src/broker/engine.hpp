#pragma once
/// A whole MQTT broker as a value-in, value-out machine: no sockets, no clock, no threads. Both versions at once.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tortoise/core/time.hpp>
#include <tortoise/testing/broker.hpp>
#include <vector>

namespace tortoise::broker {

using core::Time;
using ClientId = std::uint64_t; ///< names a network connection; chosen by the caller, never reused

struct Snapshot {
    struct Session {
        std::string client_id;
        bool connected = false;
        std::size_t queued = 0;                  ///< messages that wait for the send window
        std::size_t in_flight = 0;               ///< sent and not yet acknowledged
        std::vector<std::uint16_t> inbound_qos2; ///< identifiers received and not yet released, ascending
        std::vector<TopicFilter> subscriptions;
    };
    std::vector<Session> sessions; // by client identifier
    std::size_t retained = 0;
};

/// How to drive it: after any call of (A), drain (B) for every connection of touched(), then arm one timer for (C).
///   A  connected, received, wrote, closed, elapsed
///   B  take_output, wants_close (close when the output is written)
///   C  deadline
/// Nothing throws or asserts on what a client sent.
class Engine {
public:
    /// An unknown profile counts as none.
    explicit Engine(testing::BrokerOptions);
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    ~Engine();

    /// A network connection was opened; a CONNECT is expected within 10 s.
    void connected(Time now, ClientId);
    void received(Time now, ClientId, Octets);
    /// That much of its output went out: more may follow.
    void wrote(Time now, ClientId, std::size_t octets);
    /// The network connection ended, whoever ended it.
    void closed(Time now, ClientId);
    void elapsed(Time now);

    /// Appends the connections that may have new output or should be closed, each once, since the last time.
    void touched(std::vector<ClientId>& into);
    void take_output(ClientId, std::string& into);
    bool wants_close(ClientId) const;

    std::optional<Time> deadline() const;

    /// Offers something else from now on, by the profile that it was made with; all connections must be closed.
    void set_options(testing::BrokerOptions);
    /// Forgets sessions and retained messages; all connections must be closed.
    void forget_sessions();
    /// Called with the payload of each message, wills included, when it is passed on to whoever subscribed; before they
    /// get it. It must not call the engine.
    void observe(std::function<void(Octets payload)>);
    testing::BrokerStatistics statistics() const;
    Snapshot snapshot() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::broker
