// Supervisors: who is restarted when, and how everything ends.
#include "support/certificates.hpp"
#include "support/options.hpp"
#include <filesystem>
#include <set>

namespace tortoise::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::size_t entries_of(const char* directory) {
    const std::filesystem::directory_iterator begin(directory);
    return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

class Supervision : public ::testing::Test {
protected:
    /// A child that throws at the topic of its name.
    Supervisor::Child child(const std::string& name, Restart restart = Restart::transient) {
        Hooks hooks;
        hooks.init = [this, name](Connection&) { add("start " + name); };
        hooks.terminate = [this, name](const Error&) { add("end " + name); };
        hooks.message = [](Connection&, const MessageView&) -> Actions { throw std::runtime_error("ouch"); };
        auto o = options_for(broker.url(), Version::v5, Recorder(hooks));
        o.client_id = name;
        o.subscriptions = {{name, QoS::at_least_once}};
        return {.connection = std::move(o), .restart = restart};
    }
    void add(std::string what) {
        std::lock_guard lock(mutex);
        log.push_back(std::move(what));
        changed.notify_all();
    }
    bool wait_for(const std::string& what, std::ptrdiff_t times = 1) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, patience, [&] { return std::count(log.begin(), log.end(), what) >= times; });
    }
    std::vector<std::string> take_log() {
        std::lock_guard lock(mutex);
        return std::exchange(log, {});
    }
    bool subscribed(const Supervisor& s, const std::string& name) {
        const auto c = s.find_child(name);
        if (!c) return false;
        auto copy = *c;
        return static_cast<bool>(copy.subscribe({name, QoS::at_least_once}).wait(patience));
    }
    /// Starts them and waits until each can be crashed.
    void start(Supervisor& s, std::initializer_list<const char*> names, Restart restart = Restart::transient) {
        for (const auto* name : names) ASSERT_TRUE(s.start(child(name, restart)));
        for (const auto* name : names) ASSERT_TRUE(subscribed(s, name));
        take_log();
    }
    void crash(const std::string& name) { outsider.publish(name, "", {.qos = QoS::at_least_once}); }

    testing::Broker broker;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> log;
    Connection outsider{{.client_id = "outsider", .server = broker.url()}};
};

TEST_F(Supervision, oneForOneRestartsTheOneThatCrashedWithAFreshHandler) {
    Supervisor s;
    start(s, {"a", "b"});
    const auto first = *s.find_child("a");
    crash("a");
    ASSERT_TRUE(wait_for("start a"));
    EXPECT_THAT(take_log(), ElementsAre("end a", "start a"));
    EXPECT_EQ(first.status(), Status::stopped);
    EXPECT_EQ(first.error().text, "ouch");
    ASSERT_TRUE(subscribed(s, "a"));
    const auto children = s.children();
    ASSERT_EQ(children.size(), 2u);
    EXPECT_EQ(children[0].name, "a");
    EXPECT_EQ(children[0].restarts, 1u);
    EXPECT_EQ(children[0].last_error.code, Errc::handler_threw);
    EXPECT_EQ(children[0].status, Status::up);
    EXPECT_EQ(children[1].restarts, 0u);
}

TEST_F(Supervision, oneForAllRestartsAllNewestFirstAndInOrder) {
    Supervisor s({.strategy = Strategy::one_for_all});
    start(s, {"a", "b", "c"});
    crash("b");
    ASSERT_TRUE(wait_for("start c"));
    EXPECT_THAT(take_log(), ElementsAre("end b", "end c", "end a", "start a", "start b", "start c"));
}

TEST_F(Supervision, restForOneRestartsThoseStartedAfterIt) {
    Supervisor s({.strategy = Strategy::rest_for_one});
    start(s, {"a", "b", "c", "d"});
    crash("b");
    ASSERT_TRUE(wait_for("start d"));
    EXPECT_THAT(take_log(), ElementsAre("end b", "end d", "end c", "start b", "start c", "start d"));
    EXPECT_EQ(s.children()[0].restarts, 0u);
}

