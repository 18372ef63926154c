// The program: dims a lamp up and down once.
//   lamp [URL]
#include "lamp.hpp"
#include <cstdio>

int main(int argc, char** argv) {
    auto hall = lamp<CarefulLamp>(argc > 1 ? argv[1] : "mqtt://localhost:1883");
    for (const auto* percent : {"0", "50", "100", "50", "0"}) {
        if (const auto set = set_level(hall, percent).wait(std::chrono::seconds(10)); !set) {
            std::fprintf(stderr, "lamp: %s\n", set.error().describe().c_str());
            return 1;
        }
    }
    return 0;
}
