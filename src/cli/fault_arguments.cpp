#include "fault_arguments.hpp"
#include "check.hpp"
#include "output.hpp"
#include "report.hpp"

namespace cli {

using tortoise::Result;
using tortoise::testing::Capture;
using tortoise::testing::Faults;

Result<std::optional<Faults>> FaultArguments::faults() const {
    if (rules.empty()) return std::optional<Faults>();
    Faults made;
    for (const auto& rule : rules)
        if (const auto added = made.add(rule); !added)
            return tortoise::Error(added.error().code, "--" + added.error().text);
    return std::optional(made);
}

std::optional<Capture> FaultArguments::capture() const {
    if (captures.empty()) return std::nullopt;
    return Capture({.payloads = payloads});
}

void add_fault_options(CLI::App& app, FaultArguments& a) {
    const auto group = "Faults";
    app.add_option("--fault", a.rules,
                   "a rule such as 'drop PUBACK nth=3 on=a/#' (repeatable; see docs/testing-your-app.md)")
        ->option_text("RULE")
        ->group(group)
        ->allow_extra_args(false);
    app.add_option("--capture", a.captures, "in the end, what passed: .pcap for Wireshark, .json, or text (repeatable)")
        ->option_text("FILE")
        ->group(group)
        ->allow_extra_args(false);
    app.add_flag("--capture-payloads", a.payloads, "with the payloads; otherwise their size")->group(group);
}

bool conclude(const FaultArguments& a, const std::optional<Faults>& faults, const std::optional<Capture>& capture,
              const Report& report) {
    if (faults) write_output(faults->report());
    bool written = true;
    for (const auto& file : a.captures) {
        if (const auto done = capture->write_to(file); !done) {
            report.error(done.error().text);
            written = false;
        }
    }
    return written;
}

} // namespace cli
