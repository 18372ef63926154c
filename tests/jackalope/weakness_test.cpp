// What a post office of this kind was found to get wrong elsewhere: a test for each, by its number in
// docs/jackalope.md.
#include "jackalope/told.hpp"
#include "support/store_tools.hpp"
#include <jackalope/testing/fake_session.hpp>

namespace jackalope::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

class Weakness : public BothVersions {
protected:
    Told arrived;
    Session keeping_listener() {
        auto o = options("listener", arrived);
        o.clean_session = false;
        o.initial_topics = {{"n", QoS::at_least_once}};
        Session s(std::move(o));
        EXPECT_TRUE(arrived.wait_for_filter("n"));
        return s;
    }
};

TEST_P(Weakness, no01_NewestFirst) {
    const auto l = keeping_listener();
    broker.stop();
    Session s(options("sender"));
    for (const auto* payload : {"1", "2", "3"}) s.publish("n", payload, {.retain = true});
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(arrived.wait_for_messages(3));
    auto in_order = arrived.notes().payloads();
    in_order.resize(3); // in a kept 3.1.1 session the listener asks again, and may get what is retained once more
    EXPECT_THAT(in_order, ElementsAre("1", "2", "3"));
    Told later;
    auto o = options("later", later);
    o.initial_topics = {{"n"}};
    const Session reads(std::move(o));
    ASSERT_TRUE(later.wait_for_messages(1));
    EXPECT_EQ(later.notes().payloads()[0], "3"); // what is retained is the last value, not a stale one
}

TEST_P(Weakness, no02_BothQueuedAndInFlight) {
    // Between the loss and the return of a connection everything is in one place, and is sent once more at most.
    testing::FakeSession fake;
    fake.hold_deliveries();
    fake.go_online();
    auto s = fake.session();
    for (int i = 0; i < 10; ++i) s.publish("n", "x");
    for (const bool present : {true, false, true}) {
        fake.go_offline();
        fake.go_online(present);
        EXPECT_EQ(s.work().waiting + s.work().in_flight, 10u);
    }
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(fake.deliver_next());
    EXPECT_EQ(s.work().waiting + s.work().in_flight, 0u);
}

TEST_P(Weakness, no03_NothingTriesAgainUntilTheNextEvent) {
    broker.stop();
    Session s(options("a"));
    const auto d = s.publish("n", "x");
    ASSERT_TRUE(broker.start()); // nothing else happens
    EXPECT_TRUE(d.wait(patience));
}

TEST_P(Weakness, no04_WhatWasInFlightIsLostWithTheConnection) {
    Session s(options("a"));
    ASSERT_TRUE(s.online().wait(patience));
    std::vector<tortoise::Delivery> sent;
    for (int i = 0; i < 50; ++i) {
        sent.push_back(s.publish("n", "x"));
        if (i % 10 == 5) broker.drop_connections();
    }
    for (const auto& d : sent) EXPECT_TRUE(d.wait(patience));
}

TEST_P(Weakness, no05_ExpiryIsNoticedOnlyOnlineAndOnlyAtTheHead) {
    broker.stop();
    Told told;
    Session s(options("a", told));
    s.publish("n", "head");
    EXPECT_EQ(s.publish("n", "behind it", at(QoS::at_least_once, 10ms)).wait(patience).error().code, Errc::expired);
    ASSERT_TRUE(told.wait_for_errors(1));
}

TEST_P(Weakness, no06_DropsAreSilentAndTheBoundIsNotKept) {
    Told told;
    auto o = options("a", told);
    o.work_list = TransientWorkList{{.messages = 3, .overflow = Overflow::drop_oldest}};
    testing::FakeSession fake(std::move(o));
    fake.hold_deliveries();
    fake.go_online();
    auto s = fake.session();
    for (const auto* payload : {"1", "2", "3", "4", "5", "6"}) s.publish("n", payload);
    fake.go_offline();
    s.publish("n", "7");
    fake.go_online(); // the session is lost: more than the bound come back, and none of them is dropped for that …
    EXPECT_EQ(told.notes().errors.size(), 0u);
    fake.go_offline();
    EXPECT_EQ(s.work().in_flight, 7u);
    broker.stop();
    Told real;
    auto r = options("b", real);
    r.work_list = TransientWorkList{{.messages = 3, .overflow = Overflow::drop_oldest}};
    Session session(std::move(r));
    for (const auto* payload : {"1", "2", "3", "4", "5", "6"}) session.publish("n", payload);
    ASSERT_TRUE(real.wait_for_errors(3));
    std::vector<std::string> dropped;
    for (const auto& [message, why] : real.notes().errors) dropped.push_back(message.payload);
    EXPECT_THAT(dropped, ElementsAre("1", "2", "3"));
    while (session.work().waiting != 3) std::this_thread::yield(); // as the loop saw it last
}

