#pragma once
/// The sessions by client identifier: their beginning, their end, and their wills. And the way of a message to them.

#include "broker/retained.hpp"
#include "broker/subscriptions.hpp"
#include "broker/timers.hpp"

namespace tortoise::broker {

class Sessions {
public:
    explicit Sessions(Context&);

    Session* find(std::string_view client_id);
    Session& create(std::string client_id);
    /// A name that no session has.
    std::string unused_client_id();

    /// The connection takes the session up; a will that waits is forgotten. [MQTT-3.1.3-9]
    void attach(Session&, Connection&);
    /// The connection is over. The will is published unless it was taken away before; the session ends if it is not to
    /// outlive the connection.
    void detach(Time now, Session&);
    /// The session is over, its will comes first. [MQTT-4.1.0-2]
    void end(Time now, Session&);
    /// Forgets everything, without wills.
    void clear();

    /// Gives the message to all who subscribed, and keeps it if it is retained. False if nobody subscribed.
    bool publish(Time now, Letter&);
    /// The retained messages for a subscription, as if just published to it alone. [MQTT-3.3.1-9]
    void send_retained(Time now, Session&, std::string_view filter);

    void run(Time now);
    std::optional<Time> deadline() const;
    void fill(Snapshot&) const;

    std::size_t size() const noexcept { return sessions_.size(); }
    std::size_t retained() const noexcept { return retained_.size(); }
    Subscriptions& subscriptions() noexcept { return subscriptions_; }

private:
    void publish_will(Time now, Session&);
    void hand_on(Time now, Session& from, bool session_ends, std::vector<Delivery>);
    void arm(Session&);

    Context& context_;
    Subscriptions subscriptions_;
    Retained retained_;
    Timers timers_;
    std::map<std::string, std::unique_ptr<Session>, std::less<>> sessions_;
    std::unordered_map<std::uint64_t, Session*> by_serial_;
    std::uint64_t last_serial_ = 0;
    std::uint64_t last_name_ = 0;
    std::vector<Target> targets_;
    std::vector<StoredRef> found_;
};

} // namespace tortoise::broker
