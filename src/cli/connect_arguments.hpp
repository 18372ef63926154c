#pragma once
// The options that pub, sub and bench share: whom to connect to, as whom, and how.

#include "report.hpp"
#include "tls_arguments.hpp"
#include <optional>
#include <string>
#include <tortoise/connection.hpp>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// As they stand on the command line.
struct ConnectArguments {
    std::string host = "localhost";
    std::optional<std::uint16_t> port = {};
    std::string url = {}, unix_path = {}, proxy = {};
    std::vector<std::string> headers = {}; // "NAME: VALUE" of each --header
    TlsArguments tls = {};
    std::optional<std::string> user = {}, password = {};
    std::string id = {}, id_prefix = {};
    std::uint16_t keep_alive = 60;
    std::string version = "5";
    bool keep_session = false;
    std::string session_expiry = {};
    std::optional<std::string> will_topic = {};
    std::string will_payload = {};
    unsigned will_qos = 0;
    bool will_retain = false;
    std::vector<std::string> properties = {}; // the words of each -D, joined
    double connect_timeout = 10;
    bool retry = false, debug = false, quiet = false;
};

/// Adds the options to a subcommand. The arguments must live as long as it.
void add_connect_options(CLI::App&, ConnectArguments&);

/// What they come to.
struct ConnectPlan {
    tortoise::ConnectionOptions options;
    tortoise::Properties publish_properties;
    std::string server; // host:port or a path, for people; holds no password
    std::string topic;  // of a URL with a path, as mosquitto_sub -L takes it
};
/// An error is of the command line.
tortoise::Result<ConnectPlan> plan_connection(const ConnectArguments&);

} // namespace cli
