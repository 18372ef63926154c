#include "sub_arguments.hpp"
#include "check.hpp"
#include "property_argument.hpp"
#include <tortoise/topic.hpp>

namespace cli {

using tortoise::Errc;
using tortoise::make_error;
using tortoise::QoS;
using tortoise::Result;
using tortoise::RetainHandling;
using tortoise::Version;

namespace {

constexpr const char* formats =
    "Formats (-F), as mosquitto_sub has them:\n"
    "  %t topic   %p payload   %x %X payload in hexadecimal   %l its length   %q QoS   %r retain\n"
    "  %m packet identifier    %j JSON   %J JSON, the payload being JSON   %% a %\n"
    "  MQTT 5: %A topic alias  %C content type  %D correlation data  %E message expiry  %F payload format\n"
    "          %P user properties  %R response topic  %S subscription identifier\n"
    "  time:   %I ISO 8601     %U Unix time     @C what strftime makes of %C    @N nanoseconds   @@ an @\n"
    "  \\n \\r \\t \\v \\a \\e \\0 \\\\ as in C; \\e is escape\n"
    "  Between % and the letter: - (left aligned), 0 (zero padded), a width, and .N (at most N octets)\n\n";

constexpr const char* examples =
    "Examples:\n"
    "  tortoise sub -t 'rooms/#' -v\n"
    "  tortoise sub -h broker.example -t 'doors/+' -q 1 --json\n"
    "  tortoise sub -t 'rooms/+/temp' -F '@H:@M:@S %-20t %p' -C 10 -W 60\n"
    "  tortoise sub -t alarms -q 2 -c -i console        keeps its session: nothing is missed\n"
    "  tortoise sub -t '#' --retained-only --remove-retained\n\n";

void add_subscription_options(CLI::App& app, SubArguments& a) {
    const auto group = "Subscriptions";
    const auto filters = [&](const char* names, std::vector<std::string>& into, const char* help) {
        app.add_option(names, into, help)->option_text("FILTER")->group(group)->allow_extra_args(false);
    };
    filters("-t,--topic", a.filters, "subscribe to it (repeatable)");
    filters("-T,--filter-out", a.filter_out, "print no messages of these topics (repeatable)");
    filters("-U,--unsubscribe", a.unsubscribe, "unsubscribe from it, e.g. in a kept session (repeatable)");
    app.add_option("-q,--qos", a.qos, "the greatest QoS to receive with: 0, 1 or 2 (0)")
        ->option_text("QOS")
        ->group(group)
        ->check(qos_level());
    app.add_flag("--no-local", a.no_local, "MQTT 5: nothing that this client published itself")->group(group);
    app.add_flag("--retain-as-published", a.retain_as_published, "MQTT 5: the retain flag as the publisher set it")
        ->group(group);
    app.add_option("--retain-handling", a.retain_handling,
                   "MQTT 5: retained messages: send, new (subscriptions) or never")
        ->option_text("WHEN")
        ->group(group)
        ->check(CLI::IsMember({"send", "new", "never"}));
}

void add_ending_options(CLI::App& app, SubArguments& a) {
    const auto group = "When to end";
    app.add_option("-C,--count", a.count, "after so many messages")
        ->option_text("N")
        ->group(group)
        ->check(whole_number(1, 1'000'000'000'000));
    app.add_option("-W,--wait", a.seconds,
                   "after so many seconds, with exit code 27; from the connection on, with --retry from the start")
        ->option_text("S")
        ->group(group)
        ->check(seconds());
    app.add_flag("-E,--exit-when-subscribed", a.exit_when_subscribed,
                 "when the broker has acknowledged the subscriptions")
        ->group(group);
}

void add_output_options(CLI::App& app, SubArguments& a) {
    const auto group = "Output";
    app.add_flag("-v,--verbose", a.verbose, "print topic and payload")->group(group);
    app.add_option("-F,--format", a.format, "print by a format; see below")->option_text("FORMAT")->group(group);
    app.add_flag("--json", a.json, "print a JSON object per message, with everything that is known of it")
        ->group(group);
    app.add_flag("--pretty", a.pretty, "JSON over several lines")->group(group);
    app.add_flag("-N", a.no_newline, "no end of line behind a message")->group(group);
    app.add_flag("-R", a.no_retained, "print no retained (stale) messages")->group(group);
    app.add_flag("--retained-only", a.retained_only, "print retained messages only, and end with the first other one")
        ->group(group);
    app.add_flag("--remove-retained", a.remove_retained, "remove retained messages from the broker as they arrive")
        ->group(group);
}

tortoise::Error wrong(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

/// What is wrong, if anything.
std::optional<std::string> complaint(const SubArguments& a, const ConnectPlan& connect) {
    const auto check = [](const std::vector<std::string>& filters) -> std::optional<std::string> {
        for (const auto& filter : filters)
            if (const auto checked = tortoise::check_filter(filter); !checked)
                return fmt::format("not a topic filter: '{}': {}", filter, checked.error().text);
        return std::nullopt;
    };
    if (a.filters.empty() && a.unsubscribe.empty() && connect.topic.empty()) return "give a topic filter: -t FILTER";
    for (const auto* filters : {&a.filters, &a.filter_out, &a.unsubscribe})
        if (auto text = check(*filters)) return text;
    if (!connect.topic.empty())
        if (auto text = check({connect.topic})) return text;
    if (a.no_retained && a.retained_only) return "-R and --retained-only exclude each other";
    if (a.json && a.format) return "give --json or -F, not both";
    if (connect.options.version != Version::v5 && (a.no_local || a.retain_as_published || a.retain_handling != "send"))
        return "--no-local, --retain-as-published and --retain-handling need MQTT 5; see -V";
    return std::nullopt;
}

} // namespace

void add_sub_options(CLI::App& app, SubArguments& a) {
    app.set_help_flag("--help", "print this help");
    app.footer(std::string(formats) + property_help_connect + "\n" + examples + sub_exit_codes);
    add_subscription_options(app, a);
    add_ending_options(app, a);
    add_output_options(app, a);
    add_connect_options(app, a.connect);
}

Result<SubPlan> plan_sub(const SubArguments& a) {
    auto connect = plan_connection(a.connect);
    if (!connect) return connect.error();
    if (auto text = complaint(a, *connect)) return wrong(*std::move(text));

    SubPlan plan{.connect = *std::move(connect), .filters = {}, .format = {}};
    const tortoise::SubscribeOptions options{.qos = static_cast<QoS>(a.qos),
                                             .no_local = a.no_local,
                                             .retain_as_published = a.retain_as_published,
                                             .retain_handling = a.retain_handling == "send" ? RetainHandling::send
                                                                : a.retain_handling == "new"
                                                                    ? RetainHandling::send_if_new
                                                                    : RetainHandling::do_not_send};
    for (const auto& filter : a.filters) plan.filters.emplace_back(filter, options);
    if (!plan.connect.topic.empty()) plan.filters.emplace_back(plan.connect.topic, options);
    if (a.format) {
        auto format = Format::parse(*a.format);
        if (!format) return format.error();
        plan.format = *std::move(format);
    }
    return plan;
}

} // namespace cli
