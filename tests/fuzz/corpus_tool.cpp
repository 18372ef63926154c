/// Packs a fuzzer's directory of inputs into one file and back, and writes the first inputs, from the golden packets.
///   corpus_tool pack DIRECTORY FILE
///   corpus_tool unpack FILE DIRECTORY
///   corpus_tool seeds decode|client_engine|broker_engine DIRECTORY

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "core/codec/golden.hpp"
#include "fuzz/corpus.hpp"

namespace tortoise::fuzz {
namespace {

namespace fs = std::filesystem;

bool pack(const fs::path& directory, const fs::path& file) {
    std::vector<std::string> inputs;
    for (const auto& entry : fs::directory_iterator(directory)) {
        std::ifstream in(entry.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    // Small ones first, and always in the same order: what changed is seen in a diff.
    std::sort(inputs.begin(), inputs.end(),
              [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
    return write_corpus(file, inputs);
}

bool write_all(const std::vector<std::string>& inputs, const fs::path& directory) {
    fs::create_directories(directory);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::ofstream out(directory / std::to_string(i), std::ios::binary);
        if (!(out << inputs[i]).flush()) return false;
    }
    return true;
}

bool unpack(const fs::path& file, const fs::path& directory) {
    const auto inputs = read_corpus(file);
    return inputs && write_all(*inputs, directory);
}

/// In the notation of the targets: what leads to a connection, and then the packet.
std::string seed(std::string_view target, const core::Golden& golden) {
    const bool v5 = golden.version == Version::v5;
    std::string input(1, static_cast<char>(v5 ? 1 : 0));
    if (target == "decode") return input + golden.octets;
    input += '\0';
    const std::string size(1, static_cast<char>(golden.octets.size()));
    if (target == "client_engine") {
        input += std::string("\x03\x00\x04\x02\x05\x01", 6); // CONNACK, publish, subscribe
        return input + std::string("\x00", 1) + size + golden.octets + std::string("\x07\x20", 2); // octets, time
    }
    input += std::string("\x01\x00", 2) + std::string(1, static_cast<char>(v5 ? 1 : 0)); // the first client connects
    return input + std::string("\x00\x00", 2) + size + golden.octets + std::string("\x07\x20", 2);
}

bool seeds(std::string_view target, const fs::path& directory) {
    std::vector<std::string> inputs;
    for (const auto& golden : core::golden_packets())
        if (golden.octets.size() < 256) inputs.push_back(seed(target, golden));
    return write_all(inputs, directory);
}

bool run(std::string_view command, const char* from, const char* to) {
    if (command == "pack") return pack(from, to);
    if (command == "unpack") return unpack(from, to);
    return command == "seeds" && seeds(from, to);
}

} // namespace
} // namespace tortoise::fuzz

int main(int argc, char** argv) {
    if (argc == 4 && tortoise::fuzz::run(argv[1], argv[2], argv[3])) return EXIT_SUCCESS;
    std::fprintf(stderr, "corpus_tool: pack DIRECTORY FILE | unpack FILE DIRECTORY | seeds TARGET DIRECTORY\n");
    return EXIT_FAILURE;
}
