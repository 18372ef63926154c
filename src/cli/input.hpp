#pragma once
// Payloads from files and from standard input; binary.

#include <optional>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>

namespace cli {

/// No MQTT packet is larger, so nothing larger is read.
inline constexpr std::size_t largest_payload = 268'435'455;

/// The whole of a file; "-" is not special. An error names the file.
tortoise::Result<std::string> read_file(const std::string& path);
/// The same of an open descriptor.
tortoise::Result<std::string> read_all(int fd, std::string_view name);

/// Reads lines as they come.
class Lines {
public:
    explicit Lines(int fd) noexcept : fd_(fd) {}
    /// The next line without its \n, valid until the next call; the last one needs no \n. Nothing at the end.
    tortoise::Result<std::optional<std::string_view>> next();

private:
    int fd_;
    std::string buffer_;
    std::size_t begin_ = 0;   // of the line
    std::size_t scanned_ = 0; // no \n before it
    bool ended_ = false;
};

} // namespace cli
