#include "io/signing.hpp"

#include <openssl/ecdsa.h>
#include <openssl/hmac.h>

namespace tortoise::io {

namespace {

using DigestHandle = std::unique_ptr<EVP_MD_CTX, Releases<&EVP_MD_CTX_free>>;
using EcdsaHandle = std::unique_ptr<ECDSA_SIG, Releases<&ECDSA_SIG_free>>;

constexpr int coordinate = 32; // octets of a number on P-256
constexpr int least_rsa_bits = 2'048;

const unsigned char* octets_of(Octets text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets_of(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

std::optional<Error> unfit(Signing signing, const EVP_PKEY& key, const std::string& name) {
    if (signing == Signing::rs256) {
        if (EVP_PKEY_is_a(&key, "RSA") == 1 && EVP_PKEY_get_bits(&key) >= least_rsa_bits) return std::nullopt;
        return make_error(Errc::invalid_option, name + " is not an RSA key of 2048 bits or more, which RS256 takes");
    }
    char group[32] = {};
    std::size_t size = 0;
    if (EVP_PKEY_is_a(&key, "EC") == 1 && EVP_PKEY_get_group_name(&key, group, sizeof group, &size) == 1 &&
        std::string_view(group, size) == "prime256v1")
        return std::nullopt;
    return make_error(Errc::invalid_option, name + " is not an EC key on P-256, which ES256 takes");
}

bool is_plain(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-' || letter == '_' || letter == '.' || letter == '~';
}

// From DER, whose numbers vary in length.
std::optional<std::string> fixed_size(const std::string& der) {
    const auto* at = octets_of(Octets(der));
    const EcdsaHandle numbers(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    std::string both(2 * coordinate, '\0');
    if (!numbers || BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), octets_of(both), coordinate) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), octets_of(both) + coordinate, coordinate) < 0)
        return std::nullopt;
    return both;
}

} // namespace

std::string base64(Octets octets) {
    std::string text(4 * ((octets.size() + 2) / 3) + 1, '\0'); // with the null that OpenSSL puts behind it
    EVP_EncodeBlock(octets_of(text), octets_of(octets), static_cast<int>(octets.size()));
    text.pop_back();
    return text;
}

std::string base64_url(Octets octets) {
    auto text = base64(octets);
    text.erase(std::min(text.find('='), text.size()));
    for (char& letter : text) {
        if (letter == '+') letter = '-';
        if (letter == '/') letter = '_';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    const auto padding = text.size() - std::min(text.find('='), text.size());
    const bool at_the_end = text.substr(text.size() - padding).find_first_not_of('=') == text.npos;
    if (text.size() % 4 != 0 || padding > 2 || !at_the_end) return std::nullopt;
    std::string octets(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(octets_of(octets), octets_of(text), static_cast<int>(text.size())) < 0) return std::nullopt;
    octets.resize(octets.size() - padding);
    return octets;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char letter : text) {
        if (is_plain(letter)) {
            encoded += letter;
            continue;
        }
        const auto octet = static_cast<unsigned char>(letter);
        encoded += {'%', digits[octet >> 4], digits[octet & 15]};
    }
    return encoded;
}

std::string hmac_sha256(Octets key, Octets text) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(text), text.size(), octets_of(digest),
         &size);
    digest.resize(size);
    return digest;
}

Result<std::string> sign(Signing signing, const Material& material, Octets text) {
    const auto key = key_in(material, {});
    if (!key) return key.error();
    if (auto error = unfit(signing, **key, material.name)) return std::move(*error);
    const DigestHandle digest(EVP_MD_CTX_new());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key->get())), '\0');
    auto size = signature.size();
    if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key->get()) != 1 ||
        EVP_DigestSign(digest.get(), octets_of(signature), &size, octets_of(text), text.size()) != 1)
        return tls_configuration(material.name + " does not sign");
    signature.resize(size);
    if (signing == Signing::rs256) return signature;
    auto both = fixed_size(signature);
    if (!both) return tls_configuration(material.name + " does not sign");
    return std::move(*both);
}

} // namespace tortoise::io
