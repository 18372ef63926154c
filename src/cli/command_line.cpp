#include "command_line.hpp"
#include "check.hpp"
#include "property_argument.hpp"
#include <algorithm>

namespace cli {

std::vector<std::string> prepare(const CLI::App& sub, std::vector<std::string> words) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        out.push_back(words[i]);
        const auto* option = words[i].starts_with('-') ? sub.get_option_no_throw(words[i]) : nullptr;
        if (option == nullptr || option->get_items_expected_max() == 0 || i + 1 == words.size()) continue;
        if (!option->check_name("-D")) {
            out.push_back(words[++i]);
            continue;
        }
        const std::size_t left = words.size() - i - 1;
        const std::size_t wanted = left < 2 ? left : property_words(words[i + 1], words[i + 2]);
        const auto first = words.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        const auto count = std::min(left, wanted);
        out.push_back(join_words({first, first + static_cast<std::ptrdiff_t>(count)}));
        i += count;
    }
    std::ranges::reverse(out);
    return out;
}

} // namespace cli
