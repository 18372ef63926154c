// Subscriptions after a reconnect: what is asked again, whatever the broker says that it remembers.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Reconciling : public BothVersions {
protected:
    Peer peer{options()};
    const Reason refusal = GetParam() == Version::v5 ? Reason::not_authorized : Reason::unspecified_error;

    static EngineOptions options() {
        auto o = plain(GetParam());
        o.keep_alive = 0s;
        return o;
    }
    void grant(TopicFilter filter, Reason reason) {
        peer.subscribe({std::move(filter)});
        peer.suback(peer.sent<Subscribe>().id, {reason});
        peer.forget_events();
    }
    /// The connection is lost and comes back; what the broker says about the session.
    void come_back(bool session_present) {
        peer.lose_connection();
        peer.connect(session_present);
        peer.forget_events();
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Reconciling, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Reconciling, GrantedFiltersAreAskedAgainWhateverTheBrokerRemembers) {
    peer.connect();
    grant({"f", QoS::at_least_once}, Reason::granted_qos_1);
    grant({"g", QoS::exactly_once}, Reason::granted_qos_2);
    for (const bool remembered : {true, false, true}) {
        come_back(remembered);
        const auto s = peer.sent<Subscribe>();
        ASSERT_EQ(s.entries.size(), 2u);
        EXPECT_EQ(s.entries[0].filter, "f");
        EXPECT_EQ(s.entries[1].filter, "g");
        EXPECT_EQ(s.entries[1].options.qos, QoS::exactly_once);
        peer.suback(s.id, {Reason::granted_qos_1, Reason::granted_qos_2});
        EXPECT_TRUE(peer.silent()) << peer.rest();
        if (remembered) continue; // nothing has changed, and nobody is told
        EXPECT_EQ(peer.event<FilterChanged>().filter, "f");
        EXPECT_EQ(peer.event<FilterChanged>().filter, "g");
    }
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Reconciling, WhileAKeptFilterIsConfirmedItCountsAsGranted) {
    peer.connect();
    grant({"f", QoS::at_least_once}, Reason::granted_qos_1);
    come_back(true);
    peer.sent<Subscribe>();
    EXPECT_TRUE(peer.engine.snapshot().subscriptions.at(0).granted);
    come_back(true); // it was not confirmed
    const auto s = peer.sent<Subscribe>();
    EXPECT_TRUE(peer.engine.snapshot().subscriptions.at(0).granted);
    peer.suback(s.id, {Reason::granted_qos_1});
    EXPECT_TRUE(peer.quiet());
    come_back(false);
    EXPECT_FALSE(peer.engine.snapshot().subscriptions.at(0).granted);
}

TEST_P(Reconciling, ABrokerThatChangedItsMindAboutAKeptFilterIsHeard) {
    peer.connect();
    grant({"f", QoS::exactly_once}, Reason::granted_qos_2);
    come_back(true);
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    EXPECT_EQ(**peer.event<FilterChanged>().grant, (Grant{QoS::exactly_once, QoS::at_least_once}));
    come_back(true);
    peer.suback(peer.sent<Subscribe>().id, {refusal});
    EXPECT_EQ(peer.event<FilterChanged>().grant->error().code, refusal);
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Reconciling, AFilterThatWasGrantedLessIsWantedAsItWas) {
    peer.connect();
    grant({"f", QoS::exactly_once}, Reason::success);
    for (const bool remembered : {true, false}) {
        come_back(remembered);
        const auto s = peer.sent<Subscribe>();
        EXPECT_EQ(s.entries.at(0).options.qos, QoS::exactly_once);
        peer.suback(s.id, {Reason::success});
    }
}

TEST_P(Reconciling, AFilterAddedOfflineIsAskedForInAKeptSession) {
    peer.connect();
    grant({"f", QoS::at_least_once}, Reason::granted_qos_1);
    peer.close();
    peer.forget_events();
    const Token token = peer.subscribe({{"new", QoS::at_least_once}});
    peer.pass(1s);
    peer.connect(true);
    const auto s = peer.sent<Subscribe>();
    ASSERT_EQ(s.entries.size(), 2u);
    EXPECT_EQ(s.entries[1].filter, "new");
    peer.suback(s.id, {Reason::granted_qos_1, Reason::granted_qos_1});
    EXPECT_EQ(peer.event<Subscribed>().token, token);
    EXPECT_EQ(peer.event<FilterChanged>().filter, "new");
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Reconciling, ASubscribeThatIsTakenBackOfflineIsNeverSent) {
    peer.connect();
    peer.close();
    peer.forget_events();
    const Token asked = peer.subscribe({{"ghost", QoS::at_least_once}});
    const Token left = peer.unsubscribe({"ghost"});
    const auto done = peer.event<Subscribed>();
    EXPECT_EQ(done.token, asked);
    EXPECT_EQ(done.results.at(0).error().code, Errc::cancelled);
    peer.pass(1s);
    peer.connect(false);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_EQ(peer.event<Unsubscribed>().token, left);
    EXPECT_TRUE(peer.engine.subscriptions().empty());
}

RetainHandling asked_for(Peer& peer) {
    const auto s = peer.sent<Subscribe>();
    const auto handling = s.entries.at(0).options.retain_handling;
    peer.suback(s.id, {Reason::granted_qos_1});
    peer.forget_events();
    return handling;
}

TEST(ReconcilingV5, WhatIsRetainedComesAgainOnlyIfTheBrokerForgotTheFilter) {
    using enum RetainHandling;
    for (const auto wanted : {send, send_if_new, do_not_send}) {
        Peer peer{plain()};
        peer.connect();
        peer.subscribe({{"f", {.qos = QoS::at_least_once, .retain_handling = wanted}}});
        EXPECT_EQ(asked_for(peer), wanted);
        peer.lose_connection();
        peer.connect(true);
        EXPECT_EQ(asked_for(peer), wanted == send ? send_if_new : wanted);
        peer.lose_connection();
        peer.connect(false);
        EXPECT_EQ(asked_for(peer), wanted);
        peer.lose_connection();
        peer.connect(true);
        peer.sent<Subscribe>();
        peer.subscribe({{"f", {.qos = QoS::at_least_once, .retain_handling = wanted}}});
        EXPECT_EQ(asked_for(peer), wanted) << "the user asks, not the reconnect";
    }
}

} // namespace
} // namespace tortoise::core::testing
