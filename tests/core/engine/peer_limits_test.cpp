// Limits that CONNACK does not tell: errors before anything is sent, and a pace that nothing is lost by.
#include "core/engine/peer.hpp"

#include <gmock/gmock.h>

namespace tortoise::core::testing {
namespace {

using ::testing::HasSubstr;

class PeerLimited : public BothVersions {
protected:
    static EngineOptions options(PeerLimits limits) {
        auto options = plain(GetParam());
        options.limits = std::move(limits);
        return options;
    }
    /// Publishes so many, and counts how many of them go out without waiting.
    static int burst(Peer& peer, int count, QoS qos = QoS::at_most_once, const std::string& payload = {}) {
        for (int i = 0; i < count; ++i) peer.publish("a", qos, payload);
        return sent_publishes(peer);
    }
    static int sent_publishes(Peer& peer) {
        int sent = 0;
        for (; !peer.silent(); ++sent) peer.sent<Publish>();
        return sent;
    }
};
INSTANTIATE_TEST_SUITE_P(, PeerLimited, ::testing::ValuesIn(both_versions), version_name);

TEST_P(PeerLimited, APublishBeyondThemEndsAtOnceAlsoOffline) {
    Peer peer{options({.maximum_qos = QoS::at_least_once, .topic_levels = 2})};
    const auto token = peer.publish("a", QoS::exactly_once);
    const auto event = peer.event<Undelivered>();
    EXPECT_EQ(event.token, token);
    EXPECT_EQ(event.why.code, Reason::qos_not_supported);
    peer.connect();
    peer.forget_events();
    peer.publish("a/b/c", QoS::at_least_once);
    EXPECT_THAT(peer.event<Undelivered>().why.text, HasSubstr("3 levels"));
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(PeerLimited, WithoutChecksItGoesOut) {
    Peer peer{options({.check = false, .maximum_qos = QoS::at_least_once, .topic_levels = 2, .publishes = {1, 1}})};
    peer.connect(false, GetParam() == Version::v5 ? Properties{}.set(property::maximum_qos, 1) : Properties{});
    for (int i = 0; i < 5; ++i) peer.publish("a/b/c", QoS::exactly_once);
    EXPECT_EQ(sent_publishes(peer), 5);
}

TEST_P(PeerLimited, ASubscribeOfTooManyFiltersIsSplit) {
    Peer peer{options({.filters_per_subscribe = 8})};
    peer.connect();
    std::vector<TopicFilter> nine;
    for (int i = 0; i < 9; ++i) nine.emplace_back("f" + std::to_string(i));
    const auto token = peer.subscribe(nine);
    const auto first = peer.sent<Subscribe>();
    const auto second = peer.sent<Subscribe>();
    EXPECT_EQ(first.entries.size(), 8u);
    EXPECT_EQ(second.entries.size(), 1u);
    peer.forget_events();
    peer.suback(first.id, std::vector<Reason>(8));
    peer.suback(second.id, {Reason::success});
    while (!peer.quiet()) {
        const auto event = peer.any_event();
        if (const auto* done = std::get_if<Subscribed>(&event)) {
            EXPECT_EQ(done->token, token);
            EXPECT_EQ(done->results.size(), 9u);
        }
    }
}

TEST_P(PeerLimited, WithoutSplittingTooManyFiltersAreAnErrorForEach) {
    Peer peer{options({.filters_per_subscribe = 2, .split_subscribes = false})};
    peer.connect();
    peer.forget_events();
    peer.subscribe({{"a"}, {"b"}, {"c"}});
    for (const char* filter : {"a", "b", "c"}) {
        const auto changed = peer.event<FilterChanged>();
        EXPECT_EQ(changed.filter, filter);
        EXPECT_FALSE(changed.wanted);
    }
    const auto done = peer.event<Subscribed>();
    ASSERT_EQ(done.results.size(), 3u);
    for (const auto& result : done.results)
        EXPECT_THAT(result.error().describe(), HasSubstr("the request has 3 filters; the server allows 2"));
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.subscribe({{"a"}, {"b"}});
    EXPECT_EQ(peer.sent<Subscribe>().entries.size(), 2u);
}

TEST_P(PeerLimited, SubscriptionsAreCountedAndUnsubscribedOnesAreNot) {
    Peer peer{options({.subscriptions = 2})};
    peer.connect();
    peer.forget_events();
    peer.subscribe({{"a"}, {"b"}, {"c"}});
    EXPECT_EQ(peer.sent<Subscribe>().entries.size(), 2u);
    peer.subscribe({{"a", QoS::at_least_once}}); // not one more
    EXPECT_EQ(peer.sent<Subscribe>().entries.size(), 1u);
    peer.unsubscribe({"b"});
    peer.sent<Unsubscribe>();
    peer.subscribe({{"c"}});
    EXPECT_EQ(peer.sent<Subscribe>().entries.size(), 1u);
}

TEST_P(PeerLimited, PublishesThatAreTooFastWaitAndGoInOrder) {
    Peer peer{options({.publishes = {.per_second = 10, .burst = 2}})};
    peer.connect();
    for (const char* payload : {"1", "2", "3", "4"}) peer.publish("a", QoS::at_most_once, payload);
    EXPECT_EQ(peer.sent<Publish>().payload, "1");
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_EQ(peer.engine.deadline()->why, Timer::pace);
    EXPECT_EQ(peer.engine.deadline()->at, peer.now + 100ms);
    peer.pass(100ms);
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(100ms);
    EXPECT_EQ(peer.sent<Publish>().payload, "4");
    peer.pass(1s);
    EXPECT_EQ(burst(peer, 5), 2);
    EXPECT_EQ(peer.engine.levels().queued, 3u);
}

TEST_P(PeerLimited, OctetsHaveAPaceOfTheirOwn) {
    Peer peer{options({.octets = {.per_second = 1'000, .burst = 500}})};
    peer.connect();
    EXPECT_EQ(burst(peer, 3, QoS::at_most_once, std::string(199, 'x')), 2);
    peer.pass(99ms);
    EXPECT_TRUE(peer.silent());
    peer.pass(1ms); // 100 were left of the burst, and 100 more have come
    EXPECT_EQ(sent_publishes(peer), 1);
    peer.publish("b", QoS::at_most_once, std::string(5'000, 'x')); // more than it ever holds
    peer.pass(10s);
    EXPECT_EQ(sent_publishes(peer), 1);
}

TEST_P(PeerLimited, SendingAgainKeepsThePaceToo) {
    Peer peer{options({.publishes = {.per_second = 10, .burst = 2}})};
    peer.connect();
    for (int i = 0; i < 4; ++i) peer.publish("a", QoS::at_least_once);
    peer.pass(1s);
    EXPECT_EQ(sent_publishes(peer), 4);
    peer.lose_connection();
    peer.connect(true);
    EXPECT_EQ(sent_publishes(peer), 2);
    peer.pass(200ms);
    EXPECT_EQ(sent_publishes(peer), 2);
}

TEST_P(PeerLimited, AMessageThatExpiresWhileItWaitsForItsPaceIsReported) {
    Peer peer{options({.publishes = {.per_second = 1, .burst = 1}})};
    peer.connect();
    peer.publish("a", QoS::at_most_once);
    peer.forget_events();
    peer.publish("a", QoS::at_least_once, "late", 500ms);
    peer.pass(500ms);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::expired);
}

TEST_P(PeerLimited, DrainingWaitsForThePace) {
    Peer peer{options({.publishes = {.per_second = 10, .burst = 1}})};
    peer.connect();
    for (int i = 0; i < 3; ++i) peer.publish("a", QoS::at_most_once);
    peer.stop(1s);
    peer.pass(200ms);
    for (int i = 0; i < 3; ++i) peer.sent<Publish>();
    peer.sent<Disconnect>();
}

TEST_P(PeerLimited, SubscribesHaveAPace) {
    Peer peer{options({.subscribes = {.per_second = 5, .burst = 1}})};
    peer.connect();
    peer.subscribe({{"a"}});
    peer.subscribe({{"b"}});
    peer.subscribe({{"c"}});
    peer.sent<Subscribe>();
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(200ms);
    EXPECT_EQ(peer.sent<Subscribe>().entries.size(), 2u) << "what waited goes together";
}

TEST_P(PeerLimited, ConnectsHaveAPaceBesideTheBackoff) {
    auto o = options({.connects = {.per_second = 1, .burst = 1}});
    o.backoff = {.min = 1ms, .max = 1ms};
    Peer peer{o};
    peer.connect();
    peer.forget_events();
    peer.pass(200ms);
    peer.close();
    EXPECT_EQ(peer.event<Down>().retry_in, 800ms);
    peer.pass(799ms);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ms);
    EXPECT_EQ(peer.wish.kind, Wish::open);
    peer.connect(true);
    peer.reconnect(); // not even when it is asked for
    peer.close();
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1s);
    EXPECT_EQ(peer.wish.kind, Wish::open);
}

TEST_P(PeerLimited, KeepAliveIsClampedInConnectAndInForce) {
    auto o = options({.least_keep_alive = 30s, .most_keep_alive = 1'200s});
    o.keep_alive = 0s;
    Peer peer{o};
    EXPECT_EQ(peer.connect().keep_alive, 1'200);
    o.keep_alive = 5s;
    Peer hasty{o};
    EXPECT_EQ(hasty.connect().keep_alive, 30);
    hasty.forget_sent();
    hasty.pass(30s);
    hasty.sent<Pingreq>();
}

TEST_P(PeerLimited, AClientIdentifierBeyondThemStopsTheConnection) {
    Peer peer{options({.client_id_size = 3})}; // it is "test"
    peer.start();
    peer.open();
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Errc::invalid_option);
    peer.event<Stopped>();
}

} // namespace
} // namespace tortoise::core::testing
