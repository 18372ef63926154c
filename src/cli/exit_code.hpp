#pragma once
// How the command ends: a table that is part of its interface (docs/command.md).

#include <string>

namespace cli {

enum ExitCode : int {
    success = 0,
    failed_here = 1,     // a file or certificate that cannot be used, a port that cannot be had, an output that is full
    bad_usage = 2,       // the command line, a topic, a filter, a URL
    not_connected = 3,   // no such host, nobody listens, no answer, not MQTT, TLS failed
    connect_refused = 4, // the broker answered CONNECT with a refusal
    subscription_refused = 5, // by the broker
    not_delivered = 6,        // a message was refused, or not acknowledged in time; bench rtt: did not come back
    timed_out = 27,           // sub -W, bench sub --timeout; the number that mosquitto_sub uses
};

inline constexpr const char* pub_exit_codes =
    "Exit codes:\n"
    "  0   every message was delivered (QoS 0: was sent)\n"
    "  1   something failed on this machine, e.g. a file or certificate cannot be used\n"
    "  2   the command line, the topic or the URL is wrong\n"
    "  3   no connection: no such host, nobody listens, no answer, not MQTT, TLS failed\n"
    "  4   the broker refused the connection\n"
    "  6   a message was refused, or was not acknowledged in time\n";

inline constexpr const char* sub_exit_codes =
    "Exit codes:\n"
    "  0   done: -C, -E, --retained-only, SIGINT, SIGTERM, or the reader went away\n"
    "  1   something failed on this machine, e.g. a certificate or the output cannot be used\n"
    "  2   the command line, a filter or the URL is wrong\n"
    "  3   no connection: no such host, nobody listens, no answer, not MQTT, TLS failed\n"
    "  4   the broker refused the connection\n"
    "  5   the broker refused every subscription (with -E: one of them)\n"
    "  27  the time of -W is over\n";

inline constexpr const char* bench_exit_codes =
    "Exit codes:\n"
    "  0   measured; or ended by SIGINT or SIGTERM, with what was measured until then\n"
    "  1   something failed on this machine, e.g. a file or certificate cannot be used\n"
    "  2   the command line, the topic or the URL is wrong\n"
    "  3   no connection: no such host, nobody listens, no answer, not MQTT, TLS failed\n"
    "  4   the broker refused the connection\n"
    "  5   the broker refused the subscription\n"
    "  6   a message was refused, or --timeout is over; rtt: or did not come back\n"
    "  27  sub: --timeout is over\n";

inline constexpr const char* broker_exit_codes =
    "Exit codes:\n"
    "  0   stopped by SIGINT or SIGTERM\n"
    "  1   cannot listen, or the file of --users or --capture, a certificate or a key cannot be used\n"
    "  2   the command line is wrong\n";

inline constexpr const char* proxy_exit_codes =
    "Exit codes:\n"
    "  0   stopped by SIGINT or SIGTERM\n"
    "  1   cannot listen, or a certificate, a key or the file of --capture cannot be used\n"
    "  2   the command line or the URL is wrong\n";

} // namespace cli
