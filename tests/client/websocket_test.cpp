// WebSocket as users see it: ws:// and wss:// servers, headers, and why it does not work.
#include "support/certificates.hpp"
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include <tortoise/testing/proxy.hpp>
#include <tortoise/testing/script.hpp>

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Way {
    Version version;
    bool secured;
};

class OverWebSocket : public ::testing::TestWithParam<Way> {
protected:
    testing::BrokerOptions broker_options() const {
        testing::BrokerOptions o{.websocket = true};
        if (GetParam().secured) o.tls = tls();
        return o;
    }
    testing::BrokerTls tls() const { return {.certificate = identity.certificate(), .key = identity.key()}; }
    ConnectionOptions options(const std::string& url) const {
        auto o = options_for(url, GetParam().version, recorder);
        o.tls.ca_certificates = {authority.certificate()};
        return o;
    }
    Authority authority;
    Identity identity = authority.issue();
    Recorder recorder;
};
INSTANTIATE_TEST_SUITE_P(, OverWebSocket,
                         ::testing::Values(Way{Version::v3_1_1, false}, Way{Version::v5, false},
                                           Way{Version::v3_1_1, true}, Way{Version::v5, true}),
                         [](const auto& test) {
                             return std::string(test.param.version == Version::v5 ? "v5" : "v3_1_1") +
                                    (test.param.secured ? "_wss" : "_ws");
                         });

/// [MQTT-6.0.0-2]
TEST_P(OverWebSocket, MessagesOfAnySizeAreCarried) {
    testing::Broker broker(broker_options());
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
    EXPECT_THAT(broker.url(), StartsWith(GetParam().secured ? "wss://127.0.0.1:" : "ws://127.0.0.1:"));
    auto o = options(broker.url());
    o.subscriptions = {{"a", QoS::exactly_once}};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    const std::string large(3'000'000, 'x');
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once})
        for (const auto& payload : {std::string(), std::string("small"), large})
            EXPECT_TRUE(c.publish("a", payload, {.qos = qos}).wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(9));
    for (std::size_t i = 2; i < 9; i += 3) EXPECT_TRUE(recorder.seen().messages[i].payload == large);
    EXPECT_TRUE(c.ping().wait(patience));
    EXPECT_TRUE(c.stop().wait(patience));
}

TEST_P(OverWebSocket, TheConnectionComesBack) {
    testing::Broker broker(broker_options());
    Connection c(options(broker.url()));
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    broker.drop_connections();
    EXPECT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_TRUE(c.publish("a", "x", {.qos = QoS::exactly_once}).wait(patience));
}

TEST_P(OverWebSocket, ManyMessagesInFlightArrive) {
    testing::Broker broker(broker_options());
    auto o = options(broker.url());
    o.subscriptions = {{"a", QoS::at_least_once}};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    std::vector<Delivery> deliveries;
    for (int i = 0; i < 5000; ++i) deliveries.push_back(c.publish("a", std::to_string(i), {.qos = QoS::at_least_once}));
    for (auto& delivery : deliveries) ASSERT_TRUE(delivery.wait(patience));
    ASSERT_TRUE(recorder.wait_for_messages(5000));
    EXPECT_EQ(recorder.seen().messages[4999].payload, "4999");
}

TEST_P(OverWebSocket, FaultsOfTheTestBrokerAreSurvived) {
    auto o = broker_options();
    o.faults = testing::Faults({"drop PUBACK nth=1", "cut PUBLISH nth=2"});
    testing::Broker broker(o);
    Connection c(options(broker.url()));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(c.publish("a", "x", {.qos = QoS::exactly_once}).wait(patience));
}

TEST_P(OverWebSocket, AScriptAndAProxyTakeIt) {
    testing::ScriptOptions script_options{.websocket = true};
    if (GetParam().secured) script_options.tls = tls();
    testing::Script script(script_options);
    script.expect_connect().send(core::Connack{});
    testing::ProxyOptions proxy_options{.to = script.url(), .websocket = true};
    if (GetParam().secured) {
        proxy_options.tls = tls();
        proxy_options.to_tls.ca_certificates = {authority.certificate()};
    }
    const testing::Proxy proxy(proxy_options);
    ASSERT_TRUE(proxy.ok()) << proxy.ok().error().describe();
    Connection c(options(proxy.url()));
    EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
}

