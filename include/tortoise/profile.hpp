#pragma once
/// What clouds demand of their clients and allow them, as data: ports, TLS, proof of who one is, limits.

#include <optional>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/result.hpp>
#include <tortoise/tokens.hpp>
#include <vector>

namespace tortoise {

/// A cloud. Those that are known are in profiles; change a copy where yours differs.
struct Profile {
    /// What a client shows over TLS. A function for the credentials, or an authentication method, does instead of each.
    enum class Proof : std::uint8_t { nothing, certificate, password };
    std::string name = {};
    std::uint16_t port = 8883;
    std::vector<std::string> alpn = {};
    TlsVersion minimum_tls = TlsVersion::v1_2;
    Proof proof = Proof::nothing;
    bool v5 = true;                                 ///< false: MQTT 3.1.1 is spoken, whatever the options say
    bool needs_client_id = false;
    std::uint16_t max_in_flight = 0;                ///< 0: no limit of its own
    std::optional<Duration> longest_session = {};
    PeerLimits limits = {};                         ///< with rates a little below those of the cloud
};

/// The options with what the profile asks for. A server that is only a host, or HOST:PORT, gets "mqtts://" and the profile's
/// port; a whole URL stays, so that a program can be tried with a broker of one's own. ALPN, protocol version, session
/// expiry and max_in_flight are set as far as they have to be. The limits are the profile's, but for `check` and
/// `split_subscribes`. Errc::invalid_option names what is missing.
Result<ConnectionOptions> apply(const Profile&, ConnectionOptions);

namespace profiles {
Profile aws();                  ///< AWS IoT Core: X.509 on port 8883
Profile aws_443();              ///< the same on port 443, by ALPN
Profile aws_authorizer();       ///< a custom authorizer, on port 443; see aws_authorizer_user()
Profile azure_event_grid();     ///< Azure Event Grid: X.509
Profile azure_iot_hub();        ///< Azure IoT Hub; see azure_iot_hub_device()
Profile google();               ///< a bridge in the manner of Google's IoT Core: a JWT as password
Profile emqx_serverless();
Profile emqx();                 ///< EMQX of one's own, over TLS
Profile hivemq_cloud();
Profile portable();             ///< what all of them take
} // namespace profiles

/// What AWS IoT hands to a custom authorizer. Empty parts are left out.
struct AwsAuthorizer {
    std::string user = {};
    std::string name = {};                  ///< of the authorizer; empty: the default one
    std::string token_key = {}, token = {}; ///< if tokens are signed: the parameter's name, its value, …
    std::string signature = {};             ///< … and its signature, in base64
};
/// The user name that says so.
std::string aws_authorizer_user(const AwsAuthorizer&);

/// A device of an IoT Hub: its name, the hub's host, and its key in base64.
struct AzureDevice {
    std::string hub = {};
    std::string device = {};
    std::string key = {};
    Duration token_life = std::chrono::hours(1);
};
/// The options for it: identifier, user name, a token that is renewed, and the profile.
Result<ConnectionOptions> azure_iot_hub_device(const AzureDevice&, ConnectionOptions);

} // namespace tortoise
