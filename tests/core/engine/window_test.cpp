// How much we send at a time.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

std::size_t sent_at_once(EngineOptions options, Properties connack = {}) {
    Peer peer(std::move(options));
    peer.connect(false, std::move(connack));
    for (int i = 0; i < 100; ++i) peer.publish("t", QoS::at_least_once);
    std::size_t sent = 0;
    for (; !peer.silent(); ++sent) peer.sent<Publish>();
    return sent;
}

TEST(Window, IsTheBrokersReceiveMaximum) { // [MQTT-3.3.4-7]
    EXPECT_EQ(sent_at_once(plain(Version::v5)), 100u);
    EXPECT_EQ(sent_at_once(plain(Version::v5), Properties{}.set(property::receive_maximum, 7)), 7u);
}

TEST(Window, IsTwentyOnMqtt311WhereBrokersCannotSayWhatTheyTake) {
    EXPECT_EQ(sent_at_once(plain(Version::v3_1_1)), 20u);
}

TEST(Window, CanBeChosenWithinTheReceiveMaximum) {
    auto options = plain(Version::v5);
    options.max_in_flight = 5;
    EXPECT_EQ(sent_at_once(options), 5u);
    EXPECT_EQ(sent_at_once(options, Properties{}.set(property::receive_maximum, 3)), 3u);
    options = plain(Version::v3_1_1);
    options.max_in_flight = 50;
    EXPECT_EQ(sent_at_once(options), 50u);
}

} // namespace
} // namespace tortoise::core::testing
