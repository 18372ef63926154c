#pragma once
/// A session without a socket, for unit tests of what uses one.

#include <jackalope/session.hpp>
#include <string>
#include <tortoise/message.hpp>
#include <vector>

namespace jackalope::testing {

/// Records what is published and lets the test say what the world does. No threads, no sockets, no clock: everything,
/// the handler of the options included, happens on the thread of the test, within the call that causes it. What a handler
/// throws comes out of that call. Work list, bounds and policies are those of a real session; nothing is written to a store.
class FakeSession {
public:
    /// Offline, until the test says otherwise. The handler is made here.
    explicit FakeSession(SessionOptions = {});
    /// Ends the session: what is open ends with stopped.
    ~FakeSession();
    FakeSession(const FakeSession&) = delete;
    FakeSession& operator=(const FakeSession&) = delete;

    /// What the code under test gets.
    Session session() const;

    struct Published {
        tortoise::Message message;
        PublishOptions options;
    };
    /// What was asked for, in its order, whatever became of it.
    std::vector<Published> published() const;

    void go_online(bool session_present = false);
    void go_offline(tortoise::Error why = tortoise::make_error(tortoise::Errc::connection_lost));
    /// How often the code under test asked for a reconnect.
    int reconnects() const;
    /// A message of the broker. False: no filter matches, or it is offline; then nobody is told.
    bool receive(std::string_view topic, tortoise::Octets payload, tortoise::QoS = tortoise::QoS::at_least_once);
    /// From now on messages stay in flight until the test decides, instead of being delivered at once while online.
    void hold_deliveries();
    /// The first one in flight. False: there is none.
    bool deliver_next();
    bool fail_next(tortoise::Error);
    /// Time passes for times to live; there is no other clock.
    void pass(tortoise::Duration);
    /// The next subscription that the broker answers is refused.
    void refuse_next_subscription(tortoise::Error);

private:
    class Office;
    tortoise::detail::Ref<Office> office_;
};

} // namespace jackalope::testing
