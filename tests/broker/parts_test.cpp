/// The parts below the engine that have rules of their own.

#include <gtest/gtest.h>

#include "broker/in_flight.hpp"
#include "broker/timers.hpp"

namespace broker_test {
namespace {

using namespace std::chrono_literals;
using tortoise::broker::InFlightTable;
using tortoise::broker::Timers;
using Time = Timers::Time;

TEST(InFlightTable, GivesEachIdentifierOnce) {
    InFlightTable table;
    for (int expected = 1; expected <= 65'535; ++expected) {
        auto* const entry = table.add();
        ASSERT_NE(entry, nullptr);
        ASSERT_EQ(entry->id, expected);
    }
    EXPECT_EQ(table.add(), nullptr);
    EXPECT_EQ(table.size(), 65'535U);
    table.erase(*table.find(40'000));
    EXPECT_EQ(table.find(40'000), nullptr);
    ASSERT_NE(table.add(), nullptr);
    EXPECT_NE(table.find(40'000), nullptr);
}

TEST(InFlightTable, SkipsWhatIsInUse) { // [MQTT3-2.3.1-4] [MQTT5-2.2.1-4] [MQTT5-4.3.2-1] [MQTT5-4.3.3-1]
    InFlightTable table;
    const auto held = table.add()->id;
    for (int i = 0; i < 200'000; ++i) {
        auto* const entry = table.add();
        ASSERT_NE(entry, nullptr);
        ASSERT_NE(entry->id, held);
        ASSERT_NE(entry->id, 0);
        table.erase(*entry);
    }
    EXPECT_NE(table.find(held), nullptr);
    EXPECT_EQ(table.size(), 1U);
}

TEST(InFlightTable, KnowsNothingUnderZero) {
    InFlightTable table;
    EXPECT_EQ(table.find(0), nullptr);
    EXPECT_EQ(table.find(1), nullptr);
    table.add();
    EXPECT_EQ(table.find(0), nullptr);
    EXPECT_EQ(table.find(17), nullptr);
}

TEST(InFlightTable, ListsInTheOrderOfSending) {
    InFlightTable table;
    for (std::uint64_t order : {30, 10, 20, 40}) table.add()->delivery.order = order;
    table.find(4)->released = true;
    EXPECT_EQ(table.in_order(false), (std::vector<tortoise::broker::PacketId>{2, 3, 1}));
    EXPECT_EQ(table.in_order(true), (std::vector<tortoise::broker::PacketId>{4}));
}

TEST(Timers, TheEarliestComesFirst) {
    Timers timers;
    const Time start{};
    EXPECT_FALSE(timers.next());
    timers.arm(1, start + 3s);
    timers.arm(2, start + 1s);
    timers.arm(3, start + 2s);
    EXPECT_EQ(timers.next(), start + 1s);
    EXPECT_FALSE(timers.due(start));
    EXPECT_EQ(timers.due(start + 2s), 2U);
    EXPECT_EQ(timers.due(start + 2s), 3U);
    EXPECT_FALSE(timers.due(start + 2s));
    EXPECT_EQ(timers.next(), start + 3s);
}

TEST(Timers, AnOwnerHasOneTimer) {
    Timers timers;
    const Time start{};
    timers.arm(1, start + 1s);
    timers.arm(1, start + 5s);
    EXPECT_EQ(timers.next(), start + 5s);
    timers.disarm(1);
    timers.disarm(1);
    EXPECT_FALSE(timers.next());
    timers.arm(2, start);
    timers.clear();
    EXPECT_FALSE(timers.next());
}

} // namespace
} // namespace broker_test
