// What goes wrong, and what it is called then.
#include "support/options.hpp"
#include "support/plain_server.hpp"

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;

struct Misfit {
    const char* name;
    std::function<void(ConnectionOptions&)> change;
    std::error_code code;
    const char* text;
};

class WrongOptions : public ::testing::TestWithParam<Misfit> {};

TEST_P(WrongOptions, stopTheConnectionFromTheStartAndSayWhy) {
    Recorder recorder;
    auto o = options_for("mqtt://127.0.0.1:1", Version::v5, recorder);
    GetParam().change(o);
    Connection c{std::move(o)};
    EXPECT_EQ(c.status(), Status::stopped);
    EXPECT_EQ(c.error().code, GetParam().code);
    EXPECT_THAT(c.error().text, HasSubstr(GetParam().text));

    const auto delivery = c.publish("a", "b");
    ASSERT_TRUE(delivery.done());
    EXPECT_EQ(delivery.peek()->error().code, Errc::stopped);
    EXPECT_THAT(delivery.peek()->error().text, HasSubstr(GetParam().text));
    EXPECT_EQ(c.subscribe("a").peek()->error().code, Errc::stopped);
    EXPECT_EQ(c.unsubscribe("a").peek()->error().code, Errc::stopped);
    EXPECT_EQ(c.ping().peek()->error().code, Errc::stopped);
    EXPECT_EQ(c.ready().peek()->error().code, GetParam().code);
    EXPECT_TRUE(*c.stop().peek());
    c.reconnect();
    EXPECT_TRUE(recorder.seen().calls.empty());
}

INSTANTIATE_TEST_SUITE_P(
    , WrongOptions,
    ::testing::Values(
        Misfit{"scheme", [](auto& o) { o.server = "http://host"; }, Errc::invalid_url, "scheme 'http' is not supported"},
        Misfit{"port", [](auto& o) { o.server = "mqtt://host:70000"; }, Errc::invalid_url, "port '70000'"},
        Misfit{"secondUrl", [](auto& o) { o.more_servers = {"host"}; }, Errc::invalid_url, "'host' has no scheme"},
        Misfit{"keepAliveFraction", [](auto& o) { o.keep_alive = 1500ms; }, Errc::invalid_option,
               "keep_alive is 1500 ms"},
        Misfit{"keepAliveRange", [](auto& o) { o.keep_alive = 65536s; }, Errc::invalid_option, "keep_alive is 65536 s"},
        Misfit{"connectTimeout", [](auto& o) { o.connect_timeout = 0s; }, Errc::invalid_option,
               "connect_timeout is 0 s"},
        Misfit{"backoff", [](auto& o) { o.backoff = {.min = 2s, .max = 1s}; }, Errc::invalid_option,
               "backoff.max is 1 s"},
        Misfit{"clientId", [](auto& o) { o.client_id = "\xff"; }, Errc::invalid_option, "client_id is not UTF-8"},
        Misfit{"userName", [](auto& o) { o.user_name = std::string(1, '\0'); }, Errc::invalid_option, "user_name"},
        Misfit{"password",
               [](auto& o) {
                   o.version = Version::v3_1_1;
                   o.password = "x";
               },
               Errc::invalid_option, "password without user_name"}, // [MQTT3-3.1.2-22]
        Misfit{"will", [](auto& o) { o.will = Will{.topic = "a/#"}; }, Errc::invalid_topic, "will: "},
        Misfit{"filter", [](auto& o) { o.subscriptions = {{"a#"}}; }, Errc::invalid_filter, ""},
        Misfit{"filterQos",
               [](auto& o) {
                   o.subscriptions = {{"a", QoS(3)}};
               },
               Errc::invalid_qos, "QoS of 'a' is 3"},
        Misfit{"receiveMaximum", [](auto& o) { o.receive_maximum = 0; }, Errc::invalid_option, "receive_maximum is 0"},
        Misfit{"classify", [](auto& o) { o.classify = nullptr; }, Errc::invalid_option, "classify"},
        Misfit{"version", [](auto& o) { o.version = Version(3); }, Errc::invalid_option, "version is 3"}),
    [](const auto& test) { return std::string(test.param.name); });

