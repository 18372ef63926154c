// Requests and replies. [MQTT-4.10]
#include "support/options.hpp"

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;

class Requests : public BothVersions {
protected:
    testing::Broker broker{{.deny_subscribe = {"secret/#"}}};
    Recorder recorder;
    Connection c{options(recorder, broker.url())};
    Connection responder{options(recorder, broker.url())};

    /// On 3.1.1 the responder has to know where.
    RequestOptions to(std::string topic) const {
        return {.response_topic = version() == Version::v5 ? std::string() : std::move(topic)};
    }
    void respond(const std::string& filter, int replies = 1) {
        auto answer = [replies, this](Connection& self, const MessageView& request) {
            for (int i = 0; i < replies; ++i) {
                const auto payload = std::string(request.payload) + "!";
                if (version() == Version::v5)
                    self.reply(request, payload, {.qos = QoS::at_least_once});
                else
                    self.publish("replies", payload, {.qos = QoS::at_least_once});
            }
        };
        ASSERT_TRUE(responder.subscribe({filter, QoS::at_least_once}, answer).wait(patience));
    }
    static std::string text(const Result<Message>& got) { return got ? got->payload : got.error().describe(); }
};
TORTOISE_BOTH_VERSIONS(Requests);

TEST_P(Requests, areAnswered) {
    respond("ask/+");
    std::vector<Pending<Message>> pending;
    for (int i = 0; i < 100; ++i)
        pending.push_back(c.request("ask/" + std::to_string(i), std::to_string(i), to("replies")));
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(text(pending[static_cast<std::size_t>(i)].wait(patience)), std::to_string(i) + "!");
    const std::size_t kept = version() == Version::v5 ? 1 : 0; // one topic for all of them
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_EQ(c.subscriptions().size(), kept);
}

TEST_P(Requests, mayHaveSeveralReplies) {
    respond("ask", 3);
    std::atomic<int> got{0};
    auto o = to("replies");
    o.timeout = 1s;
    const auto all =
        c.request("ask", "x", o, [&](Connection&, const MessageView& m) { got += m.payload == "x!" ? 1 : 0; });
    const auto count = all.wait(patience);
    ASSERT_TRUE(count);
    EXPECT_EQ(*count, 3);
    EXPECT_EQ(got, 3);
}

TEST_P(Requests, thatNobodyAnswersEnd) {
    ASSERT_TRUE(responder.subscribe({"ask", QoS::at_least_once}).wait(patience));
    auto o = to("replies");
    o.timeout = 20ms;
    EXPECT_EQ(c.request("ask", "x", o).wait(patience).error().code, Errc::timeout);
}

TEST_P(Requests, canBeCancelled) {
    ASSERT_TRUE(responder.subscribe({"ask", QoS::at_least_once}).wait(patience));
    const auto pending = c.request("ask", "x", to("replies"));
    pending.cancel();
    EXPECT_EQ(pending.wait(patience).error().code, Errc::cancelled);
}

TEST_P(Requests, endWithTheConnection) {
    ASSERT_TRUE(responder.subscribe({"ask", QoS::at_least_once}).wait(patience));
    const auto pending = c.request("ask", "x", to("replies"));
    ASSERT_TRUE(c.stop().wait(patience));
    EXPECT_EQ(pending.wait(patience).error().code, Errc::stopped);
    EXPECT_EQ(c.request("ask", "x", to("replies")).wait(patience).error().code, Errc::stopped);
}

TEST_P(Requests, thatMakeNoSenseAreRefused) {
    EXPECT_EQ(c.request("no/+/topic", "x", to("replies")).wait(patience).error().code, Errc::invalid_topic);
    EXPECT_EQ(c.request("ask", "x", {.response_topic = "a/#"}).wait(patience).error().code, Errc::invalid_topic);
    if (version() == Version::v3_1_1) {
        const auto nowhere = c.request("ask", "x").wait(patience);
        EXPECT_EQ(nowhere.error().code, Errc::invalid_option);
        EXPECT_THAT(nowhere.error().text, HasSubstr("response_topic"));
    }
    const auto refused = c.reply({.topic = "t"}, "x").wait(patience);
    EXPECT_EQ(refused.error().code, Errc::invalid_option);
}