TEST_F(Supervision, theKindOfRestartDecidesWhoComesBack) {
    Supervisor s({.max_restarts = 100});
    for (const auto restart : {Restart::permanent, Restart::transient, Restart::temporary}) {
        for (const bool crashes : {true, false}) {
            start(s, {"x"}, restart);
            if (crashes)
                crash("x");
            else
                s.find_child("x")->stop();
            ASSERT_TRUE(wait_for("end x"));
            const bool back = restart == Restart::permanent || (restart == Restart::transient && crashes);
            if (back) {
                EXPECT_TRUE(wait_for("start x"));
                EXPECT_TRUE(s.stop_child("x").wait(patience));
            } else { // it is forgotten, and its name free
                ASSERT_TRUE(outsider.ping().wait(patience));
                while (!s.children().empty()) std::this_thread::yield();
                EXPECT_THAT(take_log(), ElementsAre("end x"));
            }
        }
    }
}

TEST_F(Supervision, tooManyRestartsEndItWithAReason) {
    Supervisor s({.max_restarts = 2, .within = 1h});
    ASSERT_TRUE(s.start(child("bystander")));
    auto o = child("hopeless");
    Hooks hooks;
    hooks.init = [](Connection&) { throw std::runtime_error("born broken"); };
    o.connection.handler = Recorder(hooks).factory();
    ASSERT_TRUE(s.start(std::move(o)));
    const auto ended = s.ended().wait(patience);
    EXPECT_EQ(ended.error().code, Errc::too_many_restarts);
    EXPECT_THAT(ended.error().text, HasSubstr("more than 2 in 3600 s"));
    EXPECT_THAT(ended.error().text, HasSubstr("'hopeless', handler threw: born broken"));
    EXPECT_TRUE(wait_for("end bystander"));
    EXPECT_EQ(s.start(child("late")).error().code, Errc::stopped);
    EXPECT_TRUE(s.children().empty());
}

TEST_F(Supervision, restartsLongAgoDoNotCount) {
    Supervisor s({.max_restarts = 1, .within = 1ns});
    start(s, {"a"});
    for (int i = 1; i <= 4; ++i) {
        crash("a");
        ASSERT_TRUE(wait_for("start a", i));
        ASSERT_TRUE(subscribed(s, "a"));
    }
    EXPECT_EQ(s.children()[0].restarts, 4u);
}

TEST_F(Supervision, stopsNewestFirst) {
    Supervisor s;
    start(s, {"a", "b", "c"});
    auto ended = s.ended();
    ASSERT_TRUE(s.stop().wait(patience));
    EXPECT_THAT(take_log(), ElementsAre("end c", "end b", "end a"));
    EXPECT_TRUE(ended.wait(patience));
    EXPECT_TRUE(s.stop().wait(patience)) << "again";
}

TEST_F(Supervision, refusesWhatCannotBeStarted) {
    Supervisor s({.name = "taken"});
    start(s, {"a"});
    EXPECT_THAT(s.start(child("a")).error().text, HasSubstr("'a' is there already"));
    auto other = child("a");
    other.name = "b";
    EXPECT_EQ(s.start(std::move(other)).error().code, Errc::duplicate_client_id);
    auto bad = child("c");
    bad.connection.server = "gopher://x";
    EXPECT_EQ(s.start(std::move(bad)).error().code, Errc::invalid_url);
    EXPECT_EQ(s.children().size(), 1u);
    Supervisor second({.name = "taken"});
    EXPECT_THAT(second.ended().wait(patience).error().text, HasSubstr("'taken'"));
    EXPECT_EQ(second.start(child("d")).error().code, Errc::stopped);
    EXPECT_EQ(s.find_child("nobody").error().code, Errc::unknown_connection);
    EXPECT_EQ(s.stop_child("nobody").wait().error().code, Errc::unknown_connection);
}

TEST_F(Supervision, isFoundByItsNameWhileItRuns) {
    {
        Supervisor s({.name = "fleet"});
        start(s, {"a"});
        ASSERT_TRUE(Supervisor::find("fleet"));
        EXPECT_EQ(Supervisor::find("fleet")->children().size(), 1u);
    }
    EXPECT_EQ(Supervisor::find("fleet").error().code, Errc::unknown_supervisor);
}

