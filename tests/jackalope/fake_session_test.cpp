// The fake session does what a real one does, as far as a unit test can see.
#include "jackalope/told.hpp"
#include <jackalope/testing/fake_session.hpp>

namespace jackalope::test {
namespace {

using ::testing::ElementsAre;
using testing::FakeSession;

class Fake : public ::testing::Test {
protected:
    Told told;
    SessionOptions options() const {
        SessionOptions o{.client_id = "fake", .handler = told.factory()};
        o.initial_topics = {{"in/#", QoS::at_least_once}};
        return o;
    }
    static std::error_code code(const tortoise::Delivery& d) {
        return d.done() ? d.peek()->error().code : make_error(Errc::timeout).code;
    }
};

TEST_F(Fake, recordsWhatIsPublished) {
    FakeSession fake(options());
    auto s = fake.session();
    s.publish("a", "1", {.qos = QoS::exactly_once, .retain = true, .ttl = 5s, .priority = 3});
    s.publish("b");
    const auto published = fake.published();
    ASSERT_EQ(published.size(), 2u);
    EXPECT_EQ(published[0].message.topic, "a");
    EXPECT_EQ(published[0].message.payload, "1");
    EXPECT_EQ(published[0].message.qos, QoS::exactly_once);
    EXPECT_TRUE(published[0].message.retain);
    EXPECT_EQ(published[0].options.ttl, 5s);
    EXPECT_EQ(published[0].options.priority, 3);
    EXPECT_EQ(published[1].options.ttl, 1h);
}

TEST_F(Fake, deliversWhenItGoesOnline) {
    FakeSession fake(options());
    auto s = fake.session();
    const auto early = s.publish("a", "1");
    const auto online = s.online();
    EXPECT_TRUE(early.accepted().done());
    EXPECT_FALSE(early.done() || online.done());
    EXPECT_EQ(s.work().waiting, 1u);
    fake.go_online();
    EXPECT_EQ(code(early), std::error_code());
    EXPECT_TRUE(online.done());
    EXPECT_EQ(s.connection_status(), ConnectionStatus::online);
    EXPECT_EQ(code(s.publish("a", "2")), std::error_code());
    EXPECT_EQ(s.statistics().delivered, 2u);
    fake.go_offline();
    EXPECT_EQ(s.error().code, Errc::connection_lost);
    EXPECT_EQ(told.notes().statuses.size(), 2u);
}

TEST_F(Fake, expiresAtTheMoment) {
    FakeSession fake(options());
    auto s = fake.session();
    const auto unlock = s.publish("doors/front", "unlock", at(QoS::at_least_once, 5s));
    fake.pass(5s - 1ns);
    EXPECT_FALSE(unlock.done());
    fake.pass(1ns);
    EXPECT_EQ(code(unlock), Errc::expired);
    ASSERT_EQ(told.notes().errors.size(), 1u);
    EXPECT_EQ(told.notes().errors[0].first.payload, "unlock");
    EXPECT_EQ(s.statistics().expired, 1u);
}

TEST_F(Fake, hasTheBoundsAndPoliciesOfARealOne) {
    auto o = options();
    o.work_list = TransientWorkList{{.messages = 1, .overflow = Overflow::drop_oldest}};
    FakeSession fake(std::move(o));
    auto s = fake.session();
    const auto first = s.publish("a", "1"), second = s.publish("a", "2");
    EXPECT_EQ(code(first), Errc::displaced);
    EXPECT_FALSE(second.done());
}

TEST_F(Fake, holdsDeliveriesForTheTestToDecide) {
    FakeSession fake(options());
    fake.hold_deliveries();
    fake.go_online();
    auto s = fake.session();
    const auto first = s.publish("a", "1"), second = s.publish("a", "2"), third = s.publish("a", "3");
    EXPECT_EQ(s.work().in_flight, 3u);
    EXPECT_TRUE(fake.deliver_next());
    EXPECT_EQ(code(first), std::error_code());
    EXPECT_TRUE(fake.fail_next(make_error(Reason::not_authorized)));
    EXPECT_EQ(code(second), Reason::not_authorized);
    third.cancel();
    EXPECT_EQ(code(third), Errc::cancelled);
    EXPECT_FALSE(fake.deliver_next());
}

TEST_F(Fake, takesWhatWasInFlightBackWhenTheSessionIsLost) {
    FakeSession fake(options());
    fake.hold_deliveries();
    fake.go_online();
    auto s = fake.session();
    const auto brief = s.publish("a", "1", at(QoS::at_least_once, 1s)), lasting = s.publish("a", "2");
    fake.go_offline();
    s.publish("a", "3");
    fake.pass(2s);
    EXPECT_FALSE(brief.done());
    fake.go_online();
    EXPECT_EQ(code(brief), Errc::expired);
    EXPECT_TRUE(fake.deliver_next());
    EXPECT_EQ(code(lasting), std::error_code());
}

TEST_F(Fake, handsOutWhatMatches) {
    FakeSession fake(options());
    EXPECT_FALSE(fake.receive("in/x", "offline"));
    fake.go_online();
    EXPECT_TRUE(fake.receive("in/x", "1", QoS::exactly_once));
    EXPECT_FALSE(fake.receive("out", "2"));
    EXPECT_THAT(told.notes().payloads(), ElementsAre("1"));
    EXPECT_EQ(told.notes().messages[0].qos, QoS::at_least_once);
}

TEST_F(Fake, subscribesAsTheTestAllows) {
    FakeSession fake(options());
    auto s = fake.session();
    auto early = s.subscribe("early");
    EXPECT_FALSE(early.done());
    fake.go_online();
    ASSERT_TRUE(early.done());
    EXPECT_TRUE(*early.peek());
    fake.refuse_next_subscription(make_error(Reason::not_authorized));
    EXPECT_EQ(s.subscribe("secret").peek()->error().code, Reason::not_authorized);
    EXPECT_EQ(s.subscriptions().size(), 2u);
    EXPECT_TRUE(s.unsubscribe("early").done());
    EXPECT_FALSE(fake.receive("early", "x"));
    EXPECT_EQ(told.notes().times("secret", FilterStatus::Kind::refused), 1u);
    EXPECT_EQ(told.notes().times("early", FilterStatus::Kind::down), 1u);
    EXPECT_FALSE(*s.subscribe("a/#/b").peek());
}

TEST_F(Fake, letsTheHandlerCallEverything) {
    Told busy{Doing{.message = [](Session& s, const MessageView& m) {
        if (m.text() == "go") s.publish("out", "gone");
    }}};
    SessionOptions o{.handler = busy.factory(), .initial_topics = {{"in"}}};
    FakeSession fake(std::move(o));
    fake.go_online();
    fake.receive("in", "go");
    EXPECT_EQ(fake.published().back().message.payload, "gone");
    fake.session().reconnect();
    EXPECT_EQ(fake.reconnects(), 1);
}

TEST_F(Fake, letsOutWhatAHandlerThrows) {
    Told bad{Doing{.message = [](Session&, const MessageView&) { throw std::runtime_error("ouch"); }}};
    FakeSession fake({.handler = bad.factory(), .initial_topics = {{"in"}}});
    fake.go_online();
    EXPECT_THROW(fake.receive("in", "x"), std::runtime_error);
}

TEST_F(Fake, refusesWhatARealOneRefuses) {
    FakeSession fake(options());
    auto s = fake.session();
    EXPECT_EQ(code(s.publish("a/#")), Errc::invalid_topic);
    EXPECT_EQ(code(s.publish("a", {}, {.qos = QoS{3}})), Errc::invalid_qos);
    EXPECT_EQ(code(s.publish("a", {}, {.ttl = -1s})), Errc::invalid_ttl);
    FakeSession wrong({.work_list = DurableWorkList{}});
    EXPECT_EQ(wrong.session().error().code, Errc::invalid_option);
    EXPECT_EQ(code(wrong.session().publish("a")), Errc::stopped);
}

TEST_F(Fake, endsWhatIsOpenWithItself) {
    std::optional<FakeSession> fake(std::in_place, options());
    auto s = fake->session();
    const auto open = s.publish("a", "1");
    const auto online = s.online();
    const auto grant = s.subscribe("x");
    fake.reset();
    EXPECT_EQ(code(open), Errc::stopped);
    EXPECT_TRUE(online.done() && grant.done());
    EXPECT_EQ(told.notes().errors.size(), 1u);
    EXPECT_EQ(code(s.publish("a")), Errc::stopped);
    EXPECT_TRUE(s.stop().done());
    open.cancel(); // to no avail
}

} // namespace
} // namespace jackalope::test
