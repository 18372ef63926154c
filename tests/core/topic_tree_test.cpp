#include "core/topic_tree.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <tortoise/topic.hpp>

using namespace tortoise;
using namespace tortoise::core;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace {

std::vector<TopicTree::Value> matches(const TopicTree& tree, std::string_view topic) {
    std::vector<TopicTree::Value> values;
    tree.match(topic, values);
    return values;
}

TEST(TopicTree, MatchesTheSpecificationsExamples) {
    TopicTree tree;
    tree.insert("sport/tennis/player1/#", 1);
    tree.insert("sport/#", 2);
    tree.insert("#", 3);
    tree.insert("sport/tennis/+", 4);
    tree.insert("+", 5);
    tree.insert("+/+", 6);
    tree.insert("/+", 7);
    EXPECT_THAT(matches(tree, "sport/tennis/player1"), UnorderedElementsAre(1, 2, 3, 4));
    EXPECT_THAT(matches(tree, "sport/tennis/player1/score/wimbledon"), UnorderedElementsAre(1, 2, 3));
    EXPECT_THAT(matches(tree, "sport"), UnorderedElementsAre(2, 3, 5)) << "# includes the parent level";
    EXPECT_THAT(matches(tree, "/finance"), UnorderedElementsAre(3, 6, 7));
    EXPECT_THAT(matches(tree, "sport/"), UnorderedElementsAre(2, 3, 6)) << "an empty level is a level";
}

TEST(TopicTree, WildcardsAtTheFirstLevelDoNotMatchDollarTopics) { // [MQTT-4.7.2-1]
    TopicTree tree;
    tree.insert("#", 1);
    tree.insert("+/monitor/Clients", 2);
    tree.insert("$SYS/#", 3);
    tree.insert("$SYS/monitor/+", 4);
    EXPECT_THAT(matches(tree, "$SYS/monitor/Clients"), UnorderedElementsAre(3, 4));
}

TEST(TopicTree, ErasesPairsOneByOne) {
    TopicTree tree;
    EXPECT_TRUE(tree.insert("a/b", 1));
    EXPECT_FALSE(tree.insert("a/b", 1));
    EXPECT_TRUE(tree.insert("a/b", 2));
    EXPECT_TRUE(tree.erase("a/b", 1));
    EXPECT_FALSE(tree.erase("a/b", 1));
    EXPECT_FALSE(tree.erase("a", 2));
    EXPECT_THAT(matches(tree, "a/b"), UnorderedElementsAre(2));
    EXPECT_TRUE(tree.erase("a/b", 2));
    EXPECT_TRUE(tree.empty());
    EXPECT_THAT(matches(tree, "a/b"), IsEmpty());
}

TEST(TopicTree, ManyLevelsNeedNoDeepStack) {
    TopicTree tree;
    const std::string deep(65'535, '/');
    tree.insert(deep, 1);
    tree.insert("#", 2);
    EXPECT_THAT(matches(tree, deep), UnorderedElementsAre(1, 2));
    EXPECT_TRUE(tree.erase(deep, 1));
}

TEST(TopicTree, AgreesWithMatchingOneByOne) {
    std::mt19937_64 random(11);
    const char* const levels[] = {"a", "b", "", "c", "+", "$x"};
    TopicTree tree;
    std::vector<std::pair<std::string, TopicTree::Value>> model;
    const auto make = [&](bool filter) {
        std::string text;
        const auto depth = 1 + random() % 4;
        for (std::size_t i = 0; i < depth; ++i) {
            if (i > 0) text += '/';
            const auto level = levels[random() % 6];
            text += !filter && *level == '+' ? "d" : level;
        }
        if (filter && random() % 3 == 0) text += "/#";
        return text;
    };
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 3 != 0 || model.empty()) {
            const auto filter = make(true);
            const TopicTree::Value value = random() % 50;
            const std::pair entry{filter, value};
            const bool fresh = std::find(model.begin(), model.end(), entry) == model.end();
            ASSERT_EQ(tree.insert(filter, value), fresh);
            if (fresh) model.push_back(entry);
        } else {
            const auto at = random() % model.size();
            ASSERT_TRUE(tree.erase(model[at].first, model[at].second));
            model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (model.size() > 60) {
            ASSERT_TRUE(tree.erase(model[0].first, model[0].second));
            model.erase(model.begin());
        }
        const auto topic = make(false);
        if (topic.empty()) continue;
        std::vector<TopicTree::Value> expected;
        for (const auto& [filter, value] : model)
            if (tortoise::matches(filter, topic)) expected.push_back(value);
        ASSERT_THAT(matches(tree, topic), testing::UnorderedElementsAreArray(expected)) << topic;
        ASSERT_EQ(tree.size(), model.size());
    }
}

} // namespace
