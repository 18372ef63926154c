// A program whose store writes now and then is killed: what was written is there, what was not may be gone, and the
// rest of the promise holds: nothing is invented, and the order stays.
#include "durable/numbers.hpp"

#include <fstream>

namespace tortoise {
namespace {

using ::testing::IsEmpty;

/// Is there such a payload, with no properties before it? The octet behind it may be a digit by chance, so all numbers
/// have to be of the same length.
bool has(const std::string& path, const std::string& payload) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    std::string octets(in ? static_cast<std::size_t>(in.tellg()) : 0, '\0');
    in.seekg(0).read(octets.data(), static_cast<std::streamsize>(octets.size()));
    for (auto at = octets.find(payload); at != std::string::npos; at = octets.find(payload, at + 1))
        if (at > 0 && octets[at - 1] == '\0') return true;
    return false;
}

class Periodic : public ::testing::TestWithParam<Case> {
protected:
    test::Words life(const std::string& url, std::optional<long> first, test::Words more = {"periodic"}) const {
        return sender(url, store, GetParam(), first, more);
    }
    /// Waits until the number stands in the store's journal.
    bool wait_until_written(long number) const {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!has(store + "-wal", std::to_string(number))) {
            if (std::chrono::steady_clock::now() > until) return false;
            ::poll(nullptr, 0, 5);
        }
        return true;
    }
    /// Of each life came what it published first, without a gap.
    static void expect_beginnings_of_lives(const std::vector<long>& numbers) {
        long previous = -1;
        for (const long number : numbers) {
            const bool begins = number % numbers_of_a_life == 0;
            EXPECT_TRUE(begins || number == previous + 1) << number << " behind " << previous;
            previous = number;
        }
    }
    test::TemporaryDirectory directory;
    const std::string store = directory.path() + "/sender.db";
};
INSTANTIATE_TEST_SUITE_P(, Periodic,
                         ::testing::Values(Case{Version::v3_1_1, QoS::at_least_once},
                                           Case{Version::v3_1_1, QoS::exactly_once},
                                           Case{Version::v5, QoS::at_least_once}, Case{Version::v5, QoS::exactly_once}),
                         name_of);

// The store writes one round after the other: what was accepted before something that is seen to be written, and was
// asked for only when it had been seen itself, is kept.
TEST_P(Periodic, WhatWasWrittenOutlivesTheKill) {
    const auto nowhere = "unix://" + directory.path() + "/nobody";
    const int lives = times_to_kill(2); // what they leave stays within the bound of the queue
    constexpr long first_life = 100;
    std::mt19937 random(7);
    std::set<long> written;
    for (int i = 0; i < lives; ++i) {
        const long first = (first_life + i) * numbers_of_a_life, last = first + static_cast<long>(random() % 20);
        test::Process process(life(nowhere, first, {"periodic", "asked"}));
        for (long number = first; number <= last; ++number) process.write("one more\n");
        ASSERT_TRUE(process.says("accepted " + std::to_string(last) + "\n")) << process.err();
        ASSERT_TRUE(wait_until_written(last));
        process.write("one more\n");
        ASSERT_TRUE(process.says("accepted " + std::to_string(last + 1) + "\n")) << process.err();
        ASSERT_TRUE(wait_until_written(last + 1));
        process.write("one more\none more\n");
        process.crash();
        for (long number = first; number <= last; ++number) written.insert(number);
    }
    test::TortoiseBroker broker; // mosquitto keeps 1,000 messages for a reader, and drops what is beyond them
    Reader reader(broker.url(), GetParam().version);
    const auto end = test::run(life(broker.url(), {}));
    ASSERT_EQ(end.code, 0) << end.err;
    EXPECT_THAT(reader.missing_of(written), IsEmpty()) << "of " << written.size() << " written";
    const auto came = look_at(reader.received());
    EXPECT_EQ(came.disordered, 0u);
    EXPECT_EQ(came.repeated, 0u); // the lives that were killed had sent nothing
    expect_beginnings_of_lives(came.first);
}

// At QoS 2 it is not promised: the broker may remember identifiers that the program does not.
class PeriodicStream : public Periodic {};
INSTANTIATE_TEST_SUITE_P(, PeriodicStream,
                         ::testing::Values(Case{Version::v3_1_1, QoS::at_least_once},
                                           Case{Version::v5, QoS::at_least_once}),
                         name_of);

TEST_P(PeriodicStream, InventsNothingAndKeepsTheOrder) {
    test::Mosquitto broker;
    Reader reader(broker.url(), GetParam().version);
    const int lives = times_to_kill(2);
    std::mt19937 random(7);
    for (int i = 0; i < lives; ++i) {
        const long first = i * numbers_of_a_life;
        test::Process process(life(broker.url(), first));
        const long enough = first + static_cast<long>(random() % 2'000);
        ASSERT_TRUE(process.says("accepted " + std::to_string(enough) + "\n")) << process.err();
        process.crash();
    }
    // The last life is not killed: all of it arrives.
    const long first = lives * numbers_of_a_life, last = first + 100;
    test::Process process(life(broker.url(), first, {"periodic", "asked"}));
    std::set<long> whole;
    for (long number = first; number <= last; ++number) {
        process.write("one more\n");
        whole.insert(number);
    }
    EXPECT_THAT(reader.missing_of(whole), IsEmpty());
    process.crash();
    const auto came = look_at(reader.received());
    EXPECT_EQ(came.disordered, 0u);
    expect_beginnings_of_lives(came.first);
    RecordProperty("repeated", static_cast<int>(came.repeated));
}

} // namespace
} // namespace tortoise
