#pragma once
/// SCRAM-SHA-256 without a wire: both sides of the conversation, message by message. (RFC 5802, RFC 7677)

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>
#include <tortoise/types.hpp>

namespace tortoise::io {

inline constexpr std::string_view scram_method = "SCRAM-SHA-256";

/// PBKDF2 with HMAC-SHA-256, one block: "Hi" of RFC 5802.
std::string salted_password(std::string_view password, Octets salt, std::uint32_t iterations);
/// 24 letters that nobody can guess.
std::string scram_nonce();

/// What the password becomes; it can be kept as long as the broker keeps salt and iterations.
struct ScramKeys {
    std::string client_key, server_key;
};
ScramKeys scram_keys(std::string_view password, Octets salt, std::uint32_t iterations);

class ScramClient {
public:
    /// Gives the keys for a salt and a number of iterations that is within the bounds.
    using Keys = std::function<ScramKeys(Octets salt, std::uint32_t iterations)>;
    struct Bounds {
        std::uint32_t least_iterations, most_iterations;
    };
    ScramClient(std::string_view user_name, Keys, Bounds, std::string nonce);

    std::string first() const;
    /// To server-first-message: client-final-message.
    Result<std::string> answer(Octets);
    /// Is server-final-message that of somebody who knows the password?
    Result<Done> verify(Octets) const;

private:
    Keys keys_;
    Bounds bounds_;
    std::string nonce_, bare_; // client-first-message-bare
    std::string expected_;     // of the server's signature; empty: it is not its turn
};

/// What a server keeps of a password.
struct ScramRecord {
    std::string salt;
    std::uint32_t iterations = 4'096;
    std::string stored_key, server_key;
};
ScramRecord scram_record(std::string_view password, std::string salt, std::uint32_t iterations);

class ScramServer {
public:
    using Find = std::function<const ScramRecord*(const std::string& user_name)>;
    ScramServer(Find, std::string nonce);

    struct Answer {
        enum class Kind : std::uint8_t { go_on, accept, refuse } kind = Kind::refuse;
        std::string data = {};
    };
    Answer first(Octets);
    Answer final(Octets);

private:
    Find find_;
    std::string nonce_;
    ScramRecord record_;
    std::string begun_; // the conversation so far, as it is signed
};

} // namespace tortoise::io
