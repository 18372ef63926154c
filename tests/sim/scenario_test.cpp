// Scenarios: what happens, event by event, on both sides.
#include "sim/scenario.hpp"

namespace tortoise::sim {
namespace {

class Story : public ::testing::TestWithParam<Version> {
protected:
    core::EngineOptions plain(std::string id) const { return Scenario::plain(std::move(id), GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Versions, Story, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& version) { return version.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(Story, QoS2FromOneClientToAnother) {
    Scenario s;
    const auto door = s.add(plain("door")), bell = s.add(plain("bell"));
    s.world.subscribe(bell, {{"home/door", QoS::exactly_once}});
    s.world.run_for(1s);
    EXPECT_EQ(s.events(bell), (Lines{"up", "subscribed, operation 0: q2"}));
    s.packets(bell);
    s.packets(door);
    const auto token = s.world.publish(door, {.topic = "home/door", .qos = QoS::exactly_once});
    s.world.run_for(1s);
    EXPECT_EQ(s.packets(door), (Lines{"-> PUBLISH", "<- PUBREC", "-> PUBREL", "<- PUBCOMP"}));
    EXPECT_EQ(s.packets(bell), (Lines{"<- PUBLISH", "-> PUBREC", "<- PUBREL", "-> PUBCOMP"}));
    EXPECT_EQ(s.events(door), (Lines{"up", "delivered " + std::to_string(token)}));
    EXPECT_EQ(s.events(bell), (Lines{"received home/door q2 message " + std::to_string(token)}));
    s.world.check_settled();
}

TEST_P(Story, TheBrokerRestartsAndKeepsItsSessions) {
    Scenario s;
    const auto door = s.add(plain("door"));
    s.world.subscribe(door, {{"a", QoS::at_least_once}});
    s.world.run_for(1s);
    s.packets(door);
    s.events(door);
    s.world.stop_broker();
    s.world.run_for(2s);
    const auto token = s.world.publish(door, {.topic = "a", .qos = QoS::at_least_once});
    s.world.start_broker(false);
    s.world.run_for(5s);
    EXPECT_EQ(s.packets(door), (Lines{"-> CONNECT", "<- CONNACK", "-> SUBSCRIBE", "-> PUBLISH", "<- SUBACK",
                                      "<- PUBLISH", "<- PUBACK", "-> PUBACK"}));
    auto events = s.events(door);
    ASSERT_GE(events.size(), 4u);
    EXPECT_TRUE(events.front().starts_with("down")) << events.front();
    EXPECT_EQ(Lines(events.end() - 3, events.end()),
              (Lines{"up, session resumed", "received a q1 message " + std::to_string(token),
                     "delivered " + std::to_string(token)}));
    s.world.check_settled();
}

TEST_P(Story, TheBrokerRestartsAndHasForgottenEverything) {
    Scenario s;
    const auto door = s.add(plain("door"));
    s.world.subscribe(door, {{"a", QoS::at_least_once}});
    s.world.run_for(1s);
    s.packets(door);
    s.world.stop_broker();
    s.world.run_for(2s);
    s.world.start_broker(true);
    s.world.run_for(5s);
    EXPECT_EQ(s.packets(door), (Lines{"-> CONNECT", "<- CONNACK", "-> SUBSCRIBE", "<- SUBACK"}));
    s.world.check_settled();
}

TEST_P(Story, AMessageExpiresOfflineAtItsMoment) {
    Scenario s;
    const auto door = s.add(plain("door"));
    s.world.stop_broker();
    s.world.run_for(100ms);
    s.events(door);
    const Time published = s.world.now();
    const auto token = s.world.publish(door, {.topic = "a", .qos = QoS::exactly_once, .ttl = 5s});
    Time expired = {};
    s.world.on_event = [&](std::uint32_t, const core::Event& event) {
        if (std::holds_alternative<core::Undelivered>(event)) expired = s.world.now();
    };
    s.world.run_for(1min);
    EXPECT_EQ(expired, published + 5s);
    EXPECT_EQ(s.post(token).why, Errc::expired);
    EXPECT_EQ(s.post(token).sent, 0u);
    s.world.start_broker(false);
    s.world.run_for(1min);
    EXPECT_EQ(s.post(token).routed, 0u);
}

TEST_P(Story, ADeadConnectionIsNoticedByTheKeepAlive) {
    Scenario s;
    auto options = plain("door");
    options.keep_alive = 10s;
    options.keep_alive_timeout = 5s;
    const auto door = s.add(options);
    s.events(door);
    const Time before = s.world.now();
    // Nobody is told; the broker, too, notices by its clock alone: after one and a half times the keep-alive.
    s.world.network.cut(before, *s.world.link(door), {.client_learns = {}, .broker_learns = {}});
    std::optional<Time> down, up;
    s.world.on_event = [&](std::uint32_t, const core::Event& event) {
        if (std::holds_alternative<core::Down>(event)) {
            EXPECT_EQ(std::get<core::Down>(event).why.code, Errc::keep_alive_timeout);
            down = s.world.now();
        }
        if (std::holds_alternative<core::Up>(event)) up = s.world.now();
    };
    s.world.run_for(1min);
    ASSERT_TRUE(down && up);
    EXPECT_GE(*down - before, 14s);
    EXPECT_LE(*down - before, 16s);
    EXPECT_LE(*up - *down, 2s);
    s.world.check_settled();
}

TEST_P(Story, AWillIsPublishedWhenTheConnectionIsCutAndNotAfterADisconnect) {
    Scenario s;
    const auto bell = s.add(plain("bell"));
    s.world.subscribe(bell, {{"wills/#", QoS::at_least_once}});
    const auto door = s.world.add_client({.engine = plain("door")});
    s.world.set_will(door, "wills/door", QoS::at_least_once, 0s);
    s.world.start(door);
    s.world.run_for(1s);
    s.events(bell);
    s.world.network.cut(s.world.now(), *s.world.link(door), {});
    s.world.run_for(5s);
    EXPECT_EQ(s.events(bell), (Lines{"received wills/door q1 message 1"}));
    s.world.stop(door);
    s.world.run_for(5s);
    EXPECT_EQ(s.events(bell), Lines{}); // [MQTT-3.14.4-3]
}

TEST(StoryV5, ADelayedWillIsNotPublishedIfTheClientComesBack) {
    Scenario s;
    const auto bell = s.add(Scenario::plain("bell"));
    s.world.subscribe(bell, {{"wills/#", QoS::at_least_once}});
    auto options = Scenario::plain("door");
    options.session.expiry = 1h;
    const auto door = s.world.add_client({.engine = options});
    s.world.set_will(door, "wills/door", QoS::at_least_once, 10s);
    s.world.start(door);
    s.world.run_for(1s);
    s.events(bell);
    s.world.network.cut(s.world.now(), *s.world.link(door), {});
    s.world.run_for(1min); // it is back after a second
    EXPECT_EQ(s.events(bell), Lines{});
    s.world.network.black_hole = true;
    s.world.network.cut(s.world.now(), *s.world.link(door), {});
    s.world.run_for(9s);
    EXPECT_EQ(s.events(bell), Lines{});
    s.world.run_for(2s);
    EXPECT_EQ(s.events(bell), (Lines{"received wills/door q1 message 1"}));
}

TEST(StoryV5, ASecondClientOfTheSameNameTakesOver) {
    Scenario s;
    const auto first = s.add(Scenario::plain("door"));
    s.events(first);
    s.world.take_over(first);
    s.world.run_for(500ms);
    const auto events = s.events(first);
    ASSERT_FALSE(events.empty());
    EXPECT_TRUE(events.front().starts_with("down: session taken over")) << events.front();
    s.world.run_for(1min);
    EXPECT_TRUE(s.world.engine(first).is_up()); // it took it back, after a while
}

TEST_P(Story, BackoffIsTriedForAsLongAsTheBrokerIsAway) {
    Scenario s;
    auto options = plain("door");
    options.backoff = {.min = 100ms, .max = 30s, .stable_after = 30s};
    const auto door = s.add(options);
    s.world.stop_broker();
    std::vector<Duration> waits;
    s.world.on_event = [&](std::uint32_t, const core::Event& event) {
        if (const auto* d = std::get_if<core::Down>(&event)) waits.push_back(*d->retry_in);
    };
    s.world.run_for(1h);
    ASSERT_GT(waits.size(), 120u); // about one in 15 s: full jitter of 30 s
    ASSERT_LT(waits.size(), 480u);
    Duration span = 100ms;
    for (const auto wait : waits) {
        EXPECT_LE(wait, span);
        span = std::min<Duration>(span * 2, 30s);
    }
    s.world.start_broker(false);
    s.world.run_for(1min);
    EXPECT_TRUE(s.world.engine(door).is_up());
}

} // namespace
} // namespace tortoise::sim
