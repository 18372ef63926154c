// Connections that break, and come back.
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include <filesystem>

namespace tortoise::test {
namespace {

class Reconnecting : public BothVersions {
protected:
    testing::Broker broker;
    Recorder recorder;
    ConnectionOptions kept(const std::string& id) const {
        auto o = options(recorder, broker.url());
        o.client_id = id;
        o.session.clean_start = false;
        return o;
    }
};

TEST_P(Reconnecting, bringsEverythingThatWasPublishedMeanwhile) {
    auto o = kept("keeper");
    o.subscriptions = {{"t", QoS::exactly_once}};
    Connection c{std::move(o)};
    ASSERT_TRUE(c.wait_until_up(patience));
    constexpr int rounds = 10, each = 50;
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < each; ++i) {
            c.publish("t", std::to_string(round * each + i), {.qos = QoS::exactly_once});
            if (i == each / 2) broker.drop_connections();
        }
    }
    ASSERT_TRUE(recorder.wait_for_messages(rounds * each));
    ASSERT_TRUE(c.stop(patience).wait(patience));
    const auto seen = recorder.seen();
    ASSERT_EQ(seen.messages.size(), std::size_t{rounds * each});
    for (int i = 0; i < rounds * each; ++i) EXPECT_EQ(seen.messages[i].payload, std::to_string(i));
    EXPECT_GE(seen.count(Status::down), 1u);
}

TEST_P(Reconnecting, afterABrokerRestartKeepsTheSession) {
    auto o = kept("keeper");
    o.subscriptions = {{"t", QoS::at_least_once}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::up));
    broker.stop();
    ASSERT_TRUE(recorder.wait_for(Status::down));
    auto delivery = c.publish("t", "offline", {.qos = QoS::at_least_once});
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(delivery.wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(1));
    const auto seen = recorder.seen();
    const auto last_up = std::find_if(seen.statuses.rbegin(), seen.statuses.rend(),
                                      [](const auto& s) { return s.status == Status::up; });
    EXPECT_TRUE(last_up->session.session_present);
}

TEST_P(Reconnecting, subscribesAgainWhenTheBrokerForgotTheSession) {
    auto o = kept("keeper");
    o.subscriptions = {{"t", QoS::at_least_once}};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::up));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 1; }));
    broker.stop();
    broker.forget_sessions();
    auto delivery = c.publish("t", "still", {.qos = QoS::exactly_once});
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(delivery.wait(patience));
    // By then it is subscribed again, or soon: what is published next arrives in any case.
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 2; }));
    ASSERT_TRUE(c.publish("t", "again", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.messages.back().payload == "again"; }));
}

TEST_P(Reconnecting, whenAskedToDropsTheConnectionAndConnectsAtOnce) {
    auto o = options(recorder, broker.url());
    o.backoff = {.min = 1h, .max = 2h};
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::up));
    c.reconnect();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::down, 2));
    c.reconnect(); // in the middle of the backoff
    EXPECT_TRUE(recorder.wait_for(Status::up, 3));
}

TEST_P(Reconnecting, triesTheServersInTurn) {
    auto o = options(recorder, "mqtt://127.0.0.1:1");
    o.more_servers = {"mqtt://127.0.0.1:2", broker.url()};
    Connection c{std::move(o)};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_EQ(recorder.seen().count(Status::down), 2u);
}

TEST_P(Reconnecting, usesTheUserAndPasswordOfEachUrl) {
    testing::Broker guarded{{.users = {{"ann", "b:c"}}}};
    auto url = guarded.url();
    url.insert(url.find("//") + 2, "ann:b%3Ac@");
    Connection c{options(recorder, url)};
    EXPECT_TRUE(c.ready().wait(patience));
}

TEST_P(Reconnecting, publishesTheWillWhenTheConnectionIsLost) {
    auto o = kept("watcher"); // it will be dropped as well
    o.subscriptions = {{"gone", QoS::at_least_once}};
    Connection watcher{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.filters.size() == 1; }));

    std::atomic<int> asked{0};
    Recorder weak({.last_will = [&] {
        return Will{.topic = "gone", .payload = std::to_string(++asked), .qos = QoS::at_least_once};
    }});
    auto dying = options(weak, broker.url());
    dying.will = Will{.topic = "gone", .payload = "not this one"};
    Connection c{std::move(dying)};
    ASSERT_TRUE(weak.wait_for(Status::up));
    c.reconnect();
    ASSERT_TRUE(weak.wait_for(Status::up, 2));
    EXPECT_EQ(asked, 2); // before every connect
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(recorder.seen().messages[0].payload, "2");
}

TEST_P(Reconnecting, measuresARoundTrip) {
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    auto took = c.ping().wait(patience);
    ASSERT_TRUE(took);
    EXPECT_GT(*took, Duration(0));
    broker.stop();
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_FALSE(c.ping().wait(patience));
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator begin("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

TEST_P(Reconnecting, leavesNoDescriptorOfAFailedAttemptBehind) {
    { Connection warm_up{options(recorder, broker.url())}; }
    PlainServer refusing(PlainServer::Manner::answers, version() == Version::v5 ? std::string("\x20\x03\x00\x88\x00", 5)
                                                                                : std::string("\x20\x02\x00\x03", 4));
    PlainServer closing(PlainServer::Manner::closes_at_once);
    Listening silent(1024);
    constexpr std::size_t attempts = 60;
    for (const auto& url : {refusing.url(), closing.url(), silent.url(), std::string("mqtt://127.0.0.1:1")}) {
        Recorder watched;
        const auto before = open_descriptors();
        {
            auto o = options(watched, url);
            o.connect_timeout = 2ms;
            o.backoff = {.min = 1ns, .max = 1ns};
            Connection c{std::move(o)};
            ASSERT_TRUE(watched.wait_for(Status::down, attempts)) << url;
        }
        const auto until = std::chrono::steady_clock::now() + patience; // for those that linger, and the server's
        while (open_descriptors() > before && std::chrono::steady_clock::now() < until) std::this_thread::yield();
        EXPECT_LE(open_descriptors(), before) << url;
    }
}

TORTOISE_BOTH_VERSIONS(Reconnecting);

} // namespace
} // namespace tortoise::test
