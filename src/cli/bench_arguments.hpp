#pragma once
// The options of `tortoise bench`.

#include "connect_arguments.hpp"
#include <optional>
#include <string>
#include <string_view>

namespace cli {

struct BenchArguments {
    ConnectArguments connect = {};
    std::string what = {};
    std::string topic = {};
    unsigned qos = 0;
    std::optional<std::uint64_t> count = {};
    std::size_t size = 64;
    std::optional<std::uint16_t> window = {};
    unsigned connections = 1;
    double timeout = 30;
    bool json = false, progress = false;
};

/// Adds the options to the subcommand.
void add_bench_options(CLI::App&, BenchArguments&);

enum class BenchMode { pub, sub, rtt };
std::string_view to_string(BenchMode) noexcept;

/// What they come to.
struct BenchPlan {
    ConnectPlan connect;
    BenchMode mode;
    std::string topic; // of pub; the filter of sub; what the topics of rtt begin with
    tortoise::QoS qos;
    std::uint64_t count; // over all connections
    std::size_t size;    // of a payload; not of sub
    /// Messages on their way at a time, for each connection. Of sub: the Receive Maximum; 0: MQTT 3.1.1 has none.
    std::uint16_t window;
    unsigned connections;
    tortoise::Duration timeout; // without any progress
};
/// An error is of the command line.
tortoise::Result<BenchPlan> plan_bench(const BenchArguments&);

} // namespace cli
