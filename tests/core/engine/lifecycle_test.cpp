// Between connections: backoff, endpoints, reconnect, stop.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

EngineOptions growing() {
    auto options = plain();
    options.backoff = {.min = 100ms, .max = 3s, .stable_after = 30s};
    return options;
}

Duration fail_once(Peer& peer) {
    EXPECT_EQ(peer.wish.kind, Wish::open);
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_TRUE(down.retry_in);
    const Duration wait = down.retry_in.value_or(Duration::zero());
    const auto deadline = peer.engine.deadline();
    if (wait > Duration::zero() && deadline) {
        EXPECT_EQ(deadline->why, Timer::backoff);
        EXPECT_EQ(deadline->at, peer.now + wait);
    }
    peer.pass(wait);
    return wait;
}

TEST(Lifecycle, BackoffGrowsToItsMaximumWithFullJitter) {
    std::vector<Duration> longest(10);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        Peer peer{growing(), seed};
        peer.start();
        Duration span = 100ms;
        for (auto& most : longest) {
            const Duration wait = fail_once(peer);
            ASSERT_GE(wait, Duration::zero());
            ASSERT_LE(wait, span); // never above the span, nor above the maximum
            most = std::max(most, wait);
            span = std::min<Duration>(span * 2, 3s);
        }
    }
    Duration span = 100ms;
    for (const auto most : longest) { // full jitter: of 300 some come close to the span
        EXPECT_GT(most, span * 9 / 10);
        span = std::min<Duration>(span * 2, 3s);
    }
}

TEST(Lifecycle, DownCountsTheAttempts) {
    Peer peer{growing()};
    peer.start();
    for (unsigned attempt = 1; attempt < 5; ++attempt) {
        peer.close();
        const auto down = peer.event<Down>();
        EXPECT_EQ(down.attempt, attempt);
        peer.pass(*down.retry_in);
    }
}

TEST(Lifecycle, OnlyAStableConnectionResetsTheBackoff) {
    Peer peer{growing()};
    peer.start();
    for (int i = 0; i < 6; ++i) fail_once(peer);
    peer.connect();
    peer.pass(29s);
    peer.close();
    auto down = peer.event<Down>();
    EXPECT_TRUE(down.was_up);
    EXPECT_EQ(down.attempt, 7u);
    peer.pass(*down.retry_in);
    peer.connect(true);
    peer.forget_sent();
    peer.pass(30s);
    peer.close();
    down = peer.event<Down>();
    EXPECT_EQ(down.attempt, 1u);
    EXPECT_LE(*down.retry_in, 100ms);
}

TEST(Lifecycle, TheFirstConnectIsDelayedByARandomPartOfItsDelay) {
    auto options = growing();
    options.first_connect_delay = 10s;
    Duration longest = {}, shortest = 10s;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Peer peer{options, seed};
        peer.start();
        EXPECT_EQ(peer.wish.kind, Wish::nothing);
        ASSERT_TRUE(peer.engine.deadline());
        const Duration wait = peer.engine.deadline()->at - peer.now;
        ASSERT_LE(wait, 10s);
        longest = std::max(longest, wait);
        shortest = std::min(shortest, wait);
        peer.pass(wait);
        EXPECT_EQ(peer.wish.kind, Wish::open);
    }
    EXPECT_GT(longest, 9s);
    EXPECT_LT(shortest, 1s);
}

TEST(Lifecycle, EndpointsAreTriedInTurn) {
    auto options = growing();
    options.endpoints = 3;
    Peer peer{options};
    peer.start();
    for (const std::size_t endpoint : {0u, 1u, 2u, 0u, 1u}) {
        EXPECT_EQ(peer.wish.endpoint, endpoint);
        fail_once(peer);
    }
    EXPECT_EQ(peer.wish.endpoint, 2u);
    peer.connect();
    peer.close();
    peer.pass(*peer.event<Down>().retry_in);
    EXPECT_EQ(peer.wish.endpoint, 0u); // a connection that was lost is followed by the next, too
}

