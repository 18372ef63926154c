// What callbacks may do: everything; and what becomes of a connection whose callback throws.
#include "support/options.hpp"
#include <stdexcept>

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;

const char* const may_throw[] = {"init",      "connection", "subscription", "message",     "undelivered",
                                 "last_will", "onMessage",  "onDone",       "credentials", "listener"};
const char* const others[] = {"factory", "terminate"};

/// Does something, once, inside one of the callbacks.
class Inside : public ::testing::TestWithParam<std::tuple<const char*, Version>> {
protected:
    bool is(std::string_view callback) const { return std::get<0>(GetParam()) == callback; }
    Version version() const { return std::get<1>(GetParam()); }

    /// Of a connection that does `act` in the callback in question.
    ConnectionOptions options_that(std::function<void(Connection&)> act) {
        auto done = std::make_shared<std::atomic<bool>>(false);
        const auto once = [act = std::move(act), done](Connection& c) {
            if (!done->exchange(true)) act(c);
        };
        const auto by_name = [once] { // for those that are given no connection
            if (auto c = find_connection("inside")) once(*c);
        };
        recorder = Recorder(hooks_that(once, by_name));
        auto o = options_for(broker.url(), version(), recorder);
        o.client_id = "inside";
        o.subscriptions = {{"t", QoS::at_least_once}};
        if (is("credentials")) {
            o.credentials = [=](const CredentialsRequest&) {
                by_name();
                return Pending<Credentials>(Result<Credentials>(Credentials{}));
            };
        }
        if (is("factory")) {
            o.handler = HandlerFactory([=, make = o.handler] {
                by_name();
                return std::unique_ptr<Handler>(make.make());
            });
        }
        if (is("listener"))
            listener = Events::on<StatusEvent>("inside", [=](std::string_view, const StatusEvent&) { by_name(); });
        if (is("onMessage")) on_message = [=](Connection& c, const MessageView&) { once(c); };
        if (is("onDone")) {
            // Asked for on the loop, so that the answer cannot be there already.
            on_message = [=](Connection& c, const MessageView&) {
                c.publish("x", "", {.qos = QoS::at_least_once}).on_done([=, copy = c](const auto&) mutable {
                    once(copy);
                });
            };
        }
        return o;
    }

    /// Makes it be called, once the connection is there.
    void provoke(Connection c) {
        if (on_message) c.subscribe("callback", std::move(on_message));
        if (is("undelivered")) c.publish("x", "", {.ttl = 0s});
        if (is("message")) c.publish("t", "x", {.qos = QoS::at_least_once});
        if (is("onMessage") || is("onDone")) c.publish("callback", "x", {.qos = QoS::at_least_once});
        if (is("terminate")) c.stop();
    }

    std::unique_ptr<Connection> connection(std::function<void(Connection&)> act) {
        auto c = std::make_unique<Connection>(options_that(std::move(act)));
        provoke(*c);
        return c;
    }
    bool wait_for_the_end() const {
        return recorder.wait([](const Seen& s) { return s.terminated.size() == 1; });
    }

    testing::Broker broker;
    Recorder recorder;
    Listener listener;
    OnMessage on_message;

private:
    template <class Once, class ByName> Hooks hooks_that(Once once, ByName by_name) {
        Hooks hooks;
        if (is("init")) hooks.init = once;
        if (is("connection")) hooks.connection = [=](Connection& c, const StatusInfo&) { return once(c), Actions{}; };
        if (is("subscription"))
            hooks.subscription = [=](Connection& c, const FilterStatus&) { return once(c), Actions{}; };
        if (is("message")) hooks.message = [=](Connection& c, const MessageView&) { return once(c), Actions{}; };
        if (is("undelivered")) hooks.undelivered = [=](Connection& c, const MessageView&, const Error&) { once(c); };
        if (is("last_will")) hooks.last_will = [=]() -> std::optional<Will> { return by_name(), std::nullopt; };
        if (is("terminate")) {
            // By then the client id is free: it needs a handle of its own, which does not own.
            auto self = std::make_shared<std::optional<Connection>>();
            hooks.init = [=](Connection& c) { self->emplace(c); };
            hooks.terminate = [=](const Error&) {
                once(**self);
                self->reset();
            };
        }
        return hooks;
    }
};
class Calling : public Inside {};

