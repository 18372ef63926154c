// Subscriptions as desired state: asked for whenever the broker may not have them, each filter with its own result.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

EngineOptions patient(Version version = Version::v5) {
    auto options = plain(version);
    options.reply_timeout = 20s;
    options.keep_alive = 0s;
    return options;
}

class Subscribing : public BothVersions {
protected:
    Peer peer{patient(GetParam())};

    // Subscribes to "f" and has it granted.
    void grant_f() {
        peer.subscribe({{"f", QoS::at_least_once}});
        peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
        peer.forget_events();
    }
    void unsuback(PacketId id, std::size_t filters = 1) {
        Unsuback u{id, {}, {}};
        if (GetParam() == Version::v5) u.reasons.assign(filters, Reason::success);
        peer.send(u);
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Subscribing, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Subscribing, EachFilterHasItsResult) {
    peer.connect();
    const Token token = peer.subscribe({{"a", QoS::exactly_once}, {"b", QoS::at_least_once}, {"c", QoS::at_most_once}});
    const auto s = peer.sent<Subscribe>();
    ASSERT_EQ(s.entries.size(), 3u);
    EXPECT_NE(s.id, 0); // [MQTT-2.3.1-1]
    EXPECT_EQ(s.entries[0].filter, "a");
    EXPECT_EQ(s.entries[0].options.qos, QoS::exactly_once);
    const bool v5 = GetParam() == Version::v5;
    peer.suback(s.id,
                {Reason::granted_qos_1, v5 ? Reason::not_authorized : Reason::unspecified_error, Reason::success});
    std::optional<Subscribed> done;
    std::size_t changes = 0;
    for (int i = 0; i < 4; ++i) {
        // FilterChanged for each, and one Subscribed; their order among each other is free.
        auto next = peer.any_event();
        if (auto* d = std::get_if<Subscribed>(&next))
            done = *d;
        else if (std::holds_alternative<FilterChanged>(next))
            ++changes;
    }
    EXPECT_EQ(changes, 3u);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->token, token);
    EXPECT_EQ(*done->results.at(0), (Grant{QoS::exactly_once, QoS::at_least_once}));
    EXPECT_FALSE(done->results.at(1));
    EXPECT_EQ(*done->results.at(2), (Grant{QoS::at_most_once, QoS::at_most_once}));
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Subscribing, OfflineIsRememberedAndAskedWhenUp) {
    const Token token = peer.subscribe({{"f", QoS::at_least_once}});
    EXPECT_TRUE(peer.quiet());
    peer.connect();
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    EXPECT_EQ(peer.event<Subscribed>().token, token);
    EXPECT_EQ(peer.engine.subscriptions().size(), 1u);
}

TEST_P(Subscribing, FiltersOfTheOptionsAreWantedFromTheStart) {
    auto options = patient(GetParam());
    options.subscriptions = {{"a", QoS::at_least_once}, {"b", QoS::exactly_once}};
    Peer other{options};
    other.connect();
    EXPECT_EQ(other.sent<Subscribe>().entries.size(), 2u);
    EXPECT_TRUE(other.silent()) << other.rest();
}

TEST_P(Subscribing, WhatHadNoReplyIsAskedAgainAfterALostConnection) {
    peer.connect();
    const Token token = peer.subscribe({{"f", QoS::at_least_once}});
    peer.sent<Subscribe>();
    peer.lose_connection();
    peer.connect(true);
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    EXPECT_EQ(peer.event<Subscribed>().token, token);
}

TEST_P(Subscribing, AnotherQoSIsAskedForAnew) {
    peer.connect();
    grant_f();
    peer.subscribe({{"f", QoS::exactly_once}});
    EXPECT_EQ(peer.sent<Subscribe>().entries.at(0).options.qos, QoS::exactly_once);
    EXPECT_EQ(peer.engine.subscriptions().size(), 1u);
}

