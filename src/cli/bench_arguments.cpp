#include "bench_arguments.hpp"
#include "check.hpp"
#include "input.hpp"
#include "property_argument.hpp"
#include <tortoise/topic.hpp>

namespace cli {

using tortoise::Errc;
using tortoise::Error;
using tortoise::make_error;
using tortoise::QoS;
using tortoise::Result;
using tortoise::Version;

namespace {

constexpr const char* default_topic = "tortoise/bench";
constexpr std::uint64_t most_octets_open = 1u << 30; // over all connections

constexpr const char* modes = "What is measured:\n"
                              "  pub   publishing; the latency is from publish to PUBACK (QoS 1) or PUBCOMP (QoS 2)\n"
                              "  sub   what arrives, from the first message to the last; the latency is from publish\n"
                              "        to arrival, if 'tortoise bench pub' published it on this machine\n"
                              "  rtt   there and back: publishes to topics of its own and receives from them\n\n";

constexpr const char* examples = "Examples:\n"
                                 "  tortoise bench pub -h broker.example -q 1 --count 100000 --size 256\n"
                                 "  tortoise bench rtt -q 0 --count 20000 --json\n"
                                 "  tortoise bench sub -q 1 --count 500000 & tortoise bench pub -q 1 --count 500000\n"
                                 "  tortoise bench sub -t 'sensors/#' --count 1000 --timeout 300\n\n";

Error wrong(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

Result<BenchMode> parse_mode(const std::string& text) {
    for (const auto mode : {BenchMode::pub, BenchMode::sub, BenchMode::rtt})
        if (text == to_string(mode)) return mode;
    if (text.empty()) return wrong("give what to measure: pub, sub or rtt");
    return wrong(fmt::format("it measures pub, sub or rtt, not '{}'", text));
}

/// What is wrong with the topic, if anything.
std::optional<std::string> complaint(const BenchPlan& plan) {
    if (plan.mode == BenchMode::sub) {
        if (const auto checked = tortoise::check_filter(plan.topic); !checked)
            return fmt::format("not a topic filter: '{}': {}", plan.topic, checked.error().text);
    } else if (const auto checked = tortoise::check_topic(plan.topic); !checked) {
        return fmt::format("not a topic to publish to: '{}': {}", plan.topic, checked.error().text);
    }
    return std::nullopt;
}

/// The default is what brokers take: those of MQTT 3.1.1 do not tell, and drop what is beyond their limit.
std::uint16_t default_window(const BenchPlan& plan) {
    const bool v5 = plan.connect.options.version == Version::v5;
    if (plan.mode == BenchMode::rtt) return 1;
    if (plan.mode == BenchMode::sub) return v5 ? 65'535 : 0;
    if (!v5 && plan.qos != QoS::at_most_once) return 20;
    const auto fits = most_octets_open / 4 / std::max<std::uint64_t>(plan.size * plan.connections, 1);
    return static_cast<std::uint16_t>(std::clamp<std::uint64_t>(fits, 1, 1000));
}

/// How many messages of QoS 0 a connection can always write at once. Of more it would queue some, and the PINGREQ that
/// tells when they have arrived would overtake them.
std::uint16_t never_queued(const BenchPlan& plan) {
    constexpr std::size_t octets = 200'000;
    return static_cast<std::uint16_t>(
        std::clamp<std::size_t>(octets / (plan.size + plan.topic.size() + 32), 1, 65'535));
}

} // namespace

std::string_view to_string(BenchMode mode) noexcept {
    switch (mode) {
    case BenchMode::pub: return "pub";
    case BenchMode::sub: return "sub";
    case BenchMode::rtt: return "rtt";
    }
    return {};
}

void add_bench_options(CLI::App& app, BenchArguments& a) {
    app.set_help_flag("--help", "print this help");
    app.footer(std::string(modes) + property_help_connect + property_help_publish + "\n" + examples + bench_exit_codes);
    const auto work = "Work";
    const auto number = [&](const char* names, auto& into, const char* help, long long least, long long greatest) {
        app.add_option(names, into, help)->option_text("N")->group(work)->check(whole_number(least, greatest));
    };
    app.add_option("what", a.what)->group(""); // the usage line tells
    app.add_option("-t,--topic", a.topic, "where to publish; sub: a filter; rtt: topics below it (tortoise/bench)")
        ->option_text("TOPIC")
        ->group(work);
    app.add_option("-q,--qos", a.qos, "0 at most once, 1 at least once, 2 exactly once (0)")
        ->option_text("QOS")
        ->group(work)
        ->check(qos_level());
    number("-C,--count", a.count, "messages, over all connections (100000; rtt: 10000)", 1, 1'000'000'000'000);
    number("--size", a.size, "octets of a payload (64); sub takes any", 0, static_cast<long long>(largest_payload));
    number("--window", a.window, "messages on their way at a time (pub: 1000, MQTT 3.1.1: 20; rtt: 1; sub: 65535)", 1,
           65'535);
    number("--connections", a.connections, "connections, which share the messages (1)", 1, 100'000);
    app.add_option("--timeout", a.timeout, "give up when nothing has happened for so many seconds (30)")
        ->option_text("S")
        ->group(work)
        ->check(seconds(0.001));
    app.add_flag("--json", a.json, "print the result as a JSON object")->group("Output");
    app.add_flag("--progress", a.progress, "tell how far it is on standard error, also if that is no terminal")
        ->group("Output");
    add_connect_options(app, a.connect);
}

Result<BenchPlan> plan_bench(const BenchArguments& a) {
    const auto mode = parse_mode(a.what);
    if (!mode) return mode.error();
    auto connect = plan_connection(a.connect);
    if (!connect) return connect.error();
    auto topic = !a.topic.empty() ? a.topic : !connect->topic.empty() ? connect->topic : std::string(default_topic);
    BenchPlan plan{.connect = *std::move(connect),
                   .mode = *mode,
                   .topic = std::move(topic),
                   .qos = static_cast<QoS>(a.qos),
                   .count = a.count.value_or(*mode == BenchMode::rtt ? 10'000 : 100'000),
                   .size = a.size,
                   .window = 0,
                   .connections = a.connections,
                   .timeout = to_duration(a.timeout)};
    if (auto text = complaint(plan)) return wrong(*std::move(text));
    plan.window = a.window.value_or(default_window(plan));
    if (plan.mode == BenchMode::sub) {
        if (plan.connect.options.version != Version::v5) plan.window = 0;
        return plan;
    }
    if (plan.mode == BenchMode::pub && plan.qos == QoS::at_most_once)
        plan.window = std::min(plan.window, never_queued(plan));
    if (const auto octets = std::uint64_t{plan.window} * plan.connections * plan.size; octets > most_octets_open)
        return wrong(
            fmt::format("--window {} of --size {} on {} are {} octets on their way: at most {}", plan.window, plan.size,
                        plan.connections == 1 ? "1 connection" : fmt::format("{} connections", plan.connections),
                        octets, most_octets_open));
    return plan;
}

} // namespace cli
