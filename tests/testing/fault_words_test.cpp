// The rules of faults, as words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/testing/faults.hpp>

namespace tortoise::test {
namespace {

using core::PacketType;
using ::testing::AllOf;
using testing::Fault;
using testing::Faults;
using ::testing::HasSubstr;
using testing::parse_fault;
using testing::Side;
using namespace std::chrono_literals;

Fault fault(std::string_view words) {
    const auto parsed = parse_fault(words);
    EXPECT_TRUE(parsed) << parsed.error().describe();
    return parsed ? *parsed : Fault{};
}

TEST(FaultWords, SayActionPacketAndWhichOnes) {
    const auto f = fault("drop PUBACK nth=3 on=a/# to=client qos=1 client=door connection=2");
    EXPECT_EQ(f.action, Fault::Action::drop);
    EXPECT_EQ(f.packet, PacketType::puback);
    EXPECT_EQ(f.nth, 3u);
    EXPECT_EQ(f.on, "a/#");
    EXPECT_EQ(f.to, Side::client);
    EXPECT_EQ(f.qos, QoS::at_least_once);
    EXPECT_EQ(f.client, "door");
    EXPECT_EQ(f.connection, 2u);
}

TEST(FaultWords, SayHowManyOfThem) {
    const auto f = fault("  drop  every=2 first=10 from=5 chance=0.25 seed=7 ");
    EXPECT_FALSE(f.packet);
    EXPECT_EQ(f.every, 2u);
    EXPECT_EQ(f.first, 10u);
    EXPECT_EQ(f.from, 5u);
    EXPECT_EQ(f.chance, 0.25);
    EXPECT_EQ(f.seed, 7u);
}

TEST(FaultWords, SayTimesNumbersAndReasons) {
    EXPECT_EQ(fault("delay PUBLISH 200ms").time, 200ms);
    EXPECT_EQ(fault("slow CONNACK 2s").time, 2s);
    EXPECT_EQ(fault("slow CONNACK 2s").action, Fault::Action::delay);
    EXPECT_EQ(fault("stall").time, 0s);
    EXPECT_EQ(fault("stall PINGREQ 1min").time, 1min);
    EXPECT_EQ(fault("reorder puback").time, 1s) << "the time it waits at most";
    EXPECT_EQ(fault("change-id PUBACK id=77").number, 77u);
    EXPECT_EQ(fault("cut PUBLISH at=5").number, 5u);
    EXPECT_EQ(fault("session-present=1").number, 1u);
    EXPECT_EQ(fault("session-present=1").packet, PacketType::connack);
    EXPECT_EQ(fault("receive-maximum=10 from=2").number, 10u);
    EXPECT_EQ(fault("refuse PUBLISH reason=quota-exceeded").reason, Reason::quota_exceeded);
    EXPECT_EQ(fault("refuse PUBLISH reason=0x97").reason, Reason::quota_exceeded);
    EXPECT_EQ(fault("refuse CONNECT reason=137").reason, Reason::server_busy);
}

TEST(FaultWords, OfARefusalNameTheRequestOrItsAnswer) {
    EXPECT_EQ(fault("refuse CONNACK reason=banned").packet, PacketType::connect);
    EXPECT_EQ(fault("refuse SUBACK").packet, PacketType::subscribe);
    EXPECT_EQ(fault("refuse UNSUBACK reason=not-authorized").packet, PacketType::unsubscribe);
    EXPECT_EQ(fault("refuse PUBACK").packet, PacketType::publish);
    EXPECT_EQ(fault("refuse PUBACK").qos, QoS::at_least_once);
    EXPECT_EQ(fault("refuse PUBREC").qos, QoS::exactly_once);
    EXPECT_EQ(fault("refuse PUBLISH").to, Side::broker) << "only a broker refuses";
}

TEST(FaultWords, AreGivenBack) {
    for (const std::string words :
         {"drop PUBACK to=client on=a/# qos=1 client=door connection=2 nth=3", "delay PUBLISH 200ms", "stall 2min",
          "refuse SUBSCRIBE reason=not-authorized", "change-id PUBREC id=9", "cut CONNACK at=3", "session-present=0",
          "receive-maximum=1 from=2", "drop every=2 first=10 from=5 chance=0.25 seed=7", "half-open PUBLISH to=broker",
          "byte-by-byte", "reset CONNECT first=2", "duplicate PUBACK", "reorder PUBACK 1s"})
        EXPECT_EQ(to_string(fault(words)), words);
}

struct Wrong {
    std::string words;
    std::string names;   // the word that is wrong
    std::string allowed; // some of what is
};
class WrongWords : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongWords, AreNamedWithWhatIsAllowed) {
    const auto parsed = parse_fault(GetParam().words);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Errc::invalid_option);
    EXPECT_THAT(parsed.error().text, AllOf(HasSubstr("fault '" + GetParam().words + "'"), HasSubstr(GetParam().names),
                                           HasSubstr(GetParam().allowed)));
}

