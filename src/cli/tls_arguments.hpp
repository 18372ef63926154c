#pragma once
// The options of TLS, for clients and for the broker: with the names that mosquitto's clients have for them.

#include <optional>
#include <string>
#include <string_view>
#include <tortoise/error.hpp>
#include <tortoise/result.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tls.hpp>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// As they stand on the command line of a client.
struct TlsArguments {
    std::string ca_file = {}, ca_path = {};
    bool system_store = false;
    std::string certificate = {}, key = {};
    std::optional<std::string> passphrase = {};
    bool insecure = false;
    std::string version = {}, ciphers = {};
    std::vector<std::string> alpn = {};
    std::string psk = {}, psk_identity = {};

    /// The first of them that was given, e.g. "--cafile"; empty: none. Any of them asks for TLS.
    std::string_view given() const noexcept;
};
void add_tls_options(CLI::App&, TlsArguments&);
/// An error is of the command line.
tortoise::Result<tortoise::Tls> plan_tls(const TlsArguments&);

/// As they stand on the command line of the broker.
struct BrokerTlsArguments {
    std::string ca_file = {}, certificate = {}, key = {}, version = {};
    bool require_certificate = false;
    std::vector<std::string> psk = {}, alpn = {};
};
void add_tls_options(CLI::App&, BrokerTlsArguments&);
/// Nothing: no TLS. An error is of the command line.
tortoise::Result<std::optional<tortoise::testing::BrokerTls>> plan_tls(const BrokerTlsArguments&);

/// What the library says about its options, in the words of this command.
std::string in_words_of_the_command(std::string text);
/// What to do about a handshake that failed; empty: nothing better than what the error says.
std::string tls_advice(const tortoise::Error&);

} // namespace cli
