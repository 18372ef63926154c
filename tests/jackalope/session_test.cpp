// What a session is and does: its options, its connection, its subscriptions, its handler.
#include "jackalope/settings.hpp"
#include "jackalope/told.hpp"

namespace jackalope::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// ---- Options, and what they mean to the connection

tortoise::ConnectionOptions of(SessionOptions o) {
    auto result = connection_options(std::move(o));
    EXPECT_TRUE(result) << result.error().describe();
    return *std::move(result);
}

TEST(Options, haveTheDefaultsOfAPostOffice) {
    const auto c = of({});
    EXPECT_EQ(c.client_id, "jackalope");
    EXPECT_EQ(c.server, "mqtt://localhost:1883");
    EXPECT_TRUE(c.session.clean_start);
    EXPECT_EQ(c.session.expiry, 1h);
    EXPECT_EQ(c.queue.messages, 100u);
    EXPECT_EQ(c.queue.overflow, Overflow::drop_oldest);
    EXPECT_EQ(c.backoff.min, 1s);
    EXPECT_EQ(c.backoff.max, 30s);
    EXPECT_EQ(c.first_connect_delay, 0s);
    EXPECT_FALSE(c.user_name || c.password || c.will || c.store || c.work_list);
    EXPECT_EQ(c.handler_failure, tortoise::HandlerFailure::restart);
    const PublishOptions p;
    EXPECT_EQ(p.qos, QoS::at_least_once);
    EXPECT_EQ(p.ttl, 1h);
    EXPECT_FALSE(p.retain);
}

TEST(Options, areHandedOnAsTheyAre) {
    SessionOptions o{.client_id = "door",
                     .server = "mqtts://a:1",
                     .more_servers = {"mqtt://b:2"},
                     .user_name = "u",
                     .password = "p",
                     .initial_topics = {{"a/#", QoS::exactly_once}},
                     .clean_session = false,
                     .session_expiry = 60s,
                     .last_will = tortoise::Will{.topic = "w", .payload = "gone", .retain = true},
                     .work_list = TransientWorkList{{.messages = 7, .bytes = 99, .overflow = Overflow::reject}},
                     .backoff = {.min = 2s, .max = 3s},
                     .first_connect_delay = 4s};
    o.connection.keep_alive = 30s;
    o.connection.version = Version::v3_1_1;
    o.connection.max_in_flight = 5;
    const auto c = of(std::move(o));
    EXPECT_EQ(c.client_id, "door");
    EXPECT_EQ(c.server, "mqtts://a:1");
    EXPECT_THAT(c.more_servers, ElementsAre("mqtt://b:2"));
    EXPECT_EQ(c.user_name, "u");
    EXPECT_EQ(c.password, "p");
    EXPECT_THAT(c.subscriptions, ElementsAre(tortoise::TopicFilter("a/#", QoS::exactly_once)));
    EXPECT_FALSE(c.session.clean_start);
    EXPECT_EQ(c.session.expiry, 60s);
    ASSERT_TRUE(c.will);
    EXPECT_TRUE(c.will->retain);
    EXPECT_EQ(c.queue.messages, 7u);
    EXPECT_EQ(c.queue.bytes, 99u);
    EXPECT_EQ(c.queue.overflow, Overflow::reject);
    EXPECT_EQ(c.backoff.min, 2s);
    EXPECT_EQ(c.first_connect_delay, 4s);
    EXPECT_EQ(c.keep_alive, 30s);
    EXPECT_EQ(c.version, Version::v3_1_1);
    EXPECT_EQ(c.max_in_flight, 5);
}

TEST(Options, ofADurableSessionKeepTheSessionAtTheBrokerToo) {
    const auto memory = Store::memory();
    for (int i = 0; i < 2; ++i) {
        const auto c =
            of(i == 0 ? SessionOptions{.store = memory} : SessionOptions{.work_list = DurableWorkList{memory}});
        EXPECT_TRUE(c.store);
        EXPECT_FALSE(c.session.clean_start);
        EXPECT_EQ(c.session.expiry, 7 * 24h);
        EXPECT_EQ(c.queue.messages, 100u);
    }
    EXPECT_EQ(of({.session_expiry = 1h, .store = memory}).session.expiry, 1h);
}

