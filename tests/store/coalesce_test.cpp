#include "store/checksum.hpp"
#include "store/coalesce.hpp"
#include <gmock/gmock.h>
#include <map>
#include <random>

namespace tortoise::store {
namespace {

using Action = core::RecordChange::Action;

struct Row {
    std::uint64_t mark = 0;
    std::string value = {};
    friend bool operator==(const Row&, const Row&) = default;
};
using Rows = std::map<std::int64_t, Row>;

void perform(Rows& rows, const std::vector<Step>& steps) {
    for (const auto& step : steps) {
        if (step.action == Action::put)
            rows[step.id] = {step.mark, *step.value};
        else if (step.action == Action::erase)
            rows.erase(step.id);
        else if (const auto at = rows.find(step.id); at != rows.end())
            at->second.mark = step.mark;
    }
}

TEST(Coalesce, DoesTheSameWithOneStepForEachRecordAtMost) {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        std::mt19937_64 random(seed);
        const std::string values[] = {"a", "b", "c"};
        Rows before;
        for (std::int64_t id = 0; id < 5; ++id)
            if (random() % 2 == 0) before[id] = {random() % 9, "old"};
        std::vector<Step> steps(random() % 15);
        for (auto& step : steps) {
            step.id = static_cast<std::int64_t>(random() % 5);
            step.action = static_cast<Action>(random() % 3);
            step.is_new = !before.contains(step.id) && random() % 4 != 0; // it may not be known
            step.mark = random() % 9;
            if (step.action == Action::put) step.value = &values[random() % 3];
        }
        for (auto& step : steps) // of one record the same
            for (const auto& first : steps)
                if (first.id == step.id) {
                    step.is_new = first.is_new;
                    break;
                }
        auto expected = before;
        perform(expected, steps);
        coalesce(steps);
        auto found = before;
        perform(found, steps);
        ASSERT_EQ(found, expected) << "seed " << seed;
        for (std::size_t i = 1; i < steps.size(); ++i) ASSERT_LT(steps[i - 1].id, steps[i].id) << "seed " << seed;
    }
}

TEST(Coalesce, WhatNeverWasWrittenCostsNothing) {
    const std::string value = "v";
    std::vector<Step> steps = {{.id = 1, .action = Action::put, .is_new = true, .value = &value},
                               {.id = 2, .action = Action::put, .is_new = true, .value = &value},
                               {.id = 1, .action = Action::mark, .is_new = true, .mark = 3},
                               {.id = 1, .action = Action::erase, .is_new = true},
                               {.id = 2, .action = Action::mark, .is_new = true, .mark = 4}};
    coalesce(steps);
    ASSERT_EQ(steps.size(), 1);
    EXPECT_EQ(steps[0].action, Action::put);
    EXPECT_EQ(steps[0].mark, 4);
}

TEST(Checksum, IsCrc32c) {
    EXPECT_EQ(checksum(""), 0u);
    EXPECT_EQ(checksum("123456789"), 0xE3069283u);
    EXPECT_EQ(checksum(std::string(32, '\0')), 0x8A9136AAu);
    EXPECT_EQ(checksum("6789", checksum("12345")), 0xE3069283u);
    EXPECT_EQ(checksum(std::uint64_t{0x3837363534333231}), checksum("12345678"));
}

} // namespace
} // namespace tortoise::store
