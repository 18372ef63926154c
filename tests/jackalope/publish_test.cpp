// What becomes of a publish: order, time to live, bounds and policies; each end is told.
#include "jackalope/told.hpp"

namespace jackalope::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Publishing : public BothVersions {
protected:
    /// A session with such a queue, that nobody answers.
    Session offline(const Told& told, tortoise::Queue bounds) {
        auto all = options("all", arrived_);
        all.clean_session = false; // the broker keeps for it what comes while it connects again
        all.initial_topics = {{"#", QoS::at_least_once}};
        listening_.emplace(std::move(all));
        EXPECT_TRUE(arrived_.wait_for_filter("#"));
        broker.stop();
        auto o = options("sender", told);
        o.work_list = TransientWorkList{bounds};
        return Session(std::move(o));
    }
    /// What arrives of what waits, once the broker is there.
    std::vector<std::string> arriving(Session& s) {
        EXPECT_TRUE(broker.start());
        EXPECT_TRUE(s.online().wait(patience));
        EXPECT_TRUE(s.publish("end", "end").wait(patience));
        EXPECT_TRUE(
            arrived_.wait([](const Notes& n) { return !n.messages.empty() && n.messages.back().payload == "end"; }));
        auto payloads = arrived_.notes().payloads();
        payloads.pop_back();
        return payloads;
    }
    /// What the handler was told, once it is as many.
    static std::vector<std::string> dropped(const Told& told, Errc why, std::size_t count = 1) {
        EXPECT_TRUE(told.wait_for_errors(count));
        std::vector<std::string> payloads;
        for (const auto& [message, error] : told.notes().errors)
            if (error.code == why) payloads.push_back(message.payload);
        return payloads;
    }

private:
    Told arrived_;
    std::optional<Session> listening_;
};

TEST_P(Publishing, isAnsweredAtEachQos) {
    Told told;
    const auto s = listener(told, {"a", QoS::exactly_once});
    Session sender(options("sender"));
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
        const auto d = sender.publish("a", "x", at(qos));
        EXPECT_TRUE(d.accepted().wait(patience));
        const auto receipt = d.wait(patience);
        ASSERT_TRUE(receipt) << receipt.error().describe();
        EXPECT_EQ(receipt->qos, qos);
    }
    ASSERT_TRUE(told.wait_for_messages(3));
    EXPECT_EQ(told.notes().messages[2].qos, QoS::exactly_once);
}

TEST_P(Publishing, ofRetainedMessagesIsKeptByTheBroker) {
    Session sender(options("sender"));
    ASSERT_TRUE(sender.publish("state", "on", {.retain = true}).wait(patience));
    Told told;
    const auto s = listener(told, {"state", QoS::at_least_once});
    ASSERT_TRUE(told.wait_for_messages(1));
    EXPECT_TRUE(told.notes().messages[0].retain);
}

TEST_P(Publishing, ofWhatMakesNoSenseIsAnsweredAtOnce) {
    Session s(options("a"));
    const auto code = [&](const tortoise::Delivery& d) {
        return d.done() ? d.peek()->error().code : std::error_code();
    };
    EXPECT_EQ(code(s.publish("a", {}, {.qos = QoS{3}})), Errc::invalid_qos);
    EXPECT_EQ(code(s.publish("a", {}, {.ttl = -1ns})), Errc::invalid_ttl);
    EXPECT_EQ(code(s.publish("a/#")), Errc::invalid_topic);
    EXPECT_EQ(s.publish("a", {}, {.ttl = -1ns}).accepted().wait(patience).error().code, Errc::invalid_ttl);
    EXPECT_TRUE(s.publish("a", {}, {.ttl = Duration::max()}).wait(patience));
}

TEST_P(Publishing, isRefusedWithTheBrokersReason) {
    if (GetParam() == Version::v3_1_1) return; // which has none
    tortoise::testing::Broker strict({.deny_publish = {"secret"}});
    Told told;
    auto o = options("a", told);
    o.server = strict.url();
    Session s(std::move(o));
    EXPECT_EQ(s.publish("secret").wait(patience).error().code, Reason::not_authorized);
    ASSERT_TRUE(told.wait_for_errors(1));
    EXPECT_EQ(told.notes().errors[0].second.code, Reason::not_authorized);
}

TEST_P(Publishing, offlineIsDeliveredLaterInOrder) {
    Told told;
    auto s = offline(told, {.messages = 100});
    for (const auto* payload : {"1", "2", "3", "4"}) s.publish("n", payload);
    EXPECT_THAT(arriving(s), ElementsAre("1", "2", "3", "4"));
    EXPECT_THAT(told.notes().errors, IsEmpty());
}