TEST_P(Subscribing, UnsubscribeEndsTheWishAndTellsIt) {
    peer.connect();
    grant_f();
    const Token token = peer.unsubscribe({"f"});
    EXPECT_TRUE(peer.engine.subscriptions().empty());
    const auto u = peer.sent<Unsubscribe>();
    EXPECT_EQ(u.filters.at(0), "f");
    unsuback(u.id);
    EXPECT_EQ(peer.event<Unsubscribed>().token, token);
    const auto changed = peer.event<FilterChanged>();
    EXPECT_EQ(changed.filter, "f");
    EXPECT_FALSE(changed.grant);
    peer.lose_connection();
    peer.connect(false);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Subscribing, AnOfflineUnsubscribeReachesAKeptSessionAndIsDoneWithALostOne) {
    for (const bool kept : {true, false}) {
        Peer p{patient(GetParam())};
        p.connect();
        p.subscribe({{"f", QoS::at_least_once}});
        p.suback(p.sent<Subscribe>().id, {Reason::granted_qos_1});
        p.forget_events();
        p.close();
        p.event<Down>();
        const Token token = p.unsubscribe({"f"});
        p.pass(1s);
        p.connect(kept);
        if (kept) {
            EXPECT_EQ(p.sent<Unsubscribe>().filters.at(0), "f");
            EXPECT_TRUE(p.quiet());
        } else {
            EXPECT_TRUE(p.silent()) << p.rest();
            EXPECT_EQ(p.event<Unsubscribed>().token, token);
        }
    }
}

TEST_P(Subscribing, SubscribeAfterUnsubscribeWins) {
    peer.connect();
    grant_f();
    peer.unsubscribe({"f"});
    peer.subscribe({{"f", QoS::at_least_once}});
    const auto u = peer.sent<Unsubscribe>();
    const auto s = peer.sent<Subscribe>();
    peer.pass(19s);
    peer.suback(s.id, {Reason::granted_qos_1});
    peer.pass(10s); // the UNSUBSCRIBE has no reply: it must not be said again, for the filter is wanted
    EXPECT_TRUE(peer.silent()) << peer.rest();
    unsuback(u.id);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    EXPECT_EQ(peer.engine.subscriptions().size(), 1u);
}

TEST_P(Subscribing, UnsubscribeAfterSubscribeWins) {
    peer.connect();
    const Token asked = peer.subscribe({{"f", QoS::at_least_once}});
    const auto s = peer.sent<Subscribe>();
    peer.unsubscribe({"f"});
    const auto u = peer.sent<Unsubscribe>();
    peer.suback(s.id, {Reason::granted_qos_1});
    EXPECT_EQ(peer.event<Subscribed>().token, asked);
    unsuback(u.id);
    peer.event<Unsubscribed>();
    EXPECT_TRUE(peer.engine.subscriptions().empty());
    peer.forget_events();
    peer.lose_connection();
    peer.connect(false);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Subscribing, WithoutAReplyItIsAskedAgainAndTheLateReplyCounts) {
    peer.connect();
    const Token token = peer.subscribe({{"f", QoS::at_least_once}});
    const auto first = peer.sent<Subscribe>();
    peer.pass(20s);
    const auto second = peer.sent<Subscribe>();
    EXPECT_EQ(second.entries.at(0).filter, "f");
    EXPECT_NE(second.id, first.id);
    peer.suback(first.id, {Reason::granted_qos_1});
    EXPECT_EQ(peer.event<FilterChanged>().filter, "f");
    peer.pass(20s); // the second has no reply, yet the filter is granted: its operation ends
    EXPECT_EQ(peer.event<Subscribed>().token, token);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Subscribing, ALateUnsubackDoesNotSwallowTheOperation) {
    peer.connect();
    grant_f();
    const Token token = peer.unsubscribe({"f"});
    const auto first = peer.sent<Unsubscribe>();
    peer.pass(20s);
    const auto second = peer.sent<Unsubscribe>();
    unsuback(first.id);
    peer.pass(20s);
    unsuback(second.id);
    bool ended = false;
    while (!peer.quiet()) {
        const auto e = peer.any_event();
        if (const auto* u = std::get_if<Unsubscribed>(&e)) {
            EXPECT_FALSE(ended);
            EXPECT_EQ(u->token, token);
            ended = true;
        }
    }
    EXPECT_TRUE(ended);
}

