// The library against mosquitto.

#include "interop/brokers.hpp"
#include "interop/collector.hpp"
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <tortoise/stream.hpp>

namespace {

using namespace std::chrono_literals;
using test::Collector;
using test::Inbox;
using test::patience;
using tortoise::Connection;
using tortoise::ConnectionOptions;
using tortoise::Delivery;
using tortoise::MessageView;
using tortoise::QoS;
using tortoise::Version;

/// MQTT 3.1.1 has no Receive Maximum; from a client that sends more at a time at QoS 2, mosquitto 2.0.11 takes
/// messages, acknowledges them, and drops them.
constexpr int burst = 20;

/// Falls over when it is told to, as a program that crashes: the connection ends without a word.
class Crashing : public tortoise::Handler {
public:
    tortoise::Actions message(Connection&, const tortoise::MessageView&) override {
        throw std::runtime_error("told to");
    }
};

class WithMosquitto : public ::testing::TestWithParam<Version> {
protected:
    ConnectionOptions options(const test::Mosquitto& broker, Inbox* inbox = nullptr) const {
        ConnectionOptions o;
        o.server = broker.url();
        o.version = GetParam();
        o.backoff = {.min = 10ms, .max = 100ms};
        if (inbox)
            o.handler = tortoise::make_handler<Collector>(inbox);
        else
            o.handler = tortoise::make_handler<tortoise::Handler>();
        return o;
    }
};

void expect_up(Connection& connection) {
    const auto up = connection.wait_until_up(patience);
    ASSERT_TRUE(up) << up.error().describe();
}

void expect_subscribed(Connection& connection, const std::string& filter, QoS qos) {
    const auto grant = connection.subscribe({filter, qos}).wait(patience);
    ASSERT_TRUE(grant) << grant.error().describe();
    ASSERT_EQ(grant->granted, qos);
}

void expect_delivered(const Delivery& delivery) {
    const auto receipt = delivery.wait(patience);
    EXPECT_TRUE(receipt) << receipt.error().describe();
}

TEST_P(WithMosquitto, EveryQosArrivesAtEveryQosInOrder) {
    test::Mosquitto broker;
    Inbox inbox;
    Connection connection(options(broker, &inbox));
    expect_subscribed(connection, "t/#", QoS::exactly_once);
    for (int i = 0; i < 300;) {
        std::vector<Delivery> deliveries;
        for (int n = 0; n < burst; ++n, ++i) {
            const auto qos = static_cast<QoS>(i % 3);
            deliveries.push_back(connection.publish("t/" + std::to_string(i % 3), std::to_string(i), {.qos = qos}));
        }
        for (const auto& delivery : deliveries) expect_delivered(delivery);
    }
    const auto messages = inbox.wait_for(300);
    ASSERT_EQ(messages.size(), 300u);
    std::map<std::string, std::vector<int>> by_topic;
    for (const auto& m : messages) {
        EXPECT_EQ("t/" + std::to_string(static_cast<int>(m.qos)), m.topic);
        by_topic[m.topic].push_back(std::stoi(m.payload));
    }
    for (const auto& [topic, numbers] : by_topic) {
        EXPECT_EQ(numbers.size(), 100u);
        EXPECT_TRUE(std::ranges::is_sorted(numbers)) << topic;
    }
}

TEST_P(WithMosquitto, OverlappingFiltersHaveTheirCallbackCalledOnceEach) {
    test::Mosquitto broker;
    Connection connection(options(broker));
    std::map<std::string, std::shared_ptr<Inbox>> inboxes;
    for (const auto* filter : {"#", "a/#", "a/+", "a/b"}) {
        auto inbox = inboxes[filter] = std::make_shared<Inbox>();
        const auto granted = connection.subscribe({filter, QoS::exactly_once},
                                                  [inbox](Connection&, const MessageView& m) { inbox->add(m); });
        ASSERT_TRUE(granted.wait(patience));
    }
    for (int i = 0; i < 5; ++i)
        expect_delivered(connection.publish("a/b", std::to_string(i), {.qos = QoS::exactly_once}));
    ASSERT_TRUE(connection.ping().wait(patience));
    for (const auto& [filter, inbox] : inboxes) {
        const auto messages = inbox->wait_for(5);
        ASSERT_EQ(messages.size(), 5u) << filter;
        for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(messages[i].payload, std::to_string(i)) << filter;
    }
}

TEST_P(WithMosquitto, StreamsHoldItBackAndRequestsAreAnswered) {
    test::Mosquitto broker;
    // Without a Receive Maximum: mosquitto 2.0.11 exceeds one that is below its own max_inflight_messages, which ends the
    // connection each time.
    Connection consumer(options(broker));
    tortoise::Stream stream(consumer, {{"t", QoS::exactly_once}}, {.messages = 5});
    ASSERT_TRUE(stream.granted().wait(patience));
    Connection connection(options(broker));
    for (int i = 0; i < 100;) {
        std::vector<Delivery> deliveries;
        for (int n = 0; n < burst; ++n, ++i)
            deliveries.push_back(connection.publish("t", std::to_string(i), {.qos = QoS::exactly_once}));
        for (const auto& delivery : deliveries) expect_delivered(delivery);
    }
    for (int i = 0; i < 100; ++i) {
        const auto message = stream.next(patience);
        ASSERT_TRUE(message) << message.error().describe();
        EXPECT_EQ(message->payload, std::to_string(i));
    }
    EXPECT_EQ(consumer.statistics().drops, 0u);

    const bool v5 = GetParam() == Version::v5;
    const auto answer = [v5](Connection& self, const MessageView& request) {
        if (v5)
            self.reply(request, "21.5", {.qos = QoS::at_least_once});
        else
            self.publish("replies", "21.5", {.qos = QoS::at_least_once});
    };
    ASSERT_TRUE(consumer.subscribe({"ask", QoS::at_least_once}, answer).wait(patience));
    const auto reply = connection.request("ask", "?", {.response_topic = v5 ? "" : "replies"}).wait(patience);
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->payload, "21.5");
}