TEST(Lifecycle, TheSameSeedWaitsTheSame) {
    Peer one{growing(), 7}, two{growing(), 7}, other{growing(), 8};
    one.start();
    two.start();
    other.start();
    bool differs = false;
    for (int i = 0; i < 5; ++i) {
        const Duration wait = fail_once(one);
        EXPECT_EQ(wait, fail_once(two));
        differs |= wait != fail_once(other);
    }
    EXPECT_TRUE(differs);
}

TEST(Lifecycle, ReconnectCutsTheBackoffShort) {
    auto options = growing();
    options.backoff.min = 3s;
    Peer peer{options, 3};
    peer.start();
    peer.close();
    peer.event<Down>();
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.reconnect();
    EXPECT_EQ(peer.wish.kind, Wish::open);
}

TEST(Lifecycle, ReconnectDropsTheConnectionAndOpensAtOnce) {
    Peer peer{growing()};
    peer.connect();
    peer.publish("a", QoS::at_least_once, "x");
    peer.sent<Publish>();
    peer.reconnect();
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::success);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().retry_in, Duration::zero());
    EXPECT_EQ(peer.wish.kind, Wish::open);
    peer.connect(true);
    EXPECT_TRUE(peer.sent<Publish>().duplicate);
}

TEST(Lifecycle, ReconnectBeforeTheShellHeardOfTheWishToOpenChangesNothing) {
    Engine engine(growing(), 1);
    engine.start(Time{});
    engine.reconnect(Time{});
    EXPECT_EQ(engine.take_wish().kind, Wish::open);
}

TEST(Lifecycle, StopBeforeTheShellHeardOfTheWishToOpenIsTheEnd) {
    Engine engine(growing(), 1);
    engine.start(Time{});
    engine.stop(Time{});
    EXPECT_EQ(engine.take_wish().kind, Wish::nothing);
    std::vector<Event> events;
    engine.take_events(events);
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(std::holds_alternative<Stopped>(events.back()));
}

TEST(Lifecycle, StopSaysDisconnectAndEndsEverything) {
    Peer peer{growing()};
    peer.connect();
    const Token in_flight = peer.publish("a", QoS::at_least_once);
    const Token asked = peer.subscribe({{"f", QoS::at_least_once}});
    const Token pinged = peer.ping();
    peer.forget_sent();
    peer.stop();
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::success);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT5-3.14.4-1]
    EXPECT_EQ(peer.wish.kind, Wish::close);    // [MQTT5-3.14.4-2]
    peer.close();
    EXPECT_EQ(peer.event<PingFailed>().token, pinged);
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::stopped);
    EXPECT_FALSE(down.retry_in);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, in_flight);
    EXPECT_EQ(u.why.code, Errc::stopped);
    const auto s = peer.event<Subscribed>();
    EXPECT_EQ(s.token, asked);
    EXPECT_EQ(s.results.at(0).error().code, Errc::stopped);
    EXPECT_EQ(peer.event<Stopped>().why.code, Errc::stopped);
    EXPECT_TRUE(peer.quiet());
    EXPECT_FALSE(peer.engine.deadline());
}

TEST(Lifecycle, StopWhileWaitingEndsAtOnce) {
    Peer peer{growing()};
    const Token queued = peer.publish("a", QoS::at_most_once);
    peer.start();
    peer.close();
    peer.event<Down>();
    peer.stop();
    EXPECT_EQ(peer.event<Undelivered>().token, queued);
    peer.event<Stopped>();
    const Token late = peer.publish("a", QoS::at_least_once);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, late);
    EXPECT_EQ(u.why.code, Errc::stopped);
}

TEST(Lifecycle, StopWhileOfflineEndsWhatIsInFlight) {
    Peer peer{growing()};
    peer.connect();
    const Token sent = peer.publish("a", QoS::at_least_once);
    const Token asked = peer.subscribe({{"f", QoS::at_least_once}});
    peer.close();
    peer.event<Down>();
    peer.stop();
    const auto gone = peer.event<Undelivered>();
    EXPECT_EQ(gone.token, sent);
    EXPECT_EQ(gone.why.code, Errc::stopped);
    EXPECT_EQ(peer.event<Subscribed>().token, asked);
    peer.event<Stopped>();
    EXPECT_TRUE(peer.quiet());
}

