// The README's programs are built with the tests (CMakeLists.txt beside this file); here: none was overlooked.
#include "includes.hpp"

#include <gtest/gtest.h>

namespace tortoise::compile {
namespace {

TEST(Readme, HasThreeProgramsAndEachIsBuilt) {
    std::ifstream in(source_root() / "README.md");
    int blocks = 0;
    for (std::string line; std::getline(in, line);) blocks += line == "```cpp";
    EXPECT_EQ(blocks, 3);
    EXPECT_EQ(TORTOISE_README_PROGRAMS, blocks);
}

} // namespace
} // namespace tortoise::compile
