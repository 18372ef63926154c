// The books of a test: what they find, and what they do not mind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <tortoise/testing/ledger.hpp>

namespace tortoise::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Ledger;
using ::testing::Not;

/// What check() found; empty: nothing.
std::string findings(const Ledger& ledger) {
    const auto checked = ledger.check();
    return checked ? "" : checked.error().text;
}

struct Case {
    QoS qos;
    bool accepted;
    int arrivals;
    std::string finding; // empty: none
};
class BooksOfAMessage : public ::testing::TestWithParam<Case> {};

TEST_P(BooksOfAMessage, KnowTheRulesOfItsQos) {
    const auto& [qos, accepted, arrivals, finding] = GetParam();
    Ledger ledger;
    ledger.sent("7", qos, "t");
    if (accepted) ledger.accepted("7");
    for (int i = 0; i < arrivals; ++i) ledger.received("7");
    if (finding.empty())
        EXPECT_EQ(findings(ledger), "");
    else
        EXPECT_THAT(findings(ledger), HasSubstr(finding));
}

constexpr auto q0 = QoS::at_most_once, q1 = QoS::at_least_once, q2 = QoS::exactly_once;
INSTANTIATE_TEST_SUITE_P(, BooksOfAMessage,
                         ::testing::Values(Case{q0, true, 0, ""}, Case{q0, true, 1, ""},
                                           Case{q0, true, 2, "'7' (QoS 0, t) arrived 2 times"}, Case{q1, false, 0, ""},
                                           Case{q1, true, 0, "'7' (QoS 1, t) was accepted, and is lost"},
                                           Case{q1, false, 3, ""}, Case{q1, true, 3, ""}, Case{q2, false, 0, ""},
                                           Case{q2, false, 1, ""}, Case{q2, true, 1, ""},
                                           Case{q2, true, 0, "'7' (QoS 2, t) was accepted, and is lost"},
                                           Case{q2, true, 2, "'7' (QoS 2, t) arrived 2 times"},
                                           Case{q2, false, 2, "'7' (QoS 2, t) arrived 2 times"}));

TEST(Books, MindTheOrderOfEachFlowAndQos) {
    Ledger ledger;
    for (const auto* name : {"1", "2", "3"}) ledger.sent(name, q1, "t");
    ledger.sent("other flow", q1, "u");
    ledger.sent("other QoS", q2, "t");
    for (const auto* name : {"other QoS", "other flow", "1", "3", "2"}) ledger.received(name);
    EXPECT_EQ(findings(ledger), "1 finding\n  '3' (QoS 1, t) arrived before '2', which was sent before it");
}

TEST(Books, MindTheFirstArrivalOnly) {
    Ledger ledger;
    ledger.sent("1", q1);
    ledger.sent("2", q1);
    for (const auto* name : {"1", "2", "1", "2"}) ledger.received(name);
    EXPECT_EQ(findings(ledger), "");
}

TEST(Books, MayBeToldOfAnArrivalFirst) {
    Ledger ledger;
    ledger.received("1");
    EXPECT_THAT(findings(ledger), HasSubstr("'1' arrived, and was never sent"));
    ledger.accepted("1");
    ledger.sent("1", q2);
    EXPECT_EQ(findings(ledger), "");
}

TEST(Books, FindNamesWithoutAMessageOrWithSeveral) {
    Ledger ledger;
    ledger.accepted("1");
    ledger.sent("2", q1);
    ledger.sent("2", q1);
    EXPECT_THAT(findings(ledger), HasSubstr("2 findings\n  '1' was accepted, and was never sent"));
    EXPECT_THAT(findings(ledger), HasSubstr("'2' (QoS 1) is the name of several messages"));
}

TEST(Books, TellSomeOfVeryManyFindings) {
    Ledger ledger(3);
    for (int i = 0; i < 10; ++i) {
        ledger.sent(std::to_string(i), q1);
        ledger.accepted(std::to_string(i));
    }
    EXPECT_THAT(findings(ledger), HasSubstr("10 findings\n  '0'"));
    EXPECT_THAT(findings(ledger), HasSubstr("'2'"));
    EXPECT_THAT(findings(ledger), Not(HasSubstr("'3'")));
    EXPECT_THAT(findings(ledger), HasSubstr("and 7 more"));
}

TEST(Books, WaitForWhatWasAccepted) {
    Ledger ledger;
    EXPECT_TRUE(ledger.wait(0s));
    ledger.sent("1", q1);
    EXPECT_TRUE(ledger.wait(0s));
    ledger.accepted("1");
    EXPECT_FALSE(ledger.wait(0s));
    std::thread receiver([&] { ledger.received("1"); });
    EXPECT_TRUE(ledger.wait(20s));
    receiver.join();
}

} // namespace
} // namespace tortoise::test
