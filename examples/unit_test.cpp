// How to test your own code: a broker in the same process, on a port of its own, under your control.
#include <gtest/gtest.h>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

namespace {

// The code to test.
class Thermostat {
public:
    explicit Thermostat(const std::string& server) : connection_({.client_id = "thermostat", .server = server}) {}
    tortoise::Delivery set(const std::string& room, const std::string& degrees) {
        return connection_.publish("rooms/" + room + "/wanted", degrees, {.qos = QoS::at_least_once, .retain = true});
    }

private:
    tortoise::Connection connection_;
};

TEST(Thermostat, RemembersWhatWasSetWhileTheBrokerWasAway) {
    tortoise::testing::Broker broker;
    ASSERT_TRUE(broker.ok());
    broker.stop();
    Thermostat thermostat(broker.url());
    const auto set = thermostat.set("hall", "21");
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(set.wait(10s));
    EXPECT_EQ(broker.statistics().retained, 1u);
}

TEST(Thermostat, IsToldWhenTheBrokerRefuses) {
    tortoise::testing::Broker broker({.deny_publish = {"rooms/cellar/#"}});
    Thermostat thermostat(broker.url());
    EXPECT_EQ(thermostat.set("cellar", "30").wait(10s).error().code, tortoise::Reason::not_authorized);
    EXPECT_TRUE(thermostat.set("hall", "21").wait(10s));
}

} // namespace