class Failing : public BothVersions {
protected:
    Recorder recorder;
    /// The error of the first attempt to connect.
    Error first_failure(ConnectionOptions o) {
        o.backoff = {.min = 1h, .max = 1h}; // one is enough
        Connection c{std::move(o)};
        EXPECT_TRUE(recorder.wait_for(Status::down));
        return recorder.seen().statuses.back().reason;
    }
    Error first_failure(const std::string& url) { return first_failure(options(recorder, url)); }
};

TEST_P(Failing, becauseNobodyListens) {
    const auto error = first_failure("mqtt://127.0.0.1:1");
    EXPECT_EQ(error.code, std::errc::connection_refused);
    EXPECT_EQ(error.text, "connection refused by 127.0.0.1:1");
}

TEST_P(Failing, becauseTheHostIsUnknown) {
    const auto error = first_failure("mqtt://no-such-host.invalid");
    EXPECT_EQ(error.code, Errc::host_not_found);
    EXPECT_THAT(error.text, HasSubstr("'no-such-host.invalid'"));
}

TEST_P(Failing, becauseThePasswordIsWrong) {
    testing::Broker broker{{.users = {{"ann", "right"}}}};
    auto o = options(recorder, broker.url());
    o.user_name = "ann";
    o.password = "open sesame";
    const auto error = first_failure(std::move(o));
    EXPECT_EQ(error.code, Reason::bad_user_name_or_password);
    EXPECT_THAT(error.describe(), ::testing::Not(HasSubstr("sesame")));
}

TEST_P(Failing, becauseTheServerSpeaksHttp) {
    PlainServer server(PlainServer::Manner::answers, "HTTP/1.1 400 Bad Request\r\n\r\n");
    const auto error = first_failure(server.url());
    EXPECT_EQ(error.code, Errc::not_mqtt);
    EXPECT_EQ(error.text, server.name() + " does not speak MQTT: it began with \"HTTP/1.1 400 Bad\"");
}

TEST_P(Failing, becauseTheServerClosesAtOnce) {
    PlainServer server(PlainServer::Manner::closes_at_once);
    const auto error = first_failure(server.url());
    EXPECT_EQ(error.code, Errc::connection_lost);
    EXPECT_THAT(error.text, HasSubstr(server.name()));
}

TEST_P(Failing, becauseTheServerSaysNothing) {
    Listening server;
    auto o = options(recorder, server.url());
    o.connect_timeout = 20ms;
    const auto error = first_failure(std::move(o));
    EXPECT_EQ(error.code, Errc::connect_timeout);
    EXPECT_THAT(error.text, HasSubstr(server.name()));
}

TEST_P(Failing, becauseNothingComesBackAtAll) {
    BlackHole server;
    auto o = options(recorder, server.url());
    o.connect_timeout = 20ms;
    EXPECT_EQ(first_failure(std::move(o)).code, Errc::connect_timeout);
}

TEST_P(Failing, toConnectInTimeIsExplainedByTheLastAttempt) {
    Connection refused{options(recorder, "mqtt://127.0.0.1:1")};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(refused.wait_until_up(1ms).error().code, std::errc::connection_refused);
    Listening silent;
    Connection waiting{options(recorder, silent.url())};
    EXPECT_EQ(waiting.wait_until_up(1ms).error().code, Errc::timeout);
}

TEST_P(Failing, ifTheErrorIsFatalStopsTheConnection) {
    auto o = options(recorder, "mqtt://127.0.0.1:1");
    o.classify = [](const Error&) noexcept { return Retry::fatal; };
    Connection c{std::move(o)};
    EXPECT_EQ(c.ready().wait(patience).error().code, std::errc::connection_refused);
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(recorder.seen().terminated[0].code, std::errc::connection_refused);
    EXPECT_EQ(c.status(), Status::stopped);
    EXPECT_THAT(c.publish("a").peek()->error().text, HasSubstr("refused by 127.0.0.1:1"));
}

