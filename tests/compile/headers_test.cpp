// The public headers stay small: what they include, directly and together, and what a hello-world costs the compiler.
#include "includes.hpp"

#include <array>
#include <cstdio>
#include <gmock/gmock.h>
#include <set>

namespace tortoise::compile {
namespace {

using testing::IsEmpty;
using testing::Le;

std::string public_name(const std::filesystem::path& header) {
    return std::filesystem::relative(header, source_root() / "include").string();
}

/// The public headers that are read when one of them is included, itself among them.
std::set<std::string> reachable_from(const std::string& header) {
    std::set<std::string> seen;
    std::vector<std::string> next{header};
    while (!next.empty()) {
        const auto name = next.back();
        next.pop_back();
        if (!seen.insert(name).second) continue;
        for (const auto& include : includes_of(source_root() / "include" / name)) {
            if (!is_standard(include) && !include.name.starts_with("boost/")) next.push_back(include.name);
        }
    }
    return seen;
}

TEST(PublicHeaders, IncludeOnlyTheStandardLibraryAndEachOtherAndOneOfThemAsio) {
    std::vector<std::string> wrong;
    for (const auto& header : sources_below("include")) {
        for (const auto& include : includes_of(header)) {
            const bool named = include.name.starts_with("tortoise/") || include.name.starts_with("jackalope/");
            const bool ours =
                !include.quoted && named && std::filesystem::exists(source_root() / "include" / include.name);
            const bool asio = public_name(header) == "tortoise/asio.hpp" &&
                              (include.name.starts_with("boost/asio/") || include.name.starts_with("boost/system/"));
            const bool part_of_chrono =
                public_name(header) == "tortoise/detail/chrono.hpp" && include.name == "bits/chrono.h";
            if (!ours && !asio && !part_of_chrono && !is_standard(include)) wrong.push_back(place(header, include));
        }
    }
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PublicHeaders, OfTheMainHeaderLeaveTheHeavyOnesOut) {
    const std::set<std::string> heavy = {"algorithm", "any",      "filesystem", "format",  "functional",
                                         "future",    "iostream", "istream",    "locale",  "map",
                                         "memory",    "mutex",    "ostream",    "ranges",  "regex",
                                         "set",       "sstream",  "thread",     "variant", "unordered_map"};
    std::vector<std::string> wrong;
    for (const auto& name : reachable_from("tortoise/tortoise.hpp")) {
        const auto header = source_root() / "include" / name;
        for (const auto& include : includes_of(header)) {
            if (is_standard(include) && heavy.contains(include.name)) wrong.push_back(place(header, include));
        }
    }
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PublicHeaders, OfTheMainHeaderLeaveOutWhatOneOptsInTo) {
    std::vector<std::string> wrong;
    for (const auto& name : reachable_from("tortoise/tortoise.hpp")) {
        if (name.starts_with("tortoise/core/") || name.starts_with("tortoise/testing/")) wrong.push_back(name);
        if (name == "tortoise/coro.hpp" || name == "tortoise/asio.hpp") wrong.push_back(name);
    }
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PublicHeaders, BeginWithPragmaOnceAndSayWhatTheyAre) {
    std::vector<std::string> wrong;
    for (const auto& header : sources_below("include")) {
        std::ifstream in(header);
        std::string first;
        std::string second;
        std::getline(in, first);
        std::getline(in, second);
        if (first != "#pragma once" || !second.starts_with("/// ")) wrong.push_back(public_name(header));
    }
    EXPECT_THAT(wrong, IsEmpty());
}

std::size_t lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    return lines;
}

TEST(PublicHeaders, OfTheMainHeaderStaySmallTogether) {
    std::size_t lines = 0;
    for (const auto& name : reachable_from("tortoise/tortoise.hpp"))
        lines += lines_of(source_root() / "include" / name);
    EXPECT_THAT(lines, Le(2'250u));
}

TEST(PublicHeaders, StayShort) {
    std::vector<std::string> wrong;
    for (const auto& header : sources_below("include")) {
        if (lines_of(header) > 300) wrong.push_back(public_name(header));
    }
    EXPECT_THAT(wrong, IsEmpty());
}

#ifdef __linux__
// Lines after the preprocessor are what the compiler reads, and the same on every machine with the same standard
// library (34,000 with g++ 12): a budget that a slow or busy machine cannot break.
TEST(PublicHeaders, CostAHelloWorldAtMost40000LinesAfterThePreprocessor) {
    const std::string command = std::string(TORTOISE_CXX) + " -std=c++20 -E -P -I'" + TORTOISE_SOURCE_DIR +
                                "/include' '" + TORTOISE_SOURCE_DIR + "/tests/compile/hello.cpp'";
    std::FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::size_t lines = 0;
    std::array<char, 65'536> buffer;
    for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        lines += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + static_cast<long>(got), '\n'));
    }
    ASSERT_EQ(pclose(pipe), 0) << command;
    RecordProperty("lines", static_cast<int>(lines));
    EXPECT_THAT(lines, testing::AllOf(testing::Ge(1'000u), Le(40'000u)));
}
#endif

} // namespace
} // namespace tortoise::compile