TEST(Options, thatWouldNotBeHeardAreRefused) {
    const auto refused = [](auto change) {
        SessionOptions o;
        change(o);
        const auto result = connection_options(std::move(o));
        EXPECT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::invalid_option);
        return result.error().text;
    };
    EXPECT_THAT(refused([](auto& o) { o.connection.client_id = "x"; }), HasSubstr("client_id"));
    EXPECT_THAT(refused([](auto& o) { o.connection.server = "mqtt://x"; }), HasSubstr("server"));
    EXPECT_THAT(refused([](auto& o) { o.connection.more_servers = {"x"}; }), HasSubstr("more_servers"));
    EXPECT_THAT(refused([](auto& o) { o.connection.handler = tortoise::make_handler<tortoise::Handler>(); }),
                HasSubstr("handler"));
    EXPECT_THAT(refused([](auto& o) { o.connection.subscriptions = {{"a"}}; }), HasSubstr("initial_topics"));
    EXPECT_THAT(refused([](auto& o) { o.connection.session.clean_start = false; }), HasSubstr("clean_session"));
    EXPECT_THAT(refused([](auto& o) { o.connection.session.expiry = 2s; }), HasSubstr("session_expiry"));
    EXPECT_THAT(refused([](auto& o) { o.connection.user_name = "x"; }), HasSubstr("user_name"));
    EXPECT_THAT(refused([](auto& o) { o.connection.password = "x"; }), HasSubstr("password"));
    EXPECT_THAT(refused([](auto& o) { o.connection.will.emplace(); }), HasSubstr("last_will"));
    EXPECT_THAT(refused([](auto& o) { o.connection.first_connect_delay = 1s; }), HasSubstr("first_connect_delay"));
    EXPECT_THAT(refused([](auto& o) { o.connection.backoff.min = 1s; }), HasSubstr("backoff"));
    EXPECT_THAT(refused([](auto& o) { o.connection.queue.messages = 1; }), HasSubstr("work_list"));
    EXPECT_THAT(refused([](auto& o) { o.connection.store = Store::memory(); }), HasSubstr("store"));
    EXPECT_THAT(refused([](auto& o) { o.work_list = DurableWorkList{}; }), HasSubstr("without a store"));
    EXPECT_THAT(refused([](auto& o) { o.work_list = OwnWorkList{}; }), HasSubstr("make"));
    EXPECT_THAT(refused([](auto& o) {
                    o.store = Store::memory();
                    o.work_list = DurableWorkList{Store::memory()};
                }),
                HasSubstr("another one"));
}

TEST(Options, thatAreRefusedMakeASessionThatSaysSo) {
    Session s({.work_list = DurableWorkList{}});
    EXPECT_EQ(s.connection_status(), ConnectionStatus::offline);
    EXPECT_EQ(s.error().code, Errc::invalid_option);
    EXPECT_EQ(s.online().wait(patience).error().code, Errc::invalid_option);
    EXPECT_EQ(s.publish("a").wait(patience).error().code, Errc::stopped);
    EXPECT_EQ(s.subscribe("a").wait(patience).error().code, Errc::stopped);
    EXPECT_EQ(s.unsubscribe("a").wait(patience).error().code, Errc::stopped);
    EXPECT_TRUE(s.stop().wait(patience));
    Session url({.server = "gopher://x"});
    EXPECT_EQ(url.error().code, Errc::invalid_url);
}

TEST(Errors, ofTheFatalKindDoNotEndAPostOfficeUnlessOptionsAreWrong) {
    const auto classify = of({}).classify;
    using tortoise::Retry;
    EXPECT_EQ(classify(make_error(Reason::unsupported_protocol_version)), Retry::slow);
    EXPECT_EQ(classify(make_error(Reason::bad_authentication_method)), Retry::slow);
    EXPECT_EQ(classify(make_error(Errc::handler_threw)), Retry::slow);
    EXPECT_EQ(classify(make_error(Errc::packet_too_large)), Retry::slow);
    EXPECT_EQ(classify(make_error(Errc::connection_lost)), Retry::retry);
    EXPECT_EQ(classify(make_error(Reason::not_authorized)), Retry::slow);
    EXPECT_EQ(classify(make_error(Errc::invalid_option)), Retry::fatal);
    EXPECT_EQ(classify(make_error(Errc::tls_configuration)), Retry::fatal);
    SessionOptions own;
    own.connection.classify = [](const Error&) noexcept { return Retry::retry; };
    EXPECT_EQ(of(std::move(own)).classify(make_error(Errc::invalid_option)), Retry::retry);
}

// ---- Connections

class Sessions : public BothVersions {};