TEST_P(Failing, toPublishSaysWhy) {
    testing::Broker broker{{.deny_publish = {"secret/#"}, .maximum_packet_size = 1000}};
    Connection c{options(recorder, broker.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    const auto error_of = [&](std::string_view topic, Octets payload, PublishOptions o) {
        return c.publish(topic, payload, std::move(o)).wait(patience).error();
    };
    EXPECT_EQ(error_of("", "", {}).code, Errc::invalid_topic);
    EXPECT_EQ(error_of("a/+", "", {}).code, Errc::invalid_topic);
    EXPECT_EQ(error_of("a", "", {.qos = QoS(3)}).code, Errc::invalid_qos);
    EXPECT_THAT(error_of("a", "", {.qos = QoS(3)}).text, HasSubstr("QoS is 3; allowed: 0, 1, 2"));
    if (version() == Version::v3_1_1) {
        Properties properties;
        properties.set(property::content_type, "text");
        EXPECT_EQ(error_of("a", "", {.qos = QoS::at_least_once, .properties = properties}).code, Errc::not_supported);
        return; // there the broker cannot say the rest
    }
    const auto too_large = error_of("a", std::string(2000, 'x'), {.qos = QoS::at_least_once});
    EXPECT_EQ(too_large.code, Errc::packet_too_large);
    EXPECT_THAT(too_large.text, HasSubstr("1000"));
    EXPECT_EQ(error_of("secret/a", "", {.qos = QoS::at_least_once}).code, Reason::not_authorized);
    EXPECT_EQ(error_of("secret/a", "", {.qos = QoS::exactly_once}).code, Reason::not_authorized);
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.undelivered.size() == 3; }));
    // At QoS 0 the handler is the one that is told.
    EXPECT_TRUE(c.publish("a", std::string(2000, 'x')).done());
    EXPECT_TRUE(recorder.wait([](const Seen& s) { return s.undelivered.size() == 4; }));
}

TEST_P(Failing, becauseAStringIsLongerThanMqttAllows) {
    testing::Broker broker;
    const std::string longest(65'535, 'x'), too_long(65'536, 'x');
    Connection c{options(recorder, broker.url())};
    EXPECT_TRUE(c.publish(longest, "", {.qos = QoS::at_least_once}).wait(patience));
    EXPECT_EQ(c.publish(too_long, "", {.qos = QoS::at_least_once}).wait(patience).error().code, Errc::invalid_topic);
    EXPECT_EQ(c.subscribe(too_long).wait(patience).error().code, Errc::invalid_filter);
    EXPECT_EQ(c.unsubscribe(too_long).wait(patience).error().code, Errc::invalid_filter);
    const auto refused = [&](auto change) {
        auto o = options(recorder, broker.url());
        change(o);
        return Connection{std::move(o)}.status() == Status::stopped;
    };
    EXPECT_TRUE(refused([&](auto& o) { o.client_id = too_long; }));
    EXPECT_TRUE(refused([&](auto& o) { o.user_name = too_long; }));
    EXPECT_TRUE(refused([&](auto& o) { o.user_name = "x", o.password = too_long; }));
    EXPECT_TRUE(refused([&](auto& o) { o.will = Will{.topic = too_long}; }));
    EXPECT_TRUE(refused([&](auto& o) { o.will = Will{.topic = "w", .payload = too_long}; }));
    EXPECT_EQ(recorder.seen().count(Status::down), 0u) << "nothing of it was sent";
}

TEST_P(Failing, toSubscribeSaysWhy) {
    testing::Broker broker;
    Connection c{options(recorder, broker.url())};
    EXPECT_EQ(c.subscribe("a/#/b").wait(patience).error().code, Errc::invalid_filter);
    EXPECT_EQ(c.subscribe({"a", QoS(3)}).wait(patience).error().code, Errc::invalid_qos);
    EXPECT_EQ(c.unsubscribe("#a").wait(patience).error().code, Errc::invalid_filter);
    if (version() == Version::v3_1_1) {
        EXPECT_EQ(c.subscribe({"a", {.no_local = true}}).wait(patience).error().code, Errc::not_supported);
    }
}

TORTOISE_BOTH_VERSIONS(Failing);

} // namespace
} // namespace tortoise::test
