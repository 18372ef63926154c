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
    /// How long the message is worth sending: from then on it is not sent any more, and reported as expired. On MQTT 5 the
    /// rest of it travels with the message, so that the broker does not deliver it late either.
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
    /// False: the broker keeps the session while we are away. With a durable work list it is never sent, so that what was in
    /// flight goes on.
    bool clean_session = true;
    std::optional<tortoise::Will> last_will = {};
    WorkListChoice work_list = TransientWorkList{};
    /// In place of a DurableWorkList: a path is enough.
    tortoise::Store store = {};
    tortoise::Backoff backoff = {.min = std::chrono::seconds(1), .max = std::chrono::seconds(30)};
    tortoise::Duration first_connect_delay = {};
    /// Everything else that a connection can be told; what stands above goes before it.
    tortoise::ConnectionOptions connection = {};
};

/// How much there is to do.
struct Work {
    std::size_t waiting = 0;    ///< not sent yet
    std::size_t in_flight = 0;  ///< sent, and not acknowledged
};

/// Connects when it is made, and again whenever it must. Copies share the session; the last one ends it, without waiting for
/// what is left (stop() can): with a durable work list the next session of that client id goes on with it.
/// Every function may be called from any thread, and from the handler; none blocks.
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
    /// Why it is offline: the last failure.
    tortoise::Error error() const;
    /// Answered when it is online (now, if it is), or with the reason when it has ended.
    tortoise::Pending<tortoise::SessionInfo> online();

    /// Topic and payload are copied before it returns. `accepted()` of the delivery says that the message is in the work list,
    /// on disk if that is durable; the delivery itself says what became of it: a receipt, expired, displaced, refused,
    /// session_lost, stopped. invalid_qos and invalid_ttl (below zero) are answers too.
    tortoise::Delivery publish(std::string_view topic, tortoise::Octets payload = {}, PublishOptions = {});

    tortoise::Pending<tortoise::Grant> subscribe(tortoise::TopicFilter);
    tortoise::Pending<tortoise::Done> unsubscribe(std::string filter);
    std::vector<tortoise::TopicFilter> subscriptions() const;

    /// The network changed: drop the connection, if any, and connect at once.
    void reconnect();
    Work work() const;
    tortoise::Statistics statistics() const;
    /// Sends what waits, for at most `drain`, and ends. What is left ends with stopped; if it is kept, the next session goes
    /// on with it.
    tortoise::Pending<tortoise::Done> stop(tortoise::Duration drain = {});

    class Office;  // what does the work: a connection, or a test's

private:
    friend class Office;
    explicit Session(tortoise::detail::Ref<Office>) noexcept;
    tortoise::detail::Ref<Office> office_;
};

} // namespace jackalope