TEST_P(Subscribing, ABrokerThatNeverRepliesIsGivenUp) {
    peer.connect();
    peer.subscribe({{"f", QoS::at_least_once}});
    for (int i = 0; i < 20 && peer.wish.kind != Wish::close; ++i) peer.pass(20s);
    EXPECT_EQ(peer.wish.kind, Wish::close);
    peer.close();
    EXPECT_EQ(peer.event<Down>().why.code, Errc::timeout);
}

/// Many requests that are slow all at once are no reason to give up.
TEST_P(Subscribing, ABrokerThatIsSlowWithManyRequestsIsWaitedFor) {
    peer.connect();
    std::vector<PacketId> ids;
    for (Route route = 1; route <= 50; ++route) {
        peer.subscribe({{"f/" + std::to_string(route), QoS::at_least_once}}, route);
        ids.push_back(peer.sent<Subscribe>().id);
    }
    peer.pass(21s);
    EXPECT_EQ(peer.wish.kind, Wish::nothing);
    for (const auto id : ids) {
        peer.suback(id, {Reason::granted_qos_1});
        EXPECT_TRUE(*peer.event<FilterChanged>().grant); // the late reply counts
    }
}

TEST_P(Subscribing, OtherOperationsGoOnWhileItHasNoReply) {
    peer.connect();
    const Token subscribe = peer.subscribe({{"f", QoS::at_least_once}});
    peer.sent<Subscribe>();
    const Token publish = peer.publish("a", QoS::at_least_once);
    peer.puback(peer.sent<Publish>().id);
    EXPECT_EQ(peer.event<Delivered>().token, publish);
    const Token ping = peer.ping();
    peer.sent<Pingreq>();
    peer.send(Pingresp{});
    EXPECT_EQ(peer.event<Pong>().token, ping);
    peer.message("b", QoS::at_most_once);
    peer.event<Received>();
    peer.stop();
    peer.sent<Disconnect>();
    peer.close();
    peer.event<Down>();
    EXPECT_EQ(peer.event<Subscribed>().token, subscribe);
    peer.event<Stopped>();
}

TEST_P(Subscribing, ARefusalEndsNeitherTheConnectionNorTheOtherFilters) {
    auto options = patient(GetParam());
    options.subscriptions = {{"secret", QoS::at_least_once}, {"f", QoS::at_least_once}};
    Peer p{options};
    p.connect();
    const auto refusal = GetParam() == Version::v5 ? Reason::not_authorized : Reason::unspecified_error;
    p.suback(p.sent<Subscribe>().id, {refusal, Reason::granted_qos_1});
    p.subscribe({{"another secret", QoS::at_least_once}});
    p.suback(p.sent<Subscribe>().id, {refusal});
    EXPECT_EQ(p.wish.kind, Wish::nothing);
    EXPECT_TRUE(p.engine.is_up());
    const auto filters = p.engine.snapshot().subscriptions;
    EXPECT_EQ(std::count_if(filters.begin(), filters.end(), [](const auto& f) { return f.granted.has_value(); }), 1);
}

