#pragma once
// The options for faults and captures, of the broker and the proxy.

#include <optional>
#include <string>
#include <tortoise/result.hpp>
#include <tortoise/testing/capture.hpp>
#include <tortoise/testing/faults.hpp>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

class Report;

struct FaultArguments {
    std::vector<std::string> rules = {}, captures = {};
    bool payloads = false;

    /// Nothing: there are no rules. An error is of the command line.
    tortoise::Result<std::optional<tortoise::testing::Faults>> faults() const;
    /// Nothing: there is no file to write.
    std::optional<tortoise::testing::Capture> capture() const;
};
void add_fault_options(CLI::App&, FaultArguments&);

/// In the end: prints how often the rules applied, and writes the files. False: a file could not be written.
bool conclude(const FaultArguments&, const std::optional<tortoise::testing::Faults>&,
              const std::optional<tortoise::testing::Capture>&, const Report&);

} // namespace cli
