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

WorkItem with_token(Token token) {
    WorkItem o;
    o.token = token;
    return o;
}

TEST(Inflight, KeepsTheOrderOfSendingWhateverTheIdentifiers) {
    Inflight table;
    for (const PacketId id : {PacketId{7}, PacketId{3}, PacketId{65'535}, PacketId{1}})
        table.insert(id, with_token(id));
    EXPECT_THAT(order(table), ElementsAre(7, 3, 65'535, 1));
    EXPECT_EQ(table.erase(3).item.token, 3u);
    EXPECT_THAT(order(table), ElementsAre(7, 65'535, 1));
    table.erase(7);
    table.erase(1);
    EXPECT_THAT(order(table), ElementsAre(65'535));
    table.insert(3, with_token(30));
    EXPECT_THAT(order(table), ElementsAre(65'535, 3));
    table.erase(65'535);
    table.erase(3);
    EXPECT_THAT(order(table), IsEmpty());
    EXPECT_TRUE(table.empty());
}

TEST(Inflight, FindsOnlyWhatIsThere) {
    Inflight table;
    EXPECT_EQ(table.find(5), nullptr);
    table.insert(5, with_token(50));
    ASSERT_NE(table.find(5), nullptr);
    EXPECT_EQ(table.find(5)->item.token, 50u);
    EXPECT_EQ(table.find(4), nullptr);
    EXPECT_EQ(table.find(65'535), nullptr);
    table.erase(5);
    EXPECT_EQ(table.find(5), nullptr);
}

} // namespace
