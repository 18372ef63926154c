#include "connect_arguments.hpp"
#include "check.hpp"
#include "property_argument.hpp"
#include <filesystem>
#include <unistd.h>

namespace cli {

using tortoise::Done;
using tortoise::Errc;
using tortoise::Error;
using tortoise::make_error;
using tortoise::QoS;
using tortoise::Result;
using tortoise::Version;
namespace property = tortoise::property;

namespace {

constexpr std::uint32_t largest_packet = 268'435'460; // [MQTT-2.1.4]
constexpr std::uint32_t never = 0xFFFFFFFF;           // a Session Expiry Interval without end [MQTT-3.1.2.11.2]

void add_server_options(CLI::App& app, ConnectArguments& a) {
    const auto group = "Broker";
    app.add_option("-h,--host", a.host, "name or address of the broker (localhost)")->option_text("HOST")->group(group);
    app.add_option("-p,--port", a.port, "its port (1883; with TLS 8883, which by itself means TLS)")
        ->option_text("PORT")
        ->group(group)
        ->check(whole_number(1, 65'535));
    app.add_option("-L,--url", a.url,
                   "all in one: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://…[/PATH], or unix:///PATH")
        ->option_text("URL")
        ->group(group);
    app.add_option("--unix", a.unix_path, "the broker's Unix socket, in place of host and port")
        ->option_text("PATH")
        ->group(group);
    app.add_option("--header", a.headers, "a header of the HTTP request of ws:// and wss:// (repeatable); never shown")
        ->option_text("'NAME: VALUE'")
        ->group(group)
        ->allow_extra_args(false);
    app.add_option("--proxy", a.proxy, "on the way: http://[USER[:PASSWORD]@]HOST[:PORT] or socks5://…")
        ->option_text("URL")
        ->group(group);
    app.add_option("-V,--protocol-version", a.version, "version of MQTT: 3.1.1 or 5 (5); also 311, mqttv311, mqttv5")
        ->option_text("VERSION")
        ->group(group);
    app.add_option("--connect-timeout", a.connect_timeout, "how long an attempt to connect may take, in seconds (10)")
        ->option_text("S")
        ->group(group)
        ->check(seconds(0.001));
    app.add_flag("--retry", a.retry, "keep trying if the first attempt fails")->group(group);
}

void add_client_options(CLI::App& app, ConnectArguments& a) {
    const auto group = "Client";
    app.add_option("-u,--username", a.user, "user name")->option_text("NAME")->group(group);
    app.add_option("-P,--pw", a.password, "password; never shown")->option_text("PASSWORD")->group(group);
    app.add_option("-i,--id", a.id, "client identifier (one is made up)")->option_text("ID")->group(group);
    app.add_option("-I,--id-prefix", a.id_prefix, "client identifier: this, and the process id behind it")
        ->option_text("PREFIX")
        ->group(group);
    app.add_option("-k,--keepalive", a.keep_alive, "keep-alive in seconds; 0: none (60)")
        ->option_text("S")
        ->group(group)
        ->check(whole_number(0, 65'535));
    app.add_flag("-c,--disable-clean-session", a.keep_session, "keep the session on the broker; needs -i")
        ->group(group);
    app.add_option("-x,--session-expiry-interval", a.session_expiry,
                   "MQTT 5: seconds that the session outlives a lost connection; -1: for ever (60; with -c: -1)")
        ->option_text("S")
        ->group(group);
    app.add_option("-D,--property", a.properties, "an MQTT 5 property; see below (repeatable)")
        ->option_text("PACKET PROPERTY VALUE")
        ->group(group)
        ->allow_extra_args(false);
}

void add_will_options(CLI::App& app, ConnectArguments& a) {
    const auto group = "Will: what the broker publishes if this client is lost";
    app.add_option("--will-topic", a.will_topic, "its topic")->option_text("TOPIC")->group(group);
    app.add_option("--will-payload", a.will_payload, "its payload (empty)")->option_text("MESSAGE")->group(group);
    app.add_option("--will-qos", a.will_qos, "its QoS: 0, 1 or 2 (0)")
        ->option_text("QOS")
        ->group(group)
        ->check(qos_level());
    app.add_flag("--will-retain", a.will_retain, "retain it")->group(group);
}

Error wrong(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

constexpr std::uint16_t plain_port = 1883, tls_port = 8883;

std::uint16_t usual_port(std::string_view scheme) {
    if (scheme == "ws") return 80;
    if (scheme == "wss") return 443;
    return scheme == "mqtts" ? tls_port : plain_port;
}

/// TLS is wanted, and this is no place for it.
Error misplaced(std::string_view option, std::string_view what) {
    return wrong(fmt::format("{}: {} without TLS: write mqtts:// or wss:// in --url, or give -h and -p", option, what));
}

/// A path as a URL has it: absolute, unless it is the name of an abstract socket.
std::string unix_url(const std::string& path) {
    std::string url = "unix://";
    for (const char c : path.starts_with('@') ? path : std::filesystem::absolute(path).string()) {
        if (c == '%')
            url += "%25";
        else
            url += c;
    }
    return url;
}

/// The path of a URL names a topic, as in mosquitto_pub -L. What stands before the @ may be a password, and is not
/// shown.
Result<Done> plan_url(std::string_view url, const TlsArguments& tls, ConnectPlan& plan) {
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos || scheme_end == 0)
        return wrong(
            "--url: a URL looks like mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], or mqtts://…, ws://…[/PATH], "
            "wss://…, unix:///PATH");
    const auto scheme = CLI::detail::to_lower(std::string(url.substr(0, scheme_end)));
    const auto authority = scheme_end + 3;
    if (const auto option = tls.given(); !option.empty() && scheme != "mqtts" && scheme != "wss")
        return misplaced(option, scheme + "://…");
    if (scheme == "unix") {
        plan.options.server = url;
        plan.server = url.substr(authority);
        return Done{};
    }
    const bool web = scheme == "ws" || scheme == "wss"; // its path is the server's
    const auto slash = std::min(url.find_first_of(web ? "/?#" : "/", authority), url.size());
    auto shown = url.substr(authority, slash - authority);
    if (slash < url.size() && !web) plan.topic = url.substr(slash + 1);
    if (const auto at = shown.rfind('@'); at != std::string_view::npos) shown.remove_prefix(at + 1);
    const auto host_end = shown.starts_with('[') ? std::min(shown.find(']'), shown.size()) : 0;
    const auto colon = shown.find(':', host_end);
    const bool odd_port =
        colon != std::string_view::npos && shown.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
    if (odd_port && plan.topic.find('@') != std::string::npos)
        return wrong("--url: write a '/' in a user name or password as %2F");
    plan.options.server = web ? url : url.substr(0, slash);
    plan.server = shown;
    if (colon == std::string_view::npos) plan.server += fmt::format(":{}", usual_port(scheme));
    return Done{};
}

/// As in mosquitto_pub: any option of TLS asks for it, and so does its port.
Result<Done> plan_host(const ConnectArguments& a, ConnectPlan& plan) {
    if (a.host.empty() || a.host.find_first_of("/@? \t\n") != std::string::npos)
        return wrong(fmt::format("-h: not the name or address of a host: '{}'; for a URL there is --url", a.host));
    const bool secure = !a.tls.given().empty() || a.port == tls_port;
    const auto port = a.port.value_or(secure ? tls_port : plain_port);
    const bool v6 = a.host.find(':') != std::string::npos && a.host.front() != '[';
    plan.server = v6 ? fmt::format("[{}]:{}", a.host, port) : fmt::format("{}:{}", a.host, port);
    plan.options.server = (secure ? "mqtts://" : "mqtt://") + plan.server;
    return Done{};
}

Result<Done> plan_headers(const ConnectArguments& a, ConnectPlan& plan) {
    if (!a.headers.empty() && !a.url.starts_with("ws"))
        return wrong("--header: only WebSocket has headers: give --url ws://… or wss://…");
    for (const auto& header : a.headers) {
        const auto colon = header.find(':');
        if (colon == std::string::npos) return wrong("--header takes 'NAME: VALUE'");
        const auto value = std::min(header.find_first_not_of(" \t", colon + 1), header.size());
        plan.options.websocket.headers.push_back({header.substr(0, colon), header.substr(value)});
    }
    return Done{};
}

Result<Done> plan_server(const ConnectArguments& a, ConnectPlan& plan) {
    auto tls = plan_tls(a.tls);
    if (!tls) return tls.error();
    plan.options.tls = *std::move(tls);
    plan.options.proxy = a.proxy;
    if (auto done = plan_headers(a, plan); !done) return done;
    if (!a.url.empty() && !a.unix_path.empty()) return wrong("give --url or --unix, not both");
    if (!a.url.empty()) return plan_url(a.url, a.tls, plan);
    if (a.unix_path.empty()) return plan_host(a, plan);
    if (const auto option = a.tls.given(); !option.empty()) return misplaced(option, "a Unix socket is");
    plan.options.server = unix_url(a.unix_path);
    plan.server = a.unix_path;
    return Done{};
}

Result<Version> parse_version(std::string_view text) {
    for (const auto name : {"5", "v5", "mqttv5", "5.0"})
        if (text == name) return Version::v5;
    for (const auto name : {"3.1.1", "311", "v3.1.1", "mqttv311"})
        if (text == name) return Version::v3_1_1;
    return wrong(fmt::format("-V: the versions are 3.1.1 and 5, not '{}'", text));
}

Result<std::uint32_t> parse_expiry(const std::string& text) {
    if (text == "-1" || text == "∞") return never;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return wrong(fmt::format("-x: takes a number of seconds up to {}, or -1 for ever, not '{}'", never, text));
    return value;
}

Result<Done> plan_session(const ConnectArguments& a, ConnectPlan& plan) {
    auto& o = plan.options;
    if (!a.id.empty() && !a.id_prefix.empty()) return wrong("give -i or -I, not both");
    o.client_id = a.id_prefix.empty() ? a.id : a.id_prefix + std::to_string(::getpid());
    if (a.keep_session && o.client_id.empty())
        return wrong("-c: a session can be kept only under a name: give -i ID too");
    o.session.clean_start = !a.keep_session;
    o.session.expiry = std::chrono::seconds(a.keep_session ? never : 60);
    if (a.session_expiry.empty()) return Done{};
    if (o.version != Version::v5) return wrong("-x: only MQTT 5 has it; see -V");
    const auto expiry = parse_expiry(a.session_expiry);
    if (!expiry) return expiry.error();
    o.session.expiry = std::chrono::seconds(*expiry);
    return Done{};
}

/// Those that ConnectionOptions has fields for go there.
void plan_connect_properties(tortoise::Properties given, ConnectPlan& plan) {
    auto& o = plan.options;
    if (const auto value = given.view().get(property::receive_maximum)) {
        o.receive_maximum = static_cast<std::uint16_t>(*value);
        given.remove(property::receive_maximum.id);
    }
    if (const auto value = given.view().get(property::maximum_packet_size)) {
        o.maximum_packet_size = *value;
        given.remove(property::maximum_packet_size.id);
    }
    if (const auto value = given.view().get(property::session_expiry_interval)) {
        o.session.expiry = std::chrono::seconds(*value);
        given.remove(property::session_expiry_interval.id);
    }
    o.connect_properties = std::move(given);
}

Result<Done> plan_properties_and_will(const ConnectArguments& a, ConnectPlan& plan) {
    PropertyLists lists;
    for (const auto& words : a.properties)
        if (auto added = add_property(lists, split_words(words)); !added) return added;
    if (!a.properties.empty() && plan.options.version != Version::v5)
        return wrong("-D: only MQTT 5 has properties; see -V");
    plan_connect_properties(std::move(lists.connect), plan);
    plan.publish_properties = std::move(lists.publish);

    if (!a.will_topic) {
        if (!a.will_payload.empty() || a.will_qos != 0 || a.will_retain || !lists.will.empty())
            return wrong("a will needs a topic: give --will-topic too");
        return Done{};
    }
    if (const auto topic = tortoise::check_topic(*a.will_topic); !topic)
        return wrong(fmt::format("--will-topic: not a topic: '{}': {}", *a.will_topic, topic.error().text));
    tortoise::Will will{.topic = *a.will_topic,
                        .payload = a.will_payload,
                        .qos = static_cast<QoS>(a.will_qos),
                        .retain = a.will_retain};
    if (const auto delay = lists.will.view().get(property::will_delay_interval)) {
        will.delay = std::chrono::seconds(*delay);
        lists.will.remove(property::will_delay_interval.id);
    }
    will.properties = std::move(lists.will);
    plan.options.will = std::move(will);
    return Done{};
}

} // namespace

void add_connect_options(CLI::App& app, ConnectArguments& a) {
    add_server_options(app, a);
    add_tls_options(app, a.tls);
    add_client_options(app, a);
    add_will_options(app, a);
    app.add_flag("-d,--debug", a.debug, "say on standard error what happens")->group("Talk");
    app.add_flag("--quiet", a.quiet, "no errors on standard error, but those of the command line")->group("Talk");
}

Result<ConnectPlan> plan_connection(const ConnectArguments& a) {
    ConnectPlan plan;
    auto& o = plan.options;
    o.maximum_packet_size = largest_packet;
    const auto version = parse_version(a.version);
    if (!version) return version.error();
    o.version = *version;
    if (auto done = plan_server(a, plan); !done) return done.error();
    if (auto done = plan_session(a, plan); !done) return done.error();
    if (auto done = plan_properties_and_will(a, plan); !done) return done.error();
    if (a.password && !a.user && o.version == Version::v3_1_1)
        return wrong("-P: MQTT 3.1.1 has no password without a user name: give -u too"); // [MQTT-3.1.2-22]
    o.user_name = a.user;
    o.password = a.password;
    o.keep_alive = std::chrono::seconds(a.keep_alive);
    o.connect_timeout = to_duration(a.connect_timeout);
    return plan;
}

} // namespace cli
