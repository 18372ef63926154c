// The public face of the engine, as a shell may use it: appending to what is there, moving, calls of bad taste.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

TEST(Interface, EventsAndOutputAreAppendedToWhatIsThere) {
    Engine engine(plain(), 1);
    engine.start({});
    std::vector<Event> events;
    events.emplace_back(Pong{.token = 7});
    engine.ping({}, 8);
    engine.take_events(events);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(std::get<PingFailed>(events[1]).token, 8u);
    EXPECT_EQ(engine.take_wish().kind, Wish::open);
    engine.opened({});
    std::string output = "before";
    engine.take_output(output);
    EXPECT_TRUE(output.starts_with("before\x10"));
    EXPECT_FALSE(engine.has_output());
}

TEST(Interface, AnEngineMovesWithAllItHas) {
    Peer peer{plain()};
    peer.connect();
    const Token token = peer.publish("a", QoS::at_least_once);
    Engine elsewhere(std::move(peer.engine));
    peer.engine = std::move(elsewhere);
    peer.puback(peer.sent<Publish>().id);
    EXPECT_EQ(peer.event<Delivered>().token, token);
    EXPECT_EQ(peer.engine.counters().packets_received, 2u);
}

TEST(Interface, DropBeforeTheShellHeardOfTheWishToOpenWaitsForTheBackoff) {
    Engine engine(plain(), 1);
    engine.start({});
    engine.drop({}, make_error(Errc::handler_threw));
    EXPECT_EQ(engine.take_wish().kind, Wish::nothing);
    std::vector<Event> events;
    engine.take_events(events);
    ASSERT_EQ(events.size(), 1u);
    const auto& down = std::get<Down>(events[0]);
    EXPECT_EQ(down.why.code, Errc::handler_threw);
    ASSERT_TRUE(down.retry_in);
    engine.elapsed(Time{} + *down.retry_in);
    EXPECT_EQ(engine.take_wish().kind, Wish::open);
}

TEST(InterfaceV5, PropertiesThatAreNotTheUsersToSetAreRefused) {
    Peer peer{plain()};
    peer.connect();
    for (const auto& properties :
         {Properties{}.set(property::topic_alias, 1), Properties{}.add(property::subscription_identifier, 1)}) {
        peer.publish({.topic = "a", .properties = properties});
        EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::invalid_option);
    }
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST(InterfaceV5, FiltersThatCannotBeAskedForHaveTheirResult) {
    Peer peer{plain()};
    peer.connect(false, Properties{}.set(property::maximum_packet_size, 40u));
    peer.subscribe({{"a", {.qos = static_cast<QoS>(3)}}});
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Errc::invalid_qos);
    peer.subscribe({{"$share/g/a", {.no_local = true}}});
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Errc::invalid_option);
    const std::string large(60, 'f');
    peer.subscribe({large});
    EXPECT_FALSE(*peer.event<FilterChanged>().grant);
    EXPECT_EQ(peer.event<Subscribed>().results.at(0).error().code, Errc::packet_too_large);
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

// The filter was granted when there was no limit; it leaves with the session that knew it.
TEST(InterfaceV5, AnUnsubscribeThatBecameTooLargeHasItsResult) {
    Peer peer{plain()};
    peer.connect();
    const std::string large(60, 'f');
    peer.subscribe({large});
    peer.suback(peer.sent<Subscribe>().id, {Reason::success});
    peer.forget_events();
    peer.lose_connection();
    peer.unsubscribe({large});
    peer.connect(true, Properties{}.set(property::maximum_packet_size, 40u));
    EXPECT_TRUE(peer.silent()) << peer.rest();
    while (!peer.quiet()) {
        const auto event = peer.any_event();
        if (const auto* done = std::get_if<Unsubscribed>(&event)) {
            EXPECT_EQ(done->results.at(0).error().code, Errc::packet_too_large);
            return;
        }
    }
    ADD_FAILURE() << "no result";
}

TEST(InterfaceV5, ADisconnectWithoutAReasonIsALostConnection) {
    Peer peer{plain()};
    peer.connect();
    peer.send(Disconnect{});
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::connection_lost);
    EXPECT_TRUE(down.retry_in);
}

TEST(Interface, APacketBeyondWhatThePeerTakesEndsAtOnce) {
    auto options = plain();
    options.limits.packet_size = 10;
    Peer peer{options};
    peer.publish("abcdef", QoS::at_most_once, "abcdef");
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::packet_too_large);
}

} // namespace
} // namespace tortoise::core::testing