TEST_P(Requests, goOnOverALostConnection) {
    respond("ask");
    broker.stop();
    auto pending = c.request("ask", "x", to("replies"));
    ASSERT_TRUE(broker.start());
    // The responder may come back later than the request: then nobody is there, and the broker says so.
    for (int i = 0; i < 1000 && !pending.wait(patience); ++i) pending = c.request("ask", "x", to("replies"));
    EXPECT_EQ(text(pending.wait(patience)), "x!");
}

TEST_P(Requests, giveATopicThatWasNamedBack) {
    respond("ask");
    for (int i = 0; i < 20; ++i) {
        auto o = to("replies");
        if (version() == Version::v5) o.response_topic = "mine/" + std::to_string(i);
        ASSERT_EQ(text(c.request("ask", "x", o).wait(patience)), "x!");
    }
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_TRUE(c.subscriptions().empty());
}

TEST_P(Requests, doNotTakeWhatIsSubscribed) {
    std::atomic<int> got{0};
    ASSERT_TRUE(
        c.subscribe({"mine", QoS::at_least_once}, [&](Connection&, const MessageView&) { ++got; }).wait(patience));
    const auto refused = c.request("ask", "x", {.response_topic = "mine"}).wait(patience);
    EXPECT_EQ(refused.error().code, Errc::invalid_option);
    EXPECT_THAT(refused.error().text, HasSubstr("'mine' is subscribed already"));
    ASSERT_TRUE(c.publish("mine", "", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_EQ(got, 1);
}

class RequestsV5 : public Requests {};
INSTANTIATE_TEST_SUITE_P(, RequestsV5, ::testing::Values(Version::v5), name_of);

TEST_P(RequestsV5, endAtOnceIfNobodyListens) {
    EXPECT_EQ(c.request("nobody", "x", {.timeout = std::chrono::hours(1)}).wait(patience).error().code,
              Reason::no_matching_subscribers);
}

TEST_P(RequestsV5, endAtOnceIfTheReplyTopicIsRefused) {
    respond("ask");
    for (int i = 0; i < 2; ++i) { // it is tried anew each time
        const auto refused =
            c.request("ask", "x", {.timeout = std::chrono::hours(1), .response_topic = "secret/1"}).wait(patience);
        EXPECT_EQ(refused.error().code, Reason::not_authorized);
    }
}

/// Neither a stranger's reply nor one to another request.
TEST_P(RequestsV5, areNotAnsweredByOthers) {
    std::mutex mutex;
    std::string topic, data;
    auto listen = [&](Connection&, const MessageView& m) {
        std::lock_guard lock(mutex);
        topic = m.properties.get(property::response_topic).value_or("");
        data = m.properties.get(property::correlation_data).value_or("");
    };
    ASSERT_TRUE(responder.subscribe({"ask", QoS::at_least_once}, listen).wait(patience));
    const auto pending = c.request("ask", "x");
    ASSERT_TRUE(c.ping().wait(patience));
    ASSERT_TRUE(responder.ping().wait(patience));
    const auto say = [&](const std::string& correlation) {
        return responder.publish(
            topic, "hm",
            {.qos = QoS::at_least_once, .properties = Properties().set(property::correlation_data, correlation)});
    };
    std::lock_guard lock(mutex);
    ASSERT_EQ(data.size(), 16);
    auto other = data;
    other.back() = static_cast<char>(other.back() + 1);
    auto guessed = data;
    guessed.front() = static_cast<char>(guessed.front() + 1);
    for (const auto& wrong : {std::string(), std::string("short"), other, guessed})
        ASSERT_TRUE(say(wrong).wait(patience));
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_FALSE(pending.done());
    ASSERT_TRUE(say(data).wait(patience));
    EXPECT_EQ(text(pending.wait(patience)), "hm");
}

} // namespace
} // namespace tortoise::test
