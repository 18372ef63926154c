// The public simulator: what users' tests do with it.
#include <chrono>
#include <gmock/gmock.h>
#include <map>
#include <tortoise/testing/sim.hpp>

namespace tortoise::testing {
namespace {

using namespace std::chrono_literals;
using Client = Sim::Client;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

core::EngineOptions named(std::string client_id) {
    core::EngineOptions options;
    options.client_id = std::move(client_id);
    options.backoff = {.min = 1s, .max = 1s};
    return options;
}

/// Options of a client whose session, or whole state, goes on.
SimClient lasting(std::string client_id, bool persistent = false) {
    auto options = named(std::move(client_id));
    options.session = {.clean_start = false, .expiry = 1h};
    options.persistent = persistent;
    return {.engine = std::move(options)};
}

/// Counts what each client gets, by number.
struct Arrivals {
    explicit Arrivals(Sim& sim) {
        sim.on_event = [this](Client client, const core::Event& event) {
            if (const auto* received = std::get_if<core::Received>(&event))
                ++of[client][Sim::number_of(received->message.payload)];
        };
    }
    std::map<Client, std::map<std::uint64_t, int>> of;
};

const std::string good = Error{}.describe();
std::string outcome(const Result<Done>& result) { return result ? good : result.error().describe(); }

TEST(Sim, deliversOverABadNetworkAndAcrossBreaksExactlyOnce) {
    Sim sim(7);
    Arrivals arrivals(sim);
    sim.set_network(
        {.latency_min = 1ms, .latency_max = 300ms, .bandwidth = 20'000, .in_pieces = 500, .slow_writes = 200});
    const auto door = *sim.add(lasting("door")), bell = *sim.add(lasting("bell"));
    sim.subscribe(bell, {{"house/#", QoS::exactly_once}});
    sim.run_for(5s);
    std::map<std::uint64_t, int> sent;
    for (int i = 0; i < 50; ++i) {
        sent[sim.publish(door, "house/door", {.qos = QoS::exactly_once})] = 1;
        sim.run_for(100ms);
        if (i % 5 == 0) sim.cut(i % 2 == 0 ? door : bell, {.client_learns = 50ms, .broker_learns = 2s});
    }
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_EQ(arrivals.of[bell], sent);
}

TEST(Sim, takesTheSameCourseForTheSameSeedOnly) {
    const auto digest = [](std::uint64_t seed) {
        Sim sim(seed);
        sim.set_network({.latency_max = 1s});
        const auto door = *sim.add(lasting("door"));
        sim.subscribe(door, {{"a", QoS::at_least_once}});
        for (int i = 0; i < 20; ++i) {
            sim.publish(door, "a", {.qos = QoS::at_least_once});
            sim.run_for(500ms);
        }
        EXPECT_EQ(outcome(sim.settle()), good);
        return sim.digest();
    };
    EXPECT_EQ(digest(1), digest(1));
    EXPECT_NE(digest(1), digest(2));
}

TEST(Sim, letsYearsPassInNoTime) {
    Sim sim;
    const auto door = *sim.add(lasting("door"));
    sim.run_for(24h * 365);
    EXPECT_EQ(sim.now(), 24h * 365);
    EXPECT_TRUE(sim.is_up(door)) << "its pings were answered";
    EXPECT_EQ(outcome(sim.check()), good);
}

TEST(Sim, hasSeveralBrokersThatKnowNothingOfEachOther) {
    Sim sim;
    const auto cloud = sim.add_broker();
    ASSERT_EQ(cloud, 1u);
    // A program with a connection to each of them, which passes on what it gets at home.
    const auto at_home = *sim.add(lasting("gateway")), in_the_cloud = *sim.add([&] {
        auto client = lasting("gateway");
        client.broker = cloud;
        return client;
    }());
    const auto sensor = *sim.add(lasting("sensor"));
    auto far = lasting("dashboard");
    far.broker = cloud;
    const auto dashboard = *sim.add(std::move(far));
    std::map<Client, int> received;
    sim.on_event = [&](Client client, const core::Event& event) {
        if (!std::holds_alternative<core::Received>(event)) return;
        ++received[client];
        if (client == at_home) sim.publish(in_the_cloud, "home/temperature", {.qos = QoS::exactly_once});
    };
    sim.subscribe(at_home, {{"temperature", QoS::exactly_once}});
    sim.subscribe(dashboard, {{"#", QoS::exactly_once}});
    sim.run_for(1s);
    sim.stop_broker(cloud);
    sim.run_for(1s);
    EXPECT_TRUE(sim.is_up(sensor));
    EXPECT_FALSE(sim.is_up(dashboard));
    for (int i = 0; i < 10; ++i) sim.publish(sensor, "temperature", {.qos = QoS::exactly_once});
    sim.run_for(10s);
    EXPECT_EQ(received[at_home], 10);
    EXPECT_EQ(received[dashboard], 0) << "its broker stands still, and the other one has nothing for it";
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_EQ(received[dashboard], 10);
}

TEST(Sim, letsAProgramDieAndGoOnWithWhatItKept) {
    Sim sim;
    Arrivals arrivals(sim);
    const auto door = *sim.add(lasting("door", true)), bell = *sim.add(lasting("bell"));
    sim.subscribe(bell, {{"a", QoS::exactly_once}});
    sim.run_for(1s);
    sim.stop_broker();
    const auto number = sim.publish(door, "a", {.qos = QoS::exactly_once});
    sim.run_for(1s);
    sim.crash(door);
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_EQ(arrivals.of[bell], (std::map<std::uint64_t, int>{{number, 1}}));
}

TEST(Sim, endsWhatADiskThatFailsCannotKeep) {
    Sim sim;
    std::string why;
    sim.on_event = [&](Client, const core::Event& event) {
        if (const auto* stopped = std::get_if<core::Stopped>(&event)) why = stopped->why.describe();
    };
    const auto door = *sim.add(lasting("door", true));
    sim.run_for(1s);
    sim.fail_disk(door);
    EXPECT_THAT(why, HasSubstr("disk failed"));
    EXPECT_EQ(outcome(sim.settle()), good);
}

TEST(Sim, losesWhatOneDirectionSaysUntilTheKeepAliveNotices) {
    Sim sim;
    auto options = lasting("door");
    options.engine.keep_alive = 10s;
    const auto door = *sim.add(std::move(options));
    sim.run_for(1s);
    sim.cut(door, {.client_learns = {}, .broker_learns = {}, .lost = SimCut::Lost::to_client});
    sim.run_for(5s);
    EXPECT_TRUE(sim.is_up(door));
    std::string why;
    sim.on_event = [&](Client, const core::Event& event) {
        if (const auto* down = std::get_if<core::Down>(&event)) why = down->why.describe();
    };
    sim.run_for(30s);
    EXPECT_THAT(why, HasSubstr("keep-alive"));
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, breaksAfterTheOctetsThatItWasToldOf) {
    for (std::size_t octets = 0; octets < 40; ++octets) {
        Sim sim;
        Arrivals arrivals(sim);
        const auto door = *sim.add(lasting("door")), bell = *sim.add(lasting("bell"));
        sim.subscribe(bell, {{"a", QoS::exactly_once}});
        sim.run_for(1s);
        sim.cut(door, {.after_octets = octets});
        const auto number = sim.publish(door, "a", {.qos = QoS::exactly_once});
        ASSERT_EQ(outcome(sim.settle()), good) << octets << "\n" << sim.transcript();
        EXPECT_EQ(arrivals.of[bell], (std::map<std::uint64_t, int>{{number, 1}})) << octets;
    }
}

TEST(Sim, survivesATakeOverAndAClockThatIsSet) {
    Sim sim;
    const auto door = *sim.add(lasting("door"));
    sim.run_for(1s);
    sim.take_over(door);
    sim.jump_wall_clock(-24h);
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_TRUE(sim.is_up(door));
}

TEST(Sim, refusesWhatTheBrokerIsSetUpToRefuse) {
    Sim sim(1, {.deny_subscribe = {"secret/#"}, .deny_publish = {"secret/#"}});
    std::vector<std::string> refused;
    sim.on_event = [&](Client, const core::Event& event) {
        if (const auto* e = std::get_if<core::Undelivered>(&event)) refused.push_back(e->message.topic);
        if (const auto* e = std::get_if<core::FilterChanged>(&event); e && e->grant && !*e->grant)
            refused.push_back(e->filter);
    };
    const auto door = *sim.add(lasting("door"));
    sim.publish(door, "secret/code", {.qos = QoS::at_least_once});
    sim.subscribe(door, {{"secret/code", QoS::at_least_once}});
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_THAT(refused, UnorderedElementsAre("secret/code", "secret/code"));
}

/// First in, first out; but one of the messages is never seen again.
class Leaking final : public core::WorkList {
public:
    void push(core::WorkItem&& item, std::vector<Dropped>& dropped) noexcept override {
        if (++pushed_ != 3) list_->push(std::move(item), dropped);
    }
    void put_back(core::WorkItem&& item) noexcept override { list_->put_back(std::move(item)); }
    const core::WorkItem* peek() noexcept override { return list_->peek(); }
    core::WorkItem pop() noexcept override { return list_->pop(); }
    std::optional<core::WorkItem> remove(core::Token token) noexcept override { return list_->remove(token); }
    std::optional<core::Time> next_expiry() noexcept override { return list_->next_expiry(); }
    void expire(core::Time now, std::vector<Dropped>& dropped) noexcept override { list_->expire(now, dropped); }
    std::size_t count() const noexcept override { return list_->count(); }
    std::size_t bytes() const noexcept override { return list_->bytes(); }

private:
    std::unique_ptr<core::WorkList> list_ = core::make_work_list({});
    int pushed_ = 0;
};

TEST(Sim, findsAWorkListThatLosesAMessage) {
    Sim sim;
    auto client = lasting("door");
    client.work_list = SharedFn<core::WorkList*()>([]() -> core::WorkList* { return new Leaking; });
    const auto door = *sim.add(std::move(client));
    for (int i = 0; i < 5; ++i) sim.publish(door, "a", {.qos = QoS::at_least_once}); // before it is up: they wait
    const auto settled = sim.settle();
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().code.message(), "a promise was broken");
    EXPECT_THAT(settled.error().text, HasSubstr("message 3"));
    EXPECT_EQ(sim.check().error().text, settled.error().text);
    EXPECT_FALSE(sim.step()) << "time stands still then";
}

TEST(Sim, takesNoClientThatItCannotHave) {
    Sim sim;
    const auto wrong = [&](auto set) {
        auto options = named("odd");
        set(options);
        return sim.add({.engine = options}).error().text;
    };
    EXPECT_THAT(wrong([](auto& o) { o.endpoints = 0; }), HasSubstr("endpoints is 0"));
    EXPECT_THAT(wrong([](auto& o) { o.receive_maximum = 0; }), HasSubstr("receive_maximum is 0"));
    EXPECT_THAT(wrong([](auto& o) { o.maximum_packet_size = 0; }), HasSubstr("maximum_packet_size is 0"));
    EXPECT_THAT(wrong([](auto& o) { o.keep_alive = 24h; }), HasSubstr("keep_alive"));
    EXPECT_THAT(wrong([](auto& o) { o.backoff.min = 0s; }), HasSubstr("backoff.min"));
    EXPECT_THAT(wrong([](auto& o) { o.client_id = "\xFF"; }), HasSubstr("client_id has to be UTF-8"));
    EXPECT_THAT(wrong([](auto& o) { o.output_high_water = 0; }), HasSubstr("output_high_water is 0"));
    EXPECT_THAT(wrong([](auto& o) { o.connect_timeout = 0s; }), HasSubstr("connect_timeout"));
    EXPECT_THAT(wrong([](auto& o) { o.reply_timeout = -1s; }), HasSubstr("reply_timeout"));
    EXPECT_THAT(wrong([](auto& o) { o.keep_alive_timeout = Duration::max(); }), HasSubstr("at most 20 years"));
    EXPECT_THAT(wrong([](auto& o) { o.subscriptions = {{"x/#/y"}}; }), HasSubstr("x/#/y"));
    EXPECT_THAT(sim.add({.engine = named("")}).error().text, HasSubstr("client_id"));
    EXPECT_THAT(sim.add({.engine = named("door"), .broker = 1}).error().text,
                HasSubstr("there is no broker 1; there are 1"));
    for (std::size_t i = 0; i < Sim::most_clients; ++i)
        ASSERT_TRUE(sim.add({.engine = named("c" + std::to_string(i))}));
    EXPECT_THAT(sim.add({.engine = named("one more")}).error().text, HasSubstr("at most 32 clients"));
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, takesNoSecondClientOfTheSameNameButAtAnotherBroker) {
    Sim sim;
    sim.add_broker();
    ASSERT_TRUE(sim.add(lasting("door")));
    EXPECT_THAT(sim.add(lasting("door")).error().text, HasSubstr("has the client_id 'door'"));
    auto other = lasting("door");
    other.broker = 1;
    EXPECT_TRUE(sim.add(std::move(other)));
    EXPECT_EQ(outcome(sim.settle()), good);
}

TEST(Sim, saysWhatItHasNoUseFor) {
    const auto said = [](BrokerOptions options) { return Sim(1, std::move(options)).check().error().text; };
    EXPECT_THAT(said({.profile = "aws-iot-core"}), HasSubstr("BrokerOptions::profile"));
    EXPECT_THAT(said({.users = {{"me", "secret"}}}), HasSubstr("BrokerOptions::users"));
    EXPECT_THAT(said({.redirect = BrokerRedirect{.server = "elsewhere"}}), HasSubstr("BrokerOptions::redirect"));
    EXPECT_THAT(said({.one_copy_per_subscription = true}), HasSubstr("one_copy_per_subscription"));
    EXPECT_THAT(said({.queue_limit = 1}), HasSubstr("queue_limit"));
    Sim sim;
    sim.add_broker({.queue_limit = 1});
    EXPECT_THAT(sim.check().error().text, HasSubstr("queue_limit"));
}

TEST(Sim, saysWhoIsNotThere) {
    const auto said = [](auto act) {
        Sim sim;
        act(sim);
        const auto text = sim.check().error().text;
        EXPECT_FALSE(sim.step());
        EXPECT_FALSE(sim.is_up(7));
        EXPECT_TRUE(sim.snapshot(7).subscriptions.empty());
        return text;
    };
    const auto no_client = HasSubstr("there is no client 7; there are 0");
    EXPECT_THAT(said([](Sim& sim) { sim.publish(7, "a"); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.subscribe(7, {{"a"}}); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.unsubscribe(7, {"a"}); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.reconnect(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.stop(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.cut(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.crash(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.fail_disk(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.take_over(7); }), no_client);
    EXPECT_THAT(said([](Sim& sim) { sim.stop_broker(7); }), HasSubstr("there is no broker 7; there are 1"));
    EXPECT_THAT(said([](Sim& sim) { sim.start_broker(7); }), HasSubstr("there is no broker 7; there are 1"));
}

TEST(Sim, letsAProgramDieInItsHandler) {
    Sim sim;
    const auto door = *sim.add(lasting("door", true)), bell = *sim.add(lasting("bell"));
    int deaths = 0, received = 0;
    sim.on_event = [&](Client client, const core::Event& event) {
        if (client != door || !std::holds_alternative<core::Received>(event)) return;
        ++received;
        if (deaths++ == 0) sim.crash(door);
    };
    sim.subscribe(door, {{"a", QoS::at_least_once}});
    sim.run_for(1s);
    for (int i = 0; i < 3; ++i) sim.publish(bell, "a", {.qos = QoS::at_least_once});
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_GE(received, 3);
}

TEST(Sim, doesNotLetTimeGoOnInAHandler) {
    for (const int which : {0, 1, 2}) {
        Sim sim;
        const auto door = *sim.add(lasting("door"));
        sim.on_event = [&](Client, const core::Event&) {
            if (which == 0) {
                EXPECT_FALSE(sim.step());
            }
            if (which == 1) sim.run_for(1s);
            if (which == 2) {
                EXPECT_FALSE(sim.settle());
            }
        };
        sim.publish(door, "a");
        sim.run_for(1s);
        EXPECT_THAT(sim.check().error().text, HasSubstr("may not be called in on_event"));
    }
}

TEST(Sim, takesWhatAHandlerThrowsForABrokenPromise) {
    Sim sim;
    ASSERT_TRUE(sim.add(lasting("door")));
    sim.on_event = [](Client, const core::Event&) { throw std::runtime_error("no more"); };
    sim.run_for(1s);
    EXPECT_THAT(sim.check().error().text, HasSubstr("on_event threw: no more"));
    EXPECT_FALSE(sim.step());
}

TEST(Sim, doesNothingMoreForAProgramThatDiesInItsHandler) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Sim sim(seed);
        const auto door = *sim.add(lasting("door", true)), bell = *sim.add(lasting("bell"));
        std::map<std::uint64_t, int> handled;
        bool died = false;
        sim.on_event = [&](Client client, const core::Event& event) {
            const auto* received = std::get_if<core::Received>(&event);
            if (client != door || !received) return;
            ++handled[Sim::number_of(received->message.payload)];
            if (std::exchange(died, true)) return;
            sim.crash(door);
            sim.crash(door); // it is dead already
            sim.publish(door, "b", {.qos = QoS::at_least_once});
        };
        sim.subscribe(door, {{"a", QoS::at_least_once}});
        sim.run_for(1s);
        for (int i = 0; i < 3; ++i) sim.publish(bell, "a", {.qos = QoS::at_least_once});
        ASSERT_EQ(outcome(sim.settle()), good) << sim.transcript();
        ASSERT_EQ(handled, (std::map<std::uint64_t, int>{{1, 2}, {2, 1}, {3, 1}})) << sim.transcript();
    }
}

TEST(Sim, settlesWhenWhatWasAskedOfTheBrokerIsAnswered) {
    Sim sim(1, {.deny_subscribe = {"no"}});
    const auto door = *sim.add(lasting("door"));
    for (const auto& filter : {"a", "no", "$share/group/no"}) {
        sim.subscribe(door, {{filter}});
        ASSERT_EQ(outcome(sim.settle()), good) << filter << sim.transcript();
        sim.unsubscribe(door, {filter});
        ASSERT_EQ(outcome(sim.settle()), good) << filter << sim.transcript();
    }
}

TEST(Sim, knowsWhatABrokerDoesNotHave) {
    for (const auto version : {Version::v3_1_1, Version::v5}) {
        Sim sim(1, {.wildcard_subscriptions = false, .shared_subscriptions = false});
        auto options = lasting("door");
        options.engine.version = version;
        const auto door = *sim.add(std::move(options));
        sim.subscribe(door, {{"a/#"}, {"$share/group/a"}, {"b"}});
        EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    }
}

TEST(Sim, expectsNobodyToGetWhatIsTooLargeForThem) {
    Sim sim;
    auto small = lasting("small");
    small.engine.maximum_packet_size = 200;
    const auto door = *sim.add(lasting("door")), bell = *sim.add(std::move(small));
    sim.subscribe(bell, {{"a", QoS::at_least_once}});
    sim.run_for(1s);
    sim.publish(door, "a", {.qos = QoS::at_least_once, .size = 1000});
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, answersWhatIsAskedOfAStoppedClient) {
    Sim sim;
    std::vector<std::string> why;
    sim.on_event = [&](Client, const core::Event& event) {
        if (const auto* undelivered = std::get_if<core::Undelivered>(&event))
            why.push_back(undelivered->why.code.message());
    };
    const auto door = *sim.add(lasting("door"));
    sim.run_for(1s);
    sim.stop(door);
    sim.run_for(1s);
    sim.publish(door, "a");
    sim.publish(door, "a", {.qos = QoS::exactly_once});
    sim.subscribe(door, {{"a"}});
    sim.unsubscribe(door, {"a"});
    EXPECT_EQ(why.size(), 2u);
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, followsDollarTopicsLargePayloadsAndBrokersWithoutWildcards) {
    Sim sim(1, {.deny_subscribe = {"#"}, .wildcard_subscriptions = false});
    Sim open;
    for (auto* world : {&sim, &open}) {
        const auto door = *world->add(lasting("door"));
        world->subscribe(door, {{"$devices/door", QoS::exactly_once}});
        world->run_for(1s);
        world->publish(door, "$devices/door", {.qos = QoS::exactly_once, .size = 1'000'000});
        EXPECT_EQ(outcome(world->settle()), good) << world->transcript();
    }
}

TEST(Sim, leavesSharedSubscriptionsToTheBrokerAndWrongFiltersToTheEngine) {
    Sim sim;
    Arrivals arrivals(sim);
    const auto a = *sim.add(lasting("a")), b = *sim.add(lasting("b"));
    for (const auto client : {a, b}) sim.subscribe(client, {{"$share/both/x", QoS::at_least_once}, {"x/#/y"}});
    sim.run_for(1s);
    for (int i = 0; i < 10; ++i) sim.publish(a, "x", {.qos = QoS::at_least_once});
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    EXPECT_EQ(arrivals.of[a].size() + arrivals.of[b].size(), 10u);
}

/// The last one in is the first one out.
class Stack final : public core::WorkList {
public:
    void push(core::WorkItem&& item, std::vector<Dropped>&) noexcept override { items_.push_back(std::move(item)); }
    void put_back(core::WorkItem&& item) noexcept override { items_.insert(items_.begin(), std::move(item)); }
    const core::WorkItem* peek() noexcept override { return items_.empty() ? nullptr : &items_.back(); }
    core::WorkItem pop() noexcept override {
        auto item = std::move(items_.back());
        items_.pop_back();
        return item;
    }
    std::optional<core::WorkItem> remove(core::Token) noexcept override { return std::nullopt; }
    std::optional<core::Time> next_expiry() noexcept override { return std::nullopt; }
    void expire(core::Time, std::vector<Dropped>&) noexcept override {}
    std::size_t count() const noexcept override { return items_.size(); }
    std::size_t bytes() const noexcept override { return 0; }

private:
    std::vector<core::WorkItem> items_;
};

TEST(Sim, keepsToTheOrderOfAWorkListAlsoWhenTheBrokerForgets) {
    Sim sim;
    auto client = lasting("door");
    client.work_list = SharedFn<core::WorkList*()>([]() -> core::WorkList* { return new Stack; });
    const auto door = *sim.add(std::move(client));
    sim.run_for(1s);
    sim.cut(door, {.client_learns = 2s, .broker_learns = {}, .some_arrives = false});
    sim.publish(door, "a", {.qos = QoS::at_least_once}); // sent, into the void
    sim.stop_broker();
    sim.run_for(3s);
    sim.publish(door, "a", {.qos = QoS::at_least_once}); // before the other one, in the new session
    sim.start_broker(0, true);
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, keepsToTheOrderOfAWorkListAlsoWhenOneIsPassedOnAgain) {
    Sim sim;
    auto client = lasting("door");
    client.work_list = SharedFn<core::WorkList*()>([]() -> core::WorkList* { return new Stack; });
    const auto door = *sim.add(std::move(client)), bell = *sim.add(lasting("bell"));
    sim.subscribe(bell, {{"a", QoS::at_least_once}});
    sim.run_for(1s);
    sim.cut(door, {.client_learns = 2s, .broker_learns = {}, .lost = SimCut::Lost::to_client, .some_arrives = false});
    sim.publish(door, "a", {.qos = QoS::at_least_once}); // passed on, and its PUBACK is lost
    sim.run_for(1s);
    sim.stop_broker();
    sim.run_for(3s);
    sim.publish(door, "a", {.qos = QoS::at_least_once}); // before the other one, in the new session
    sim.start_broker(0, true);
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
}

TEST(Sim, saysWhatHasNotEndedYetAndGoesOn) {
    Sim sim;
    const auto door = *sim.add(lasting("door"));
    sim.publish(door, "a", {.qos = QoS::at_least_once});
    const auto soon = sim.settle(0s);
    ASSERT_FALSE(soon);
    EXPECT_EQ(soon.error().code.message(), "not everything has come to its end");
    EXPECT_EQ(outcome(sim.check()), good);
    EXPECT_EQ(outcome(sim.settle()), good);
}

TEST(Sim, hasNoTimeThatRunsBackwardsOrOver) {
    Sim sim;
    auto options = lasting("door");
    options.disk_takes = -1s;
    options.engine.keep_alive = 0s;
    const auto door = *sim.add(std::move(options));
    sim.set_network({.latency_min = -5s, .latency_max = -1s});
    sim.run_for(10s);
    sim.run_for(-5s);
    EXPECT_EQ(sim.now(), 10s);
    sim.publish(door, "a", {.qos = QoS::at_least_once, .ttl = Duration::max()});
    sim.publish(door, "a", {.qos = QoS::at_least_once, .ttl = Duration::min()});
    sim.cut(door, {.client_learns = -5s, .broker_learns = -5s});
    EXPECT_EQ(outcome(sim.settle()), good) << sim.transcript();
    sim.stop(door);
    for (int i = 0; i < 4; ++i) sim.run_for(Duration::max());
    EXPECT_GE(sim.now(), 24h * 365 * 80);
    EXPECT_EQ(outcome(sim.check()), good) << sim.transcript();
    sim.run_for(Duration::max());
    EXPECT_THAT(sim.check().error().text, HasSubstr("ends after 100 years"));
}

TEST(Sim, hasTimesThatAddUpToWhatADurationHolds) {
    for (const auto way : {1, -1}) {
        Sim sim;
        auto options = lasting("door", true);
        options.disk_takes = Duration::max();
        options.engine.keep_alive = 0s; // nothing happens in all these years
        const auto door = *sim.add(std::move(options));
        for (int i = 0; i < 4; ++i) {
            sim.run_for(Duration::max());
            sim.publish(door, "a", {.qos = QoS::at_least_once, .ttl = Duration::max()});
            sim.jump_wall_clock(way * std::chrono::milliseconds::max());
        }
        EXPECT_EQ(outcome(sim.check()), good) << sim.transcript();
        sim.jump_wall_clock(way * std::chrono::milliseconds::max());
        sim.jump_wall_clock(way * 1ms);
        EXPECT_THAT(sim.check().error().text, HasSubstr("100 years in all"));
    }
}

TEST(Sim, tellsWhatHappenedWithoutPayloads) {
    Sim sim;
    const auto door = *sim.add(lasting("door"));
    sim.run_for(1s);
    sim.publish(door, "a/b", {.qos = QoS::at_least_once, .size = 100});
    sim.run_for(1s);
    EXPECT_THAT(sim.transcript(), HasSubstr("client 0 -> PUBLISH id="));
    EXPECT_THAT(sim.transcript(), HasSubstr("payload=100 bytes"));
}

} // namespace
} // namespace tortoise::testing
