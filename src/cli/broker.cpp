// tortoise broker: a broker to try things with, which can be told to refuse.

#include "bell.hpp"
#include "check.hpp"
#include "command.hpp"
#include "fault_arguments.hpp"
#include "input.hpp"
#include "output.hpp"
#include "report.hpp"
#include "tls_arguments.hpp"
#include <memory>
#include <tortoise/testing/broker.hpp>
#include <tortoise/testing/certificates.hpp>
#include <tortoise/topic.hpp>

namespace cli {

using tortoise::Errc;
using tortoise::make_error;
using tortoise::QoS;
using tortoise::Result;
using tortoise::testing::Broker;
using tortoise::testing::BrokerOptions;

namespace {

struct BrokerArguments {
    BrokerOptions options = {.port = 1883};
    BrokerTlsArguments tls = {};
    std::vector<std::string> users = {};
    std::string users_file = {};
    std::string test_certificates = {}; // a directory
    FaultArguments faults = {};
    std::optional<std::uint32_t> server_keep_alive = {}, session_expiry_cap = {};
    unsigned maximum_qos = 2;
    std::string retain = "on", copies = "one";
    bool no_retain = false;
};

/// NAME:PASSWORD; the name holds no colon.
bool add_user(BrokerOptions& options, std::string_view entry) {
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    options.users[std::string(entry.substr(0, colon))] = entry.substr(colon + 1);
    return true;
}

/// One user a line; empty lines and those that begin with # do not count.
std::optional<std::string> add_users(BrokerOptions& options, std::string_view text, const std::string& path) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.front() == '#') continue;
        if (!add_user(options, line)) return fmt::format("{}:{}: a line is NAME:PASSWORD", path, number);
    }
    return std::nullopt;
}

Result<BrokerOptions> plan_broker(const BrokerArguments& a) {
    const auto wrong = [](std::string text) { return make_error(Errc::invalid_option, std::move(text)); };
    BrokerOptions options = a.options;
    auto tls = plan_tls(a.tls);
    if (!tls) return tls.error();
    options.tls = *std::move(tls);
    if (options.tls && !options.unix_path.empty())
        return wrong("--unix: a Unix socket has no TLS: leave out one of them");
    if (options.websocket && !options.unix_path.empty())
        return wrong("--websocket: not on a Unix socket: leave out one of them");
    if (!a.test_certificates.empty() && (options.tls || !options.unix_path.empty()))
        return wrong("--test-certificates: leave out the other options of TLS, and --unix");
    for (const auto& entry : a.users)
        if (!add_user(options, entry)) return wrong("--user takes NAME:PASSWORD");
    for (const auto* filters : {&options.deny_subscribe, &options.deny_publish})
        for (const auto& filter : *filters)
            if (const auto checked = tortoise::check_filter(filter); !checked)
                return wrong(fmt::format("not a topic filter: '{}': {}", filter, checked.error().text));
    if (a.server_keep_alive) options.server_keep_alive = std::chrono::seconds(*a.server_keep_alive);
    if (a.session_expiry_cap) options.session_expiry_cap = std::chrono::seconds(*a.session_expiry_cap);
    options.maximum_qos = static_cast<QoS>(a.maximum_qos);
    options.retain_available = a.retain == "on" && !a.no_retain;
    options.one_copy_per_subscription = a.copies == "each";
    auto faults = a.faults.faults();
    if (!faults) return faults.error();
    options.faults = *std::move(faults);
    options.capture = a.faults.capture();
    return options;
}

std::vector<std::string> profile_names() {
    const auto names = tortoise::testing::broker_profiles();
    return {names.begin(), names.end()};
}

/// Makes certificates, leaves those of the authority and of a device in the directory, and secures the broker with
/// them.
Result<tortoise::Done> secure(BrokerOptions& options, const std::string& directory) {
    const tortoise::testing::TestCertificates certificates;
    if (const auto written = certificates.write_to(directory); !written) return written;
    options.tls = certificates.for_broker();
    options.tls->require_client_certificate = options.users.empty();
    return tortoise::Done{};
}

void add_cloud_options(CLI::App& app, BrokerArguments& a) {
    const auto group = "In place of a cloud";
    app.add_option("--profile", a.options.profile, fmt::format("behave like {}", fmt::join(profile_names(), ", ")))
        ->option_text("NAME")
        ->group(group)
        ->check(CLI::IsMember(profile_names()));
    app.add_option("--test-certificates", a.test_certificates,
                   "TLS with certificates made now; DIR gets ca.pem, and the client's device.pem and device.key")
        ->option_text("DIR")
        ->group(group);
}

void add_access_options(CLI::App& app, BrokerArguments& a) {
    const auto group = "Who may do what";
    const auto list = [&](const char* name, std::vector<std::string>& into, const char* text, const char* help) {
        app.add_option(name, into, help)->option_text(text)->group(group)->allow_extra_args(false);
    };
    list("--user", a.users, "NAME:PASSWORD", "only such users may connect (repeatable; without any, everybody may)");
    app.add_option("--users", a.users_file, "the same from a file, a NAME:PASSWORD per line")
        ->option_text("FILE")
        ->group(group);
    list("--deny-subscribe", a.options.deny_subscribe, "FILTER", "refuse subscriptions that it covers (repeatable)");
    list("--deny-publish", a.options.deny_publish, "FILTER", "refuse messages to topics that it matches (repeatable)");
}