class WebSocketTrouble : public BothVersions {
protected:
    Error first_failure(ConnectionOptions o) {
        Connection c(std::move(o));
        EXPECT_TRUE(recorder.wait_for(Status::down, 1));
        return recorder.seen().statuses.at(0).reason;
    }
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(WebSocketTrouble);

TEST_P(WebSocketTrouble, IsToldInTheServersWords) {
    PlainServer server(PlainServer::Manner::answers, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    auto o = options(recorder, "ws://" + server.name() + "/in?token=sesame");
    o.websocket.headers = {{"Authorization", "Bearer open-sesame"}};
    const auto error = first_failure(o);
    EXPECT_EQ(error.code, Errc::websocket_refused);
    EXPECT_EQ(error.text, "ws://" + server.name() + "/in: the server answered 403 Forbidden to GET /in for WebSocket");
    EXPECT_EQ(classify(error), Retry::slow);
    EXPECT_THAT(server.heard(), StartsWith("GET /in?token=sesame HTTP/1.1\r\nHost: " + server.name() + "\r\n"));
    EXPECT_THAT(server.heard(), HasSubstr("\r\nAuthorization: Bearer open-sesame\r\n"));
}

TEST_P(WebSocketTrouble, ThatPassesIsTriedAgain) {
    PlainServer server(PlainServer::Manner::answers, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    const Connection c(options(recorder, "ws://" + server.name()));
    ASSERT_TRUE(recorder.wait_for(Status::down, 2));
    const auto error = recorder.seen().statuses.at(0).reason;
    EXPECT_EQ(classify(error), Retry::retry);
    EXPECT_THAT(error.text, HasSubstr("answered 503 Busy to GET /mqtt"));
}

TEST_P(WebSocketTrouble, IsAServerThatClosesOrSaysNothing) {
    PlainServer closing(PlainServer::Manner::closes_at_once);
    EXPECT_EQ(first_failure(options(recorder, "ws://" + closing.name())).code, Errc::connection_lost);
    Listening silent;
    Recorder other;
    auto o = options(other, "ws://" + silent.name());
    o.connect_timeout = 20ms;
    Connection c(o);
    EXPECT_TRUE(other.wait_for(Status::down, 1));
    EXPECT_EQ(other.seen().statuses.at(0).reason.code, Errc::connect_timeout);
}

TEST_P(WebSocketTrouble, IsABrokerOfPlainMqtt) {
    testing::Broker broker;
    const auto error = first_failure(options(recorder, "ws://127.0.0.1:" + std::to_string(broker.port())));
    EXPECT_EQ(error.code, Errc::connection_lost);
}

TEST_P(WebSocketTrouble, IsAClientOfPlainMqtt) {
    testing::Broker broker({.websocket = true});
    const auto error = first_failure(options(recorder, "mqtt://127.0.0.1:" + std::to_string(broker.port())));
    EXPECT_EQ(error.code, Errc::not_mqtt);
    EXPECT_THAT(error.text, HasSubstr("it began with \"HTTP/1.1 400 Bad\""));
}

TEST_P(WebSocketTrouble, OfOptionsStopsFromTheStart) {
    const auto stopped = [&](auto change) {
        auto o = options(recorder, "ws://127.0.0.1:1");
        change(o);
        Connection c(o);
        EXPECT_EQ(c.status(), Status::stopped);
        EXPECT_EQ(c.error().code, Errc::invalid_option);
        EXPECT_THAT(c.error().text, Not(HasSubstr("sesame")));
        return c.error().text;
    };
    EXPECT_THAT(stopped([](auto& o) {
                    o.websocket.headers = {{"X", "sesame\n"}};
                }),
                HasSubstr("websocket.headers: the value"));
    EXPECT_THAT(stopped([](auto& o) { o.proxy = "ftp://u:sesame@p"; }), HasSubstr("proxy 'ftp://…@p' has a scheme"));
    EXPECT_THAT(stopped([](auto& o) {
                    o.proxy = "http://p";
                    o.transport = [] { return nullptr; };
                }),
                HasSubstr("proxy and transport are both set"));
}

TEST(WebSocketPlace, IsNoUnixSocket) {
    const auto why = testing::Broker({.unix_path = "/tmp/x", .websocket = true}).ok();
    ASSERT_FALSE(why);
    EXPECT_EQ(why.error().text, "websocket and unix_path exclude each other");
}

} // namespace
} // namespace tortoise::test