TEST(SubscribingV5, ARefusalForGoodIsTheFiltersResultAndItIsNotAskedAgain) {
    Peer peer{patient()};
    peer.connect();
    peer.subscribe({{"secret", QoS::at_least_once}});
    peer.suback(peer.sent<Subscribe>().id, {Reason::not_authorized});
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Reason::not_authorized);
    EXPECT_EQ(peer.event<FilterChanged>().grant->error().code, Reason::not_authorized);
    EXPECT_TRUE(peer.engine.subscriptions().empty());
    peer.pass(1h);
    peer.lose_connection();
    peer.connect(false);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(SubscribingV5, APassingRefusalIsReportedAndAskedAgainWithBackoff) {
    auto options = patient();
    options.backoff = {.min = 1s, .max = 4s, .stable_after = 30s};
    Peer peer{options};
    peer.connect();
    const Token token = peer.subscribe({{"f", QoS::at_least_once}});
    peer.suback(peer.sent<Subscribe>().id, {Reason::quota_exceeded});
    const auto done = peer.event<Subscribed>();
    EXPECT_EQ(done.token, token);
    EXPECT_EQ(done.results.at(0).error().code, Reason::quota_exceeded);
    EXPECT_EQ(peer.event<FilterChanged>().grant->error().code, Reason::quota_exceeded);
    EXPECT_EQ(peer.engine.subscriptions().size(), 1u); // still wanted
    for (const Duration span : {Duration(1s), Duration(2s), Duration(4s), Duration(4s)}) {
        peer.pass(span);
        peer.suback(peer.sent<Subscribe>().id, {Reason::quota_exceeded});
        EXPECT_TRUE(peer.silent()) << peer.rest();
        peer.event<FilterChanged>();
    }
    peer.pass(4s);
    peer.suback(peer.sent<Subscribe>().id, {Reason::granted_qos_1});
    EXPECT_TRUE(*peer.event<FilterChanged>().grant);
    EXPECT_TRUE(peer.quiet());
}

TEST_P(Subscribing, ASubackWithAnotherNumberOfReasonsIsAViolation) {
    for (const std::size_t count : {1u, 3u}) {
        Peer p{patient(GetParam())};
        p.connect();
        p.subscribe({{"a", QoS::at_least_once}, {"b", QoS::at_least_once}});
        p.suback(p.sent<Subscribe>().id, std::vector<Reason>(count, Reason::granted_qos_1));
        EXPECT_EQ(p.wish.kind, Wish::close);
        if (GetParam() == Version::v5) {
            EXPECT_EQ(p.sent<Disconnect>().reason, Reason::protocol_error); // [MQTT3-3.8.4-5] [MQTT5-3.8.4-6]
        }
        EXPECT_TRUE(p.quiet()); // nothing is reported as granted
        p.close();
        EXPECT_EQ(p.event<Down>().why.code, Reason::protocol_error);
    }
}

TEST_P(Subscribing, ASubackThatNobodyAskedForIsIgnored) {
    peer.connect();
    peer.suback(12, {Reason::granted_qos_1});
    EXPECT_TRUE(peer.quiet());
    EXPECT_TRUE(peer.engine.is_up());
}

TEST_P(Subscribing, AnUnsubackDoesNotAnswerASubscribe) {
    peer.connect();
    peer.subscribe({{"f", QoS::at_least_once}});
    unsuback(peer.sent<Subscribe>().id);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.wish.kind, Wish::close);
}

TEST_P(Subscribing, BadFiltersHaveTheirResultAndTheOthersAreAsked) {
    peer.connect();
    peer.subscribe({{"a/#/b", QoS::at_least_once}, {"ok", QoS::at_least_once}, {"", QoS::at_least_once}});
    const auto s = peer.sent<Subscribe>();
    ASSERT_EQ(s.entries.size(), 1u);
    peer.suback(s.id, {Reason::granted_qos_1});
    const auto done = peer.event<Subscribed>();
    EXPECT_EQ(done.results.at(0).error().code, Errc::invalid_filter); // [MQTT3-4.7.1-2] [MQTT5-4.7.1-1]
    EXPECT_TRUE(done.results.at(1));
    EXPECT_EQ(done.results.at(2).error().code, Errc::invalid_filter); // [MQTT-4.7.3-1]
}