TEST_P(Sessions, areSeveralInAProgram) {
    Told a, b;
    auto left = options("left", a), right = options("right", b);
    left.initial_topics = {{"to/left", QoS::at_least_once}};
    right.initial_topics = {{"to/right", QoS::at_least_once}};
    Session l(std::move(left)), r(std::move(right));
    ASSERT_TRUE(a.wait_for_filter("to/left"));
    ASSERT_TRUE(b.wait_for_filter("to/right"));
    EXPECT_EQ(l.client_id(), "left");
    EXPECT_EQ(r.client_id(), "right");
    ASSERT_TRUE(l.publish("to/right", "hello").wait(patience));
    ASSERT_TRUE(r.publish("to/left", "hello back").wait(patience));
    EXPECT_TRUE(a.wait_for_messages(1));
    EXPECT_TRUE(b.wait_for_messages(1));
}

TEST_P(Sessions, keepAUserNameWithoutAPassword) {
    tortoise::testing::Broker guarded({.users = {{"device", ""}}});
    auto o = options("a");
    o.server = guarded.url();
    o.user_name = "device";
    Session s(std::move(o));
    // The broker asks for a password that is empty; without the name it would say that nobody is known.
    const auto c = of([&] {
        auto again = options("b");
        again.user_name = "device";
        return again;
    }());
    EXPECT_EQ(c.user_name, "device");
    EXPECT_FALSE(c.password);
}

TEST_P(Sessions, tellWhetherTheyAreOnlineAndWhyNot) {
    Told told;
    Session s(options("a", told));
    ASSERT_TRUE(s.online().wait(patience));
    EXPECT_EQ(s.connection_status(), ConnectionStatus::online);
    EXPECT_EQ(s.online().wait(patience)->client_id, "a");
    broker.stop();
    ASSERT_TRUE(told.wait_for(ConnectionStatus::offline));
    EXPECT_EQ(s.connection_status(), ConnectionStatus::offline);
    EXPECT_TRUE(s.error().code);
    EXPECT_TRUE(told.notes().statuses.back().second.code);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(s.online().wait(patience));
    ASSERT_TRUE(told.wait_for(ConnectionStatus::online, 2));
}

TEST_P(Sessions, reconnectWhenTheNetworkChanged) {
    Told told;
    Session s(options("a", told));
    ASSERT_TRUE(told.wait_for(ConnectionStatus::online));
    s.reconnect();
    ASSERT_TRUE(told.wait_for(ConnectionStatus::online, 2));
    ASSERT_TRUE(s.publish("a", "1").wait(patience));
}

TEST_P(Sessions, reconnectAtOnceWhileTheyWait) {
    broker.stop();
    Told told;
    auto o = options("a", told);
    o.backoff = {.min = 1h, .max = 1h};
    Session s(std::move(o));
    ASSERT_TRUE(told.wait_for(ConnectionStatus::offline));
    ASSERT_TRUE(broker.start());
    s.reconnect();
    EXPECT_TRUE(s.online().wait(patience));
}

TEST_P(Sessions, subscribeAndUnsubscribeAtAnyTime) {
    broker.stop();
    Told told;
    auto o = options("a", told);
    o.initial_topics = {{"first", QoS::at_least_once}};
    Session s(std::move(o));
    auto offline = s.subscribe({"second", QoS::exactly_once});
    EXPECT_THAT(s.subscriptions(), ElementsAre(tortoise::TopicFilter("first", QoS::at_least_once),
                                               tortoise::TopicFilter("second", QoS::exactly_once)));
    ASSERT_TRUE(broker.start());
    const auto grant = offline.wait(patience);
    ASSERT_TRUE(grant) << grant.error().describe();
    EXPECT_EQ(grant->granted, QoS::exactly_once);
    ASSERT_TRUE(s.publish("second", "1").wait(patience));
    ASSERT_TRUE(told.wait_for_messages(1));
    ASSERT_TRUE(s.unsubscribe("second").wait(patience));
    EXPECT_THAT(s.subscriptions(), ElementsAre(tortoise::TopicFilter("first", QoS::at_least_once)));
    ASSERT_TRUE(told.wait_for_filter("second", FilterStatus::Kind::down));
    ASSERT_TRUE(s.publish("second", "2").wait(patience));
    ASSERT_TRUE(s.publish("first", "3").wait(patience));
    ASSERT_TRUE(told.wait_for_messages(2));
    EXPECT_THAT(told.notes().payloads(), ElementsAre("1", "3"));
}

TEST_P(Sessions, subscribeAgainAfterTheBrokerForgotThem) {
    Told told;
    const auto s = listener(told, {"a", QoS::at_least_once});
    broker.stop();
    broker.forget_sessions();
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(told.wait([](const Notes& n) { return n.times("a", FilterStatus::Kind::up) == 2; }));
    Session sender(options("sender"));
    ASSERT_TRUE(sender.publish("a", "1").wait(patience));
    EXPECT_TRUE(told.wait_for_messages(1));
}