TEST_F(Supervision, theStandardOneIsThereAndComesBack) {
    auto s = Supervisor::standard();
    start(s, {"a"});
    EXPECT_EQ(Supervisor::standard().children().size(), 1u);
    ASSERT_TRUE(s.stop().wait(patience));
    EXPECT_TRUE(Supervisor::standard().children().empty());
    auto anew = Supervisor::standard();
    start(anew, {"b"});
    EXPECT_TRUE(anew.stop_child("b").wait(patience));
}

TEST_F(Supervision, aNestedOneThatGaveUpIsRestartedWithItsChildren) {
    Supervisor top;
    auto inner = *top.start(SupervisorOptions{.name = "inner", .max_restarts = 0});
    start(inner, {"a", "b"});
    crash("a");
    ASSERT_TRUE(wait_for("start b"));
    EXPECT_THAT(take_log(), ElementsAre("end a", "end b", "start a", "start b"));
    EXPECT_TRUE(subscribed(inner, "a"));
    EXPECT_TRUE(Supervisor::find("inner"));
    const auto children = top.children();
    ASSERT_EQ(children.size(), 1u);
    EXPECT_TRUE(children[0].is_supervisor);
    EXPECT_EQ(children[0].restarts, 1u);
    EXPECT_EQ(children[0].last_error.code, Errc::too_many_restarts);
    ASSERT_TRUE(top.stop().wait(patience));
    EXPECT_THAT(take_log(), ElementsAre("end b", "end a"));
    EXPECT_FALSE(Supervisor::find("inner"));
}

TEST_F(Supervision, spreadsTheFirstConnects) {
    const Runtime runtime(1);
    Supervisor patient({.spread = 100 * 24h}, runtime), quick({}, runtime);
    ASSERT_TRUE(patient.start(child("late")));
    start(quick, {"early"}); // asked for after the other, and on the same thread
    EXPECT_EQ(patient.children()[0].status, Status::connecting);
    EXPECT_EQ(patient.find_child("late")->statistics().connects, 0u);
    patient.find_child("late")->reconnect();
    EXPECT_TRUE(patient.find_child("late")->ready().wait(patience)) << "nothing else kept it";
}

TEST_F(Supervision, anErrorClassedFatalIsACrash) {
    Supervisor s({.max_restarts = 2, .within = 1h});
    auto o = child("hopeless");
    o.connection.server = "mqtt://127.0.0.1:1";
    o.connection.classify = [](const Error&) noexcept { return Retry::fatal; };
    ASSERT_TRUE(s.start(std::move(o)));
    const auto ended = s.ended().wait(patience);
    EXPECT_EQ(ended.error().code, Errc::too_many_restarts);
    EXPECT_THAT(ended.error().text, HasSubstr("'hopeless', Connection refused"));
    EXPECT_EQ(std::ranges::count(take_log(), "start hopeless"), 3);
}

// The passphrase of a key is asked for at the start of each life.
TEST_F(Supervision, mayBeAskedWhileAChildIsMade) {
    const Authority authority("Authority");
    const auto identity = authority.issue({.name = "client"});
    Supervisor s;
    auto asking = child("asking");
    asking.connection.more_servers = {"mqtts://127.0.0.1:1"};
    asking.connection.tls = {.certificate = identity.certificate(), .key = identity.key("sesame")};
    asking.connection.tls.key_passphrase = [&, name = std::string("asking")] {
        EXPECT_EQ(s.children().size(), 1u);
        EXPECT_FALSE(s.find_child(name)) << "not yet";
        EXPECT_FALSE(s.start(child(name))) << "the name is taken already";
        return std::string("sesame");
    };
    ASSERT_TRUE(s.start(std::move(asking)));
    ASSERT_TRUE(subscribed(s, "asking"));
    crash("asking");
    ASSERT_TRUE(wait_for("start asking", 2));
}

TEST_F(Supervision, mayBeStoppedWhileAChildIsMade) {
    const Authority authority("Authority");
    const auto identity = authority.issue({.name = "client"});
    for (const bool all : {true, false}) {
        Supervisor s;
        auto asking = child("asking");
        asking.connection.more_servers = {"mqtts://127.0.0.1:1"};
        asking.connection.tls = {.certificate = identity.certificate(), .key = identity.key("sesame")};
        std::optional<Pending<Done>> stopped;
        asking.connection.tls.key_passphrase = [&] {
            stopped = all ? s.stop() : s.stop_child("asking");
            return std::string("sesame");
        };
        EXPECT_TRUE(s.start(std::move(asking))) << "the handle is to a connection that ends";
        ASSERT_TRUE(stopped);
        EXPECT_TRUE(stopped->wait(patience));
        EXPECT_TRUE(s.children().empty());
        EXPECT_FALSE(find_connection("asking"));
        EXPECT_EQ(static_cast<bool>(s.ended().wait(0s)), all);
    }
}