TEST_P(Weakness, no07_OneSessionInAProgram) {
    std::vector<Session> sessions;
    for (int i = 0; i < 20; ++i) sessions.emplace_back(options("session-" + std::to_string(i)));
    for (auto& s : sessions) EXPECT_TRUE(s.publish("n", "x").wait(patience));
}

TEST_P(Weakness, no08_PayloadsAreLogged) {
    ::testing::internal::CaptureStderr();
    {
        auto o = options("a");
        o.handler = {};
        o.initial_topics = {{"n", QoS::at_least_once}};
        Session s(std::move(o));
        EXPECT_TRUE(s.publish("n", "the secret").wait(patience));
        broker.stop();
        EXPECT_FALSE(s.publish("n", "the secret", {.ttl = 0s}).wait(patience));
    }
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::Not(::testing::HasSubstr("the secret")));
}

TEST_P(Weakness, no09_SubscriptionsHaveOneQosAndAreLostWithTheConnection) {
    broker.stop();
    Told told;
    Session s(options("a", told));
    const auto grants = std::vector{s.subscribe({"q0", QoS::at_most_once}), s.subscribe({"q1", QoS::at_least_once}),
                                    s.subscribe({"q2", QoS::exactly_once})};
    ASSERT_TRUE(broker.start());
    for (int qos = 0; qos < 3; ++qos) {
        const auto grant = grants[static_cast<std::size_t>(qos)].wait(patience);
        ASSERT_TRUE(grant);
        EXPECT_EQ(grant->granted, QoS(qos));
    }
    broker.stop();
    broker.forget_sessions();
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(told.wait([](const Notes& n) { return n.times("q2", FilterStatus::Kind::up) == 2; }));
}

TEST_P(Weakness, no10_OptionsDoNotReachTheConnectionAndAreDroppedSilently) {
    auto o = options("a");
    o.connection.keep_alive = 7s;
    o.user_name = "alone";
    Session s(o);
    const auto info = s.online().wait(patience);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->keep_alive, 7s);
    EXPECT_EQ(info->version, GetParam());
    o.client_id = "b";
    o.connection.client_id = "twice";
    EXPECT_EQ(Session(std::move(o)).error().code, Errc::invalid_option);
}

TEST_P(Weakness, no11_PublishTellsNothing) {
    Session s(options("a"));
    const auto receipt = s.publish("n", "x").wait(patience);
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->attempts, 1u);
}

TEST_P(Weakness, no12_TheWillIsNeverRetained) {
    auto o = options("mortal");
    o.last_will = tortoise::Will{.topic = "will", .payload = "gone", .retain = true};
    Session s(std::move(o));
    ASSERT_TRUE(s.online().wait(patience));
    broker.drop_connections();
    while (broker.statistics().retained < 1) std::this_thread::yield();
}

TEST_P(Weakness, no13_StatusBlocksAndReconnectCrashesOffline) {
    broker.stop();
    std::atomic<bool> busy{false}, go_on{false};
    Told told{Doing{.error = [&](Session&, const WorkError&) {
        busy = true;
        while (!go_on) std::this_thread::yield();
    }}};
    Session s(options("a", told));
    s.reconnect();
    s.publish("n", "x", {.ttl = 0s});
    while (!busy) std::this_thread::yield(); // the session is at work, and would answer nobody
    EXPECT_EQ(s.connection_status(), ConnectionStatus::offline);
    s.reconnect();
    static_cast<void>(s.work());
    go_on = true;
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(s.online().wait(patience));
}

TEST_P(Weakness, no14_NoHelpForTheUsersTests) {
    testing::FakeSession fake;
    auto s = fake.session();
    s.publish("a", "1");
    EXPECT_EQ(fake.published().size(), 1u);
}

TEST_P(Weakness, no15_TheWorkListDoesNotPersist) {
    const auto l = keeping_listener();
    broker.stop();
    const ::test::Folder folder;
    const auto sender = [&] { // nothing but the file is shared
        auto o = options("sender");
        o.store = Store(folder / "sender.db");
        return o;
    };
    {
        Session s(sender());
        ASSERT_TRUE(s.publish("n", "x").accepted().wait(patience));
    }
    ASSERT_TRUE(broker.start());
    const Session again(sender());
    EXPECT_TRUE(arrived.wait_for_messages(1));
}

JACKALOPE_BOTH_VERSIONS(Weakness);

} // namespace
} // namespace jackalope::test