TEST_P(WithMosquitto, RetainedMessageComesToLaterSubscribers) {
    test::Mosquitto broker;
    Connection publisher(options(broker));
    expect_delivered(publisher.publish("kept", "value", {.qos = QoS::at_least_once, .retain = true}));
    Inbox inbox;
    Connection subscriber(options(broker, &inbox));
    expect_subscribed(subscriber, "kept", QoS::at_least_once);
    const auto messages = inbox.wait_for(1);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].payload, "value");
    EXPECT_TRUE(messages[0].retain);
}

TEST_P(WithMosquitto, WillIsPublishedWhenAHandlerCrashes) {
    test::Mosquitto broker;
    Inbox inbox;
    Connection watcher(options(broker, &inbox));
    expect_subscribed(watcher, "will", QoS::exactly_once);
    auto crashing = options(broker);
    crashing.handler = tortoise::make_handler<Crashing>();
    crashing.will = tortoise::Will{.topic = "will", .payload = "gone", .qos = QoS::exactly_once};
    Connection connection(std::move(crashing));
    expect_subscribed(connection, "die", QoS::at_most_once);
    expect_delivered(watcher.publish("die", "now"));
    const auto messages = inbox.wait_for(1);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].payload, "gone");
    EXPECT_EQ(messages[0].qos, QoS::exactly_once);
}

TEST_P(WithMosquitto, NothingIsLostWhenTheBrokerIsKilledAndStartedAgain) {
    test::Mosquitto broker(true);
    Inbox inbox;
    auto for_subscriber = options(broker, &inbox);
    for_subscriber.client_id = "subscriber";
    for_subscriber.session.clean_start = false;
    auto for_publisher = options(broker);
    for_publisher.client_id = "publisher";
    for_publisher.session.clean_start = false;
    Connection subscriber(std::move(for_subscriber));
    Connection publisher(std::move(for_publisher));
    expect_subscribed(subscriber, "t/#", QoS::exactly_once);
    expect_up(publisher);

    std::vector<Delivery> deliveries;
    const auto publish = [&](int from, int to) {
        for (int i = from; i < to; ++i)
            deliveries.push_back(publisher.publish(i % 2 ? "t/once" : "t/least", std::to_string(i),
                                                   {.qos = i % 2 ? QoS::exactly_once : QoS::at_least_once}));
    };
    publish(0, burst);
    for (const auto& delivery : deliveries) expect_delivered(delivery);
    ASSERT_EQ(inbox.wait_for(burst).size(), std::size_t{burst});
    // The second answer shows that the broker has had the last PUBCOMP: it restores only what it saves here.
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(subscriber.ping().wait(patience));
    broker.save(); // what it acknowledges and does not save, mosquitto itself loses
    broker.crash();
    publish(burst, 2 * burst);
    broker.restart();
    for (const auto& delivery : deliveries) expect_delivered(delivery);

    std::map<std::string, std::vector<int>> by_topic;
    for (const auto& m : inbox.wait_for(2 * burst)) by_topic[m.topic].push_back(std::stoi(m.payload));
    const auto once = by_topic["t/once"];
    EXPECT_EQ(once.size(), std::size_t{burst}); // none missing, none twice
    EXPECT_TRUE(std::ranges::is_sorted(once));
    const auto least = by_topic["t/least"];
    for (int i = 0; i < 2 * burst; i += 2) EXPECT_THAT(least, ::testing::Contains(i));
}

INSTANTIATE_TEST_SUITE_P(Version, WithMosquitto, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& row) { return row.param == Version::v5 ? "V5" : "V311"; });

} // namespace
