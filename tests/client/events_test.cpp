// Events: who is told what, and until when.
#include "support/options.hpp"

namespace tortoise::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Lines, written by loop threads.
class Log {
public:
    void add(std::string line) {
        std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }
    bool wait_for(const std::string& line) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return std::count(lines_.begin(), lines_.end(), line) > 0; });
    }
    std::vector<std::string> take() {
        std::lock_guard lock(mutex_);
        return std::exchange(lines_, {});
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

class EventsOf : public ::testing::Test {
protected:
    ConnectionOptions options(const std::string& id) {
        auto o = options_for(broker.url(), Version::v5, recorder);
        o.client_id = id;
        return o;
    }
    Listener statuses(std::string_view id) {
        return Events::on<StatusEvent>(id, [this](std::string_view who, const StatusEvent& e) {
            log.add(std::string(who) + " " + std::string(to_string(e.info.status)));
        });
    }
    testing::Broker broker{{.deny_subscribe = {"secret"}, .deny_publish = {"secret"}}};
    Recorder recorder;
    Log log;
};

TEST_F(EventsOf, oneConnectionOrAllAreListenedTo) {
    Log all;
    const auto one = statuses("a");
    const auto every = Events::on<StatusEvent>("", [&](std::string_view who, const StatusEvent& e) {
        all.add(std::string(who) + " " + std::string(to_string(e.info.status)));
    });
    {
        Connection a{options("a")}, b{options("b")};
        ASSERT_TRUE(a.ready().wait(patience));
        ASSERT_TRUE(b.ready().wait(patience));
    }
    EXPECT_THAT(log.take(), ElementsAre("a up", "a down", "a stopped"));
    const auto seen = all.take();
    EXPECT_EQ(seen.size(), 6u);
    EXPECT_THAT(seen, Contains("b up"));
    EXPECT_THAT(seen, Contains("a stopped"));
}

TEST_F(EventsOf, aListenerThatIsGoneHearsNothing) {
    auto listener = statuses("a");
    auto moved = std::move(listener);
    Connection a{options("a")};
    ASSERT_TRUE(log.wait_for("a up"));
    moved = Listener();
    log.take();
    a.reconnect();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_THAT(log.take(), IsEmpty());
}

TEST_F(EventsOf, aListenerMayEndItselfInsideItsCall) {
    std::optional<Listener> listener;
    std::atomic<int> calls{0};
    listener = Events::on<PingEvent>("a", [&](std::string_view, const PingEvent&) {
        ++calls;
        listener.reset();
    });
    Connection a{options("a")};
    ASSERT_TRUE(a.ready().wait(patience));
    ASSERT_TRUE(a.ping().wait(patience));
    ASSERT_TRUE(a.ping().wait(patience));
    EXPECT_EQ(calls, 1);
}

TEST_F(EventsOf, pingsSubscriptionsDeliveriesAndErrorsAreTold) {
    const auto ping = Events::on<PingEvent>("a", [&](std::string_view, const PingEvent& e) {
        log.add(e.round_trip > Duration(0) ? "pong" : "pong too soon");
    });
    const auto subscription = Events::on<SubscriptionEvent>("a", [&](std::string_view, const SubscriptionEvent& e) {
        log.add(std::string(e.status.filter) + (e.status.kind == FilterStatus::Kind::up        ? " up"
                                                : e.status.kind == FilterStatus::Kind::refused ? " refused"
                                                                                               : " down"));
    });
    const auto delivery = Events::on<DeliveryEvent>("a", [&](std::string_view, const DeliveryEvent& e) {
        log.add(std::string(e.topic) + (e.result ? " delivered" : " " + e.result.error().describe()));
    });
    const auto error = Events::on<ErrorEvent>(
        "a", [&](std::string_view, const ErrorEvent& e) { log.add("error: " + e.error.describe()); });
    auto o = options("a");
    Hooks hooks;
    hooks.message = [](Connection&, const MessageView&) -> Actions { throw std::runtime_error("ouch"); };
    o.handler = Recorder(hooks).factory();
    Connection a{std::move(o)};
    ASSERT_TRUE(a.ready().wait(patience));
    ASSERT_TRUE(a.ping().wait(patience));
    ASSERT_TRUE(a.subscribe("t").wait(patience));
    ASSERT_FALSE(a.subscribe("secret").wait(patience));
    ASSERT_TRUE(a.unsubscribe("t").wait(patience));
    ASSERT_TRUE(a.publish("x", "", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_FALSE(a.publish("secret", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(a.publish("late", "", {.ttl = 0s}).wait(patience));
    ASSERT_TRUE(log.wait_for("late expired"));
    const auto seen = log.take();
    EXPECT_THAT(seen, Contains("pong"));
    EXPECT_THAT(seen, Contains("t up"));
    EXPECT_THAT(seen, Contains("secret refused"));
    EXPECT_THAT(seen, Contains("t down"));
    EXPECT_THAT(seen, Contains("x delivered"));
    EXPECT_THAT(seen, Contains(::testing::StartsWith("secret not authorized")));
    ASSERT_TRUE(a.subscribe("t").wait(patience));
    a.publish("t");
    ASSERT_TRUE(log.wait_for("error: handler threw: ouch"));
}

TEST_F(EventsOf, whatAProgramListensToIsNotTouchedByItsOwnCalls) {
    std::atomic<int> heard{0};
    const auto listener = Events::on<DeliveryEvent>("a", [&](std::string_view, const DeliveryEvent&) { ++heard; });
    Connection a{options("a")};
    for (int i = 1; i <= 10; ++i) {
        ASSERT_TRUE(publish_sync("a", "t", "", {.qos = QoS::at_least_once}, patience));
        ASSERT_TRUE(ping_sync("a", patience));
        EXPECT_EQ(heard, i);
    }
}

TEST_F(EventsOf, anErrorIsToldOnce) {
    const auto listener =
        Events::on<ErrorEvent>("a", [&](std::string_view, const ErrorEvent& e) { log.add(e.error.describe()); });
    auto o = options("a");
    Hooks hooks;
    hooks.init = [](Connection&) { throw std::runtime_error("ouch"); };
    o.handler = Recorder(hooks).factory();
    Connection a{std::move(o)};
    ASSERT_FALSE(a.ready().wait(patience));
    ASSERT_TRUE(a.stop().wait(patience));
    EXPECT_THAT(log.take(), ElementsAre("handler threw: ouch"));
}

TEST_F(EventsOf, theQueueTellsEachQuarterItPasses) {
    std::mutex mutex;
    std::vector<unsigned> quarters;
    const auto listener = Events::on<QueueEvent>("a", [&](std::string_view, const QueueEvent& e) {
        std::lock_guard lock(mutex);
        quarters.push_back(e.quarters);
        if (e.quarters == 0) log.add("empty");
        if (e.quarters == 4) log.add("full");
    });
    broker.stop();
    auto o = options("a");
    o.queue.messages = 8;
    Connection a{std::move(o)};
    std::vector<Delivery> deliveries;
    for (int i = 0; i < 8; ++i) deliveries.push_back(a.publish("t", "", {.qos = QoS::at_least_once}));
    ASSERT_TRUE(log.wait_for("full"));
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(log.wait_for("empty"));
    for (const auto& d : deliveries) EXPECT_TRUE(d.wait(patience));
    std::lock_guard lock(mutex);
    EXPECT_EQ(quarters.back(), 0u);
    EXPECT_THAT(quarters, Contains(4u));
}

TEST_F(EventsOf, aListenerThatThrowsEndsTheConnectionConcerned) {
    const auto listener =
        Events::on<PingEvent>("a", [](std::string_view, const PingEvent&) { throw std::runtime_error("ouch"); });
    Connection a{options("a")}, b{options("b")};
    ASSERT_TRUE(a.ready().wait(patience));
    ASSERT_TRUE(b.ready().wait(patience));
    a.ping();
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(a.error().text, "ouch");
    EXPECT_TRUE(b.ping().wait(patience));
}

} // namespace
} // namespace tortoise::test
