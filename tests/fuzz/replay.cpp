/// Runs a fuzz target on a packed corpus, once: what the fuzzer found is tested without it.

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "fuzz/corpus.hpp"
#include "fuzz/input.hpp"

int main(int argc, char** argv) {
    const auto corpus = argc == 2 ? tortoise::fuzz::read_corpus(argv[1]) : std::nullopt;
    if (!corpus || corpus->empty()) {
        std::fprintf(stderr, "usage: %s CORPUS.hex\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (const auto& input : *corpus)
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    std::printf("%zu inputs\n", corpus->size());
}
