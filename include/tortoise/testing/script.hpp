#pragma once
/// A server that follows a script, for tests of what a broker does seldom or must not do: what it expects of its client,
/// and what it says, step by step, over a real socket.

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <tortoise/core/packet.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/result.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/testing/gate.hpp>
#include <variant>
#include <vector>

namespace tortoise::testing {

struct ScriptOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;              ///< 0: the system chooses one
    std::string unix_path = {};          ///< listens on this Unix socket instead
    std::optional<BrokerTls> tls = {};
    bool websocket = false;              ///< WebSocket, in place of plain MQTT
    bool show_payloads = false;          ///< in failures and the transcript; otherwise only their size
};

/// Octets that are sent as they are, whatever they mean.
struct Raw {
    std::string octets = {};
};
/// A packet, encoded for the client's protocol version, or raw octets.
using Part = std::variant<core::Packet, Raw>;

/// What a CONNECT has to say; fields without a value do not matter.
struct ConnectFields {
    std::optional<Version> version = {};
    std::optional<std::string> client_id = {};
    std::optional<bool> clean_start = {};
    std::optional<std::uint16_t> keep_alive = {};
    std::optional<std::string> user_name = {};
    std::optional<std::string> password = {};
    std::optional<std::string> will_topic = {};
};
/// What a PUBLISH has to say; fields without a value do not matter.
struct PublishFields {
    std::optional<std::string> topic = {};
    std::optional<std::string> payload = {};
    std::optional<QoS> qos = {};
    std::optional<bool> retain = {};
    std::optional<bool> duplicate = {};
};

/// Listens when it is made, and follows its steps in their order, one after the other; further ones may be added while it
/// runs. Each function that adds a step returns the script, and may be called from any thread.
///
///     Script script;
///     script.expect_connect().send(core::Connack{});
///     script.expect_publish({.topic = "a"}).send(core::Ack{.type = core::PacketType::puback}).expect_close();
///     … Connection c{{.server = script.url()}}; …
///     ASSERT_TRUE(script.wait(10s)) << script.report();
///
/// Connections. A step that needs one waits for the next client if there is none. After close(), drop() and expect_close()
/// there is none. Clients that come while another is served wait for their turn.
/// Packets. What arrives while no step expects it waits for the next one that does. The protocol version is that of the
/// client's CONNECT (before it: MQTT 5).
/// Identifiers. An identifier 0 where there ought to be one means, in what is expected: any; in what is sent: that of the
/// last packet received which had one.
/// Failure. The first step that cannot be done ends the script: its connections and its port are closed.
/// It has a thread of its own. Its destructor ends it, wherever it stands; not to be called on that thread.
class Script {
public:
    using Where = std::source_location;

    explicit Script(ScriptOptions = {});
    ~Script();
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    /// An error if it cannot listen.
    Result<Done> ok() const;
    std::uint16_t port() const;
    std::string url() const;  ///< "mqtt://127.0.0.1:PORT", "mqtts://…" with TLS, "unix:///…"

    // ---- What the client has to do ----

    /// The next packet is this one.
    Script& expect(const core::Packet&, Where = Where::current());
    /// The next packet is of this type.
    Script& expect(core::PacketType, Where = Where::current());
    Script& expect_any(Where = Where::current());
    Script& expect_connect(ConnectFields = {}, Where = Where::current());
    Script& expect_publish(PublishFields = {}, Where = Where::current());
    /// Exactly these filters, in this order; none given: any.
    Script& expect_subscribe(std::vector<std::string> filters = {}, Where = Where::current());
    /// The next packet is a P for which the function holds; `what` says it in failures: "a PUBLISH about the weather".
    template <class P> Script& expect_that(std::string what, Fn<bool(const P&)> holds, Where where = Where::current()) {
        return expect_match(
            std::move(what),
            [holds = std::move(holds)](const core::Packet& packet) mutable {
                const auto* p = std::get_if<P>(&packet);
                return p && holds(*p);
            },
            where);
    }
    /// The client ends the connection, one way or another, and sends nothing before.
    Script& expect_close(Where = Where::current());
    /// Nothing arrives, and the client stays, until the gate is open.
    Script& silence_until(Gate, Where = Where::current());

    // ---- What the server does ----

    /// Waits for the next client, which is served from then on; lets go of one that was served before.
    Script& accept(Where = Where::current());
    /// Done when all of it is written, or the client went away.
    Script& send(Part, Where = Where::current());
    /// All of them in one write.
    Script& send(std::vector<Part>, Where = Where::current());
    /// Sends what the function makes of the packets that were expected, and came, on this connection; the last one is the
    /// latest. What its result borrows has to outlive the call. It runs on the script's thread.
    Script& reply(Fn<core::Packet(std::span<const core::Packet>)>, Where = Where::current());
    /// From now on writes have at most that many octets, and each has a turn of its own. 0: no limit, as at first.
    Script& split(std::size_t octets, Where = Where::current());
    /// Ends the connection in order: the client can read to the end.
    Script& close(Where = Where::current());
    /// Breaks the connection: over TCP the client sees a reset.
    Script& drop(Where = Where::current());
    /// Goes on when the gate is open.
    Script& await(Gate, Where = Where::current());
    /// Opens the gate, for the test to see.
    Script& open(Gate, Where = Where::current());
    /// Calls the function on the script's thread. If it throws, that is a failure.
    Script& call(Fn<void()>, Where = Where::current());

    // ---- How it went ----

    /// Blocks until every step that was added is done. Otherwise the error's text is that of report(): a step failed, or
    /// (Errc::timeout) one is not done yet.
    Result<Done> wait(Duration at_most) const;
    /// Which step it stands at or failed at, what was expected and what arrived, and the transcript. Several lines.
    std::string report() const;
    /// What passed so far: a line for each packet, and for each beginning and end of a connection.
    std::string transcript() const;

private:
    Script& expect_match(std::string what, Fn<bool(const core::Packet&)>, Where);

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace tortoise::testing
