#pragma once
/// A session without a socket, for unit tests of what uses one.

#include <jackalope/session.hpp>
#include <string>
#include <tortoise/message.hpp>
#include <vector>

namespace jackalope::testing {

/// Records what is published and lets the test say what the world does. The handler of the options is called on the
/// thread of the test, within these functions.
class FakeSession {
public:
    explicit FakeSession(SessionOptions = {});
    ~FakeSession();
    FakeSession(const FakeSession&) = delete;
    FakeSession& operator=(const FakeSession&) = delete;

    /// What the code under test gets.
    Session session() const;

    struct Published {
        tortoise::Message message;
        PublishOptions options;
    };
    /// In the order of publishing, whatever became of them.
    std::vector<Published> published() const;

    void go_online(bool session_present = false);
    void go_offline(tortoise::Error why = tortoise::make_error(tortoise::Errc::connection_lost));
    /// A message of the broker; for nobody if no filter matches: then it says so.
    bool receive(std::string_view topic, std::string_view payload, tortoise::QoS = tortoise::QoS::at_least_once);
    /// Publishes are delivered at once while online, unless they are held; then the test decides.
    void hold_deliveries();
    void deliver_next();
    void fail_next(tortoise::Error);
    /// Time passes for times to live; there is no other clock.
    void pass(tortoise::Duration);
    /// The next subscription is answered so.
    void refuse_next_subscription(tortoise::Error);

private:
    struct Impl;
    tortoise::detail::Ref<Session::Office> office_;
    Impl* impl_;
};

} // namespace jackalope::testing
