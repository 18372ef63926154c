// A program that receives at QoS 2 with a durable store is killed again and again in mid-stream: it handles each
// message, and none again once it is on disk that it did, which is before its PUBREC. [MQTT-4.3.3-10]
#include "durable/numbers.hpp"

namespace tortoise {
namespace {

class KilledReceiver : public ::testing::TestWithParam<Version> {};
INSTANTIATE_TEST_SUITE_P(, KilledReceiver, ::testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& c) { return c.param == Version::v5 ? "v5" : "v3_1_1"; });

TEST_P(KilledReceiver, HandlesEachMessageAndNoneTwiceOnceThatIsKept) {
    test::TortoiseBroker broker;
    test::TemporaryDirectory directory;
    Connection sender({.client_id = "sender", .server = broker.url(), .version = GetParam()});
    const test::Words receiver = {TORTOISE_DURABLE_RECEIVER, broker.url(), directory.path() + "/receiver.db",
                                  GetParam() == Version::v5 ? "5" : "3.1.1"};
    long published = 0;
    const auto publish_up_to = [&](long end) { // few enough for the program to handle in a life
        for (; published < end; ++published)
            sender.publish("numbers", std::to_string(published), {.qos = QoS::exactly_once});
    };
    std::mt19937 random(7);
    std::vector<long> handled;
    std::set<long> kept;
    long next = 0; // the first that was not handled
    const auto live = [&](long until) {
        test::Process process(receiver);
        ASSERT_TRUE(process.says("subscribed")) << process.err();
        publish_up_to(until + 300);
        ASSERT_TRUE(process.says("handled " + std::to_string(until) + "\n")) << process.err();
        process.crash();
        const auto now = numbers_behind("handled", process.out());
        for (const long number : now) {
            EXPECT_FALSE(kept.contains(number)) << number << " was handled again";
            next = std::max(next, number + 1);
        }
        handled.insert(handled.end(), now.begin(), now.end());
        for (const long number : numbers_behind("kept", process.out())) kept.insert(number);
    };
    const int times = times_to_kill(3);
    for (int i = 0; i < times && !HasFatalFailure(); ++i) live(next + static_cast<long>(random() % 300));
    if (!HasFatalFailure()) live(std::max(next, published - 1)); // all of it, or one more
    const auto came = look_at(handled);
    EXPECT_EQ(came.disordered, 0u);
    EXPECT_EQ(static_cast<long>(came.first.size()), next);
    RecordProperty("repeated", static_cast<int>(came.repeated));
}

} // namespace
} // namespace tortoise