TEST_P(Inside, throwingEndsTheConnectionWithWhatItSaid) {
    for (const bool standard : {true, false}) {
        auto c = connection([=](Connection&) {
            if (standard) throw std::runtime_error("the door is jammed");
            throw 7;
        });
        ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
        const auto reason = recorder.seen().terminated[0];
        EXPECT_EQ(reason.code, Errc::handler_threw);
        EXPECT_EQ(reason.text, standard ? "the door is jammed" : "something that is not a std::exception");
        EXPECT_EQ(c->status(), Status::stopped);
        EXPECT_EQ(c->error().code, Errc::handler_threw);
        EXPECT_THAT(c->publish("a").wait(patience).error().text, HasSubstr(reason.text));
        const auto seen = recorder.seen();
        EXPECT_EQ(seen.count("init"), 1u);
        EXPECT_EQ(seen.calls.front(), "init");
        EXPECT_EQ(seen.calls.back(), "terminate");
    }
}

TEST_P(Calling, everythingIsAllowed) {
    std::atomic<int> answered{0};
    auto c = connection([&](Connection& me) {
        const auto count = [&](const auto&) { ++answered; };
        const bool over = me.status() == Status::stopped;
        EXPECT_EQ(me.ready().wait(1h).error().code, me.status() == Status::up ? std::error_code()
                                                    : over                    ? Errc::stopped
                                                                              : Errc::would_deadlock);
        auto open = me.publish("p", "0", {.qos = QoS::exactly_once});
        EXPECT_EQ(open.wait(1h).error().code, over ? Errc::stopped : Errc::would_deadlock);
        EXPECT_EQ(me.subscribe("s0").wait().error().code, over ? Errc::stopped : Errc::would_deadlock);
        EXPECT_EQ(publish_sync("inside", "p", "0", {.qos = QoS::at_least_once}).error().code,
                  over ? Errc::unknown_connection : Errc::would_deadlock);
        me.publish("p", "1", {.qos = QoS::exactly_once}).on_done(count);
        me.subscribe("s").on_done(count);
        me.subscribe("s2", [](Connection&, const MessageView&) {}).on_done(count);
        me.subscribe(std::vector<TopicFilter>{{"s3"}}).on_done(count);
        me.unsubscribe("s").on_done(count);
        me.ready().on_done(count);
        me.ping().on_done(count);
        EXPECT_FALSE(me.client_id().empty());
        static_cast<void>(me.error());
        if (!over) {
            EXPECT_GE(me.subscriptions().size(), 2u);
        }
        static_cast<void>(me.statistics());
        Pipe pipe(me);
        EXPECT_EQ(static_cast<bool>(pipe.try_publish("p", "3")), me.status() == Status::up);
        me.reconnect();
        Connection copy = me;
        Connection moved = std::move(copy);
        moved.publish("p", "2");
        me.stop(1h).on_done(count);
    });
    ASSERT_TRUE(wait_for_the_end());
    ASSERT_TRUE(c->stop().wait(patience));
    c.reset();
    EXPECT_EQ(answered, 8);
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
    EXPECT_EQ(recorder.seen().calls.back(), "terminate");
}

/// Puts something where a callback can let go of it, once it is there.
template <class T> class Placed {
public:
    void put(T what) {
        std::lock_guard lock(mutex_);
        what_.emplace(std::move(what));
        changed_.notify_all();
    }
    void destroy() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return what_.has_value(); });
        what_.reset();
        destroyed_ = true;
        changed_.notify_all();
    }
    bool wait_until_destroyed() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return destroyed_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<T> what_;
    bool destroyed_ = false;
};

TEST_P(Calling, theOwnConnectionMayBeDestroyed) {
    Placed<std::unique_ptr<Connection>> owner;
    owner.put(connection([&](Connection&) { owner.destroy(); }));
    ASSERT_TRUE(owner.wait_until_destroyed());
    ASSERT_TRUE(wait_for_the_end());
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
}

TEST_P(Calling, whateverOwnsItAndListensToItMayBeDestroyed) {
    // All that a program would keep together: the connection, what it waits for, and what watches it.
    struct Home {
        std::unique_ptr<Connection> connection;
        std::vector<Listener> listeners;
        std::unique_ptr<Pipe> pipe;
        Delivery delivery;
        Pending<Grant> grant;
    };
    Placed<Home> owner;
    std::atomic<int> told{0};
    auto c = connection([&](Connection&) { owner.destroy(); });
    std::vector<Listener> listeners;
    listeners.push_back(Events::on<StatusEvent>("inside", [&](std::string_view, const StatusEvent&) { ++told; }));
    listeners.push_back(Events::on<DeliveryEvent>("", [&](std::string_view, const DeliveryEvent&) { ++told; }));
    listeners.push_back(std::move(listener));
    auto pipe = std::make_unique<Pipe>(*c);
    auto delivery = c->publish("y", "", {.qos = QoS::exactly_once});
    auto grant = c->subscribe("y", [&](Connection&, const MessageView&) { ++told; });
    owner.put({std::move(c), std::move(listeners), std::move(pipe), std::move(delivery), std::move(grant)});
    ASSERT_TRUE(owner.wait_until_destroyed());
    ASSERT_TRUE(wait_for_the_end());
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
}

