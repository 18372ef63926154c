// tortoise proxy: faults between clients and any broker.

#include "bell.hpp"
#include "check.hpp"
#include "command.hpp"
#include "fault_arguments.hpp"
#include "output.hpp"
#include "report.hpp"
#include "tls_arguments.hpp"
#include <charconv>
#include <memory>
#include <tortoise/testing/proxy.hpp>

namespace cli {

using tortoise::Errc;
using tortoise::make_error;
using tortoise::Result;
using tortoise::testing::Proxy;
using tortoise::testing::ProxyOptions;

namespace {

struct ProxyArguments {
    std::string to = {}, listen = "1884", unix_path = {};
    std::string to_ca_file = {};
    bool to_insecure = false, websocket = false;
    BrokerTlsArguments tls = {};
    FaultArguments faults = {};
};

/// [HOST:]PORT
bool read_place(std::string_view text, ProxyOptions& options) {
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos) {
        auto host = text.substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        if (host.empty()) return false;
        options.host = host;
        text.remove_prefix(colon + 1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.port);
    return error == std::errc() && end == text.data() + text.size();
}

Result<ProxyOptions> plan_proxy(const ProxyArguments& a) {
    ProxyOptions options;
    options.to = a.to.find("://") == std::string::npos ? "mqtt://" + a.to : a.to;
    options.unix_path = a.unix_path;
    options.websocket = a.websocket;
    if (!read_place(a.listen, options))
        return make_error(Errc::invalid_option, "--listen takes [HOST:]PORT, not '" + a.listen + "'");
    auto tls = plan_tls(a.tls);
    if (!tls) return tls.error();
    options.tls = *std::move(tls);
    options.to_tls.ca_file = a.to_ca_file;
    options.to_tls.verify = !a.to_insecure;
    auto faults = a.faults.faults();
    if (!faults) return faults.error();
    if (*faults) options.faults = **faults;
    options.capture = a.faults.capture();
    return options;
}

int run_proxy(const ProxyArguments& a) {
    const Report report("tortoise proxy");
    const auto options = plan_proxy(a);
    if (!options) return report.usage(options.error().text), bad_usage;
    Bell bell;
    bell.ring_on_signals();
    {
        const Proxy proxy(*options);
        if (const auto listening = proxy.ok(); !listening) {
            const auto& error = listening.error();
            if (error.code == Errc::invalid_url) return report.usage("--to: " + error.describe()), bad_usage;
            report.error(error.code == Errc::tls_configuration ? in_words_of_the_command(error.text)
                                                               : error.describe());
            return failed_here;
        }
        write_output(fmt::format("listening on {}\n", proxy.url()));
        while (!bell.interrupted()) bell.wait(std::nullopt);
    }
    return conclude(a.faults, options->faults, options->capture, report) ? success : failed_here;
}

constexpr const char* examples =
    "Examples:\n"
    "  tortoise proxy --to localhost:1883 --fault 'drop PUBACK nth=3 on=a/#'\n"
    "  tortoise proxy --listen 0 --to mqtts://broker.example --fault 'delay PUBLISH 200ms every=10'\n"
    "  tortoise proxy --to localhost:1883 --fault 'cut PUBLISH chance=0.01 seed=7' --capture traffic.pcap\n\n"
    "Clients connect to it instead of the broker. It runs until SIGINT or SIGTERM; then it tells how often each\n"
    "rule applied.\n\n";

} // namespace

Command add_proxy(CLI::App& app) {
    auto& sub = *app.add_subcommand("proxy", "Stand in front of a broker, and do to its packets what rules say");
    const auto a = std::make_shared<ProxyArguments>();
    sub.set_help_flag("--help", "print this help");
    sub.footer(std::string(examples) + proxy_exit_codes);
    sub.add_option("--to", a->to, "the broker: HOST[:PORT], or a URL such as mqtts://HOST")
        ->option_text("BROKER")
        ->group("Network")
        ->required();
    sub.add_option("--listen", a->listen, "port to listen on; 0: a free one (127.0.0.1:1884)")
        ->option_text("[HOST:]PORT")
        ->group("Network");
    sub.add_option("--unix", a->unix_path, "listen on a Unix socket instead")->option_text("PATH")->group("Network");
    sub.add_flag("--websocket", a->websocket, "speak WebSocket to the clients; with TLS: wss")->group("Network");
    sub.add_option("--to-cafile", a->to_ca_file, "whom to trust about a broker at mqtts:// or wss://")
        ->option_text("FILE")
        ->group("Network");
    sub.add_flag("--to-insecure", a->to_insecure, "do not check the certificate of that broker")->group("Network");
    add_tls_options(sub, a->tls);
    add_fault_options(sub, a->faults);
    return {&sub, [a] { return run_proxy(*a); }};
}

} // namespace cli
