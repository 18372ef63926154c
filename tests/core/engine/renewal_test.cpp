// Credentials that end: the connection is made anew, with others, before they do.
#include "core/engine/peer.hpp"

namespace tortoise::core::testing {
namespace {

class Renewal : public BothVersions {
protected:
    Peer peer{plain(GetParam())};
    void connect_until(Duration renew_in) {
        peer.engine.set_credentials({"device", "token 1"}, peer.now + renew_in);
        peer.connect();
        peer.forget_events();
    }
};
INSTANTIATE_TEST_SUITE_P(, Renewal, ::testing::ValuesIn(both_versions), version_name);

TEST_P(Renewal, ReconnectsAtItsTimeAfterADisconnect) {
    connect_until(40s);
    peer.pass(39s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(1s);
    EXPECT_EQ(peer.sent<Disconnect>().reason, Reason::success);
    EXPECT_EQ(peer.wish.kind, Wish::close); // [MQTT3-3.14.4-1] [MQTT5-3.14.4-2]
    peer.close();
    const auto down = peer.event<Down>();
    EXPECT_EQ(down.why.code, Errc::cancelled);
    EXPECT_EQ(down.retry_in, Duration::zero());
    EXPECT_EQ(peer.wish.kind, Wish::open);
    peer.engine.set_credentials({"device", "token 2"}, peer.now + 40s);
    EXPECT_EQ(peer.connect(true).password, "token 2");
    peer.forget_events();
    peer.pass(40s);
    peer.sent<Disconnect>();
}

TEST_P(Renewal, WaitsForWhatIsInFlightAndHoldsBackWhatIsNew) {
    connect_until(40s);
    const auto first = peer.publish("a", QoS::at_least_once, "1");
    const auto sent = peer.sent<Publish>();
    peer.pass(40s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.publish("a", QoS::at_least_once, "2");
    peer.publish("a", QoS::at_most_once, "3");
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.puback(sent.id);
    EXPECT_EQ(peer.event<Delivered>().token, first);
    peer.sent<Disconnect>();
    peer.close();
    peer.forget_events();
    peer.connect(true);
    EXPECT_EQ(peer.sent<Publish>().payload, "2");
    EXPECT_EQ(peer.sent<Publish>().payload, "3");
}

TEST_P(Renewal, WaitsAFewSecondsAtMostAndSendsAgainAfterwards) {
    connect_until(40s);
    peer.publish("a", QoS::at_least_once, "1");
    peer.sent<Publish>();
    peer.pass(44s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.pass(1s);
    peer.sent<Disconnect>();
    peer.close();
    peer.forget_events();
    peer.connect(true);
    const auto again = peer.sent<Publish>();
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.payload, "1");
}

TEST_P(Renewal, IsForgottenWithTheConnectionThatItWasMeantFor) {
    connect_until(40s);
    peer.pass(10s);
    peer.engine.set_credentials({"device", "for ever"});
    peer.lose_connection();
    peer.connect(true);
    peer.forget_events();
    peer.pass(40s); // no longer than the keep-alive
    EXPECT_TRUE(peer.silent()) << peer.rest();
}

TEST_P(Renewal, DoesNotComeInTheWayOfAStop) {
    connect_until(40s);
    peer.publish("a", QoS::at_least_once, "1");
    peer.sent<Publish>();
    peer.stop(1min);
    peer.pass(50s);
    EXPECT_TRUE(peer.silent()) << peer.rest();
    peer.puback(1);
    peer.sent<Disconnect>();
    peer.forget_events();
    peer.close();
    peer.event<Down>();
    peer.event<Stopped>();
}

} // namespace
} // namespace tortoise::core::testing
