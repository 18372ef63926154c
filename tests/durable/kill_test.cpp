// A program with a durable store is killed again and again in the middle of its work, against a real broker: what it
// was told is accepted arrives, at QoS 2 once, and in its order.
#include "interop/brokers.hpp"

#include <condition_variable>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <random>
#include <set>
#include <tortoise/tortoise.hpp>

namespace tortoise {
namespace {

using test::patience;

struct Case {
    Version version;
    QoS qos;
};

/// Who receives the numbers, and never goes away.
class Reader {
public:
    Reader(const std::string& url, Version version)
        : connection_({.client_id = "reader", .server = url, .version = version, .session = {.clean_start = false}}) {
        const auto granted =
            connection_
                .subscribe({"numbers", QoS::exactly_once},
                           [this](Connection&, const MessageView& m) { take(std::stol(std::string(m.payload))); })
                .wait(patience);
        if (!granted) throw std::runtime_error(granted.error().describe());
    }
    bool wait_for(const std::set<long>& numbers) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] {
            return std::all_of(numbers.begin(), numbers.end(), [&](long n) { return seen_.contains(n); });
        });
    }
    std::vector<long> received() {
        std::lock_guard lock(mutex_);
        return received_;
    }

private:
    void take(long number) {
        std::lock_guard lock(mutex_);
        received_.push_back(number);
        seen_.insert(number);
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<long> received_;
    std::set<long> seen_;
    Connection connection_; // last: its callback uses what stands before
};

class Killed : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(, Killed,
                         ::testing::Values(Case{Version::v3_1_1, QoS::at_least_once},
                                           Case{Version::v3_1_1, QoS::exactly_once},
                                           Case{Version::v5, QoS::at_least_once}, Case{Version::v5, QoS::exactly_once}),
                         [](const auto& c) {
                             return std::string(c.param.version == Version::v5 ? "v5" : "v3_1_1") + "_qos" +
                                    std::to_string(static_cast<int>(c.param.qos));
                         });

// scripts/check kills 300 times.
int times_to_kill() {
    const char* text = std::getenv("TORTOISE_KILLS");
    return (text && *text ? std::atoi(text) : 32) / 4;
}

TEST_P(Killed, LosesNothingThatWasAccepted) {
    test::Mosquitto broker;
    test::TemporaryDirectory directory;
    Reader reader(broker.url(), GetParam().version);
    const test::Words sender = {TORTOISE_DURABLE_SENDER, broker.url(), directory.path() + "/sender.db",
                                GetParam().version == Version::v5 ? "5" : "3.1.1",
                                std::to_string(static_cast<int>(GetParam().qos))};
    std::mt19937 random(7);
    std::set<long> accepted;
    for (int life = 0; life < times_to_kill(); ++life) {
        const long first = life * 1'000'000L;
        test::Process process(sender + test::Words{std::to_string(first)});
        const long enough = first + static_cast<long>(random() % 600);
        ASSERT_TRUE(process.says("accepted " + std::to_string(enough) + "\n")) << process.err();
        process.crash();
        std::istringstream lines(process.out());
        std::string word;
        for (long number = 0; lines >> word >> number;) accepted.insert(number);
    }
    const auto last = test::run(sender);
    ASSERT_EQ(last.code, 0) << last.err;
    EXPECT_TRUE(reader.wait_for(accepted)) << "not everything that was accepted arrived";

    const auto received = reader.received();
    std::set<long> seen;
    long previous = -1;
    std::size_t repeated = 0, disordered = 0;
    for (const long number : received) {
        if (!seen.insert(number).second) {
            ++repeated;
            continue;
        }
        disordered += number < previous;
        previous = number;
    }
    EXPECT_EQ(disordered, 0u);
    if (GetParam().qos == QoS::exactly_once) {
        EXPECT_EQ(repeated, 0u);
    }
    RecordProperty("accepted", static_cast<int>(accepted.size()));
    RecordProperty("repeated", static_cast<int>(repeated));
}

} // namespace
} // namespace tortoise
