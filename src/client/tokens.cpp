#include "io/signing.hpp"
#include <tortoise/tokens.hpp>

namespace tortoise {

namespace {

std::string seconds_since_1970(WallTime at) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

/// "text", with what JSON wants escaped.
std::string json_string(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string json = "\"";
    for (const char letter : text) {
        const auto octet = static_cast<unsigned char>(letter);
        if (octet < 0x20) {
            json += {'\\', 'u', '0', '0', digits[octet >> 4], digits[octet & 15]};
            continue;
        }
        if (letter == '"' || letter == '\\') json += '\\';
        json += letter;
    }
    return json + '"';
}

void add_claim(std::string& claims, const char* name, const std::string& value) {
    if (!value.empty()) claims += std::string(",\"") + name + "\":" + json_string(value);
}

/// A function that makes a token for each connect.
template <class Make> CredentialsFunction renewed(std::string user_name, Duration life, WallClock clock, Make make) {
    return [user_name = std::move(user_name), life, clock = std::move(clock),
            make = std::move(make)](const CredentialsRequest&) -> Pending<Credentials> {
        const auto now = clock ? clock() : std::chrono::system_clock::now();
        const auto expires = now + std::chrono::duration_cast<WallTime::duration>(life);
        auto token = make(now, expires);
        if (!token) return Pending<Credentials>(Result<Credentials>(std::move(token).error()));
        return Pending<Credentials>(Result<Credentials>(Credentials{user_name, std::move(*token), expires}));
    };
}

} // namespace

Result<std::string> sas_token(const SasKey& key, WallTime expires) {
    const auto secret = io::from_base64(key.key);
    if (!secret || secret->empty())
        return make_error(Errc::invalid_option, "the key of the shared access signature is not base64");
    const auto resource = io::percent_encoded(key.resource);
    const auto end = seconds_since_1970(expires);
    const auto signature = io::base64(io::hmac_sha256(*secret, resource + "\n" + end));
    auto token = "SharedAccessSignature sr=" + resource + "&sig=" + io::percent_encoded(signature) + "&se=" + end;
    if (!key.policy_name.empty()) token += "&skn=" + io::percent_encoded(key.policy_name);
    return token;
}

Result<std::string> jwt(const JwtKey& key, WallTime issued, WallTime expires) {
    const bool elliptic = key.algorithm == JwtAlgorithm::es256;
    std::string header = std::string("{\"alg\":\"") + (elliptic ? "ES256" : "RS256") + "\",\"typ\":\"JWT\"";
    add_claim(header, "kid", key.key_id);
    std::string claims = "{\"iat\":" + seconds_since_1970(issued) + ",\"exp\":" + seconds_since_1970(expires);
    add_claim(claims, "aud", key.audience);
    add_claim(claims, "iss", key.issuer);
    add_claim(claims, "sub", key.subject);
    const auto text = io::base64_url(header + '}') + '.' + io::base64_url(claims + '}');
    const auto material = io::material(key.key_file, key.key, "key");
    if (!material) return material.error();
    const auto signature = io::sign(elliptic ? io::Signing::es256 : io::Signing::rs256, *material, text);
    if (!signature) return signature.error();
    return text + '.' + io::base64_url(*signature);
}

CredentialsFunction sas_credentials(SasKey key, std::string user_name, Duration life, WallClock clock) {
    return renewed(std::move(user_name), life, std::move(clock),
                   [key = std::move(key)](WallTime, WallTime expires) { return sas_token(key, expires); });
}

CredentialsFunction jwt_credentials(JwtKey key, std::string user_name, Duration life, WallClock clock) {
    return renewed(std::move(user_name), life, std::move(clock),
                   [key = std::move(key)](WallTime now, WallTime expires) { return jwt(key, now, expires); });
}

} // namespace tortoise