TEST_P(Subscribing, NothingAskedIsAnsweredAtOnce) {
    peer.connect();
    const Token one = peer.subscribe({});
    EXPECT_EQ(peer.event<Subscribed>().token, one);
    const Token two = peer.unsubscribe({});
    EXPECT_EQ(peer.event<Unsubscribed>().token, two);
    EXPECT_TRUE(peer.silent()) << peer.rest(); // [MQTT3-3.8.3-3] [MQTT5-3.8.3-2] [MQTT-3.10.3-2]
}

TEST_P(Subscribing, MessagesAreRoutedByFilter) {
    peer.connect();
    peer.subscribe({{"rooms/+/temp", QoS::at_most_once}}, 1);
    peer.subscribe({{"rooms/#", QoS::at_most_once}}, 2);
    peer.subscribe({{"other", QoS::at_most_once}}, 3);
    peer.subscribe({{"plain", QoS::at_most_once}});
    peer.message("rooms/hall/temp", QoS::at_most_once);
    peer.event<Received>();
    EXPECT_EQ(peer.routes_of_last, (std::vector<Route>{1, 2}));
    peer.message("rooms/hall", QoS::at_most_once);
    EXPECT_EQ(peer.routes_of_last, (std::vector<Route>{2}));
    peer.message("plain", QoS::at_most_once);
    EXPECT_TRUE(peer.routes_of_last.empty());
    peer.unsubscribe({"rooms/#"});
    peer.message("rooms/hall/temp", QoS::at_most_once);
    EXPECT_EQ(peer.routes_of_last, (std::vector<Route>{1}));
}

TEST(SubscribingV5, ARouteIsSubscribedWithAnIdentifierAndFoundByIt) {
    Peer peer;
    peer.connect();
    peer.subscribe({{"plain", QoS::at_most_once}, {"x", QoS::at_most_once}});
    EXPECT_FALSE(peer.sent<Subscribe>().properties.get(property::subscription_identifier));
    peer.subscribe({{"a/#", QoS::at_most_once}, {"a/b", QoS::at_most_once}}, 1);
    const auto one = peer.sent<Subscribe>(); // its filters travel together
    EXPECT_EQ(one.entries.size(), 2);
    const auto identifier = one.properties.get(property::subscription_identifier);
    ASSERT_TRUE(identifier);
    peer.subscribe({{"$share/g/a/+", QoS::at_most_once}}, 2);
    EXPECT_NE(peer.sent<Subscribe>().properties.get(property::subscription_identifier), identifier);
    const auto properties = Properties().add(property::subscription_identifier, *identifier);
    peer.send(Publish{.topic = "a/b", .properties = properties});
    peer.event<Received>();
    EXPECT_EQ(peer.routes_of_last, (std::vector<Route>{1}));
}

TEST(SubscribingV5, ARouteKeepsItsIdentifierOverReconnects) {
    Peer peer;
    peer.connect();
    peer.subscribe({{"b", QoS::at_most_once}}, 1);
    const auto before = peer.sent<Subscribe>().properties.get(property::subscription_identifier);
    peer.lose_connection();
    peer.pass(1s);
    peer.connect();
    EXPECT_EQ(peer.sent<Subscribe>().properties.get(property::subscription_identifier), before);
}

TEST(SubscribingV5, ABrokerWithoutIdentifiersIsSpared) {
    Peer peer;
    peer.connect(false, Properties().set(property::subscription_identifier_available, 0));
    peer.subscribe({{"a/#", QoS::at_most_once}}, 1);
    EXPECT_FALSE(peer.sent<Subscribe>().properties.get(property::subscription_identifier));
    peer.message("a/b", QoS::at_most_once);
    peer.event<Received>();
    EXPECT_EQ(peer.routes_of_last, (std::vector<Route>{1}));
}

