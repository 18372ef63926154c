#include "io/scram.hpp"
#include "io/signing.hpp"
#include <charconv>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <utility>

namespace tortoise::io {

namespace {

constexpr std::size_t digest_size = 32;
constexpr std::string_view no_binding = "n,,", no_binding_base64 = "biws";
constexpr std::size_t longest_message = 4'096;

Error refused(std::string text) { return make_error(Reason::not_authorized, "SCRAM: " + std::move(text)); }

std::string sha256(Octets text) {
    std::string digest(digest_size, '\0');
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
               nullptr);
    return digest;
}

std::string exclusive_or(std::string a, std::string_view b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
    return a;
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// The value of "x=value" that the text begins with, and of the text what stands behind the comma.
std::optional<std::string_view> take(std::string_view& text, char name) {
    if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
    const auto end = std::min(text.find(','), text.size());
    const auto value = text.substr(2, end - 2);
    text.remove_prefix(std::min(end + 1, text.size()));
    return value;
}

std::string escaped(std::string_view name) {
    std::string text;
    for (const char letter : name) {
        if (letter == '=')
            text += "=3D";
        else if (letter == ',')
            text += "=2C";
        else
            text += letter;
    }
    return text;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name += text[i];
            continue;
        }
        const auto code = text.substr(i, 3);
        if (code != "=3D" && code != "=2C") return std::nullopt;
        name += code == "=3D" ? '=' : ',';
        i += 2;
    }
    return name;
}

} // namespace

std::string salted_password(std::string_view password, Octets salt, std::uint32_t iterations) {
    std::string key(digest_size, '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                      static_cast<int>(iterations), EVP_sha256(), static_cast<int>(key.size()),
                      reinterpret_cast<unsigned char*>(key.data()));
    return key;
}

std::string scram_nonce() {
    unsigned char octets[18];
    if (RAND_bytes(octets, sizeof octets) != 1) return {}; // nobody answers to that
    return base64(Octets(reinterpret_cast<const char*>(octets), sizeof octets));
}

ScramKeys scram_keys(std::string_view password, Octets salt, std::uint32_t iterations) {
    const auto salted = salted_password(password, salt, iterations);
    return {hmac_sha256(salted, "Client Key"), hmac_sha256(salted, "Server Key")};
}

// ---- The client ----------------------------------------------------------------------------------------------------

ScramClient::ScramClient(std::string_view user_name, Keys keys, Bounds bounds, std::string nonce)
    : keys_(std::move(keys)), bounds_(bounds), nonce_(std::move(nonce)),
      bare_("n=" + escaped(user_name) + ",r=" + nonce_) {}

std::string ScramClient::first() const { return std::string(no_binding) + bare_; }

Result<std::string> ScramClient::answer(Octets message) {
    if (!expected_.empty()) return refused("the broker asks twice");
    if (message.size() > longest_message) return refused("the broker's message is too long");
    auto rest = message;
    const auto nonce = take(rest, 'r');
    const auto salt_text = take(rest, 's');
    const auto count = take(rest, 'i');
    const auto salt = salt_text ? from_base64(*salt_text) : std::nullopt;
    if (!nonce || !count || !salt || salt->empty()) return refused("the broker's message is none of SCRAM");
    if (nonce_.empty() || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
        return refused("the broker's nonce does not go on from ours");
    std::uint32_t iterations = 0;
    const auto [end, fault] = std::from_chars(count->data(), count->data() + count->size(), iterations);
    if (fault != std::errc() || end != count->data() + count->size() || iterations < bounds_.least_iterations ||
        iterations > bounds_.most_iterations) {
        return refused("the broker asks for " + std::string(count->substr(0, 20)) + " iterations; allowed: " +
                       std::to_string(bounds_.least_iterations) + " to " + std::to_string(bounds_.most_iterations));
    }
    const auto keys = keys_(*salt, iterations);
    auto final = "c=" + std::string(no_binding_base64) + ",r=" + std::string(*nonce);
    const auto all = bare_ + ',' + std::string(message) + ',' + final;
    const auto proof = exclusive_or(keys.client_key, hmac_sha256(sha256(keys.client_key), all));
    expected_ = hmac_sha256(keys.server_key, all);
    return final + ",p=" + base64(proof);
}

Result<Done> ScramClient::verify(Octets message) const {
    auto rest = message.substr(0, longest_message);
    if (const auto error = take(rest, 'e'))
        return make_error(Reason::bad_user_name_or_password, "SCRAM: the broker says " + std::string(*error));
    const auto text = take(rest, 'v');
    const auto signature = text ? from_base64(*text) : std::nullopt;
    if (expected_.empty() || !signature || !same(*signature, expected_))
        return refused("the broker did not prove that it knows the password");
    return Done{};
}

// ---- The server ----------------------------------------------------------------------------------------------------

ScramRecord scram_record(std::string_view password, std::string salt, std::uint32_t iterations) {
    const auto keys = scram_keys(password, salt, iterations);
    return {std::move(salt), iterations, sha256(keys.client_key), keys.server_key};
}

ScramServer::ScramServer(Find find, std::string nonce) : find_(std::move(find)), nonce_(std::move(nonce)) {}

ScramServer::Answer ScramServer::first(Octets message) {
    if (message.size() > longest_message || !message.starts_with(no_binding)) return {};
    const auto bare = message.substr(no_binding.size());
    auto rest = bare;
    const auto name_text = take(rest, 'n');
    const auto client_nonce = take(rest, 'r');
    const auto name = name_text ? unescaped(*name_text) : std::nullopt;
    const auto* const record = name ? find_(*name) : nullptr;
    if (!record || !client_nonce || client_nonce->empty() || nonce_.empty()) return {};
    record_ = *record;
    nonce_ = std::string(*client_nonce) + nonce_;
    auto answer = "r=" + nonce_ + ",s=" + base64(record_.salt) + ",i=" + std::to_string(record_.iterations);
    begun_ = std::string(bare) + ',' + answer;
    return {Answer::Kind::go_on, std::move(answer)};
}

ScramServer::Answer ScramServer::final(Octets message) {
    if (begun_.empty() || message.size() > longest_message) return {};
    const auto proof_at = message.rfind(",p=");
    if (proof_at == message.npos) return {};
    const auto without_proof = message.substr(0, proof_at);
    auto rest = without_proof;
    const auto binding = take(rest, 'c');
    const auto nonce = take(rest, 'r');
    const auto proof = from_base64(message.substr(proof_at + 3));
    if (binding != no_binding_base64 || nonce != nonce_ || !proof || proof->size() != digest_size) return {};
    const auto all = begun_ + ',' + std::string(without_proof);
    const auto client_key = exclusive_or(*proof, hmac_sha256(record_.stored_key, all));
    if (!same(sha256(client_key), record_.stored_key)) return {};
    return {Answer::Kind::accept, "v=" + base64(hmac_sha256(record_.server_key, all))};
}

} // namespace tortoise::io
