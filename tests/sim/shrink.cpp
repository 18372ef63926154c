#include "sim/shrink.hpp"

#include <algorithm>

namespace tortoise::sim {

namespace {

/// What went wrong, without time and numbers.
std::string kind_of(const std::string& failure) {
    std::string kind;
    for (const char c : failure)
        if (c < '0' || c > '9') kind += c;
    const auto begin = kind.find_first_not_of(" .");
    return begin == std::string::npos ? std::string() : kind.substr(begin);
}

class Shrinker {
public:
    Shrinker(const WalkOptions& options, std::uint64_t most_walks) : most_walks_(most_walks) {
        best_.options = options;
    }

    Shrunk operator()() {
        const WalkResult whole = walk(best_.options);
        best_.failure = whole.failure;
        if (whole.failure.empty()) return best_;
        kind_ = kind_of(whole.failure);
        if (!still_fails(whole.decisions)) return best_;
        for (std::size_t chunk = std::max<std::size_t>(left().size() / 2, 1); chunk > 0;) {
            const bool smaller = leave_out(chunk);
            if (best_.walks >= most_walks_) break;
            if (chunk > 1)
                chunk /= 2;
            else if (!smaller)
                break;
        }
        return best_;
    }

private:
    const std::vector<Decision>& left() const { return *best_.options.only; }

    /// True if any chunk of that size could go.
    bool leave_out(std::size_t chunk) {
        bool smaller = false;
        for (std::size_t at = 0; at < left().size() && best_.walks < most_walks_;) {
            auto rest = left();
            const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(at);
            rest.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(chunk, rest.size() - at)));
            if (still_fails(std::move(rest)))
                smaller = true;
            else
                at += chunk;
        }
        return smaller;
    }
    bool still_fails(std::vector<Decision> decisions) {
        WalkOptions options = best_.options;
        options.only = std::move(decisions);
        ++best_.walks;
        WalkResult result = walk(options);
        if (kind_of(result.failure) != kind_) return false;
        options.only = std::move(result.decisions); // some may not have come up any more
        best_.options = std::move(options);
        best_.failure = std::move(result.failure);
        return true;
    }

    const std::uint64_t most_walks_;
    Shrunk best_;
    std::string kind_;
};

} // namespace

Shrunk shrink(const WalkOptions& options, std::uint64_t most_walks) { return Shrinker(options, most_walks)(); }

std::string as_test(const Shrunk& shrunk) {
    const WalkOptions& options = shrunk.options;
    std::string text = "// " +
                       shrunk.failure.substr(std::min(shrunk.failure.find_first_not_of(' '), shrunk.failure.size())) +
                       "\nTEST(Shrunk, Seed" + std::to_string(options.seed) +
                       ") {\n    const auto result = walk({.seed = " + std::to_string(options.seed) +
                       ", .steps = " + std::to_string(options.steps) + ", .only = {{";
    const char* between = "";
    for (const Decision& decision : options.only.value_or(std::vector<Decision>{})) {
        text += between + to_string(decision);
        between = ", ";
    }
    return text + "}}});\n    EXPECT_EQ(result.failure, \"\");\n}\n";
}

} // namespace tortoise::sim
