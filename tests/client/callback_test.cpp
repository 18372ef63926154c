// What callbacks may do: everything; and what becomes of a connection whose callback throws.
#include "support/options.hpp"
#include <stdexcept>

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;

const char* const callbacks[] = {"init",        "connection", "subscription", "message",
                                 "undelivered", "last_will",  "onMessage",    "onDone"};

/// Does something, once, inside one of the callbacks.
class Inside : public ::testing::TestWithParam<std::tuple<const char*, Version>> {
protected:
    bool is(std::string_view callback) const { return std::get<0>(GetParam()) == callback; }
    Version version() const { return std::get<1>(GetParam()); }

    /// A connection whose callbacks are all called, the one in question with `act` in it.
    std::unique_ptr<Connection> connection(std::function<void(Connection&)> act) {
        auto done = std::make_shared<std::atomic<bool>>(false);
        const auto once = [act = std::move(act), done](Connection& c) {
            if (!done->exchange(true)) act(c);
        };
        Hooks hooks;
        if (is("init")) hooks.init = once;
        if (is("connection")) hooks.connection = [=](Connection& c, const StatusInfo&) { return once(c), Actions{}; };
        if (is("subscription"))
            hooks.subscription = [=](Connection& c, const FilterStatus&) { return once(c), Actions{}; };
        if (is("message")) hooks.message = [=](Connection& c, const MessageView&) { return once(c), Actions{}; };
        if (is("undelivered")) {
            hooks.undelivered = [=](Connection& c, const MessageView&, const Error&) { once(c); };
        }
        if (is("last_will")) {
            hooks.last_will = [=, this]() -> std::optional<Will> {
                // It is given no connection; the test's own is of use as soon as there is one.
                if (self) once(*self);
                return std::nullopt;
            };
        }
        recorder = Recorder(hooks);
        auto o = options_for(broker.url(), version(), recorder);
        o.subscriptions = {{"t", QoS::at_least_once}};
        auto c = std::make_unique<Connection>(std::move(o));
        if (is("last_will")) {
            EXPECT_TRUE(c->ready().wait(patience));
            self.emplace(*c);
            c->reconnect();
        }
        if (is("onMessage")) c->subscribe("callback", [=](Connection& me, const MessageView&) { once(me); });
        if (is("onDone")) {
            // Asked for on the loop, so that the answer cannot be there already.
            c->subscribe("ask", [=](Connection& me, const MessageView&) {
                me.publish("x", "", {.qos = QoS::at_least_once}).on_done([=, copy = me](const auto&) mutable {
                    once(copy);
                });
            });
            c->publish("ask", "", {.qos = QoS::at_least_once});
        }
        if (is("undelivered")) c->publish("x", "", {.ttl = 0s});
        if (is("message")) c->publish("t", "x", {.qos = QoS::at_least_once});
        if (is("onMessage")) c->publish("callback", "x", {.qos = QoS::at_least_once});
        return c;
    }

    testing::Broker broker;
    Recorder recorder;
    std::optional<Connection> self;
};

TEST_P(Inside, throwingEndsTheConnectionWithWhatItSaid) {
    for (const bool standard : {true, false}) {
        self.reset();
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

TEST_P(Inside, everythingMayBeCalled) {
    std::atomic<int> answered{0};
    auto c = connection([&](Connection& me) {
        const auto count = [&](const auto&) { ++answered; };
        EXPECT_EQ(me.ready().wait(1h).error().code,
                  me.status() == Status::up ? std::error_code() : Errc::would_deadlock);
        me.publish("p", "1", {.qos = QoS::exactly_once}).on_done(count);
        me.subscribe("s").on_done(count);
        me.subscribe("s2", [](Connection&, const MessageView&) {}).on_done(count);
        me.subscribe(std::vector<TopicFilter>{{"s3"}}).on_done(count);
        me.unsubscribe("s").on_done(count);
        me.ready().on_done(count);
        me.ping().on_done(count);
        EXPECT_FALSE(me.client_id().empty());
        static_cast<void>(me.error());
        EXPECT_GE(me.subscriptions().size(), 2u);
        Connection copy = me;
        Connection moved = std::move(copy);
        moved.publish("p", "2");
        me.stop(1h).on_done(count);
    });
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    ASSERT_TRUE(c->stop().wait(patience));
    c.reset();
    self.reset();
    EXPECT_EQ(answered, 8);
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
    EXPECT_EQ(recorder.seen().calls.back(), "terminate");
}

TEST_P(Inside, theOwnConnectionMayBeDestroyed) {
    std::mutex mutex;
    std::condition_variable placed;
    std::unique_ptr<Connection> owner;
    auto c = connection([&](Connection&) {
        std::unique_lock lock(mutex);
        placed.wait(lock, [&] { return owner != nullptr; });
        self.reset();
        owner.reset();
    });
    {
        std::lock_guard lock(mutex);
        owner = std::move(c);
        placed.notify_one();
    }
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(recorder.seen().terminated[0].code, Errc::stopped);
}

INSTANTIATE_TEST_SUITE_P(
    , Inside, ::testing::Combine(::testing::ValuesIn(callbacks), ::testing::Values(Version::v3_1_1, Version::v5)),
    [](const auto& test) {
        return std::string(std::get<0>(test.param)) + (std::get<1>(test.param) == Version::v5 ? "_v5" : "_v3_1_1");
    });

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
            ASSERT_TRUE(throwing.wait([](const Seen& s) { return s.terminated.size() == 1; }));
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

TEST_P(Callbacks, withAnImpossibleWillEndTheConnection) {
    recorder = Recorder({.last_will = [] { return Will{.topic = "a/#"}; }});
    Connection c{options(recorder, broker.url())};
    EXPECT_EQ(c.ready().wait(patience).error().code, Errc::invalid_topic);
    EXPECT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
}

TORTOISE_BOTH_VERSIONS(Callbacks);

} // namespace
} // namespace tortoise::test