TEST_P(Publishing, ofWhatExpiresIsReportedOfflineAndNeverSent) { // the door
    Told told;
    auto s = offline(told, default_bounds);
    const auto unlock = s.publish("doors/front", "unlock", at(QoS::at_least_once, 20ms));
    s.publish("doors/front", "lock");
    EXPECT_EQ(unlock.wait(patience).error().code, Errc::expired);
    ASSERT_TRUE(told.wait_for_errors(1));
    EXPECT_EQ(told.notes().errors[0].first.payload, "unlock");
    EXPECT_EQ(s.connection_status(), ConnectionStatus::offline);
    EXPECT_THAT(arriving(s), ElementsAre("lock"));
}

// ---- Policies: each drop is told to its delivery and to the handler

TEST_P(Publishing, dropsTheOldestUnlessToldOtherwise) {
    Told told;
    auto s = offline(told, {.messages = 2, .overflow = default_bounds.overflow});
    const auto first = s.publish("n", "1");
    for (const auto* payload : {"2", "3"}) s.publish("n", payload);
    EXPECT_EQ(first.wait(patience).error().code, Errc::displaced);
    EXPECT_THAT(dropped(told, Errc::displaced), ElementsAre("1"));
    EXPECT_THAT(arriving(s), ElementsAre("2", "3"));
}

TEST_P(Publishing, dropsTheNewest) {
    Told told;
    auto s = offline(told, {.messages = 2, .overflow = Overflow::drop_newest});
    for (const auto* payload : {"1", "2"}) s.publish("n", payload);
    EXPECT_EQ(s.publish("n", "3").wait(patience).error().code, Errc::displaced);
    EXPECT_THAT(dropped(told, Errc::displaced), ElementsAre("3"));
    EXPECT_THAT(arriving(s), ElementsAre("1", "2"));
}

TEST_P(Publishing, rejectsWhatIsTooMuch) {
    Told told;
    auto s = offline(told, {.messages = 2, .overflow = Overflow::reject});
    for (const auto* payload : {"1", "2"}) s.publish("n", payload);
    const auto third = s.publish("n", "3");
    EXPECT_EQ(third.wait(patience).error().code, Errc::queue_full);
    EXPECT_THAT(dropped(told, Errc::queue_full), ElementsAre("3"));
    EXPECT_THAT(arriving(s), ElementsAre("1", "2"));
}

TEST_P(Publishing, keepsTheLatestOfEachTopic) {
    Told told;
    auto s = offline(told, {.messages = 10, .overflow = Overflow::latest_per_topic});
    s.publish("a", "a1");
    s.publish("b", "b1");
    s.publish("a", "a2");
    EXPECT_THAT(dropped(told, Errc::displaced), ElementsAre("a1"));
    EXPECT_THAT(arriving(s), ElementsAre("b1", "a2"));
}

TEST_P(Publishing, dropsByPriority) {
    Told told;
    auto s = offline(told, {.messages = 2, .overflow = Overflow::by_priority});
    s.publish("n", "alarm", {.priority = 9});
    s.publish("n", "chat", {.priority = 1});
    s.publish("n", "news", {.priority = 5});
    ASSERT_TRUE(told.wait_for_errors(1));
    EXPECT_EQ(s.publish("n", "spam", {.priority = 0}).wait(patience).error().code, Errc::displaced);
    EXPECT_THAT(dropped(told, Errc::displaced, 2), ElementsAre("chat", "spam"));
    EXPECT_THAT(arriving(s), ElementsAre("alarm", "news"));
}

TEST_P(Publishing, isBoundByBytesToo) {
    Told told;
    auto s = offline(told, {.messages = 100, .bytes = 250, .overflow = Overflow::drop_oldest});
    const std::string hundred(100, 'x');
    const auto first = s.publish("n", hundred + "1");
    s.publish("n", hundred + "2");
    s.publish("n", hundred + "3");
    EXPECT_EQ(first.wait(patience).error().code, Errc::displaced);
    EXPECT_EQ(s.publish("n", std::string(300, 'x')).wait(patience).error().code, Errc::queue_full);
    EXPECT_THAT(arriving(s), ElementsAre(hundred + "2", hundred + "3"));
}

TEST_P(Publishing, canBeCancelledWhileItWaits) {
    Told told;
    auto s = offline(told, default_bounds);
    const auto d = s.publish("n", "1");
    s.publish("n", "2");
    d.cancel();
    EXPECT_EQ(d.wait(patience).error().code, Errc::cancelled);
    EXPECT_THAT(arriving(s), ElementsAre("2"));
}

JACKALOPE_BOTH_VERSIONS(Publishing);

} // namespace
} // namespace jackalope::test
