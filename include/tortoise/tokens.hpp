#pragma once
/// Tokens that clouds take in place of a password, made from a key; and credentials that are renewed before they end.

#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/detail/chrono.hpp>
#include <tortoise/result.hpp>

namespace tortoise {

using WallTime = std::chrono::system_clock::time_point;
/// What time it is; empty: the system's clock.
using WallClock = SharedFn<WallTime()>;

/// The key of an Azure shared access signature.
struct SasKey {
    std::string resource = {};     ///< what it opens: "hub.azure-devices.net/devices/door"
    std::string key = {};          ///< in base64, as the portal shows it
    std::string policy_name = {};  ///< of a key that belongs to a policy; empty: to the device
};
/// "SharedAccessSignature sr=…&sig=…&se=…". Errc::invalid_option if the key is not base64.
Result<std::string> sas_token(const SasKey&, WallTime expires);

enum class JwtAlgorithm : std::uint8_t { es256, rs256 };

/// What a JSON Web Token says, besides its times, and the private key that signs it. Empty claims are left out. (RFC 7519)
struct JwtKey {
    JwtAlgorithm algorithm = JwtAlgorithm::es256;
    std::string key = {};       ///< PEM or DER: on P-256 for ES256, RSA of 2048 bits or more for RS256
    std::string key_file = {};  ///< instead; read for each token
    std::string key_id = {};
    std::string audience = {}, issuer = {}, subject = {};
};
/// Errc::tls_configuration if the key cannot be used, invalid_option if it is of the wrong kind.
Result<std::string> jwt(const JwtKey&, WallTime issued, WallTime expires);

/// Functions for ConnectionOptions::credentials: a new token as password for each connect, which lasts that long. Ahead of its
/// end the connection is made anew.
CredentialsFunction sas_credentials(SasKey, std::string user_name, Duration life = std::chrono::hours(1), WallClock = {});
CredentialsFunction jwt_credentials(JwtKey, std::string user_name, Duration life = std::chrono::hours(1), WallClock = {});

} // namespace tortoise