TEST_P(Sessions, tellOfARefusedFilterAndGoOn) {
    tortoise::testing::Broker strict({.deny_subscribe = {"secret/#"}});
    Told told;
    auto o = options("a", told);
    o.server = strict.url();
    o.initial_topics = {{"secret/x"}, {"open", QoS::at_least_once}};
    Session s(std::move(o));
    ASSERT_TRUE(told.wait_for_filter("secret/x", FilterStatus::Kind::refused));
    ASSERT_TRUE(told.wait_for_filter("open"));
    EXPECT_FALSE(s.subscribe("secret/y").wait(patience));
    EXPECT_EQ(s.connection_status(), ConnectionStatus::online);
}

TEST_P(Sessions, leaveTheWillOfTheHandlerOrOfTheOptions) {
    for (const bool own : {true, false}) {
        SCOPED_TRACE(own);
        Told watching;
        auto watcher = options(own ? "watcher 1" : "watcher 2", watching); // the first may be owed its will once more
        watcher.clean_session = false; // it is cut off too, and the broker keeps the will for it
        watcher.initial_topics = {{"wills", QoS::at_least_once}};
        const Session watches(std::move(watcher));
        ASSERT_TRUE(watching.wait_for_filter("wills"));
        Told dying{Doing{.last_will = [own]() -> std::optional<tortoise::Will> {
            if (!own) return std::nullopt;
            return tortoise::Will{.topic = "wills", .payload = "handler's", .qos = QoS::at_least_once};
        }}};
        auto o = options("mortal", dying);
        o.last_will = tortoise::Will{.topic = "wills", .payload = "options'", .qos = QoS::at_least_once};
        Session s(std::move(o));
        ASSERT_TRUE(s.online().wait(patience));
        broker.drop_connections();
        ASSERT_TRUE(watching.wait_for_messages(1));
        EXPECT_EQ(watching.notes().messages[0].payload, own ? "handler's" : "options'");
    }
}

TEST_P(Sessions, stopAfterWhatWaits) {
    Told told;
    const auto s = listener(told, {"n", QoS::at_least_once});
    broker.stop();
    Session sender(options("sender"));
    std::vector<tortoise::Delivery> sent;
    for (int i = 0; i < 20; ++i) sent.push_back(sender.publish("n", std::to_string(i)));
    auto stopped = sender.stop(patience);
    ASSERT_TRUE(broker.start());
    ASSERT_TRUE(stopped.wait(patience));
    for (const auto& d : sent) EXPECT_TRUE(d.wait(patience));
    EXPECT_EQ(sender.publish("n").wait(patience).error().code, Errc::stopped);
    EXPECT_EQ(sender.online().wait(patience).error().code, Errc::stopped);
}

TEST_P(Sessions, endWithTheirLastCopy) {
    Told told;
    std::optional<Session> first(std::in_place, options("a", told));
    auto second = *first;
    ASSERT_TRUE(second.online().wait(patience));
    first.reset();
    EXPECT_EQ(second.connection_status(), ConnectionStatus::online);
    const auto open = [&] {
        const auto last = std::move(second);
        broker.stop();
        return last.connection_status();
    };
    static_cast<void>(open());
    ASSERT_TRUE(told.wait(
        [](const Notes& n) { return !n.statuses.empty() && n.statuses.back().second.code == Errc::stopped; }));
}

TEST_P(Sessions, countTheirWork) {
    broker.stop();
    Session s(options("a"));
    std::vector<tortoise::Delivery> sent;
    for (int i = 0; i < 5; ++i) sent.push_back(s.publish("a", "x"));
    while (s.work().waiting < 5) std::this_thread::yield();
    ASSERT_TRUE(broker.start());
    for (const auto& d : sent) ASSERT_TRUE(d.wait(patience));
    while (s.work().waiting + s.work().in_flight > 0) std::this_thread::yield();
    EXPECT_EQ(s.statistics().delivered, 5u);
}

JACKALOPE_BOTH_VERSIONS(Sessions);

TEST(DefaultHandler, logsErrorsWithoutPayloads) {
    tortoise::testing::Broker broker({.deny_publish = {"denied"}});
    ::testing::internal::CaptureStderr();
    {
        Session s({.client_id = "logging", .server = broker.url()});
        EXPECT_FALSE(s.publish("denied", "the secret").wait(patience));
    }
    const auto log = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(log, HasSubstr("jackalope 'logging': 'denied' not delivered: not authorized"));
    EXPECT_THAT(log, ::testing::Not(HasSubstr("the secret")));
}

} // namespace
} // namespace jackalope::test
