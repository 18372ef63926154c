// The door: a wish to unlock it that is worth five seconds never comes later, whoever was away.
#include "sim/scenario.hpp"

namespace tortoise::sim {
namespace {

class Door : public ::testing::TestWithParam<Version> {
protected:
    core::EngineOptions plain(std::string id) const { return Scenario::plain(std::move(id), GetParam()); }
    static constexpr const char* topic = "doors/front";
    static PublishPlan unlock() { return {.topic = topic, .qos = QoS::at_least_once, .ttl = 5s}; }
    static std::vector<std::string> messages(Scenario& s, std::uint32_t client) {
        auto all = s.events(client);
        std::erase_if(all, [](const std::string& e) { return !e.starts_with("received"); });
        return all;
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, Door, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& version) { return version.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(Door, UnlockPublishedOfflineIsReportedAtFiveSecondsAndNotSentAtSix) {
    Scenario s;
    const auto door = s.add(plain("door")), panel = s.add(plain("panel"));
    s.world.subscribe(door, {{topic, QoS::at_least_once}});
    s.world.run_for(1s);
    s.world.stop_broker();
    s.world.run_for(100ms);
    s.events(door);
    s.events(panel);
    const Time published = s.world.now();
    s.world.publish(panel, unlock());
    std::optional<Time> expired;
    auto note = s.world.on_event;
    s.world.on_event = [&](std::uint32_t client, const core::Event& event) {
        const auto* u = std::get_if<core::Undelivered>(&event);
        if (u && u->why.code == Errc::expired) expired = s.world.now();
        note(client, event);
    };
    s.world.run_for(5s - 1ns);
    EXPECT_FALSE(expired);
    s.world.run_for(1ns);
    ASSERT_TRUE(expired);
    EXPECT_EQ(*expired, published + 5s);
    s.world.run_for(1s);
    s.world.start_broker(false);
    s.packets(panel);
    s.world.run_for(1min);
    for (const auto& packet : s.packets(panel)) EXPECT_NE(packet, "-> PUBLISH");
    EXPECT_EQ(messages(s, door), Lines());
    s.world.check_settled();
}

TEST_P(Door, UnlockThatIsInTimeArrives) {
    Scenario s;
    const auto door = s.add(plain("door")), panel = s.add(plain("panel"));
    s.world.subscribe(door, {{topic, QoS::at_least_once}});
    s.world.run_for(1s);
    s.world.stop_broker();
    s.world.run_for(100ms);
    s.world.publish(panel, unlock());
    s.world.run_for(3s);
    s.world.start_broker(false);
    s.world.run_for(1min);
    EXPECT_EQ(messages(s, door).size(), 1u);
    s.world.check_settled();
}

// On MQTT 3.1.1 there is nothing that would tell the broker how long a message is worth delivering.
TEST_P(Door, UnlockDoesNotReachADoorThatComesBackAfterSixSeconds) {
    Scenario s;
    auto options = plain("door");
    options.backoff = {.min = 24h, .max = 24h, .stable_after = 30s}; // it comes back when it is told to
    const auto door = s.add(options), panel = s.add(plain("panel"));
    s.world.subscribe(door, {{topic, QoS::at_least_once}});
    s.world.run_for(1s);
    s.events(door);
    s.world.network.cut(s.world.now(), *s.world.link(door), {.client_learns = 0s, .broker_learns = 0s});
    s.world.run_for(1ms);
    s.world.publish(panel, unlock());
    s.world.run_for(6s);
    s.world.reconnect(door);
    s.world.run_for(20s);
    EXPECT_TRUE(s.world.engine(door).is_up());
    EXPECT_EQ(messages(s, door).size(), GetParam() == Version::v5 ? 0u : 1u);
    s.world.check_settled();
}

} // namespace
} // namespace tortoise::sim
