// A program with a durable store is killed again and again in the middle of its work, against a real broker: what it
// was told is accepted arrives, at QoS 2 once, and in its order.
#include "durable/numbers.hpp"

namespace tortoise {
namespace {

using ::testing::IsEmpty;

class Killed : public ::testing::TestWithParam<Case> {
protected:
    static void kill(int times) {
        test::Mosquitto broker;
        test::TemporaryDirectory directory;
        Reader reader(broker.url(), GetParam().version);
        const auto life = [&](std::optional<long> first) {
            return sender(broker.url(), directory.path() + "/sender.db", GetParam(), first);
        };
        std::mt19937 random(7);
        std::set<long> accepted;
        for (int i = 0; i < times; ++i) {
            const long first = i * numbers_of_a_life;
            test::Process process(life(first));
            const long enough = first + static_cast<long>(random() % 600);
            ASSERT_TRUE(process.says("accepted " + std::to_string(enough) + "\n")) << process.err();
            process.crash();
            for (const long number : numbers_behind("accepted", process.out())) accepted.insert(number);
        }
        const auto last = test::run(life({}));
        ASSERT_EQ(last.code, 0) << last.err;
        EXPECT_THAT(reader.missing_of(accepted), IsEmpty()) << "of " << accepted.size() << " accepted";

        const auto came = look_at(reader.received());
        EXPECT_EQ(came.disordered, 0u);
        if (GetParam().qos == QoS::exactly_once) {
            EXPECT_EQ(came.repeated, 0u);
        }
        RecordProperty("accepted", static_cast<int>(accepted.size()));
        RecordProperty("repeated", static_cast<int>(came.repeated));
    }
};

class KilledConnection : public Killed {};
INSTANTIATE_TEST_SUITE_P(, KilledConnection,
                         ::testing::Values(Case{Version::v3_1_1, QoS::at_least_once},
                                           Case{Version::v3_1_1, QoS::exactly_once},
                                           Case{Version::v5, QoS::at_least_once}, Case{Version::v5, QoS::exactly_once}),
                         name_of);

TEST_P(KilledConnection, LosesNothingThatWasAccepted) { kill(times_to_kill(30)); }

class KilledSession : public Killed {};
INSTANTIATE_TEST_SUITE_P(, KilledSession,
                         ::testing::Values(Case{Version::v3_1_1, QoS::at_least_once, true},
                                           Case{Version::v3_1_1, QoS::exactly_once, true},
                                           Case{Version::v5, QoS::at_least_once, true},
                                           Case{Version::v5, QoS::exactly_once, true}),
                         name_of);

TEST_P(KilledSession, LosesNothingThatWasAccepted) { kill(times_to_kill(3)); }

} // namespace
} // namespace tortoise
