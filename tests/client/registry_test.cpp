// Connections by their client id.
#include "support/options.hpp"

namespace tortoise::test {
namespace {

static_assert(default_timeout == 60s); // as in the originals

class Registry : public ::testing::Test {
protected:
    ConnectionOptions options(const std::string& id) {
        auto o = options_for(broker.url(), Version::v5, recorder);
        o.client_id = id;
        return o;
    }
    testing::Broker broker;
    Recorder recorder;
};

TEST_F(Registry, everythingCanBeReachedByClientId) {
    Connection home{options("home")};
    ASSERT_TRUE(home.ready().wait(patience));
    const auto granted = subscribe_sync("home", {{"a", QoS::exactly_once}, {"b"}});
    ASSERT_TRUE(granted);
    ASSERT_EQ(granted->size(), 2u);
    EXPECT_EQ((*granted)[0]->granted, QoS::exactly_once);
    EXPECT_EQ(subscriptions("home")->size(), 2u);
    EXPECT_TRUE(publish("home", "a", "1", {.qos = QoS::exactly_once}).wait(patience));
    EXPECT_EQ(publish_sync("home", "a", "2", {.qos = QoS::at_least_once})->qos, QoS::at_least_once);
    EXPECT_TRUE(publish_sync("home", "b"));
    ASSERT_TRUE(recorder.wait_for_messages(3));
    EXPECT_GT(*ping_sync("home"), Duration(0));
    EXPECT_TRUE(ping("home").wait(patience));
    EXPECT_TRUE(unsubscribe_sync("home", {"a"}));
    EXPECT_TRUE(unsubscribe("home", {"b"}).wait(patience));
    EXPECT_TRUE(subscriptions("home")->empty());
    EXPECT_EQ(find_connection("home")->client_id(), "home");
    EXPECT_TRUE(disconnect("home", 1s).wait(patience));
    EXPECT_EQ(home.status(), Status::stopped);
}

TEST_F(Registry, anUnknownIdIsAnErrorOfEveryCall) {
    const auto unknown = [](const auto& result) { return result.error().code == Errc::unknown_connection; };
    EXPECT_TRUE(unknown(find_connection("nobody")));
    EXPECT_TRUE(unknown(publish("nobody", "t").wait()));
    EXPECT_TRUE(unknown(publish_sync("nobody", "t", "", {.qos = QoS::exactly_once})));
    EXPECT_TRUE(unknown(subscribe("nobody", {{"t"}}).wait()));
    EXPECT_TRUE(unknown(subscribe_sync("nobody", {{"t"}})));
    EXPECT_TRUE(unknown(unsubscribe("nobody", {"t", "u"}).wait()));
    EXPECT_TRUE(unknown(unsubscribe_sync("nobody", {"t"})));
    EXPECT_TRUE(unknown(subscriptions("nobody")));
    EXPECT_TRUE(unknown(ping("nobody").wait()));
    EXPECT_TRUE(unknown(ping_sync("nobody")));
    EXPECT_TRUE(unknown(disconnect("nobody").wait()));
    EXPECT_NE(find_connection("nobody").error().text.find("'nobody'"), std::string::npos);
}

TEST_F(Registry, aSecondRunningConnectionOfOneIdIsRefusedAndTheFirstGoesOn) {
    Connection first{options("twin")};
    ASSERT_TRUE(first.ready().wait(patience));
    Connection second{options("twin")};
    EXPECT_EQ(second.status(), Status::stopped);
    EXPECT_EQ(second.error().code, Errc::duplicate_client_id);
    EXPECT_NE(second.error().text.find("twin"), std::string::npos);
    EXPECT_EQ(second.publish("t", "", {.qos = QoS::at_least_once}).wait().error().code, Errc::stopped);
    EXPECT_TRUE(second.stop().wait(patience));
    EXPECT_TRUE(first.ping().wait(patience));
    EXPECT_EQ(find_connection("twin")->status(), Status::up);
}

TEST_F(Registry, anIdIsFreeWhenItsConnectionHasEnded) {
    for (int i = 0; i < 3; ++i) {
        Connection c{options("again")};
        ASSERT_TRUE(c.ready().wait(patience)) << i;
        if (i == 1) {
            ASSERT_TRUE(c.stop().wait(patience));
            EXPECT_EQ(find_connection("again").error().code, Errc::unknown_connection);
        }
    }
    EXPECT_EQ(find_connection("again").error().code, Errc::unknown_connection);
}

TEST_F(Registry, aFoundHandleDoesNotOwn) {
    std::optional<Connection> found;
    {
        Connection c{options("owned")};
        found = *find_connection("owned");
        ASSERT_TRUE(found->ready().wait(patience));
    }
    EXPECT_EQ(found->status(), Status::stopped);
}

TEST_F(Registry, aLongIdIsAnIdLikeOthers) {
    const std::string id(400, 'x');
    Connection c{options(id)};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_TRUE(publish_sync(id, "t", "", {.qos = QoS::at_least_once}));
}

TEST_F(Registry, itWorksInsideCallbacksAndBlockingWouldDeadlockThere) {
    std::atomic<bool> delivered{false}, refused{false};
    auto o = options("inside");
    Hooks hooks;
    hooks.connection = [&](Connection&, const StatusInfo&) { return Actions{subscribe("t")}; };
    hooks.subscription = [&](Connection&, const FilterStatus&) {
        publish("inside", "t", "", {.qos = QoS::at_least_once}).on_done([&](const auto& r) { delivered = !!r; });
        refused = ping_sync("inside").error().code == Errc::would_deadlock;
        return Actions{};
    };
    Recorder with_hooks(hooks);
    o.handler = with_hooks.factory();
    Connection c{std::move(o)};
    ASSERT_TRUE(with_hooks.wait_for_messages(1));
    EXPECT_TRUE(c.ping().wait(patience));
    EXPECT_TRUE(delivered);
    EXPECT_TRUE(refused);
}

} // namespace
} // namespace tortoise::test
