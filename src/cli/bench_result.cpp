#include "bench_result.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace cli {

using Nanoseconds = std::chrono::nanoseconds;
using tortoise::QoS;

namespace {

double seconds_of(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double microseconds_of(Nanoseconds time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// Of one message that is both the first and the last there is nothing to say.
std::optional<double> rate(const BenchResult& r) {
    if (r.tally.elapsed() <= Nanoseconds::zero()) return std::nullopt;
    return static_cast<double>(r.tally.messages()) / seconds_of(r.tally.elapsed());
}

std::optional<double> cpu_per_message(const BenchResult& r) {
    if (r.tally.messages() == 0) return std::nullopt;
    return static_cast<double>(r.tally.cpu().count()) / static_cast<double>(r.tally.messages());
}

/// From where to where the latency is; empty: there is none.
std::string_view latency_of(const BenchResult& r) {
    if (r.tally.latencies().count() == 0) return {};
    switch (r.plan.mode) {
    case BenchMode::pub: return r.plan.qos == QoS::exactly_once ? "publish to PUBCOMP" : "publish to PUBACK";
    case BenchMode::sub: return "publish to arrival";
    case BenchMode::rtt: break;
    }
    return "there and back";
}

constexpr std::pair<const char*, double> quantiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};

std::string_view version(const BenchResult& r) { return to_string(r.plan.connect.options.version); }

std::string short_time(Nanoseconds time) {
    if (time < std::chrono::milliseconds(1)) return fmt::format("{:.1f} µs", microseconds_of(time));
    if (time < std::chrono::seconds(1)) return fmt::format("{:.2f} ms", microseconds_of(time) / 1e3);
    return fmt::format("{:.2f} s", seconds_of(time));
}

std::string plural(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

} // namespace

std::string bench_text(const BenchResult& r) {
    const auto& plan = r.plan;
    auto text = fmt::format("{}: QoS {}, {}", to_string(plan.mode), static_cast<int>(plan.qos),
                            plural(plan.connections, "connection"));
    if (plan.mode != BenchMode::sub) text += fmt::format(", window {}, {}", plan.window, plural(plan.size, "octet"));
    text += fmt::format(", MQTT {}, {}\n", version(r), plan.connect.server);
    const auto line = [&](std::string_view name, const std::string& value) {
        text += fmt::format("  {:<11} {}\n", name, value);
    };
    line("messages", std::to_string(r.tally.messages()));
    if (r.tally.failures() > 0) line("failed", std::to_string(r.tally.failures()));
    if (r.drops > 0) line("drops", fmt::format("{} of the connection", r.drops));
    line("time", fmt::format("{:.3f} s", seconds_of(r.tally.elapsed())));
    if (const auto value = rate(r)) line("throughput", fmt::format("{:.0f} messages/s", *value));
    if (const auto value = cpu_per_message(r)) line("CPU", fmt::format("{:.0f} ns/message", *value));
    if (const auto of = latency_of(r); !of.empty()) {
        std::string values;
        for (const auto& [name, part] : quantiles)
            values += fmt::format("{} {}, ", std::string_view(name) == "p999" ? "p99.9" : name,
                                  short_time(r.tally.latencies().quantile(part)));
        line("latency", fmt::format("{}({})", values.replace(values.size() - 2, 2, " "), of));
    }
    return text;
}

std::string bench_json(const BenchResult& r) {
    using Json = nlohmann::ordered_json;
    const auto& plan = r.plan;
    const bool sends = plan.mode != BenchMode::sub;
    const auto of = latency_of(r);
    const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
    Json json = {{"bench", to_string(plan.mode)},
                 {"server", plan.connect.server},
                 {"mqtt_version", version(r)},
                 {"topic", plan.topic},
                 {"qos", static_cast<int>(plan.qos)},
                 {"count", plan.count},
                 {"size", sends ? Json(plan.size) : Json(nullptr)},
                 {"window", plan.window > 0 ? Json(plan.window) : Json(nullptr)},
                 {"connections", plan.connections},
                 {"messages", r.tally.messages()},
                 {"failed", r.tally.failures()},
                 {"drops", r.drops},
                 {"seconds", seconds_of(r.tally.elapsed())},
                 {"messages_per_second", or_null(rate(r))},
                 {"cpu_ns_per_message", or_null(cpu_per_message(r))},
                 {"latency", of.empty() ? Json(nullptr) : Json(of)},
                 {"latencies", r.tally.latencies().count()}};
    for (const auto& [name, part] : quantiles)
        json[std::string(name) + "_us"] =
            of.empty() ? Json(nullptr) : Json(microseconds_of(r.tally.latencies().quantile(part)));
    // A URL and a topic may hold octets that are not UTF-8.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Progress::Progress(bool wanted, BenchMode mode, std::uint64_t count)
    : wanted_(wanted), terminal_(::isatty(STDERR_FILENO) == 1),
      name_(fmt::format("tortoise bench {}", to_string(mode))), count_(count), last_(Clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::show(std::uint64_t messages, Clock::time_point now) {
    constexpr auto period = std::chrono::seconds(1);
    if (!wanted_ || now - last_ < period) return;
    const auto per_second = static_cast<double>(messages - last_messages_) / seconds_of(now - last_);
    const auto text = fmt::format("{}: {} of {} messages, {:.0f}/s{}", name_, messages, count_, per_second,
                                  terminal_ ? "\033[K\r" : "\n");
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    shown_ = terminal_;
    last_messages_ = messages;
    last_ = now;
}

void Progress::clear() {
    if (!shown_) return;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, "\033[K", 3);
    shown_ = false;
}

} // namespace cli