TEST_F(Supervision, mayBeDestroyedInsideACallbackOfItsChild) {
    auto s = std::make_unique<Supervisor>();
    auto victim = child("a");
    Hooks hooks;
    hooks.terminate = [this](const Error&) { add("end a"); };
    hooks.message = [&](Connection&, const MessageView&) -> Actions {
        s.reset();
        return {};
    };
    victim.connection.handler = Recorder(hooks).factory();
    ASSERT_TRUE(s->start(std::move(victim)));
    ASSERT_TRUE(subscribed(*s, "a"));
    crash("a");
    EXPECT_TRUE(wait_for("end a"));
}

TEST_F(Supervision, everythingMayBeCalledInsideCallbacks) {
    Supervisor s;
    auto busy = child("busy");
    Hooks hooks;
    hooks.connection = [&](Connection&, const StatusInfo& info) {
        if (info.status == Status::up) {
            EXPECT_TRUE(s.start(child("friend")));
            EXPECT_EQ(s.children().size(), 2u);
            EXPECT_TRUE(s.find_child("friend"));
            EXPECT_EQ(s.stop().wait().error().code, Errc::would_deadlock);
        }
        return Actions{};
    };
    busy.connection.handler = Recorder(hooks).factory();
    ASSERT_TRUE(s.start(std::move(busy)));
    EXPECT_TRUE(s.ended().wait(patience));
    EXPECT_TRUE(wait_for("end friend"));
}

TEST_F(Supervision, ofAThousandRestartsExactlyThoseThatCrashedAndLeavesNothingBehind) {
    constexpr int fleet = 1000, broken = 100;
    ASSERT_TRUE(outsider.ready().wait(patience));
    const auto descriptors = entries_of("/proc/self/fd"), threads = entries_of("/proc/self/task");
    {
        Supervisor s({.max_restarts = broken, .within = 1h}, Runtime(2));
        for (int i = 0; i < fleet; ++i) {
            auto c = child("device-" + std::to_string(i));
            c.connection.connect_timeout = 60s;
            if (i % 10 == 0) c.connection.subscriptions.push_back({"break", QoS::at_least_once});
            ASSERT_TRUE(s.start(std::move(c)));
        }
        for (int i = 0; i < fleet; ++i) ASSERT_TRUE(s.find_child("device-" + std::to_string(i))->ready().wait(60s));
        for (int i = 0; i < fleet; i += 10) {
            auto c = *s.find_child("device-" + std::to_string(i));
            ASSERT_TRUE(c.subscribe({"break", QoS::at_least_once}).wait(patience));
        }
        EXPECT_EQ(broker.statistics().connections, fleet + 1u);
        ASSERT_TRUE(outsider.publish("break", "", {.qos = QoS::at_least_once}).wait(patience));
        for (int i = 0; i < fleet; i += 10) ASSERT_TRUE(wait_for("start device-" + std::to_string(i), 2)) << i;
        for (const auto& c : s.children()) {
            const bool breaks = c.name.back() == '0';
            ASSERT_EQ(c.restarts, breaks ? 1u : 0u) << c.name;
        }
    }
    EXPECT_EQ(entries_of("/proc/self/task"), threads);
    // The broker, in this process too, learns of it over its sockets, and closes them then.
    const auto until = std::chrono::steady_clock::now() + patience;
    while (entries_of("/proc/self/fd") != descriptors && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
    EXPECT_FALSE(find_connection("device-1"));
    std::lock_guard lock(mutex);
    const auto ends = std::count_if(log.begin(), log.end(), [](const auto& l) { return l.starts_with("end "); });
    EXPECT_EQ(ends, fleet + broken) << "each life ended once";
}

} // namespace
} // namespace tortoise::test
