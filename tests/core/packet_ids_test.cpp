#include "core/packet_ids.hpp"

#include <gtest/gtest.h>
#include <set>

using namespace tortoise::core;

// [MQTT3-2.3.1-2] [MQTT5-2.2.1-3] [MQTT5-4.3.2-1] [MQTT5-4.3.3-1]
TEST(PacketIds, AreNeverZeroAndNeverTwiceWhileInUse) {
    PacketIds ids;
    std::set<PacketId> used;
    for (int i = 0; i < 65'535; ++i) {
        const PacketId id = ids.allocate();
        ASSERT_NE(id, 0);
        ASSERT_TRUE(used.insert(id).second) << id;
    }
    EXPECT_EQ(ids.allocate(), 0) << "all are in use";
    ids.release(4711);
    EXPECT_EQ(ids.allocate(), 4711);
}

TEST(PacketIds, RestBeforeTheyAreUsedAgain) {
    PacketIds ids;
    const PacketId first = ids.allocate();
    ids.release(first);
    for (int i = 0; i < 30; ++i) {
        const PacketId id = ids.allocate();
        EXPECT_NE(id, first);
        ids.release(id);
    }
}

TEST(PacketIds, StayInASmallRangeWhileFewAreInUse) {
    PacketIds ids;
    for (int i = 0; i < 100'000; ++i) {
        const PacketId id = ids.allocate();
        ASSERT_LT(id, 64);
        ids.release(id);
    }
}

TEST(PacketIds, ReleasingWhatIsNotInUseChangesNothing) {
    PacketIds ids;
    const PacketId id = ids.allocate();
    ids.release(0);
    ids.release(999);
    EXPECT_EQ(ids.used(), 1u);
    ids.release(id);
    ids.release(id);
    EXPECT_EQ(ids.used(), 0u);
    EXPECT_FALSE(ids.in_use(id));
}
