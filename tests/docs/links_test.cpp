// The documents point at what is there: files, headings, tests.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tortoise::docs {
namespace {

namespace fs = std::filesystem;
const fs::path root = TORTOISE_SOURCE_DIR;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> documents() {
    std::vector<fs::path> found;
    for (const auto& directory : {root, root / "docs"})
        for (const auto& entry : fs::directory_iterator(directory))
            if (entry.path().extension() == ".md") found.push_back(entry.path());
    return found;
}

/// The lines that are not code.
std::vector<std::string> prose(const fs::path& document) {
    std::istringstream in(read(document));
    std::vector<std::string> lines;
    bool code = false;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("```")) code = !code;
        if (!code) lines.push_back(line);
    }
    return lines;
}

struct Link {
    std::string text, target;
};

std::vector<Link> links(const std::string& line) {
    static const std::regex link(R"(\[([^\]]*)\]\(([^)\s]*)\))");
    std::vector<Link> found;
    for (std::sregex_iterator at(line.begin(), line.end(), link), end; at != end; ++at)
        found.push_back({(*at)[1], (*at)[2]});
    return found;
}

/// What a heading is called in a link: small letters, hyphens for spaces, nothing else.
std::string anchor(const std::string& heading) {
    std::string slug;
    for (const char c : heading.substr(heading.find_first_not_of("# "))) {
        if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
            slug += static_cast<char>(std::tolower(c));
        else if (c == ' ')
            slug += '-';
    }
    return slug;
}

std::set<std::string> anchors(const fs::path& document) {
    std::set<std::string> found;
    for (const auto& line : prose(document))
        if (line.starts_with("#")) found.insert(anchor(line));
    return found;
}

TEST(Documents, LinkToWhatIsThere) {
    std::size_t checked = 0;
    for (const auto& document : documents()) {
        for (const auto& line : prose(document)) {
            for (const auto& link : links(line)) {
                if (link.target.find("://") != std::string::npos) continue;
                const auto hash = link.target.find('#');
                const auto path = link.target.substr(0, hash);
                const auto target = path.empty() ? document : document.parent_path() / path;
                ++checked;
                EXPECT_TRUE(fs::exists(target)) << document << ": " << link.target;
                if (hash == std::string::npos || !fs::exists(target)) continue;
                EXPECT_TRUE(anchors(target).contains(link.target.substr(hash + 1))) << document << ": " << link.target;
            }
        }
    }
    EXPECT_GT(checked, 50u);
}

/// Is it `Suite.name`, as tests are called?
bool names_a_test(const std::string& text) {
    static const std::regex test(R"(`[A-Z]\w*\.\w+`)");
    return std::regex_match(text, test);
}

bool has_test(const fs::path& file, const std::string& text) {
    const auto dot = text.find('.');
    const auto suite = text.substr(1, dot - 1), name = text.substr(dot + 1, text.size() - dot - 2);
    return std::regex_search(read(file), std::regex("TEST(_F|_P)?\\(" + suite + ",\\s*" + name + "\\)"));
}

/// How many links to tests there are on a page; each has to name one that exists.
std::size_t tests_named(const fs::path& document) {
    std::size_t checked = 0;
    for (const auto& line : prose(document)) {
        for (const auto& link : links(line)) {
            if (!link.target.starts_with("../tests/") || !link.target.ends_with(".cpp")) continue;
            ++checked;
            EXPECT_TRUE(names_a_test(link.text)) << link.text;
            EXPECT_TRUE(has_test(root / "docs" / link.target, link.text)) << link.text << " in " << link.target;
        }
    }
    return checked;
}

TEST(Documents, NameTestsThatExist) {
    EXPECT_GT(tests_named(root / "docs/parity.md"), 80u);
    EXPECT_GT(tests_named(root / "docs/hostile.md"), 80u);
    EXPECT_GE(tests_named(root / "docs/clouds.md"), 19u);
}

void expect_row(const std::vector<std::string>& lines, const std::string& name) {
    const auto row = "| " + name + " |";
    const auto at = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.starts_with(row); });
    ASSERT_NE(at, lines.end()) << row;
    const auto all = links(*at);
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& l) { return names_a_test(l.text); })) << row;
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const auto& l) { return l.target.starts_with("../examples/"); }))
        << row;
}

TEST(Documents, HaveARowWithATestForEachThingOfTortoise) {
    const auto lines = prose(root / "docs/parity.md");
    for (int i = 1; i <= 27; ++i) expect_row(lines, "T" + std::to_string(i));
}

TEST(Documents, HaveARowWithATestForEachThingOfJackalope) {
    const auto lines = prose(root / "docs/parity.md");
    for (int i = 1; i <= 11; ++i) expect_row(lines, "J" + std::to_string(i));
    expect_row(lines, "J14");
}

} // namespace
} // namespace tortoise::docs
