// The bounds of the queue, and who gives way.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

EngineOptions bounded(Overflow overflow, std::size_t messages = 3, std::size_t bytes = 1 << 20) {
    auto options = plain();
    options.queue = {.messages = messages, .bytes = bytes, .overflow = overflow};
    return options;
}

Token put(Peer& peer, std::string topic, std::string payload, int priority = 0) {
    return peer.publish({.topic = topic, .payload = payload, .qos = QoS::at_least_once, .priority = priority});
}

std::string sent_payloads(Peer& peer) {
    peer.connect();
    std::string all;
    while (!peer.silent()) all += peer.sent<Publish>().payload;
    return all;
}

void expect_gone(Peer& peer, Token token, Errc why) {
    const auto u = peer.event<Undelivered>();
    EXPECT_EQ(u.token, token);
    EXPECT_EQ(u.why.code, why);
    EXPECT_FALSE(u.message.topic.empty());
}

TEST(Overflow, RejectRefusesTheNewOne) {
    Peer peer{bounded(Overflow::reject)};
    for (const char* p : {"1", "2", "3"}) put(peer, "a", p);
    expect_gone(peer, put(peer, "a", "4"), Errc::queue_full);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(sent_payloads(peer), "123");
}

TEST(Overflow, DropNewestDisplacesTheNewOne) {
    Peer peer{bounded(Overflow::drop_newest)};
    for (const char* p : {"1", "2", "3"}) put(peer, "a", p);
    expect_gone(peer, put(peer, "a", "4"), Errc::displaced);
    EXPECT_EQ(sent_payloads(peer), "123");
}

TEST(Overflow, DropOldestDisplacesTheOldest) {
    Peer peer{bounded(Overflow::drop_oldest)};
    const Token first = put(peer, "a", "1");
    for (const char* p : {"2", "3", "4"}) put(peer, "a", p);
    expect_gone(peer, first, Errc::displaced);
    EXPECT_EQ(sent_payloads(peer), "234");
}

TEST(Overflow, LatestPerTopicReplacesEvenBelowTheBound) {
    Peer peer{bounded(Overflow::latest_per_topic)};
    const Token old = put(peer, "a", "1");
    put(peer, "b", "2");
    put(peer, "a", "3");
    expect_gone(peer, old, Errc::displaced);
    put(peer, "c", "4");
    const Token oldest = 2;
    put(peer, "d", "5"); // at the bound, without one of its topic: the oldest goes
    expect_gone(peer, oldest, Errc::displaced);
    EXPECT_EQ(sent_payloads(peer), "345");
}

TEST(Overflow, ByPriorityTheOldestOfTheLowestGoes) {
    Peer peer{bounded(Overflow::by_priority)};
    put(peer, "a", "1", 5);
    const Token low = put(peer, "a", "2", 1), low_too = put(peer, "a", "3", 1);
    put(peer, "a", "4", 3);
    expect_gone(peer, low, Errc::displaced);
    put(peer, "a", "5", 3);
    expect_gone(peer, low_too, Errc::displaced);
    expect_gone(peer, put(peer, "a", "6", 2), Errc::displaced); // the new one is the lowest
    EXPECT_EQ(sent_payloads(peer), "145");                      // in the order of publishing, not of priority
}

TEST(Overflow, BytesAreABoundToo) {
    Peer peer{bounded(Overflow::reject, 100, 30)};
    put(peer, "a", std::string(9, 'x'));
    put(peer, "a", std::string(9, 'y'));
    EXPECT_EQ(peer.engine.snapshot().queued_bytes, 20u);
    expect_gone(peer, put(peer, "a", std::string(10, 'z')), Errc::queue_full);
    put(peer, "a", std::string(9, 'z'));
    EXPECT_EQ(peer.engine.snapshot().queued_bytes, 30u);
}

TEST(Overflow, AsManyGiveWayAsTheBytesNeed) {
    Peer peer{bounded(Overflow::drop_oldest, 100, 30)};
    const Token one = put(peer, "a", std::string(9, '1')), two = put(peer, "a", std::string(9, '2'));
    put(peer, "a", std::string(9, '3'));
    put(peer, "a", std::string(19, '4'));
    expect_gone(peer, one, Errc::displaced);
    expect_gone(peer, two, Errc::displaced);
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(peer.engine.snapshot().queued_bytes, 30u);
}

