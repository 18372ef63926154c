// Scenarios of the faults that the random walk mixes: what each does, and what it once brought to light.
#include "sim/scenario.hpp"

namespace tortoise::sim {
namespace {

ClientPlan persistent(std::string id) {
    ClientPlan plan{.engine = Scenario::plain(std::move(id))};
    plan.engine.persistent = true;
    return plan;
}

std::uint32_t start(Scenario& s, ClientPlan plan) {
    const auto client = s.world.add_client(std::move(plan));
    s.world.start(client);
    s.world.run_for(100ms);
    return client;
}

std::size_t received(Scenario& s, std::uint32_t client) {
    std::size_t count = 0;
    for (const auto& event : s.events(client)) count += event.starts_with("received") ? 1 : 0;
    return count;
}

// The broker may know the identifiers as received; it would take other messages for repetitions. [MQTT-4.3.3-10]
TEST(Faults, WhatTheBrokerDoesNotAllowAnyMoreKeepsItsIdentifier) {
    Scenario s;
    const auto plan = persistent("door");
    const auto door = start(s, plan);
    const auto link = *s.world.link(door);
    std::vector<core::Token> retained, later;
    for (int i = 0; i < 3; ++i)
        retained.push_back(s.world.publish(door, {.topic = "a", .qos = QoS::exactly_once, .retain = true}));
    s.world.network.cut_after(link, Side::broker, 0); // it gets them all, and its answers are lost
    s.world.run_for(100ms);
    s.world.stop_broker();
    const testing::BrokerOptions without_retain{.retain_available = false};
    s.world.start_broker(false, &without_retain);
    s.world.crash_and_restart(door, plan);
    s.world.run_for(5s);
    for (const auto token : retained) EXPECT_EQ(s.post(token).end, Post::End::undelivered);
    for (int i = 0; i < 5; ++i) later.push_back(s.world.publish(door, {.topic = "a", .qos = QoS::exactly_once}));
    s.world.run_for(5s);
    for (const auto token : later) {
        EXPECT_EQ(s.post(token).end, Post::End::delivered);
        EXPECT_EQ(s.post(token).routed, 1u);
    }
}

// It had been handled, though the broker could not be told.
TEST(Faults, WhatWasHandledWithoutAConnectionIsNotHandledAgainInTheNextLife) {
    Scenario s;
    auto plan = persistent("door");
    plan.late_ack = 1000;
    plan.late_by = 1h;
    const auto door = start(s, plan), bell = s.add(Scenario::plain("bell"));
    s.world.subscribe(door, {{"a", QoS::exactly_once}});
    s.world.run_for(1s);
    s.world.publish(bell, {.topic = "a", .qos = QoS::exactly_once});
    s.world.run_for(1s);
    EXPECT_EQ(received(s, door), 1u);
    s.world.network.black_hole = true;
    s.world.network.cut(s.world.now(), *s.world.link(door), {});
    s.world.run_for(1s);
    s.world.acknowledge_everything(door);
    s.world.run_for(1s); // for the disk
    s.world.network.black_hole = false;
    s.world.crash_and_restart(door, plan);
    s.world.run_for(20s);
    EXPECT_TRUE(s.world.engine(door).is_up());
    EXPECT_EQ(received(s, door), 0u);
    EXPECT_EQ(s.world.engine(door).snapshot().inbound_qos2, std::vector<std::uint16_t>{});
}

TEST(Faults, AProgramWhoseDiskFailsStopsAndTheNextOneGoesOnWithWhatWasKept) {
    Scenario s;
    const auto plan = persistent("door");
    const auto door = start(s, plan);
    s.world.stop_broker();
    const auto kept = s.world.publish(door, {.topic = "a", .qos = QoS::exactly_once});
    s.world.run_for(1s);
    const auto lost = s.world.publish(door, {.topic = "a", .qos = QoS::exactly_once});
    s.world.fail_disk(door);
    EXPECT_TRUE(s.world.stopped(door));
    EXPECT_EQ(s.post(lost).why, Errc::store_failed);
    s.world.start_broker(false);
    s.world.crash_and_restart(door, plan);
    s.world.run_for(20s);
    EXPECT_EQ(s.post(kept).routed, 1u);
    EXPECT_EQ(s.post(lost).routed, 0u);
}

TEST(Faults, AWallClockThatJumpedShortensTheLifeOfWhatTheNextLifeGoesOnWith) {
    Scenario s;
    const auto plan = persistent("door");
    const auto door = start(s, plan);
    s.world.stop_broker();
    s.world.run_for(100ms);
    const auto token = s.world.publish(door, {.topic = "a", .qos = QoS::at_least_once, .ttl = 1min});
    s.world.run_for(1s);
    s.world.jump_wall_clock(1h);
    s.world.run_for(1s);
    EXPECT_EQ(s.post(token).end, Post::End::open); // a running program goes by its own clock
    s.world.crash_and_restart(door, plan);
    s.world.run_for(1s);
    EXPECT_EQ(s.post(token).why, Errc::expired);
}

TEST(Faults, WhatIsLostInOneDirectionOnlyIsNoticedByTheKeepAlive) {
    Scenario s;
    auto options = Scenario::plain("door");
    options.keep_alive = 10s;
    const auto door = s.add(options), bell = s.add(Scenario::plain("bell"));
    s.world.subscribe(door, {{"a", QoS::at_most_once}});
    s.world.run_for(1s);
    s.events(door);
    s.world.network.cut(s.world.now(), *s.world.link(door),
                        {.client_learns = {}, .broker_learns = {}, .only = Side::client});
    s.world.publish(bell, {.topic = "a"});
    s.world.run_for(1s);
    EXPECT_EQ(received(s, door), 1u); // what the broker says still arrives
    s.world.run_for(1min);
    EXPECT_TRUE(s.world.engine(door).is_up());
    s.world.check_settled();
}

TEST(Faults, AStrangerGetsWhatIsThereAndTheClientGetsItToo) {
    Scenario s;
    const auto door = s.add(Scenario::plain("door")), bell = s.add(Scenario::plain("bell"));
    s.world.subscribe(door, {{"a", QoS::exactly_once}});
    s.world.run_for(1s);
    s.world.take_over(door);
    for (const QoS qos : {QoS::at_least_once, QoS::exactly_once}) s.world.publish(bell, {.topic = "a", .qos = qos});
    s.world.run_for(1min);
    EXPECT_EQ(received(s, door), 2u); // with DUP: they went to the stranger first
    s.world.check_settled();
}

TEST(Faults, ABandwidthMakesManyOctetsLate) {
    Scenario s;
    const auto door = s.add(Scenario::plain("door"));
    s.world.network.conditions.bandwidth = 1'000;
    const auto token = s.world.publish(door, {.topic = "a", .qos = QoS::at_least_once, .size = 5'000});
    s.world.run_for(4900ms);
    EXPECT_EQ(s.post(token).routed, 0u);
    s.world.run_for(200ms);
    EXPECT_EQ(s.post(token).routed, 1u);
}

} // namespace
} // namespace tortoise::sim