INSTANTIATE_TEST_SUITE_P(
    , WrongWords,
    ::testing::Values(Wrong{"", "'' is no action", "drop, delay"},
                      Wrong{"dorp PUBACK", "'dorp' is no action", "drop, delay, slow, duplicate"},
                      Wrong{"drop=1", "'drop=1' is no action", "drop"},
                      Wrong{"drop PUBBACK", "'PUBBACK' is no packet", "PUBLISH, PUBACK"},
                      Wrong{"drop PUBACK PUBREC", "'PUBREC' is a second packet", "none for any"},
                      Wrong{"drop nht=3", "'nht=3' is not known here", "nth"},
                      Wrong{"drop id=3", "'id=3' is not known here", "to, on, qos"},
                      Wrong{"change-id ack=3", "'ack=3' is not known here", "and id"},
                      Wrong{"drop nth=0", "'nth=0' is no count", "from 1"},
                      Wrong{"drop nth=two", "'nth=two' is no count", "a whole number"},
                      Wrong{"drop nth=", "'nth=' is no count", "a whole number"},
                      Wrong{"drop to=server", "'to=server' is no side", "to=client, to=broker"},
                      Wrong{"drop qos=3", "'qos=3' is no QoS", "qos=0, qos=1, qos=2"},
                      Wrong{"drop chance=0", "'chance=0' is no chance", "at most 1"},
                      Wrong{"drop chance=1.5", "'chance=1.5' is no chance", "above 0"},
                      Wrong{"drop on=a/#/b", "on=a/#/b", "MQTT"}, Wrong{"drop on=", "'on=' is no filter", "rooms/#"},
                      Wrong{"delay PUBLISH 5", "'5' is no time", "us, ms, s, min"},
                      Wrong{"delay PUBLISH 5h", "'5h' is no time", "200ms"},
                      Wrong{"delay PUBLISH", "delay takes a time", "200ms"},
                      Wrong{"drop PUBLISH 5s", "drop takes no time", ""},
                      Wrong{"reorder", "reorder takes a packet", "PUBACK"},
                      Wrong{"change-id PINGREQ", "change-id takes a packet that has an identifier", ""},
                      Wrong{"change-id PUBACK id=0", "'id=0' is no number", "1 to 65535"},
                      Wrong{"refuse PINGREQ", "refuse takes what is refused", "CONNECT, PUBLISH"},
                      Wrong{"refuse PUBLISH reason=unwilling", "'reason=unwilling' is no refusal", "not-authorized"},
                      Wrong{"refuse PUBLISH reason=0x00", "'reason=0x00' is no refusal", "0x87"},
                      Wrong{"refuse PUBLISH reason=session-taken-over", "reason=session-taken-over", "PUBACK"},
                      Wrong{"session-present", "session-present takes a number", "session-present=1"},
                      Wrong{"session-present=2", "session-present takes a number", "0 to 1"},
                      Wrong{"session-present=1 PUBACK", "session-present is about CONNACK only", ""},
                      Wrong{"receive-maximum=0", "receive-maximum takes a number", "1 to 65535"},
                      Wrong{"receive-maximum=70000", "'receive-maximum=70000' is no number", "65535"},
                      Wrong{"cut PUBLISH at=x", "'at=x' is no number", "0 to"}));

TEST(FaultRules, ThatMakeNoSenseAreToldOfTheFirst) {
    Faults faults{"drop PUBACK", "dorp", "delay"};
    ASSERT_FALSE(faults.ok());
    EXPECT_THAT(faults.ok().error().text, HasSubstr("'dorp'"));
    EXPECT_TRUE(Faults{}.ok());
    EXPECT_TRUE(Faults{"drop"}.ok());
}

TEST(FaultRules, InCodeAreCheckedToo) {
    Faults faults;
    EXPECT_EQ(faults.add(Fault{.action = Fault::Action::drop}).value_or(99), 0u);
    EXPECT_EQ(faults.add("drop PUBACK").value_or(99), 1u);
    for (const auto& wrong : {Fault{.action = Fault::Action::delay}, Fault{.every = 0}, Fault{.chance = 2},
                              Fault{.on = "a/#/b"}, Fault{.action = Fault::Action::receive_maximum}}) {
        const auto added = faults.add(wrong);
        ASSERT_FALSE(added);
        EXPECT_EQ(added.error().code, Errc::invalid_option);
        EXPECT_NE(added.error().text, "");
    }
}

} // namespace
} // namespace tortoise::test
