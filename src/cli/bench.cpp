// tortoise bench: what a broker and this client do in a second, and how long a message takes.

#include "bench_arguments.hpp"
#include "bench_result.hpp"
#include "bench_work.hpp"
#include "command.hpp"
#include "output.hpp"
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>
#include <vector>

namespace cli {

using tortoise::Connection;
using tortoise::Status;

namespace {

using Clock = Bell::Clock;
constexpr auto goodbye = std::chrono::seconds(2);

Clock::duration to_clock(tortoise::Duration d) { return std::chrono::duration_cast<Clock::duration>(d); }

/// The main thread's part: connects, subscribes, lets the works begin, watches them.
class Bench {
public:
    Bench(const Report& report, const BenchPlan& plan, const BenchArguments& a)
        : report_(report), plan_(plan),
          arguments_(a), context_{.report = report, .plan = plan.connect, .retry = a.connect.retry},
          tally_(plan.count, context_.watch),
          progress_(a.progress || (!a.json && !a.connect.quiet && ::isatty(STDERR_FILENO) == 1), plan.mode,
                    plan.count) {
        context_.watch.bell().ring_on_signals();
    }

    ExitCode run() {
        connect();
        if (const auto code = wait_until_up(connections_.front(), context_, first_attempt_over(arguments_.connect),
                                            plan_.connections))
            return *code;
        auto code = subscribe();
        if (code && accounted() == 0) return *code; // otherwise retained messages were enough
        if (!code) code = measure();
        tally_.end();
        const auto drops = disconnect();
        if (const auto error = write_output(arguments_.json ? bench_json({plan_, tally_, drops})
                                                            : bench_text({plan_, tally_, drops}))) {
            report_.error(fmt::format("cannot write to standard output: {}", error.message()));
            return failed_here;
        }
        return tally_.failures() > 0 ? account() : *code;
    }

private:
    void connect() {
        const WorkContext shared{plan_, context_, tally_, stamps_};
        auto options = plan_.connect.options;
        options.max_in_flight = plan_.mode == BenchMode::sub ? 0 : plan_.window;
        if (plan_.mode == BenchMode::sub && plan_.window > 0) options.receive_maximum = plan_.window;
        options.queue = {.messages = std::size_t{65'536},
                         .bytes = std::size_t{2} << 30}; // the works bound what is open
        connections_.reserve(plan_.connections);
        for (unsigned i = 0; i < plan_.connections; ++i) {
            works_.push_back(make_work(shared, i));
            options.handler = tortoise::make_handler<BenchHandler>(&context_, works_.back().get());
            const auto& id = plan_.connect.options.client_id;
            if (plan_.connections > 1 && !id.empty()) options.client_id = fmt::format("{}-{}", id, i + 1);
            connections_.emplace_back(options);
        }
    }

    /// How to end, if they cannot be subscribed.
    std::optional<ExitCode> subscribe() {
        std::size_t asked = 0;
        for (std::size_t i = 0; i < works_.size(); ++i) {
            const auto filter = works_[i]->filter();
            if (filter.empty()) continue;
            connections_[i].subscribe({filter, {.qos = plan_.qos}});
            ++asked;
        }
        return watch([&] { return context_.watch.state().subscribed >= asked; });
    }

    /// How it ended.
    ExitCode measure() {
        if (plan_.mode != BenchMode::sub) tally_.begin(Tally::Clock::now());
        for (std::size_t i = 0; i < works_.size(); ++i) works_[i]->start(connections_[i]);
        return *watch([] { return false; });
    }

    /// Sleeps until it is reached, or until there is a reason to end.
    template <class Reached> std::optional<ExitCode> watch(Reached reached) {
        constexpr auto look_again = std::chrono::milliseconds(250);
        const auto timeout = to_clock(plan_.timeout);
        std::uint64_t seen = accounted();
        auto changed = Clock::now();
        while (true) {
            const auto state = context_.watch.state();
            if (state.finished) return *state.finished;
            if (context_.watch.bell().interrupted()) return success;
            if (state.failed) {
                const auto verdict = explain_connect(*state.failed, plan_.connect.server);
                say(verdict.text);
                return verdict.code;
            }
            if (reached()) return std::nullopt;
            const auto now = Clock::now();
            if (const auto count = accounted(); count != seen) {
                seen = count;
                changed = now;
            }
            if (now - changed >= timeout) return give_up();
            progress_.show(tally_.messages(), now);
            context_.watch.bell().wait(std::min<Clock::time_point>(changed + timeout, now + look_again));
        }
    }
    std::uint64_t accounted() const { return tally_.messages() + tally_.failures(); }

    ExitCode give_up() {
        const bool sub = plan_.mode == BenchMode::sub;
        const auto what = sub                                        ? "arrived"
                          : plan_.mode == BenchMode::rtt             ? "came back"
                          : plan_.qos == tortoise::QoS::at_most_once ? "reached the broker"
                                                                     : "were acknowledged";
        auto text = fmt::format("{} of {} messages {}, and none for {} s: --timeout sets how long to wait",
                                tally_.messages(), plan_.count, what, arguments_.timeout);
        for (const auto& connection : connections_) {
            if (connection.status() == Status::up) continue;
            text += fmt::format("; the connection: {}", connection.error().describe());
            break;
        }
        say(text);
        return sub ? timed_out : not_delivered;
    }

    /// What became of the messages that were not delivered. The connections are gone.
    ExitCode account() {
        const auto verdict = explain_publish(tally_.first_error(), plan_.topic, {});
        say(fmt::format("{} of {} messages not delivered; the first: {}", tally_.failures(), plan_.count,
                        verdict.text));
        return verdict.code;
    }

    /// How often they were lost.
    std::uint64_t disconnect() {
        progress_.clear();
        std::uint64_t drops = 0;
        for (const auto& connection : connections_) drops += connection.statistics().drops;
        std::vector<tortoise::Pending<tortoise::Done>> stops;
        for (auto& connection : connections_) stops.push_back(connection.stop());
        const auto patience = Clock::now() + goodbye;
        for (const auto& stop : stops)
            static_cast<void>(stop.wait(std::max<tortoise::Duration>(patience - Clock::now(), {})));
        connections_.clear();
        return drops;
    }

    void say(std::string_view text) {
        progress_.clear();
        report_.error(text);
    }

    const Report& report_;
    const BenchPlan& plan_;
    const BenchArguments& arguments_;
    const StampClock stamps_;
    Context context_;
    Tally tally_;
    Progress progress_;
    std::vector<std::unique_ptr<Work>> works_;
    std::vector<Connection> connections_; // go first
};

int run_bench(const BenchArguments& a) {
    Report report("tortoise bench");
    report.set(a.connect.quiet, a.connect.debug);
    const auto plan = plan_bench(a);
    if (!plan) return report.usage(plan.error().text), bad_usage;
    return Bench(report, *plan, a).run();
}

} // namespace

Command add_bench(CLI::App& app) {
    auto& sub = *app.add_subcommand("bench", "Measure a broker, and the way to it");
    const auto a = std::make_shared<BenchArguments>();
    add_bench_options(sub, *a);
    return {&sub, [a] { return run_bench(*a); }};
}

} // namespace cli
