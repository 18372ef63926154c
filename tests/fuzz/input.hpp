#pragma once
/// What fuzz targets share: reading decisions from the input, and a way to say what is wrong.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <tortoise/types.hpp>

/// The entry point of libFuzzer; replay.cpp calls it too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tortoise::fuzz {

/// Ends the program: the fuzzer keeps the input that led here.
inline void require(bool holds, std::string_view what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

/// The input as a source of decisions. At its end everything is 0.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    bool empty() const { return rest_.empty(); }
    std::uint8_t octet() {
        if (rest_.empty()) return 0;
        const auto first = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return first;
    }
    std::size_t below(std::size_t bound) { return octet() % bound; }
    bool flag() { return (octet() & 1) != 0; }
    Octets octets(std::size_t size) {
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    /// A length, and that many octets.
    Octets piece() { return octets(octet()); }

private:
    std::string_view rest_;
};

/// Octets in memory of exactly their size, so that a sanitizer sees a look beyond them.
class Exact {
public:
    explicit Exact(Octets octets) : kept_(octets.begin(), octets.end()) { kept_.shrink_to_fit(); }
    operator Octets() const { return {kept_.data(), kept_.size()}; }

private:
    std::vector<char> kept_;
};

} // namespace tortoise::fuzz
