// The README's programs are built with the tests (CMakeLists.txt beside this file); here: none was overlooked.
#include "includes.hpp"

#include <gmock/gmock.h>
#include <iterator>
#include <regex>

namespace tortoise::compile {
namespace {

TEST(Readme, HasThreeProgramsAndEachIsBuilt) {
    std::ifstream in(source_root() / "README.md");
    int blocks = 0;
    for (std::string line; std::getline(in, line);) blocks += line == "```cpp";
    EXPECT_EQ(blocks, 3);
    EXPECT_EQ(TORTOISE_README_PROGRAMS, blocks);
}

TEST(Documents, LinkToWhatIsThere) {
    const std::regex link(R"(\]\(([^)#:]+)\))"); // no anchors, no other sites
    std::vector<std::string> broken;
    for (const auto* name :
         {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/command.md", "docs/tls.md"}) {
        const auto here = (source_root() / name).parent_path();
        std::ifstream in(source_root() / name);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        ASSERT_FALSE(text.empty()) << name;
        for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
            if (!std::filesystem::exists(here / (*at)[1].str())) broken.push_back((*at)[1].str());
        }
    }
    EXPECT_THAT(broken, testing::IsEmpty());
}

// ARCHITECTURE.md speaks of files in `code`; those that begin with a directory of the tree must be there.
TEST(Documents, NameFilesThatAreThere) {
    const std::regex path(R"(`((?:include|src|tests|examples|scripts|cmake)/[\w./-]*)[^`]*`)");
    std::vector<std::string> missing;
    for (const auto* name : {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}) {
        std::ifstream in(source_root() / name);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        for (std::sregex_iterator at(text.begin(), text.end(), path), end; at != end; ++at) {
            if (!std::filesystem::exists(source_root() / (*at)[1].str())) missing.push_back((*at)[1].str());
        }
    }
    EXPECT_THAT(missing, testing::IsEmpty());
}

} // namespace
} // namespace tortoise::compile