TEST(Overflow, OneThatCanNeverFitIsRefusedAndNobodyGivesWay) {
    for (const auto overflow :
         {Overflow::reject, Overflow::drop_oldest, Overflow::drop_newest, Overflow::by_priority}) {
        Peer peer{bounded(overflow, 100, 30)};
        put(peer, "a", "1");
        expect_gone(peer, put(peer, "a", std::string(100, 'x'), 9), Errc::queue_full);
        EXPECT_EQ(peer.engine.snapshot().queued, 1u);
    }
}

TEST(Overflow, WhatGoesOutAtOnceNeedsNoRoom) {
    Peer peer{bounded(Overflow::reject, 1, 10)};
    peer.connect();
    for (int i = 0; i < 100; ++i) put(peer, "a", std::string(100, 'x'));
    for (int i = 0; i < 100; ++i) peer.sent<Publish>();
    EXPECT_TRUE(peer.quiet());
}

TEST(Overflow, RoomIsFreeAgainAfterSending) {
    Peer peer{bounded(Overflow::reject)};
    for (const char* p : {"1", "2", "3"}) put(peer, "a", p);
    peer.connect();
    peer.forget_sent();
    peer.lose_connection();
    for (const char* p : {"4", "5", "6"}) put(peer, "a", p);
    EXPECT_TRUE(peer.quiet());
    expect_gone(peer, put(peer, "a", "7"), Errc::queue_full);
}

TEST(Overflow, WhatComesBackFromALostSessionIsNotDropped) {
    Peer peer{bounded(Overflow::drop_oldest, 2)};
    peer.connect();
    for (const char* p : {"1", "2", "3"}) put(peer, "a", p);
    peer.forget_sent();
    peer.lose_connection();
    put(peer, "a", "4");
    put(peer, "a", "5");
    EXPECT_TRUE(peer.quiet());
    EXPECT_EQ(sent_payloads(peer), "12345");
    EXPECT_TRUE(peer.quiet());
}

TEST(Overflow, OutputThatIsNotWrittenHoldsMessagesInTheQueue) {
    auto options = bounded(Overflow::reject, 3);
    options.output_high_water = 100;
    Peer peer{options};
    peer.connect();
    peer.writes_hang = true;
    int accepted = 0;
    while (peer.quiet() && accepted < 1000) {
        put(peer, "a", std::string(50, 'x'));
        ++accepted;
    }
    EXPECT_LT(accepted, 10); // two go out, three wait, the next does not fit
    EXPECT_EQ(peer.event<Undelivered>().why.code, Errc::queue_full);
    peer.forget_sent();
    peer.writes_hang = false;
    peer.wrote(1000);
    for (int i = 0; i < 3; ++i) peer.sent<Publish>();
    EXPECT_EQ(peer.engine.snapshot().queued, 0u);
}

TEST(Overflow, APeerThatDoesNotReadItsAcknowledgementsIsNotReadFrom) {
    auto options = plain();
    options.output_high_water = 100;
    Peer peer{options};
    peer.connect();
    peer.writes_hang = true;
    EXPECT_TRUE(peer.engine.wants_input());
    for (PacketId id = 1; id <= 1000 && peer.engine.wants_input(); ++id) {
        peer.message("a", QoS::at_least_once, id);
        peer.acknowledge(peer.event<Received>().id);
    }
    EXPECT_FALSE(peer.engine.wants_input());
    peer.writes_hang = false;
    peer.wrote(1'000'000);
    EXPECT_TRUE(peer.engine.wants_input());
}

TEST(Overflow, AMillionOfflineMessagesStayWithinTheBound) {
    Peer peer{bounded(Overflow::drop_oldest, 1000)};
    std::vector<Event> events;
    for (int i = 0; i < 1'000'000; ++i) {
        peer.engine.publish(peer.now, {.topic = "a", .payload = "x", .qos = QoS::at_least_once, .token = 1});
        peer.engine.take_events(events);
        ASSERT_EQ(events.size(), i < 1000 ? 0u : 1u);
        events.clear();
    }
    EXPECT_EQ(peer.engine.snapshot().queued, 1000u);
}

} // namespace
} // namespace tortoise::core::testing