TEST(SubscribingV5, OptionsTravel) {
    Peer peer{patient()};
    peer.connect();
    peer.subscribe({{"f",
                     {.qos = QoS::exactly_once,
                      .no_local = true,
                      .retain_as_published = true,
                      .retain_handling = RetainHandling::do_not_send}}});
    const auto o = peer.sent<Subscribe>().entries.at(0).options;
    EXPECT_TRUE(o.no_local);
    EXPECT_TRUE(o.retain_as_published);
    EXPECT_EQ(o.retain_handling, RetainHandling::do_not_send);
}

TEST(SubscribingV3, OptionsThatTheVersionLacksAreRefusedHere) {
    Peer peer{patient(Version::v3_1_1)};
    peer.connect();
    peer.subscribe({{"f", {.qos = QoS::at_least_once, .no_local = true}}});
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Errc::not_supported);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(SubscribingV5, ManyFiltersAreSplitByTheMaximumPacketSize) {
    Peer peer{patient()};
    std::vector<TopicFilter> filters;
    for (int i = 0; i < 50; ++i) filters.emplace_back("filter/number/" + std::to_string(i), QoS::at_least_once);
    const Token token = peer.subscribe(filters);
    peer.connect(false, Properties{}.set(property::maximum_packet_size, 100));
    std::size_t asked = 0;
    while (!peer.silent()) {
        const auto s = peer.sent<Subscribe>();
        std::string octets;
        EXPECT_TRUE(encode(Version::v5, Packet(s), octets));
        EXPECT_LE(octets.size(), 100u); // [MQTT-3.2.2-15]
        asked += s.entries.size();
        peer.suback(s.id, std::vector<Reason>(s.entries.size(), Reason::granted_qos_1));
    }
    EXPECT_EQ(asked, 50u);
    bool ended = false;
    while (!peer.quiet()) {
        const auto e = peer.any_event();
        if (const auto* d = std::get_if<Subscribed>(&e)) ended = d->token == token && d->results.size() == 50;
    }
    EXPECT_TRUE(ended);
}

TEST_P(Subscribing, ManyFiltersAreSplitByTheNumberThatTheBrokerTakes) {
    auto options = patient(GetParam());
    options.limits.filters_per_subscribe = 8;
    Peer p{options};
    p.connect();
    std::vector<TopicFilter> filters;
    std::vector<std::string> names;
    for (int i = 0; i < 20; ++i) names.push_back("f/" + std::to_string(i));
    for (const auto& name : names) filters.emplace_back(name, QoS::at_least_once);
    const Token token = p.subscribe(filters);
    for (const std::size_t count : {8u, 8u, 4u}) {
        const auto s = p.sent<Subscribe>();
        EXPECT_EQ(s.entries.size(), count);
        p.suback(s.id, std::vector<Reason>(s.entries.size(), Reason::granted_qos_1));
    }
    Event last = Pong{};
    while (!p.quiet())
        if (Event e = p.any_event(); std::holds_alternative<Subscribed>(e)) last = std::move(e);
    ASSERT_TRUE(std::holds_alternative<Subscribed>(last));
    EXPECT_EQ(std::get<Subscribed>(last).token, token);
    EXPECT_EQ(std::get<Subscribed>(last).results.size(), 20u);
    p.unsubscribe(names);
    for (const std::size_t count : {8u, 8u, 4u}) EXPECT_EQ(p.sent<Unsubscribe>().filters.size(), count);
    EXPECT_TRUE(p.silent()) << p.rest();
}

TEST_P(Subscribing, TheSnapshotTellsWhatIsWantedAndGranted) {
    peer.connect();
    grant_f();
    peer.subscribe({{"g", QoS::exactly_once}});
    const auto s = peer.engine.snapshot();
    ASSERT_EQ(s.subscriptions.size(), 2u);
    EXPECT_EQ(s.subscriptions[0].filter.filter, "f");
    EXPECT_TRUE(s.subscriptions[0].granted);
    EXPECT_EQ(s.subscriptions[1].filter.filter, "g");
    EXPECT_FALSE(s.subscriptions[1].granted);
    EXPECT_EQ(s.state, "up");
}

} // namespace
} // namespace tortoise::core::testing