TEST(Lifecycle, ACleanSessionIsEndedByTheDisconnect) {
    auto options = growing();
    options.session.clean_start = true;
    Peer clean{options};
    clean.connect();
    clean.stop();
    EXPECT_EQ(clean.sent<Disconnect>().properties.get(property::session_expiry_interval), 0u);

    Peer kept{growing()};
    kept.connect();
    kept.stop();
    EXPECT_FALSE(kept.sent<Disconnect>().properties.get(property::session_expiry_interval));
}

TEST(Lifecycle, AnEndForAnotherReasonLetsTheWillBePublished) {
    Peer peer{growing()};
    peer.connect();
    peer.stop({}, make_error(Errc::handler_threw, "oops"));
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::disconnect_with_will);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Errc::handler_threw);
    EXPECT_EQ(peer.event<Stopped>().why.code, Errc::handler_threw);
}

TEST(Lifecycle, StopWithDrainSendsWhatIsQueuedAndAwaitsItsAcknowledgement) {
    Peer peer{growing()};
    peer.connect(false, Properties{}.set(property::receive_maximum, 1));
    const Token one = peer.publish("a", QoS::at_least_once, "1"), two = peer.publish("a", QoS::at_least_once, "2");
    const auto first = peer.sent<Publish>();
    peer.stop(10s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.publish("a", QoS::at_least_once, "late");
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::stopped);
    peer.puback(first.id);
    EXPECT_EQ(peer.event<Delivered>().token, one);
    peer.puback(peer.sent<Publish>().id);
    EXPECT_EQ(peer.event<Delivered>().token, two);
    peer.sent<Disconnect>();
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    peer.event<Down>();
    peer.event<Stopped>();
}

TEST(Lifecycle, StopWithDrainEndsWhenItsTimeIsOver) {
    Peer peer{growing()};
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once);
    peer.sent<Publish>();
    peer.stop(10s);
    peer.pass(9'999ms);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.pass(1ms);
    peer.sent<Disconnect>();
    peer.close();
    peer.event<Down>();
    EXPECT_EQ(peer.event<Undelivered>().token, token);
    peer.event<Stopped>();
}

TEST(Lifecycle, DrainingGoesOnOverALostConnection) {
    Peer peer{growing()};
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once);
    peer.sent<Publish>();
    peer.stop(10s);
    peer.lose_connection();
    peer.connect(true);
    peer.puback(peer.sent<Publish>().id);
    EXPECT_EQ(peer.event<Delivered>().token, token);
    peer.sent<Disconnect>();
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST(Lifecycle, CancelWithdrawsWhatIsQueued) {
    Peer peer{growing()};
    const Token one = peer.publish("a", QoS::at_least_once, "1");
    peer.publish("a", QoS::at_least_once, "2");
    peer.cancel(one);
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, one);
    EXPECT_EQ(u.why.code, Errc::cancelled);
    EXPECT_EQ(u.message.payload, "1");
    peer.connect();
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
    peer.cancel(one);
    peer.cancel(4711);
    EXPECT_TRUE(peer.quiet());
}

TEST(Lifecycle, CancelInFlightIsReportedNowAndTheFlowGoesOn) {
    Peer peer{growing()};
    peer.connect(false, Properties{}.set(property::receive_maximum, 1));
    const Token token = peer.publish("a", QoS::exactly_once);
    const auto p = peer.sent<Publish>();
    peer.cancel(token);
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::cancelled);
    EXPECT_EQ(peer.engine.snapshot().send_quota, 0); // its place in the window is not free yet
    peer.publish("b", QoS::at_least_once);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pubrec(p.id);
    peer.sent_ack(PacketType::pubrel);
    peer.pubcomp(p.id);
    EXPECT_TRUE(peer.quiet()); // one end only
    EXPECT_EQ(peer.sent<Publish>().topic, "b");
}

TEST(Lifecycle, CallsOutOfPlaceChangeNothing) {
    Peer peer{growing()};
    peer.reconnect();
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    peer.engine.opened(peer.now);
    peer.engine.received(peer.now, "garbage");
    peer.engine.closed(peer.now, make_error(Errc::connection_lost));
    peer.engine.elapsed(peer.now);
    peer.engine.wrote(peer.now, 12);
    peer.start();
    peer.engine.start(peer.now);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::open);
}

} // namespace
} // namespace tortoise::core::testing
