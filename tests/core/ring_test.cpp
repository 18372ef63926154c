#include "core/ring.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>

namespace tortoise::core {
namespace {

void expect_same(const Ring<std::string>& ring, const std::deque<std::string>& model) {
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(ring.empty(), model.empty());
    for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(ring[i], model[i]);
    std::size_t i = 0;
    for (const auto& text : ring) ASSERT_EQ(text, model[i++]);
    ASSERT_EQ(i, model.size());
    if (model.empty()) return;
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
}

TEST(Ring, DoesWhatADequeDoes) {
    std::mt19937 random(1);
    Ring<std::string> ring;
    std::deque<std::string> model;
    for (int i = 0; i < 20'000; ++i) {
        const auto text = "number " + std::to_string(i) + std::string(random() % 30, '.');
        const auto choice = random() % 100;
        const bool grows = i / 2'000 % 2 == 0;
        if (choice < (grows ? 50u : 20u)) {
            ring.push_back(text);
            model.push_back(text);
        } else if (choice < (grows ? 60u : 30u)) {
            ring.push_front(text);
            model.push_front(text);
        } else if (choice == 99 && !grows) {
            ring.clear();
            model.clear();
        } else if (!model.empty()) {
            ring.pop_front();
            model.pop_front();
        }
        if (i % 37 == 0) expect_same(ring, model);
        if (HasFatalFailure()) return;
    }
    Ring<std::string> taken(std::move(ring));
    EXPECT_TRUE(ring.empty());
    expect_same(taken, model);
}

TEST(Ring, LetsGoOfWhatIsTakenOut) {
    Ring<std::shared_ptr<int>> ring;
    const auto shared = std::make_shared<int>(1);
    for (int i = 0; i < 100; ++i) ring.push_back(shared);
    for (int i = 0; i < 50; ++i) ring.pop_front();
    EXPECT_EQ(shared.use_count(), 51);
    ring = {};
    EXPECT_EQ(shared.use_count(), 1);
}

} // namespace
} // namespace tortoise::core
