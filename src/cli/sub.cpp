// tortoise sub: prints what arrives.

#include "check.hpp"
#include "client.hpp"
#include "command.hpp"
#include "output.hpp"
#include "printer.hpp"
#include "sub_arguments.hpp"
#include <algorithm>
#include <memory>
#include <unistd.h>

namespace cli {

using tortoise::Actions;
using tortoise::Connection;
using tortoise::Errc;
using tortoise::FilterStatus;
using tortoise::Grant;
using tortoise::MessageView;
using tortoise::Result;

namespace {

constexpr auto goodbye = std::chrono::seconds(2);

/// Prints on the loop thread, so that a message is acknowledged when it has been written, and a slow reader slows the
/// broker down.
class SubHandler : public ClientHandler {
public:
    SubHandler(Context* context, const SubArguments* a, const SubPlan* plan)
        : ClientHandler(context), arguments_(*a), printer_(*a, *plan, context->report) {}

    Actions message(Connection& connection, const MessageView& m) override {
        const auto& a = arguments_;
        if (over_) return {};
        if (std::ranges::any_of(a.filter_out, [&](const auto& filter) { return m.matches(filter); })) return {};
        if (a.retained_only && !m.retain) return end(success);
        if (a.remove_retained && m.retain) connection.publish(m.topic, {}, {.qos = m.qos, .retain = true});
        if (a.no_retained && m.retain) return {};
        if (const auto error = write_output(printer_.print(m))) {
            if (error == std::errc::broken_pipe) return end(success);
            context_.report.error(fmt::format("cannot write to standard output: {}", error.message()));
            return end(failed_here);
        }
        if (++printed_ == a.count) {
            // Now, so that DISCONNECT follows the acknowledgement at once: what the broker sends after that stays its
            // own.
            static_cast<void>(connection.stop(goodbye));
            return end(success);
        }
        return {};
    }

    Actions subscription(Connection&, const FilterStatus& s) override {
        if (s.kind == FilterStatus::Kind::up)
            context_.report.debug(
                fmt::format("subscribed to {} (QoS {})", s.filter, static_cast<int>(s.grant.granted)));
        else if (s.kind == FilterStatus::Kind::down)
            context_.report.debug(fmt::format("not subscribed to {}", s.filter));
        else
            context_.report.error(
                fmt::format("the broker refused the subscription to '{}': {}", s.filter, s.reason.describe()));
        return {};
    }

private:
    Actions end(ExitCode code) {
        over_ = true;
        context_.watch.finish(code);
        return {};
    }

    const SubArguments& arguments_;
    Printer printer_;
    std::uint64_t printed_ = 0;
    bool over_ = false;
};

/// Subscribes, then unsubscribes. Ends the command if every filter was refused, or because of -E.
void subscribe(Connection& connection, Context& context, const SubArguments& a, const SubPlan& plan) {
    const bool unsubscribes = !a.unsubscribe.empty();
    const bool then_exit = a.exit_when_subscribed;
    auto& watch = context.watch;
    if (!plan.filters.empty()) {
        connection.subscribe(plan.filters)
            .on_done([&watch, then_exit, unsubscribes](const Result<std::vector<Result<Grant>>>& results) {
                if (!results) return; // the connection is over, and has said why
                const auto refused = std::ranges::count_if(*results, [](const auto& r) { return !r; });
                const bool all = refused == static_cast<std::ptrdiff_t>(results->size());
                if (all || (then_exit && refused > 0))
                    watch.finish(subscription_refused);
                else if (then_exit && !unsubscribes)
                    watch.finish(success);
            });
    }
    if (!unsubscribes) return;
    connection.unsubscribe(a.unsubscribe)
        .on_done([&watch, then_exit](const Result<std::vector<Result<tortoise::Done>>>& results) {
            if (results && then_exit) watch.finish(success);
        });
}

/// Sleeps until there is a reason to end.
ExitCode wait_for_end(Context& context, std::optional<Bell::Clock::time_point> deadline) {
    auto& watch = context.watch;
    while (true) {
        const auto state = watch.state();
        if (state.finished) return *state.finished;
        if (watch.bell().interrupted()) return success;
        if (state.failed) {
            const auto verdict = explain_connect(*state.failed, context.plan.server);
            context.report.error(verdict.text);
            return verdict.code;
        }
        switch (watch.bell().wait(deadline, STDOUT_FILENO)) {
        case Bell::Why::rung: break;
        case Bell::Why::output_closed: return success;
        case Bell::Why::deadline:
            if (const auto last = watch.state(); last.finished) return *last.finished;
            context.report.error("the time of -W is over");
            return timed_out;
        }
    }
}

int run_sub(const SubArguments& a) {
    Report report("tortoise sub");
    report.set(a.connect.quiet, a.connect.debug);
    const auto plan = plan_sub(a);
    if (!plan) return report.usage(plan.error().text), bad_usage;

    Context context{.report = report, .plan = plan->connect, .retry = a.connect.retry};
    context.watch.bell().ring_on_signals();
    auto options = plan->connect.options;
    options.handler = tortoise::make_handler<SubHandler>(&context, &a, &*plan);
    // One at a time, or those that come together with the last one that counts would be taken from the session unseen.
    if (a.count > 0 && a.connect.keep_session) options.receive_maximum = 1;
    Connection connection(std::move(options));
    subscribe(connection, context, a, *plan);

    const auto time_of = [&] {
        return Bell::Clock::now() + std::chrono::duration_cast<Bell::Clock::duration>(to_duration(a.seconds));
    };
    std::optional<Bell::Clock::time_point> deadline;
    if (a.seconds > 0 && a.connect.retry)
        deadline = time_of();
    else if (const auto code = wait_until_up(connection, context, first_attempt_over(a.connect)))
        return *code;
    if (a.seconds > 0 && !deadline) deadline = time_of();

    const auto code = wait_for_end(context, deadline);
    // What is acknowledged and cleared reaches the broker; a broker that does not answer is not waited for long.
    static_cast<void>(connection.stop(goodbye).wait(goodbye + std::chrono::seconds(1)));
    return code;
}

} // namespace

Command add_sub(CLI::App& app) {
    auto& sub = *app.add_subcommand("sub", "Subscribe, and print the messages that arrive");
    const auto a = std::make_shared<SubArguments>();
    add_sub_options(sub, *a);
    return {&sub, [a] { return run_sub(*a); }};
}

} // namespace cli
