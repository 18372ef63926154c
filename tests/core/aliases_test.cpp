#include "core/aliases.hpp"

#include <gtest/gtest.h>

using namespace tortoise::core;

TEST(IncomingAliases, ResolveWhatWasSetOnThisConnection) {
    IncomingAliases aliases;
    aliases.reset(2);
    EXPECT_EQ(aliases.resolve(1, "a/b"), "a/b");
    EXPECT_EQ(aliases.resolve(1, ""), "a/b");
    EXPECT_EQ(aliases.resolve(1, "c"), "c");
    EXPECT_EQ(aliases.resolve(1, ""), "c");
    aliases.reset(2);
    EXPECT_EQ(aliases.resolve(1, ""), std::nullopt); // [MQTT-3.3.2-7]
}

TEST(IncomingAliases, RefuseZeroUnknownAndTooHigh) { // [MQTT-3.3.2-8] [MQTT-3.3.2-11]
    IncomingAliases aliases;
    aliases.reset(2);
    EXPECT_EQ(aliases.resolve(0, "a"), std::nullopt);
    EXPECT_EQ(aliases.resolve(3, "a"), std::nullopt);
    EXPECT_EQ(aliases.resolve(2, ""), std::nullopt);
    aliases.resolve(2, "x");
    EXPECT_EQ(aliases.resolve(1, ""), std::nullopt);
}

TEST(IncomingAliases, AResolvedTopicOutlivesTheReplacementOfItsAlias) {
    IncomingAliases aliases;
    aliases.reset(1);
    aliases.resolve(1, "first");
    const auto view = *aliases.resolve(1, "");
    aliases.resolve(1, "second");
    aliases.resolve(1, "third");
    EXPECT_EQ(view, "first");
    aliases.settle();
    EXPECT_EQ(aliases.resolve(1, ""), "third");
}

TEST(OutgoingAliases, TheLeastRecentlyUsedGivesWay) {
    OutgoingAliases aliases;
    aliases.reset(2);
    EXPECT_EQ(aliases.use("topic/a").alias, 1);
    EXPECT_EQ(aliases.use("topic/b").alias, 2);
    EXPECT_TRUE(aliases.use("topic/a").known);
    const auto c = aliases.use("topic/c");
    EXPECT_EQ(c.alias, 2);
    EXPECT_FALSE(c.known);
    EXPECT_TRUE(aliases.use("topic/a").known);
    EXPECT_FALSE(aliases.use("topic/b").known);
}

TEST(OutgoingAliases, NeverExceedWhatTheBrokerAllowsAndForgetAtReset) { // [MQTT-3.3.2-9] [MQTT-3.3.2-7]
    OutgoingAliases aliases;
    EXPECT_EQ(aliases.use("topic/a").alias, 0);
    aliases.reset(3);
    for (int i = 0; i < 100; ++i) {
        const auto use = aliases.use("topic/" + std::to_string(i % 7));
        EXPECT_GE(use.alias, 1);
        EXPECT_LE(use.alias, 3);
    }
    aliases.reset(3);
    EXPECT_FALSE(aliases.use("topic/6").known);
    EXPECT_EQ(aliases.use("abc").alias, 0) << "shorter than what the alias costs";
}

TEST(NamedAliases, StandForTheTopicTheyWereNamedWithLast) {
    NamedAliases aliases;
    EXPECT_EQ(aliases.topic_of(1, ""), std::nullopt);
    EXPECT_EQ(aliases.topic_of(1, "a"), "a");
    aliases.name(1, "a");
    EXPECT_EQ(aliases.topic_of(1, ""), "a");
    aliases.name(1, "b");
    aliases.reset(0); // a topic is the user's, whatever the connection
    EXPECT_EQ(aliases.topic_of(1, ""), "b");
}

TEST(NamedAliases, AreKnownOnceToldOnThisConnection) {
    NamedAliases aliases;
    aliases.reset(2);
    EXPECT_FALSE(aliases.use(2, "a").known);
    EXPECT_TRUE(aliases.use(2, "a").known);
    EXPECT_FALSE(aliases.use(2, "b").known);
    EXPECT_EQ(aliases.use(3, "a").alias, 0); // [MQTT-3.3.2-9]
    aliases.reset(2);
    EXPECT_FALSE(aliases.use(2, "b").known); // [MQTT-3.3.2-7]
    EXPECT_EQ(aliases.use(2, "b").alias, 2);
}
