#include "core/inbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tortoise;
using namespace tortoise::core;
using testing::ElementsAre;
using testing::IsEmpty;
using enum Inbox::Arrival;

namespace {

constexpr auto qos1 = QoS::at_least_once, qos2 = QoS::exactly_once;

struct InboxTest : testing::Test {
    std::vector<std::string> acks() {
        std::vector<std::string> all;
        while (const auto ack = box.next_ack())
            all.push_back(std::string(to_string(ack->type)) + " " + std::to_string(ack->id));
        return all;
    }
    Inbox box{65'535};
};

TEST_F(InboxTest, AcknowledgesInTheOrderOfArrivalWhateverTheOrderOfHandling) { // [MQTT-4.6.0-2] [MQTT-4.6.0-3]
    const auto a = box.publish(qos1, 10), b = box.publish(qos2, 11), c = box.publish(qos1, 12);
    box.acknowledge(c.id, Reason::success);
    EXPECT_THAT(acks(), IsEmpty());
    box.acknowledge(a.id, Reason::success);
    EXPECT_THAT(acks(), ElementsAre("PUBACK 10"));
    box.acknowledge(b.id, Reason::success);
    EXPECT_THAT(acks(), ElementsAre("PUBREC 11", "PUBACK 12"));
    EXPECT_EQ(box.unacknowledged(), 0u);
}

TEST_F(InboxTest, DeliversAQos2MessageOnceUntilItIsReleased) { // [MQTT-4.3.3-10]
    const auto first = box.publish(qos2, 5);
    EXPECT_EQ(first.what, deliver);
    EXPECT_EQ(box.publish(qos2, 5).what, duplicate);
    box.acknowledge(first.id, Reason::success);
    EXPECT_THAT(acks(), ElementsAre("PUBREC 5"));
    EXPECT_EQ(box.publish(qos2, 5).what, duplicate);
    EXPECT_THAT(acks(), ElementsAre("PUBREC 5")) << "a repetition is answered again";
    EXPECT_EQ(box.release(5), Reason::success);
    EXPECT_EQ(box.publish(qos2, 5).what, deliver) << "after PUBREL the identifier stands for a new message";
}

TEST_F(InboxTest, APubrelForAnUnknownIdentifierIsAnsweredAndOneAheadOfPubrecIsNot) {
    EXPECT_EQ(box.release(9), Reason::packet_identifier_not_found);
    box.publish(qos2, 9);
    EXPECT_EQ(box.release(9), std::nullopt);
}

TEST_F(InboxTest, AHandledQos2MessageIsNotDeliveredAgainAfterAReconnect) {
    const auto first = box.publish(qos2, 5);
    box.acknowledge(first.id, Reason::success);
    box.disconnected();
    EXPECT_THAT(acks(), IsEmpty()) << "acknowledgements belong to the connection";
    EXPECT_EQ(box.publish(qos2, 5).what, duplicate);
    EXPECT_THAT(acks(), ElementsAre("PUBREC 5"));
}

TEST_F(InboxTest, AQos2MessageStillInTheUsersHandsIsNotDeliveredAgainEither) {
    const auto first = box.publish(qos2, 5);
    box.disconnected();
    EXPECT_EQ(box.publish(qos2, 5).what, duplicate);
    box.disconnected();
    EXPECT_EQ(box.publish(qos2, 5).what, duplicate);
    EXPECT_THAT(acks(), IsEmpty());
    EXPECT_EQ(box.unacknowledged(), 1u) << "the repetition is not one more";
    box.acknowledge(first.id, Reason::success);
    EXPECT_THAT(acks(), ElementsAre("PUBREC 5"));
    EXPECT_EQ(box.unacknowledged(), 0u);
}

TEST_F(InboxTest, AQos1MessageOfAnEarlierConnectionNeedsNoAcknowledgementAnyMore) {
    const auto first = box.publish(qos1, 5);
    box.disconnected();
    box.publish(qos1, 6);
    box.acknowledge(first.id, Reason::success);
    EXPECT_THAT(acks(), IsEmpty());
}

TEST_F(InboxTest, ALostSessionForgetsEverything) {
    const auto first = box.publish(qos2, 5);
    box.session_lost();
    EXPECT_EQ(box.publish(qos2, 5).what, deliver);
    box.acknowledge(first.id, Reason::success);
    EXPECT_THAT(acks(), IsEmpty());
    EXPECT_THAT(box.seen(), ElementsAre(5));
}

TEST_F(InboxTest, ARefusalFreesTheIdentifier) {
    const auto first = box.publish(qos2, 5);
    box.acknowledge(first.id, Reason::quota_exceeded);
    EXPECT_EQ(box.next_ack()->reason, Reason::quota_exceeded);
    EXPECT_THAT(box.seen(), IsEmpty());
}

TEST_F(InboxTest, WhatExceedsTheReceiveMaximumLeavesNoTrace) {
    Inbox small(1);
    const auto known = small.publish(qos2, 7);
    small.acknowledge(known.id, Reason::success);
    small.next_ack();
    small.session_uncertain();
    small.disconnected();
    EXPECT_EQ(small.publish(qos1, 1).what, deliver);
    EXPECT_EQ(small.publish(qos2, 7, false).what, exceeded);
    EXPECT_THAT(small.seen(), ElementsAre(7)) << "as on the disk";
}

TEST_F(InboxTest, AnIdentifierWithAnotherMessageTakesThePlaceThatItHas) {
    Inbox small(2);
    small.acknowledge(small.publish(qos2, 7).id, Reason::success);
    small.next_ack();
    small.session_uncertain();
    small.disconnected();
    EXPECT_EQ(small.publish(qos2, 7, true).what, duplicate);
    EXPECT_EQ(small.publish(qos2, 7, false).what, deliver);
    EXPECT_EQ(small.publish(qos1, 1).what, deliver) << "the second place is free";
}

TEST_F(InboxTest, TheReceiveMaximumCountsBothQualitiesAndARepetitionTakesNoSecondPlace) { // [MQTT-3.3.4-9]
    Inbox small{2};
    const auto a = small.publish(qos2, 1);
    EXPECT_EQ(small.publish(qos2, 1).what, duplicate);
    EXPECT_EQ(small.publish(qos1, 2).what, deliver);
    EXPECT_EQ(small.publish(qos1, 3).what, exceeded);
    small.acknowledge(a.id, Reason::success);
    small.next_ack();
    EXPECT_EQ(small.publish(qos1, 3).what, exceeded) << "PUBREC does not free the place";
    small.release(1);
    EXPECT_EQ(small.publish(qos1, 3).what, deliver);
    small.disconnected();
    EXPECT_EQ(small.publish(qos1, 4).what, deliver) << "a new connection counts anew";
    EXPECT_EQ(small.publish(qos2, 1).what, deliver);
    EXPECT_EQ(small.publish(qos2, 6).what, exceeded);
}

} // namespace
