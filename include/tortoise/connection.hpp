#pragma once
/// A connection to a broker that keeps itself alive.

#include <string>
#include <string_view>
#include <tortoise/authenticator.hpp>
#include <tortoise/handler.hpp>
#include <tortoise/options.hpp>
#include <tortoise/pending.hpp>
#include <tortoise/result.hpp>
#include <tortoise/runtime.hpp>
#include <tortoise/statistics.hpp>
#include <tortoise/store.hpp>
#include <tortoise/tls.hpp>
#include <tortoise/transport.hpp>
#include <tortoise/websocket.hpp>
#include <vector>

namespace tortoise {

/// Asked for the credentials of each attempt to connect, on the loop thread; it answers now, or later from any thread
/// (`Promise`). The attempt waits for the answer, at most connect_timeout; an error is a failed attempt.
using CredentialsFunction = SharedFn<Pending<Credentials>(const CredentialsRequest&)>;

namespace core {
class WorkList;  // core/work_list.hpp
}
/// Makes the work list of each connection, by `new`; the library deletes it. It is used on the loop thread.
using WorkListFactory = SharedFn<core::WorkList*()>;

/// What becomes of a connection whose handler threw.
enum class HandlerFailure : std::uint8_t {
    end,      ///< it ends, with Errc::handler_threw
    restart,  ///< a new handler is made, and it connects again after the backoff; no message is lost by it
};

/// Who says that a received message of QoS 1 or 2 was handled; from then on the broker need not keep it. [MQTT-4.3]
enum class Acknowledge : std::uint8_t {
    automatic,  ///< it was when the handler returned; of a Stream, when the next one is asked for
    manual,     ///< the user, by Connection::acknowledge
};

struct ConnectionOptions {
    std::string client_id = {};                      ///< empty: one is made up
    /// mqtt:// or mqtts://[user[:password]@]host[:port], ws:// or wss://…[/path[?query]] (without a path: /mqtt),
    /// unix:///path
    std::string server = "mqtt://localhost:1883";
    std::vector<std::string> more_servers = {};      ///< tried in turn after `server`
    /// How often in a row a server may send us to another one by a Server Reference (MQTT 5); 0: it is not followed. [MQTT-4.11]
    unsigned max_redirects = 3;
    Tls tls = {};                                    ///< of mqtts:// and wss:// servers
    WebSocket websocket = {};                        ///< of ws:// and wss:// servers
    /// http:// (by CONNECT) or socks5://[user[:password]@]host[:port]: on the way to each server that has a host. The proxy
    /// looks the host up; what is secured passes through it secured.
    std::string proxy = {};
    TransportFactory transport = {};                 ///< in place of TCP; TLS and WebSocket are laid over it if the URL says so
    HandlerFactory handler = {};
    std::vector<TopicFilter> subscriptions = {};     ///< wanted from the start
    Version version = Version::v5;
    SessionOptions session = {};
    std::optional<std::string> user_name = {};       ///< instead of the URL's
    std::optional<std::string> password = {};
    CredentialsFunction credentials = {};            ///< instead of both
    AuthenticatorFactory authenticator = {};         ///< enhanced authentication (MQTT 5), besides all that
    std::optional<Will> will = {};
    Duration keep_alive = std::chrono::seconds(60);  ///< whole seconds, at most 65,535; 0: none
    Duration keep_alive_timeout = std::chrono::seconds(5);
    Duration connect_timeout = std::chrono::seconds(10);  ///< from name resolution to CONNACK
    Duration reply_timeout = std::chrono::seconds(20);    ///< of SUBSCRIBE and UNSUBSCRIBE; then they are asked again
    Duration first_connect_delay = {};               ///< a random part of it is waited before the first connect
    Backoff backoff = {};
    Retry (*classify)(const Error&) noexcept = &tortoise::classify;
    HandlerFailure handler_failure = HandlerFailure::end;
    Queue queue = {};                                ///< of messages that could not be sent yet
    WorkListFactory work_list = {};                  ///< instead of `queue`: an order and a policy of one's own
    /// Keeps the session, under the client id, over the life of this object: what was accepted is sent by the next one.
    Store store = {};
    TopicAliases topic_aliases = TopicAliases::automatic;
    /// Unacknowledged QoS 1 and 2 messages sent at a time, within the broker's Receive Maximum. 0: as many as that; on
    /// MQTT 3.1.1, which has none, 20: brokers drop what is beyond their own limit, and say nothing.
    std::uint16_t max_in_flight = 0;
    Acknowledge acknowledge = Acknowledge::automatic;
    std::uint16_t receive_maximum = 65'535;          ///< unacknowledged messages that the broker may send at a time
    std::uint32_t maximum_packet_size = 64u << 20;   ///< of packets received, in bytes
    PeerLimits limits = {};                          ///< of the server, as far as it does not tell them
    Properties connect_properties = {};              ///< further properties of CONNECT (MQTT 5)
    Properties subscribe_properties = {};            ///< user properties of each SUBSCRIBE and UNSUBSCRIBE (MQTT 5)
};

/// Told about every message whose topic matches the filter it was given with.
using OnMessage = Fn<void(Connection&, const MessageView&)>;

struct RequestOptions {
    Duration timeout = std::chrono::seconds(10);  ///< then it ends with Errc::timeout; the request travels no longer
    QoS qos = QoS::at_least_once;
    /// Where the replies come. MQTT 5: one is made up for the connection if it is empty, below the broker's Response
    /// Information if there is any. MQTT 3.1.1 cannot tell the responder: name the topic that it is known to use; replies
    /// are taken for those to the oldest request with that topic.
    std::string response_topic = {};
    Properties properties = {};                   ///< further properties of the request (MQTT 5)
};

/// A handle to a connection. It connects when it is made, reconnects by its backoff, keeps its subscriptions, and re-sends
/// what was not acknowledged. Every function may be called from any thread and from inside any callback; none blocks.
///
/// Copies share the connection. When the last owning handle goes, the connection says DISCONNECT, ends, and every open
/// operation ends with Errc::stopped; unless this happens on a loop thread, or the loop is the user's to run (asio.hpp), no
/// callback runs any more when the destructor returns. Handles that a callback is given do not own.
///
/// Functions that take options have a form without: g++ 12 destroys options twice that are made inside a co_await
/// expression, also by default; see coro.hpp.
class Connection {
public:
    /// Options that are not allowed (a URL without sense, …) make a connection that is stopped from the start: status(),
    /// error() and the result of each operation say why.
    explicit Connection(ConnectionOptions, Runtime = Runtime::shared());
    Connection(const Connection&) noexcept;
    Connection(Connection&&) noexcept;
    Connection& operator=(const Connection&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    std::string_view client_id() const noexcept;
    Status status() const noexcept;
    /// Why it is down or stopped: the last failure; empty if there was none.
    Error error() const;
    /// Answered when the connection is up (now, if it is), or with the reason when it stops for good.
    Pending<SessionInfo> ready();
    /// Blocks until the connection is up; on a time-out the error is that of the last attempt, if there was one.
    Result<SessionInfo> wait_until_up(Duration at_most);

    /// Topic and payload are copied before it returns.
    Delivery publish(std::string_view topic, Octets payload = {});
    Delivery publish(std::string_view topic, Octets payload, PublishOptions);

    /// Wants a filter, over reconnects and lost sessions, until it is unsubscribed. Its messages go to the handler. It is
    /// asked for at every connect, also in a session that the broker kept: on MQTT 3.1.1 retained messages come again.
    Pending<Grant> subscribe(TopicFilter);
    /// Its messages go to the callback instead, called on the loop thread.
    Pending<Grant> subscribe(TopicFilter, OnMessage);
    /// Several in one packet, or a few if they are too many for the broker; a result for each, in their order.
    Pending<std::vector<Result<Grant>>> subscribe(std::vector<TopicFilter>);
    Pending<Done> unsubscribe(std::string filter);
    Pending<std::vector<Result<Done>>> unsubscribe(std::vector<std::string> filters);
    /// What is wanted at present, granted or not.
    std::vector<TopicFilter> subscriptions() const;

    /// With Acknowledge::manual: the message was handled. In any order: acknowledgements leave in the order of the messages,
    /// each as soon as those before it were given. Until then the message counts against receive_maximum. Messages of a
    /// connection that was lost come again; their old ids mean nothing. [MQTT-4.6.0-2] [MQTT-4.4]
    void acknowledge(AckId);
    /// The same, with a refusal: the broker gives up on the message. The error: MQTT 3.1.1 has no refusals, or the reason is
    /// none of PUBACK and PUBREC. [MQTT-3.4.2.1]
    Result<Done> refuse(AckId, Reason);

    /// Publishes a request and awaits its first reply. A request that cannot be delivered, or of which the broker says
    /// that nobody listens, ends at once with that error. [MQTT-4.10]
    Pending<Message> request(std::string_view topic, Octets payload = {});
    Pending<Message> request(std::string_view topic, Octets payload, RequestOptions);
    /// Each reply goes to the callback, on the loop thread, until the time-out; answered then with their number.
    Pending<std::size_t> request(std::string_view topic, Octets payload, RequestOptions, OnMessage);
    /// Publishes a reply to where the request asks for it, with its correlation data. Fails if it asks for none.
    Delivery reply(const MessageView& request, Octets payload = {});
    Delivery reply(const MessageView& request, Octets payload, PublishOptions);

    /// The round-trip time of a PINGREQ.
    Pending<Duration> ping();
    /// Numbers about it. Cheap; holds nobody up.
    Statistics statistics() const;
    /// The network changed: drop the connection, if any, and connect at once.
    void reconnect();
    /// Authenticates anew, by another authenticator, while the connection stays in use (MQTT 5). Refused, it ends. The error is
    /// connection_lost if it is not up, not_supported without an authenticator.
    Pending<Done> reauthenticate();
    /// Sends what is queued and awaits what is in flight for at most `drain`; then DISCONNECT, and the end. What is left
    /// ends with Errc::stopped. Answered when all is over.
    Pending<Done> stop(Duration drain = {});
    Pending<Done> stop(Duration drain, DisconnectOptions);

    class Core;

private:
    friend class Core;
    struct Owner;
    Connection(detail::Ref<Core>, detail::Ref<Owner>) noexcept;
    detail::Ref<Core> core_;
    detail::Ref<Owner> owner_;  // null in handles that do not own
};

} // namespace tortoise
