#pragma once
/// The data representations of MQTT: integers, variable byte integers, strings. [MQTT-1.5]

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tortoise/types.hpp>

namespace tortoise::core {

inline constexpr std::uint32_t largest_varint = 268'435'455;

constexpr std::size_t varint_size(std::size_t value) noexcept {
    return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

enum class Varint : std::uint8_t { ok, incomplete, malformed };

/// Reads a variable byte integer from the front. Malformed: longer than four octets, or longer than needed.
struct VarintRead {
    Varint outcome = Varint::incomplete;
    std::uint32_t value = 0;
    std::size_t size = 0;
};
constexpr VarintRead read_varint(Octets from) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        if (i == from.size()) return {Varint::incomplete};
        const auto octet = static_cast<std::uint8_t>(from[i]);
        value |= static_cast<std::uint32_t>(octet & 0x7F) << (7 * i);
        if ((octet & 0x80) != 0) continue;
        if (octet == 0 && i > 0) return {Varint::malformed};
        return {Varint::ok, value, i + 1};
    }
    return {Varint::malformed};
}

constexpr std::uint32_t big_endian(Octets octets) noexcept {
    std::uint32_t value = 0;
    for (const char c : octets) value = (value << 8) | static_cast<std::uint8_t>(c);
    return value;
}

/// Counts what a Writer would write: each packet's layout is written down once and run with both.
class Counter {
public:
    void u8(std::uint32_t) noexcept { size_ += 1; }
    void u16(std::uint32_t) noexcept { size_ += 2; }
    void u32(std::uint32_t) noexcept { size_ += 4; }
    void varint(std::size_t value) noexcept { size_ += varint_size(value); }
    void raw(Octets octets) noexcept { size_ += octets.size(); }
    void string(Octets octets) noexcept { size_ += 2 + octets.size(); }
    std::size_t size() const noexcept { return size_; }

private:
    std::size_t size_ = 0;
};

/// Writes to where there is room enough.
class Writer {
public:
    explicit Writer(char* at) noexcept : at_(at) {}

    void u8(std::uint32_t value) noexcept { *at_++ = static_cast<char>(value); }
    void u16(std::uint32_t value) noexcept {
        u8(value >> 8);
        u8(value);
    }
    void u32(std::uint32_t value) noexcept {
        u16(value >> 16);
        u16(value);
    }
    void varint(std::size_t value) noexcept {
        for (; value >= 128; value >>= 7) u8(static_cast<std::uint32_t>(value | 0x80));
        u8(static_cast<std::uint32_t>(value));
    }
    void raw(Octets octets) noexcept {
        if (octets.empty()) return;
        std::memcpy(at_, octets.data(), octets.size());
        at_ += octets.size();
    }
    void string(Octets octets) noexcept {
        u16(static_cast<std::uint32_t>(octets.size()));
        raw(octets);
    }

private:
    char* at_;
};

} // namespace tortoise::core
