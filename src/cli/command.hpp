#pragma once
// A subcommand: its options, and what it does.

#include <functional>

namespace CLI {
class App;
}

namespace cli {

struct Command {
    CLI::App* app;
    std::function<int()> run; // after the options were read
};

Command add_pub(CLI::App&);
Command add_sub(CLI::App&);
Command add_broker(CLI::App&);
Command add_bench(CLI::App&);
Command add_proxy(CLI::App&);

} // namespace cli
