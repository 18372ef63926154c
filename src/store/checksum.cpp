#include "store/checksum.hpp"
#include <array>
#include <bit>
#include <cstring>

namespace tortoise::store {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78; // reflected

/// tables[n][octet]: what an octet does to the checksum when n more follow; eight octets are taken at a time.
constexpr auto tables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> all{};
    for (std::uint32_t octet = 0; octet < 256; ++octet) {
        auto sum = octet;
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
        all[0][octet] = sum;
    }
    for (std::size_t n = 1; n < 8; ++n)
        for (std::size_t octet = 0; octet < 256; ++octet)
            all[n][octet] = (all[n - 1][octet] >> 8) ^ all[0][all[n - 1][octet] & 0xFF];
    return all;
}();

std::uint32_t eight(std::uint64_t octets, std::uint32_t sum) noexcept {
    octets ^= sum;
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) next ^= tables[7 - i][(octets >> (8 * i)) & 0xFF];
    return next;
}

} // namespace

std::uint32_t checksum(std::string_view octets, std::uint32_t former) noexcept {
    auto sum = ~former;
    while (octets.size() >= 8) {
        std::uint64_t some = 0;
        if constexpr (std::endian::native == std::endian::little)
            std::memcpy(&some, octets.data(), 8);
        else
            for (std::size_t i = 0; i < 8; ++i) some |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
        sum = eight(some, sum);
        octets.remove_prefix(8);
    }
    for (const char c : octets) sum = (sum >> 8) ^ tables[0][(sum ^ static_cast<unsigned char>(c)) & 0xFF];
    return ~sum;
}

std::uint32_t checksum(std::uint64_t number, std::uint32_t former) noexcept { return ~eight(number, ~former); }

} // namespace tortoise::store
