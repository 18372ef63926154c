// A broker that sends its clients away. [MQTT-4.11]
#include "broker/world.hpp"

namespace broker_test {
namespace {

TEST(Redirecting5, TellsAnotherServerInConnack) {
    World world{{.redirect = tortoise::testing::BrokerRedirect{"other:1883", Reason::server_moved}}};
    auto& client = world.open(Version::v5);
    client.connect("a");
    const auto connack = client.expect<core::Connack>();
    EXPECT_EQ(connack->reason, Reason::server_moved);
    EXPECT_EQ(connack->properties.get(property::server_reference), "other:1883");
    EXPECT_TRUE(client.closed());
    EXPECT_FALSE(world.has_session("a"));
}

TEST(Redirecting311, DoesNotExist) {
    World world{{.redirect = tortoise::testing::BrokerRedirect{"other:1883"}}};
    world.join(Version::v3_1_1, "a").expect_nothing();
}

} // namespace
} // namespace broker_test
