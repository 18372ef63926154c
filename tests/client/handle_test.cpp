// What a handle tells about its connection; the logger.
#include "support/options.hpp"

namespace tortoise::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Connection, makesUpAClientIdentifier) {
    testing::Broker broker;
    Recorder recorder;
    Connection a{options_for(broker.url(), Version::v5, recorder)}, b{options_for(broker.url(), Version::v5, recorder)};
    EXPECT_THAT(a.client_id(), StartsWith("tortoise-"));
    EXPECT_EQ(a.client_id().size(), std::string("tortoise-").size() + 12);
    EXPECT_NE(a.client_id(), b.client_id());
    auto info = a.wait_until_up(patience);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->client_id, a.client_id());
    EXPECT_EQ(info->version, Version::v5);
    EXPECT_EQ(a.status(), Status::up);
    EXPECT_EQ(a.error().code, std::error_code());
}

TEST(Connection, withoutAHandlerIsFine) {
    testing::Broker broker;
    Connection c{{.server = broker.url()}};
    ASSERT_TRUE(c.ready().wait(patience));
    std::atomic<int> got{0};
    auto count = [&](Connection&, const MessageView& m) { got += std::stoi(std::string(m.text())); };
    ASSERT_TRUE(c.subscribe("n", count).wait(patience));
    ASSERT_TRUE(c.publish("n", "7", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_EQ(got, 7);
}

TEST(Connection, obeysTheKeepAliveOfTheServer) {
    testing::Broker broker{{.server_keep_alive = std::chrono::seconds(7)}};
    Recorder recorder;
    Connection c{options_for(broker.url(), Version::v5, recorder)};
    EXPECT_EQ(c.wait_until_up(patience)->keep_alive, Duration(7s));
}

struct Lines {
    std::mutex mutex;
    std::vector<std::string> lines;
};

TEST(LoggerHandler, writesALineForEachEventAndPayloadsOnlyOnRequest) {
    testing::Broker broker{{.deny_subscribe = {"secret"}}};
    for (const bool payloads : {false, true}) {
        Lines log;
        auto o = options_for(broker.url(), Version::v5, Recorder());
        o.client_id = "home";
        o.subscriptions = {{"t", QoS::exactly_once}, {"secret"}};
        o.handler = HandlerFactory([&log, payloads] {
            return std::make_unique<LoggerHandler>(
                LoggerOptions{.payloads = payloads, .write = [&log](std::string_view l) {
                                  std::lock_guard lock(log.mutex);
                                  log.lines.emplace_back(l);
                              }});
        });
        {
            Connection c{std::move(o)};
            ASSERT_TRUE(c.subscribe("other").wait(patience));
            ASSERT_TRUE(c.publish("t", "s3cret", {.qos = QoS::exactly_once}).wait(patience));
            EXPECT_FALSE(c.publish("t", "s3cret", {.qos = QoS::at_least_once, .ttl = 0s}).wait(patience));
            ASSERT_TRUE(c.ping().wait(patience));
            ASSERT_TRUE(c.unsubscribe("t").wait(patience));
        }
        std::lock_guard lock(log.mutex);
        const auto& lines = log.lines;
        EXPECT_EQ(lines.front(), "home: starts");
        EXPECT_THAT(lines, Contains("home: up, MQTT 5, new session"));
        EXPECT_THAT(lines, Contains("home: subscription \"t\" granted QoS 2"));
        EXPECT_THAT(lines, Contains(StartsWith("home: subscription \"secret\" refused: not authorized")));
        EXPECT_THAT(lines, Contains(StartsWith("home: message \"t\" QoS 2, 6 bytes")));
        EXPECT_THAT(lines, Contains(StartsWith("home: undelivered \"t\" QoS 1, 6 bytes")));
        EXPECT_THAT(lines, Contains("home: subscription \"t\" ended"));
        EXPECT_THAT(lines.back(), StartsWith("home: ends: "));
        if (payloads)
            EXPECT_THAT(lines, Contains(HasSubstr("s3cret")));
        else
            EXPECT_THAT(lines, Not(Contains(HasSubstr("s3cret"))));
    }
}

TEST(LoggerHandler, thatCannotWriteDoesNoHarm) {
    testing::Broker broker;
    auto o = options_for(broker.url(), Version::v5, Recorder());
    o.handler = HandlerFactory(
        [] { return std::make_unique<LoggerHandler>(LoggerOptions{.write = [](std::string_view) { throw 1; }}); });
    Connection c{std::move(o)};
    EXPECT_TRUE(c.ready().wait(patience));
}

} // namespace
} // namespace tortoise::test
