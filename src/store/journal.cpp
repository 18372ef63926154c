#include "store/journal.hpp"
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

// https://www.sqlite.org/fileformat.html#the_write_ahead_log
namespace tortoise::store {
namespace {

constexpr std::size_t header_size = 32;
constexpr std::size_t frame_header_size = 24;

std::uint32_t big_endian(const char* at) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(at[i]);
    return value;
}

/// The log's running checksum, in the order of octets that its magic number names.
struct Sum {
    bool big = false;
    std::uint32_t first = 0;
    std::uint32_t second = 0;

    std::uint32_t word(const char* at) const {
        const auto value = big_endian(at);
        return big ? value : __builtin_bswap32(value);
    }
    void add(std::string_view octets) {
        for (std::size_t i = 0; i + 8 <= octets.size(); i += 8) {
            first += word(octets.data() + i) + second;
            second += word(octets.data() + i + 4) + first;
        }
    }
    bool matches(const char* at) const { return big_endian(at) == first && big_endian(at + 4) == second; }
};

bool valid_page_size(std::uint32_t size) { return size >= 512 && size <= 65536 && (size & (size - 1)) == 0; }

} // namespace

bool journal_is_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> header(header_size);
    if (!file.read(header.data(), header_size)) return true; // none, or not begun
    if (file.peek() == std::ifstream::traits_type::eof()) return true;

    Sum sum{.big = (big_endian(header.data()) & 1) != 0};
    sum.add({header.data(), 24});
    const auto page = big_endian(header.data() + 8);
    // The header was synced before the first frame was written.
    if (!sum.matches(header.data() + 24) || !valid_page_size(page)) return false;

    const std::string_view salt(header.data() + 16, 8);
    std::vector<char> frame(frame_header_size + page);
    bool broken = false;
    bool later_commit = false;
    while (file.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
        const bool current =
            std::string_view(frame.data() + 8, 8) == salt; // else a frame of an earlier round of the log
        if (!broken) {
            sum.add({frame.data(), 8});
            sum.add({frame.data() + frame_header_size, page});
            broken = !current || !sum.matches(frame.data() + 16);
        } else if (current && later_commit) {
            return false;
        }
        if (broken && current) later_commit |= big_endian(frame.data() + 4) != 0;
    }
    return true;
}

bool journal_has_content(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    return !none && size > 0;
}

} // namespace tortoise::store