void add_limit_options(CLI::App& app, BrokerArguments& a) {
    const auto group = "What it offers";
    const auto number = [&](const char* name, auto& into, long long least, long long greatest, const char* text,
                            const char* help) {
        app.add_option(name, into, help)->option_text(text)->group(group)->check(whole_number(least, greatest));
    };
    number("--server-keep-alive", a.server_keep_alive, 0, 65'535, "S", "the keep-alive that MQTT 5 clients must use");
    app.add_option("--maximum-qos", a.maximum_qos, "0, 1 or 2 (2)")
        ->option_text("QOS")
        ->group(group)
        ->check(qos_level());
    app.add_option("--retain", a.retain, "retained messages on or off (on)")
        ->option_text("on|off")
        ->group(group)
        ->check(CLI::IsMember({"on", "off"}));
    app.add_flag("--no-retain", a.no_retain, "the same as --retain off")->group(group);
    number("--receive-maximum", a.options.receive_maximum, 1, 65'535, "N",
           "unacknowledged messages that a client may send at a time (65535)");
    number("--maximum-packet-size", a.options.maximum_packet_size, 1, 268'435'460, "N", "in octets (268435460)");
    number("--topic-alias-maximum", a.options.topic_alias_maximum, 0, 65'535, "N",
           "topic aliases that a client may use (65535)");
    number("--session-expiry-cap", a.session_expiry_cap, 0, 4'294'967'295, "S",
           "the longest session expiry that it grants");
    app.add_option("--copies", a.copies,
                   "of a message that matches several filters of a client: one, or one for each (one)")
        ->option_text("one|each")
        ->group(group)
        ->check(CLI::IsMember({"one", "each"}));
}

/// Where it listens.
std::string place(const BrokerOptions& options, std::uint16_t port) {
    if (!options.unix_path.empty()) return options.unix_path;
    const bool v6 = options.host.find(':') != std::string::npos;
    return fmt::format("{}:{}", v6 ? "[" + options.host + "]" : options.host, port);
}

std::string why_not(const BrokerOptions& options, const tortoise::Error& error) {
    if (error.code == Errc::tls_configuration) return in_words_of_the_command(error.text);
    if (!options.unix_path.empty()) return error.text;
    return fmt::format("cannot listen on {}: {}: is another broker running there? "
                       "--port takes another port, 0 any free one",
                       place(options, options.port), error.describe());
}

int run_broker(const BrokerArguments& a) {
    const Report report("tortoise broker");
    auto options = plan_broker(a);
    if (!options) return report.usage(options.error().text), bad_usage;
    if (!a.users_file.empty()) {
        const auto text = read_file(a.users_file);
        if (!text) return report.error(text.error().text), failed_here;
        if (const auto complaint = add_users(*options, *text, a.users_file))
            return report.error(*complaint), failed_here;
    }

    if (!a.test_certificates.empty())
        if (const auto done = secure(*options, a.test_certificates); !done)
            return report.error(done.error().text), failed_here;

    Bell bell;
    bell.ring_on_signals();
    Broker broker(*options);
    if (const auto listening = broker.ok(); !listening) {
        report.error(why_not(*options, listening.error()));
        return failed_here;
    }
    write_output(fmt::format("listening on {}\n", place(*options, broker.port())));
    while (!bell.interrupted()) bell.wait(std::nullopt);
    broker.stop();
    return conclude(a.faults, options->faults, options->capture, report) ? success : failed_here;
}

constexpr const char* examples =
    "Examples:\n"
    "  tortoise broker                            on port 1883\n"
    "  tortoise broker --port 0                   on a free port; the first line says which\n"
    "  tortoise broker --user anna:secret --deny-subscribe 'private/#'\n"
    "  tortoise broker --port 8883 --cert broker.pem --key broker.key --cafile ca.pem --require-certificate\n"
    "  tortoise broker --maximum-qos 1 --retain off --receive-maximum 10\n"
    "  tortoise broker --profile aws --port 8883 --test-certificates certificates\n"
    "  tortoise broker --fault 'drop PUBACK nth=3 on=a/#' --capture traffic.pcap\n\n"
    "It keeps everything in memory, and forgets it when it ends.\n\n";

} // namespace

Command add_broker(CLI::App& app) {
    auto& sub = *app.add_subcommand("broker", "Run a broker to try things with: MQTT 3.1.1 and 5");
    const auto a = std::make_shared<BrokerArguments>();
    sub.set_help_flag("--help", "print this help");
    sub.footer(std::string(examples) + broker_exit_codes);
    sub.add_option("-p,--port", a->options.port, "port to listen on; 0: a free one (1883)")
        ->option_text("PORT")
        ->group("Network")
        ->check(whole_number(0, 65'535));
    sub.add_option("-h,--host", a->options.host, "address to listen on; 0.0.0.0: all (127.0.0.1)")
        ->option_text("HOST")
        ->group("Network");
    sub.add_option("--unix", a->options.unix_path, "listen on a Unix socket instead")
        ->option_text("PATH")
        ->group("Network");
    sub.add_flag("--websocket", a->options.websocket, "speak WebSocket, at any path; with TLS: wss")->group("Network");
    add_tls_options(sub, a->tls);
    add_access_options(sub, *a);
    add_limit_options(sub, *a);
    add_cloud_options(sub, *a);
    add_fault_options(sub, a->faults);
    return {&sub, [a] { return run_broker(*a); }};
}

} // namespace cli
