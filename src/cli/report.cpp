#include "report.hpp"
#include "tls_arguments.hpp"
#include <fmt/format.h>
#include <unistd.h>

namespace cli {

using tortoise::Errc;
using tortoise::Error;
using tortoise::Reason;

void Report::usage(std::string_view text) const { line(fmt::format("{}\nSee '{} --help'.", text, name_)); }

void Report::error(std::string_view text) const {
    if (!quiet_) line(text);
}

void Report::debug(std::string_view text) const {
    if (debug_) line(text);
}

void Report::line(std::string_view text) const {
    const std::string whole = fmt::format("{}: {}\n", name_, text);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

namespace {

bool is_refusal_by_broker(const Error& e) { return e.code.category() == tortoise::reason_category(); }

std::string advice_for_refusal(const Error& e) {
    if (e.code == Reason::bad_user_name_or_password || e.code == Reason::not_authorized)
        return "check the user name (-u) and the password (-P)";
    if (e.code == Reason::client_identifier_not_valid) return "give another client identifier (-i)";
    if (e.code == Reason::unsupported_protocol_version) return "try the other version of MQTT (-V 3.1.1 or -V 5)";
    if (e.code == Reason::server_unavailable || e.code == Reason::server_busy)
        return "try again later, or with --retry";
    return "";
}

std::string with_advice(std::string text, const std::string& advice) {
    return advice.empty() ? text : text + ": " + advice;
}

} // namespace

Verdict explain_connect(const Error& e, std::string_view server) {
    if (is_refusal_by_broker(e))
        return {connect_refused,
                with_advice(fmt::format("the broker at {} refused the connection: {}", server, e.describe()),
                            advice_for_refusal(e))};
    if (e.code == Errc::invalid_url || e.code == Errc::invalid_option) return {bad_usage, e.describe()};
    if (e.code == Errc::tls_configuration) return {failed_here, in_words_of_the_command(e.text)};
    if (const auto advice = tls_advice(e); !advice.empty() || e.code == Errc::tls_handshake)
        return {not_connected, with_advice(fmt::format("no secure connection to {}: {}", server, e.text), advice)};
    if (e.code == Errc::host_not_found)
        return {not_connected,
                fmt::format("cannot find the host of {}: check its name (-h or --url) and your DNS", server)};
    if (e.code == Errc::connect_timeout)
        return {not_connected, fmt::format("no answer from {} in time: is it an MQTT broker, and is the network up? "
                                           "--connect-timeout sets how long to wait",
                                           server)};
    if (e.code == Errc::not_mqtt)
        return {not_connected, fmt::format("what answers at {} is not an MQTT broker: {}: check the port (-p)", server,
                                           e.text.empty() ? e.describe() : e.text)};
    if (e.code == Errc::websocket_refused)
        return {not_connected, fmt::format("no WebSocket: {}: check the path (--url) and --header", e.text)};
    if (e.code == Errc::proxy_refused)
        return {not_connected, fmt::format("not through the proxy: {}: check --proxy", e.text)};
    if (e.code == Errc::connection_lost || e.code == std::errc::connection_reset)
        return {not_connected, fmt::format("{} closed the connection without an answer: is it an MQTT broker, "
                                           "and does it speak this version (-V)?",
                                           server)};
    if (e.code == std::errc::connection_refused)
        return {not_connected, fmt::format("connection refused by {}: is a broker listening there? "
                                           "start one with 'tortoise broker'",
                                           server)};
    const auto what = fmt::format("cannot connect to {}: ", server);
    return {not_connected, e.text.starts_with(what) ? e.text : what + e.describe()};
}

std::string explain_loss(const Error& e, std::string_view server) {
    const bool by_broker =
        is_refusal_by_broker(e) || e.code == Errc::connection_lost || e.code == std::errc::connection_reset;
    return fmt::format("{} the connection to {}: {}", by_broker ? "the broker ended" : "lost", server, e.describe());
}

Verdict explain_publish(const Error& e, std::string_view topic, const Error& of_connection) {
    const auto text = fmt::format("not delivered to '{}': {}", topic, e.describe());
    if (e.code == Errc::invalid_topic) return {bad_usage, fmt::format("not a topic: '{}': {}", topic, e.describe())};
    if (e.code == Errc::invalid_option || e.code == Errc::invalid_qos) return {bad_usage, text};
    if (e.code == Errc::packet_too_large || e.code == Reason::packet_too_large)
        return {not_delivered, with_advice(text, "the broker takes smaller messages only")};
    if (e.code == Reason::not_authorized)
        return {not_delivered, with_advice(text, "this user may not publish there; see -u and -P")};
    if (e.code == Errc::timeout) {
        const auto because =
            of_connection.code ? fmt::format("{}; the connection: {}", text, of_connection.describe()) : text;
        return {not_delivered, with_advice(because, "--timeout sets how long to wait")};
    }
    return {not_delivered, text};
}

} // namespace cli