TEST_P(Calling, itsSupervisorMayBeDestroyed) {
    Placed<std::unique_ptr<Supervisor>> owner;
    auto supervisor = std::make_unique<Supervisor>();
    auto started = supervisor->start(
        {.connection = options_that([&](Connection&) { owner.destroy(); }), .restart = Restart::temporary});
    ASSERT_TRUE(started);
    provoke(*started);
    owner.put(std::move(supervisor));
    ASSERT_TRUE(owner.wait_until_destroyed());
    ASSERT_TRUE(wait_for_the_end());
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
}

std::string name_of_callback(const ::testing::TestParamInfo<std::tuple<const char*, Version>>& test) {
    return std::string(std::get<0>(test.param)) + (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
}
const auto versions = ::testing::Values(Version::v3_1_1, Version::v5);
INSTANTIATE_TEST_SUITE_P(, Inside, ::testing::Combine(::testing::ValuesIn(may_throw), versions), name_of_callback);
INSTANTIATE_TEST_SUITE_P(Throwing, Calling, ::testing::Combine(::testing::ValuesIn(may_throw), versions),
                         name_of_callback);
INSTANTIATE_TEST_SUITE_P(Others, Calling, ::testing::Combine(::testing::ValuesIn(others), versions), name_of_callback);

class Callbacks : public BothVersions {
protected:
    testing::Broker broker;
    Recorder recorder;
};

TEST_P(Callbacks, aMessageWhoseHandlerThrewComesAgain) {
    for (const auto qos : {QoS::at_least_once, QoS::exactly_once}) {
        Recorder throwing(
            {.message = [](Connection&, const MessageView&) -> Actions { throw std::runtime_error("no"); }});
        auto o = options(throwing, broker.url());
        o.client_id = "sensitive";
        o.session.clean_start = false;
        o.subscriptions = {{"t", qos}};
        {
            Connection c{o};
            ASSERT_TRUE(throwing.wait([](const Seen& s) { return s.filters.size() == 1; }));
            c.publish("t", "important", {.qos = qos});
            ASSERT_TRUE(throwing.wait([](const Seen& s) { return s.terminated.size() == 1; })); // [MQTT3-4.8.0-2]
        }
        Recorder second;
        o.handler = second.factory();
        Connection c{o};
        ASSERT_TRUE(second.wait_for_messages(1));
        EXPECT_EQ(second.seen().messages[0].payload, "important");
        EXPECT_TRUE(second.seen().messages[0].duplicate);
        ASSERT_TRUE(c.unsubscribe("t").wait(patience));
    }
}

TEST_P(Callbacks, ofAHandlerThatCannotBeMadeEndTheConnection) {
    auto o = options(recorder, broker.url());
    o.handler = HandlerFactory([]() -> Handler* { return nullptr; });
    Connection none{o};
    EXPECT_EQ(none.ready().wait(patience).error().code, Errc::invalid_option);
    o.handler = HandlerFactory([]() -> Handler* { throw std::runtime_error("no parts"); });
    Connection thrown{o};
    EXPECT_EQ(thrown.ready().wait(patience).error().code, Errc::handler_threw);
    EXPECT_EQ(thrown.error().text, "no parts");
}

TEST_P(Callbacks, ofAWarningMayDoEverythingToo) {
    struct Warned : Handler {
        explicit Warned(Recorder r) : recorder(std::move(r)), inner(recorder.factory().make()) {}
        void warning(Connection& c, std::string_view) override {
            EXPECT_EQ(c.publish("a", "", {.qos = QoS::at_least_once}).wait().error().code, Errc::would_deadlock);
            c.subscribe("a");
            c.stop();
        }
        void terminate(const Error& why) noexcept override { inner->terminate(why); }
        Recorder recorder;
        std::unique_ptr<Handler> inner;
    };
    auto o = options(recorder, broker.url());
    o.handler = make_handler<Warned>(recorder);
    o.more_servers = {"mqtts://127.0.0.1:1"};
    o.tls.verify = false;
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
}

TEST_P(Callbacks, withAnImpossibleWillEndTheConnection) {
    recorder = Recorder({.last_will = [] { return Will{.topic = "a/#"}; }});
    Connection c{options(recorder, broker.url())};
    EXPECT_EQ(c.ready().wait(patience).error().code, Errc::invalid_topic);
    EXPECT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
}

TORTOISE_BOTH_VERSIONS(Callbacks);

} // namespace
} // namespace tortoise::test
