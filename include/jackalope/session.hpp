#pragma once
/// A post office: takes publishes at any time, keeps them until the broker has them, and tells what became of each.

#include <jackalope/handler.hpp>
#include <jackalope/work_list.hpp>
#include <string>
#include <tortoise/connection.hpp>
#include <vector>

namespace jackalope {

struct PublishOptions {
    tortoise::QoS qos = tortoise::QoS::at_least_once;
    bool retain = false;
    /// How long the message is worth sending: if it waits that long, it is not sent any more, and reported as expired at
    /// that moment. On MQTT 5 the rest of it travels with the message, so that the broker does not deliver it late either.
    tortoise::Duration ttl = std::chrono::hours(1);
    int priority = 0;  ///< for Overflow::by_priority; higher stays longer
    tortoise::Properties properties = {};
};

struct SessionOptions {
    std::string client_id = "jackalope";
    std::string server = "mqtt://localhost:1883";
    std::vector<std::string> more_servers = {};  ///< tried in turn after `server`
    std::optional<std::string> user_name = {};   ///< may stand alone
    std::optional<std::string> password = {};
    HandlerFactory handler = {};                 ///< none: errors are logged to standard error, without payloads
    std::vector<tortoise::TopicFilter> initial_topics = {};
    /// False: the broker keeps the session while we are away. With a store it always does, so that what was in flight goes on.
    bool clean_session = true;
    /// MQTT 5: for how long the broker does that; whole seconds. Nothing: an hour; seven days with a store.
    std::optional<tortoise::Duration> session_expiry = {};
    std::optional<tortoise::Will> last_will = {};
    WorkListChoice work_list = TransientWorkList{};
    /// Instead of a DurableWorkList; a path is enough.
    tortoise::Store store = {};
    tortoise::Backoff backoff = {.min = std::chrono::seconds(1), .max = std::chrono::seconds(30)};
    tortoise::Duration first_connect_delay = {};
    /// Everything else that a connection can be told. What has its place above is refused here, with invalid_option.
    tortoise::ConnectionOptions connection = {};
};

/// How much there is to do, as the loop saw it last.
struct Work {
    std::size_t waiting = 0;    ///< not sent yet
    std::size_t in_flight = 0;  ///< sent, and not acknowledged
};

/// Connects when it is made, and again whenever it must, for ever: only options that cannot work, a store that fails, and
/// stop() end it. Copies share the session; when the last one goes it ends, without waiting for what is left (stop() can):
/// with a store the next session of that client id goes on with it. Sessions that a handler is given do not own.
/// Every function may be called from any thread, and from the handler; none blocks, but for opening the store.
class Session {
public:
    /// Options that are not allowed make a session that is stopped: error() and the result of each operation say why.
    explicit Session(SessionOptions, tortoise::Runtime = tortoise::Runtime::shared());
    Session(const Session&) noexcept;
    Session(Session&&) noexcept;
    Session& operator=(Session) noexcept;
    ~Session();

    std::string_view client_id() const noexcept;
    ConnectionStatus connection_status() const noexcept;
    /// Why it is offline: the last failure. Errc::store_failed: the store could not keep what it had to; the session has
    /// ended, and so did each open delivery, with that error. What had been accepted before is in the store all the same.
    tortoise::Error error() const;
    /// Answered when it is online (now, if it is), or with the reason when it has ended.
    tortoise::Pending<tortoise::SessionInfo> online();

    /// Topic and payload are copied before it returns. `accepted()` of the delivery says that the message is in the work list,
    /// and kept, if there is a store; the delivery itself says what became of it: a receipt, or expired, displaced,
    /// queue_full, refused by the broker (a Reason), session_lost, stopped. invalid_topic, invalid_qos and invalid_ttl
    /// (below zero) are answered at once. QoS 0 without a store is delivered when it is taken: the handler hears of the rest.
    tortoise::Delivery publish(std::string_view topic, tortoise::Octets payload = {});
    tortoise::Delivery publish(std::string_view topic, tortoise::Octets payload, PublishOptions);

    /// Wants a filter, over reconnects and lost sessions, until it is unsubscribed; online or not.
    tortoise::Pending<tortoise::Grant> subscribe(tortoise::TopicFilter);
    tortoise::Pending<tortoise::Done> unsubscribe(std::string filter);
    /// What is wanted at present, granted or not.
    std::vector<tortoise::TopicFilter> subscriptions() const;

    /// The network changed: drop the connection, if any, and connect at once.
    void reconnect();
    Work work() const;
    tortoise::Statistics statistics() const;
    /// Sends what waits, for at most `drain`, and ends. What is left ends with stopped; if it is kept, the next session goes
    /// on with it. Answered when all is over.
    tortoise::Pending<tortoise::Done> stop(tortoise::Duration drain = {});

    class Office;  // what does the work: a connection, or a test's

private:
    explicit Session(tortoise::detail::Ref<Office>) noexcept;
    tortoise::detail::Ref<Office> office_;
};

} // namespace jackalope
