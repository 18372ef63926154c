#pragma once
/// JSON Web Tokens as who receives them sees them: is the signature good, and what do they say?

#include <memory>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/tokens.hpp>

namespace tortoise::test {

/// Of nobody but our tests.
inline constexpr const char* rsa_key = R"(-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDqoFAT+Q5+eJgg
wnQVcD/ntS/CSnFJI7hF+12Ywf04KfD7s83s2kdyGhD6NvZIRdrF/aNGw0+VfvtD
zTv/pAw4FyOMcOccErcOCJnegMptQ6vvFyG28QqEV7xOSXF5qlS79OIu8EXjMySR
qFNmg2waUoo97l53gQefNAsN/LoNzg4At5TSRPg+CGPRXH+MxXKnji8fv34zBo3c
fRH1VM0T1UWtPkO6BKO79JnsEhNFzEODhqQ5jiLd8rkDxxKRUlXvl924xrMJZ5+9
r1/pmiUWxtvvulaPT7jw3bzQlzHV1qplyd7vLXoYtDBfs95OKJ8lzZogwXJQVItK
mSWs1JiFAgMBAAECggEACndfSxzLmDmx85gpDIHG4AO1nzGp7wzQXhLSAIv6y0QX
s2q4b23nTQA7rKXCA8RV94oSfAgfZzhUZhhkKkm7n87sb4njzV1KXC5nCsVtAkXI
CDDceKg1A2VUiZt+G+LMx9urMVPXkkSIR5UeL08ChgQTlaKqBSO03tW3/oY9GHt4
RgK76UDaaviSlkcvMEkfNCK+ChnrV2vwrf/rNK+uVyrGRFc4exCnvxyPhU/ZQ2nt
lDOjnXYezCyCjNjOH3qERfVxT2CsfA2c0dLVqHgAFs9O29Tdk9g43bq5c4pmXYk6
TPH/rWHg3YpVVh/DkSj2T4vcnBDC1dS3J/zlgxhHkQKBgQD7cGw2+R+o9KSgfAdr
lWF57Y5cmcym1aBZF7582ccKwtd/omnJ8Kw5dKNftE9oTKdemNnprcrYrnB1fjrF
MlzlKog+JBTXmaNcyGBv2QN/XOrN6wDRrH/tz4VYdFK6WiVJ6NQtZ5+wzqPf59ro
FqkQJ/LLzXBsvBas7B8BSNXfXQKBgQDu4dFkxF6QJRgk+5jQPIpqA8dTp0Vr2O47
QPLXbg0T/DeSt+fjJcJ5cq3y0ZT+1ra8iYts/0kzIUCc+7AIKzHiCfTvlp9ki6Xj
H17VJ8eXg1vMmB90RhXqZUntgoDO4UL4W07edh+P+/siUw+WHpVHDiB+u+z8a5tC
WhgcmRQTSQKBgQDyOjwGObnmasiuUs5TNnXRoKmlTAV8NBFlwxof7S1zkIFK1IxV
nyZLs7IwYOSe9jnHSDmmhWcFmAd/KTw0/W/A1liqhNgPXFOk7uT423gjGsCZ3+vK
EwSrdWBg9q88F9wUd9jwZQPSsT/uVM7vB+WXSuT8sc288vZlYJP+CM0BgQKBgGCp
YcirqTQcvntgj4JbrQqfAs431mCAhE3XxywjLQmUOoyU/DEu+1WXcQnbgrXn/kOm
SJPPbThSUUn0klOL3wB/VOyJ/295DqQr8nzAPwRxM/lC6R9sqLuTRunjr+mGv0mt
8OkV1Um3BfTqtVjigTciYUXHF2tAw6+Cs1UHIFd5AoGBAL1J4C2+TkrkMBqYNVoq
EnNq7T9zrT0w1ygS+KD1N7Znr0fLIyZRFpBOeGcSjdTFPkeIkRPUHounJBl/5Xar
PG7JWIw5dTe/QqsyKS31Zu4DxWFOMhBuFT+SGu5DS9xVNz32nRvw3d4veiu3jLy2
cshTf7ECP8e0nAm63pw3v/70
-----END PRIVATE KEY-----
)";

inline std::string from_base64_url(std::string text) {
    for (char& letter : text) {
        if (letter == '-') letter = '+';
        if (letter == '_') letter = '/';
    }
    const auto padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::string octets(text.size() / 4 * 3, '\0');
    const int size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    octets.resize(size < 0 ? 0 : octets.size() - padding);
    return octets;
}

struct JwtSays {
    std::string header, claims;
};

namespace detail {

/// The two numbers of ES256 as OpenSSL has them. Empty if they are none.
inline std::string as_der(const std::string& numbers) {
    if (numbers.size() != 64) return {};
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(ECDSA_SIG_new(), &ECDSA_SIG_free);
    const auto* octets = reinterpret_cast<const unsigned char*>(numbers.data());
    ECDSA_SIG_set0(both.get(), BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(both.get(), &der);
    std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
}

} // namespace detail

/// What the token says, if it was signed with that key (PEM).
inline std::optional<JwtSays> verified(std::string_view token, JwtAlgorithm algorithm, const std::string& key) {
    const auto first = token.find('.'), last = token.rfind('.');
    if (first == last) return std::nullopt;
    const auto part = [&](std::size_t from, std::size_t to) {
        return from_base64_url(std::string(token.substr(from, to - from)));
    };
    auto signature = part(last + 1, token.size());
    if (algorithm == JwtAlgorithm::es256) signature = detail::as_der(signature);
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())),
                                                           &BIO_free_all);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(
        PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const bool good =
        EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, pair.get()) == 1 &&
        EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                         reinterpret_cast<const unsigned char*>(token.data()), last) == 1;
    if (!good) return std::nullopt;
    return JwtSays{part(0, first), part(first + 1, last)};
}

} // namespace tortoise::test
