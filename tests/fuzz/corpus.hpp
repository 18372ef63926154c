#pragma once
/// A corpus in one file: a line of hexadecimal digits per input.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tortoise::fuzz {

/// Nothing if the file is missing or damaged.
std::optional<std::vector<std::string>> read_corpus(const std::filesystem::path& file);
bool write_corpus(const std::filesystem::path& file, const std::vector<std::string>& inputs);

} // namespace tortoise::fuzz
