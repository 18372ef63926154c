#pragma once
// The options of `tortoise sub`.

#include "connect_arguments.hpp"
#include "format.hpp"
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct SubArguments {
    ConnectArguments connect = {};
    std::vector<std::string> filters = {}, filter_out = {}, unsubscribe = {};
    unsigned qos = 0;
    bool no_local = false, retain_as_published = false;
    std::string retain_handling = "send";

    std::uint64_t count = 0; // 0: without end
    double seconds = 0;      // 0: without end
    bool exit_when_subscribed = false;

    bool no_retained = false, retained_only = false, remove_retained = false;

    std::optional<std::string> format = {};
    bool json = false, pretty = false, verbose = false, no_newline = false;
};

/// Adds the options to the subcommand.
void add_sub_options(CLI::App&, SubArguments&);

/// What they come to.
struct SubPlan {
    ConnectPlan connect;
    std::vector<tortoise::TopicFilter> filters;
    std::optional<Format> format;
};
/// An error is of the command line.
tortoise::Result<SubPlan> plan_sub(const SubArguments&);

} // namespace cli
