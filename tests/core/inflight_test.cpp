#include "core/inflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tortoise::core;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

std::vector<PacketId> order(const Inflight& table) {
    std::vector<PacketId> ids;
    for (PacketId id = table.first(); id != 0; id = table.next(id)) ids.push_back(id);
    return ids;
}

void insert(Inflight& table, PacketId id, Token token) {
    auto& item = table.insert(id).item;
    item.token = token;
    item.message.topic = "topic of " + std::to_string(token);
}

TEST(Inflight, KeepsTheOrderOfSendingWhateverTheIdentifiers) {
    Inflight table;
    for (const PacketId id : {PacketId{7}, PacketId{3}, PacketId{65'535}, PacketId{1}}) insert(table, id, id);
    EXPECT_THAT(order(table), ElementsAre(7, 3, 65'535, 1));
    EXPECT_EQ(table.take(3).item.message.topic, "topic of 3");
    EXPECT_THAT(order(table), ElementsAre(7, 65'535, 1));
    table.erase(7);
    table.erase(1);
    EXPECT_THAT(order(table), ElementsAre(65'535));
    insert(table, 3, 30);
    EXPECT_THAT(order(table), ElementsAre(65'535, 3));
    table.erase(65'535);
    table.erase(3);
    EXPECT_THAT(order(table), IsEmpty());
    EXPECT_TRUE(table.empty());
}

TEST(Inflight, FindsOnlyWhatIsThere) {
    Inflight table;
    EXPECT_EQ(table.find(5), nullptr);
    insert(table, 5, 50);
    ASSERT_NE(table.find(5), nullptr);
    EXPECT_EQ(table.find(5)->item.token, 50u);
    EXPECT_EQ(table.find(4), nullptr);
    EXPECT_EQ(table.find(65'535), nullptr);
    table.erase(5);
    EXPECT_EQ(table.find(5), nullptr);
}

// Small messages follow each other without an allocation; the memory of large ones is let go.
TEST(Inflight, KeepsTheMemoryOfSmallMessagesOnly) {
    Inflight table;
    auto& message = table.insert(1).item.message;
    message.payload = std::string(200, 'x');
    const char* const memory = message.payload.data();
    table.erase(1);
    auto& next = table.insert(1).item.message;
    next.payload.assign(150, 'y');
    EXPECT_EQ(next.payload.data(), memory);
    next.payload.assign(100'000, 'z');
    table.erase(1);
    EXPECT_LT(table.insert(1).item.message.payload.capacity(), 1000u);
}

TEST(Inflight, AnEntryBeginsAnew) {
    Inflight table;
    auto& entry = table.insert(1);
    entry.step = Inflight::Step::released;
    entry.on_wire = entry.answered = true;
    entry.item.message.properties.add_user("a", "b");
    table.erase(1);
    const auto& again = table.insert(1);
    EXPECT_EQ(again.step, Inflight::Step::published);
    EXPECT_FALSE(again.on_wire || again.answered);
    EXPECT_TRUE(again.item.message.properties.empty());
}

} // namespace
