// Runs a program beside a broker, and ends as the program ends. In its arguments, {url} and {address} become the
// broker's.
//   with_broker PROGRAM [ARGUMENT…]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tortoise/testing/broker.hpp>

namespace {

void replace(std::string& text, const std::string& what, const std::string& by) {
    if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
}

} // namespace

int main(int argc, char** argv) {
    tortoise::testing::Broker broker;
    if (const auto ok = broker.ok(); !ok) {
        std::fprintf(stderr, "with_broker: %s\n", ok.error().describe().c_str());
        return EXIT_FAILURE;
    }
    std::string command;
    for (int i = 1; i < argc; ++i) {
        std::string argument = argv[i];
        replace(argument, "{url}", broker.url());
        replace(argument, "{address}", "127.0.0.1:" + std::to_string(broker.port()));
        command += "'" + argument + "' ";
    }
    return std::system(command.c_str()) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
