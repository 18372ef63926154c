// WebSocket with ejabberd, and the way through real proxies: tinyproxy (HTTP's CONNECT) and microsocks (SOCKS 5).

#include "interop/brokers.hpp"
#include "interop/collector.hpp"
#include "interop/proxies.hpp"
#include "support/certificates.hpp"
#include "support/recorder.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/testing/broker.hpp>

namespace {

using namespace std::chrono_literals;
using test::patience;
using ::testing::HasSubstr;
using ::testing::Not;
using tortoise::Connection;
using tortoise::ConnectionOptions;
using tortoise::Errc;
using tortoise::QoS;
using tortoise::Version;

/// Publishes to itself at each QoS, small and large, and reads it all.
void expect_carried(ConnectionOptions o) {
    test::Inbox inbox;
    o.backoff = {.min = 10ms, .max = 100ms};
    o.handler = [&inbox] { return std::make_unique<test::Collector>(&inbox); };
    o.subscriptions = {{"way/#", QoS::exactly_once}};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    const std::string large(300'000, 'x');
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
        ASSERT_TRUE(c.publish("way/small", "small", {.qos = qos}).wait(patience));
        ASSERT_TRUE(c.publish("way/large", large, {.qos = qos}).wait(patience));
    }
    const auto messages = inbox.wait_for(6);
    ASSERT_EQ(messages.size(), 6u);
    for (const auto& message : messages)
        EXPECT_TRUE(message.payload == (message.topic == "way/large" ? large : "small"));
    EXPECT_TRUE(c.stop().wait(patience));
}

class WebSocketWithEjabberd : public ::testing::TestWithParam<Version> {};
INSTANTIATE_TEST_SUITE_P(, WebSocketWithEjabberd, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& test) { return test.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(WebSocketWithEjabberd, IsSpokenByTheLibraryAndTheCommand) {
    const test::Ejabberd broker;
    expect_carried({.server = broker.websocket_url(), .version = GetParam(), .user_name = "u", .password = "p"});

    const std::string version = GetParam() == Version::v5 ? "5" : "311";
    const test::Words common{"-L", broker.websocket_url(), "-V", version, "-u", "u", "-P", "p"};
    const auto published = test::run(test::Words{TORTOISE_PROGRAM, "pub"} + common +
                                     test::Words{"-t", "kept", "-m", "x", "-r", "-q", "1"});
    EXPECT_EQ(published.code, 0) << published.err;
    const auto received =
        test::run(test::Words{TORTOISE_PROGRAM, "sub"} + common + test::Words{"-t", "kept", "-C", "1"});
    EXPECT_EQ(received.code, 0) << received.err;
    EXPECT_EQ(received.out, "x\n");

    const auto wrong = test::run(test::Words{TORTOISE_PROGRAM, "pub"} +
                                 test::Words{"-L", broker.websocket_url("/wrong"), "-t", "a", "-m", "x"});
    EXPECT_EQ(wrong.code, 3) << wrong.err;
    EXPECT_THAT(wrong.err, HasSubstr("answered 404 Not Found to GET /wrong"));
}

class ThroughProxies : public ::testing::Test {
protected:
    std::string proxy(const char* scheme, std::uint16_t port, const std::string& user = "ann:sesame@") const {
        return scheme + std::string("://") + user + "127.0.0.1:" + std::to_string(port);
    }
    /// Plain, secured, and both over WebSocket.
    void expect_ways(const std::string& proxy) const {
        for (const bool secured : {false, true})
            for (const bool websocket : {false, true}) {
                tortoise::testing::BrokerOptions broker_options{.websocket = websocket};
                if (secured)
                    broker_options.tls =
                        tortoise::testing::BrokerTls{.certificate = identity_.certificate(), .key = identity_.key()};
                const tortoise::testing::Broker broker(broker_options);
                ConnectionOptions o{.server = broker.url(), .proxy = proxy};
                o.tls.ca_certificates = {authority_.certificate()};
                expect_carried(o);
            }
    }
    tortoise::Error failure(ConnectionOptions o) const {
        const tortoise::test::Recorder recorder;
        o.handler = recorder.factory();
        const Connection c(o);
        EXPECT_TRUE(recorder.wait_for(tortoise::Status::down, 1));
        const auto error = recorder.seen().statuses.at(0).reason;
        EXPECT_THAT(error.text, Not(HasSubstr("sesame")));
        return error;
    }

    const tortoise::test::Authority authority_;
    const tortoise::test::Identity identity_ = authority_.issue();
};

TEST_F(ThroughProxies, OfHttp) {
    const test::Tinyproxy http("ann", "sesame");
    expect_ways(proxy("http", http.port()));
    const tortoise::testing::Broker broker;
    const auto refused = failure({.server = broker.url(), .proxy = proxy("http", http.port(), "")});
    EXPECT_EQ(refused.code, Errc::proxy_refused);
    EXPECT_THAT(refused.text, HasSubstr("answered 407"));
    const auto nobody = "mqtt://127.0.0.1:" + std::to_string(test::free_port());
    EXPECT_THAT(failure({.server = nobody, .proxy = proxy("http", http.port())}).text,
                HasSubstr("the proxy answered 50"));
}

TEST_F(ThroughProxies, OfSocks) {
    const test::Microsocks socks("ann", "sesame");
    expect_ways(proxy("socks5", socks.port()));
    const tortoise::testing::Broker broker;
    const auto refused = failure({.server = broker.url(), .proxy = proxy("socks5", socks.port(), "")});
    EXPECT_EQ(refused.code, Errc::proxy_refused);
    EXPECT_THAT(refused.text, HasSubstr("wants to know who we are"));
    const auto nobody = "mqtt://127.0.0.1:" + std::to_string(test::free_port());
    EXPECT_EQ(failure({.server = nobody, .proxy = proxy("socks5", socks.port())}).code, std::errc::connection_refused);
}

TEST_F(ThroughProxies, ThatAreNotThereNothingGoes) {
    const tortoise::testing::Broker broker;
    const auto port = test::free_port();
    const auto error = failure({.server = broker.url(), .proxy = proxy("socks5", port)});
    EXPECT_EQ(error.code, std::errc::connection_refused);
    EXPECT_THAT(error.text, HasSubstr("127.0.0.1:" + std::to_string(port)));
}

TEST_F(ThroughProxies, TheCommandGoesToo) {
    const test::Microsocks socks("ann", "sesame");
    const tortoise::testing::Broker broker;
    const test::Words common{"-p", std::to_string(broker.port()), "-h", "127.0.0.1", "-t", "a", "-m", "x", "-q", "1"};
    const auto ended =
        test::run(test::Words{TORTOISE_PROGRAM, "pub", "--proxy", proxy("socks5h", socks.port())} + common);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(broker.statistics().publishes_received, 1u);
    const auto refused = test::run(
        test::Words{TORTOISE_PROGRAM, "pub", "--proxy", proxy("socks5", socks.port(), "ann:wrong@")} + common);
    EXPECT_EQ(refused.code, 3) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("not through the proxy: socks5://127.0.0.1:" + std::to_string(socks.port())));
}

} // namespace
