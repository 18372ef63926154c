#pragma once
/// What the source files of this tree include, read from the files themselves.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tortoise::compile {

struct Include {
    std::string name;    // without its quotes or brackets
    bool quoted = false; // "name" rather than <name>
    std::size_t line = 0;
};

inline const std::filesystem::path& source_root() {
    static const std::filesystem::path root = TORTOISE_SOURCE_DIR;
    return root;
}

inline std::vector<Include> includes_of(const std::filesystem::path& file) {
    std::vector<Include> found;
    std::ifstream in(file);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        constexpr std::string_view blank = " \t";
        auto at = line.find_first_not_of(blank);
        if (at == std::string::npos || line[at] != '#') continue;
        at = line.find_first_not_of(blank, at + 1);
        if (at == std::string::npos || !std::string_view(line).substr(at).starts_with("include")) continue;
        const auto open = line.find_first_of("<\"", at);
        if (open == std::string::npos) continue;
        const bool quoted = line[open] == '"';
        const auto close = line.find(quoted ? '"' : '>', open + 1);
        found.push_back({line.substr(open + 1, close - open - 1), quoted, number});
    }
    return found;
}

/// Every .hpp and .cpp below a directory of the source tree, sorted.
inline std::vector<std::filesystem::path> sources_below(const std::string& directory) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_root() / directory)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp")) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// <vector>, <cstdint>: neither a directory nor an extension.
inline bool is_standard(const Include& include) {
    return !include.quoted && include.name.find_first_of("/.") == std::string::npos;
}

/// How a failure names a place.
inline std::string place(const std::filesystem::path& file, const Include& include) {
    return std::filesystem::relative(file, source_root()).string() + ":" + std::to_string(include.line) + ": " +
           include.name;
}

} // namespace tortoise::compile
