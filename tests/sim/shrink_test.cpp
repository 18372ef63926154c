// A walk that fails is shrunk to a few decisions, which fail in the same way.
#include "sim/shrink.hpp"

#include <gtest/gtest.h>
#include <tortoise/core/codec.hpp>

namespace tortoise::sim {
namespace {

constexpr std::string_view complaint = "[MQTT-3.3.1-1] sent again without DUP";

// A client that does not set DUP when it sends a message again.
void forget_dup(std::string& output) {
    constexpr char dup = 0x08;
    core::FrameReader reader;
    reader.feed(output);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
        if ((*frame)->first >> 4 != static_cast<unsigned>(core::PacketType::publish)) continue;
        output[static_cast<std::size_t>((*frame)->whole.data() - output.data())] &= static_cast<char>(~dup);
    }
}

WalkOptions failing_walk() {
    WalkOptions options{.meddle = forget_dup};
    while (options.seed < 50 && walk(options).failure.find(complaint) == std::string::npos) ++options.seed;
    return options;
}

TEST(Shrink, AFailingWalkIsLeftWithAFewDecisions) {
    const WalkOptions options = failing_walk();
    const WalkResult whole = walk(options);
    ASSERT_NE(whole.failure.find(complaint), std::string::npos);
    const Shrunk shrunk = shrink(options);
    EXPECT_NE(shrunk.failure.find(complaint), std::string::npos) << shrunk.failure;
    ASSERT_TRUE(shrunk.options.only);
    EXPECT_GT(whole.decisions.size(), 30u);
    EXPECT_GE(shrunk.options.only->size(), 1u); // a message has to be published
    EXPECT_LE(shrunk.options.only->size(), 6u) << as_test(shrunk);
    EXPECT_EQ(walk(shrunk.options).failure, shrunk.failure);
    // None of them can be left out.
    for (std::size_t i = 0; i < shrunk.options.only->size(); ++i) {
        WalkOptions less = shrunk.options;
        less.only->erase(less.only->begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(walk(less).failure.find(complaint), std::string::npos) << i;
    }
}

TEST(Shrink, TheDecisionsThatWereCarriedOutMakeTheSameWalk) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        const WalkResult whole = walk({.seed = seed});
        ASSERT_EQ(whole.failure, "");
        EXPECT_EQ(walk({.seed = seed, .only = whole.decisions}).digest, whole.digest) << seed;
        EXPECT_NE(walk({.seed = seed, .only = std::vector<Decision>{}}).digest, whole.digest) << seed;
    }
}

TEST(Shrink, AWalkThatKeepsEveryPromiseIsLeftAlone) {
    const Shrunk shrunk = shrink({.seed = 1});
    EXPECT_EQ(shrunk.failure, "");
    EXPECT_FALSE(shrunk.options.only);
}

TEST(Shrink, TheResultIsATest) {
    const Shrunk shrunk{.options = {.seed = 42, .only = {{act(1, 37), reaction(0, 4), death(2, 9), accident(12)}}},
                        .failure = "      1.500000  a second end"};
    EXPECT_EQ(as_test(shrunk), "// 1.500000  a second end\n"
                               "TEST(Shrunk, Seed42) {\n"
                               "    const auto result = walk({.seed = 42, .steps = 2000, .only = {{act(1, 37), "
                               "reaction(0, 4), death(2, 9), accident(12)}}});\n"
                               "    EXPECT_EQ(result.failure, \"\");\n"
                               "}\n");
    EXPECT_EQ(
        walk({.seed = 42, .steps = 2000, .only = {{act(1, 37), reaction(0, 4), death(2, 9), accident(12)}}}).failure,
        ""); // it compiles
}

} // namespace
} // namespace tortoise::sim
