#include "fuzz/corpus.hpp"

#include <charconv>
#include <fstream>

namespace tortoise::fuzz {

std::optional<std::vector<std::string>> read_corpus(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) return std::nullopt;
    std::vector<std::string> inputs;
    for (std::string line; std::getline(in, line);) {
        if (line.size() % 2 != 0) return std::nullopt;
        auto& input = inputs.emplace_back();
        for (std::size_t i = 0; i < line.size(); i += 2) {
            unsigned char octet = 0;
            const auto [end, error] = std::from_chars(&line[i], &line[i] + 2, octet, 16);
            if (error != std::errc{} || end != &line[i] + 2) return std::nullopt;
            input += static_cast<char>(octet);
        }
    }
    return inputs;
}

bool write_corpus(const std::filesystem::path& file, const std::vector<std::string>& inputs) {
    std::ofstream out(file);
    for (const auto& input : inputs) {
        for (const char c : input) {
            constexpr char digits[] = "0123456789abcdef";
            const auto octet = static_cast<unsigned char>(c);
            out << digits[octet >> 4] << digits[octet & 15];
        }
        out << '\n';
    }
    return static_cast<bool>(out.flush());
}

} // namespace tortoise::fuzz
