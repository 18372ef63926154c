// Tokens in place of passwords. The known answers were computed with Python's hmac and with openssl dgst.
#include "support/certificates.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <tortoise/tokens.hpp>

namespace tortoise::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const WallTime issued{seconds(1'700'000'000)}, expires{seconds(1'700'003'600)};

/// Of nobody but this test.
constexpr const char* rsa_key = R"(-----BEGIN PRIVATE KEY-----
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

// ---- Shared access signatures --------------------------------------------------------------------------------------

const SasKey device_key{.resource = "hub.azure-devices.net/devices/door 1",
                        .key = "YSBrZXkgb2YgdGhpcnR5LXR3byBvY3RldHMsIGxvbmc="};

TEST(SasToken, IsTheKnownAnswer) {
    auto key = device_key;
    key.policy_name = "device/policy";
    EXPECT_EQ(sas_token(key, issued).value_or(""),
              "SharedAccessSignature sr=hub.azure-devices.net%2Fdevices%2Fdoor%201"
              "&sig=UP9ozHUNHsvQW1%2FNavYwazWTWMXrNl8Dtm%2BDx7Orv8o%3D&se=1700000000&skn=device%2Fpolicy");
}

TEST(SasToken, NamesThePolicyOnlyIfThereIsOne) {
    EXPECT_THAT(sas_token(device_key, issued).value_or(""), Not(HasSubstr("skn")));
}

TEST(SasToken, RefusesAKeyThatIsNotBase64WithoutShowingIt) {
    for (const char* key : {"", "abc", "ab=c", "====", "se$cret!"}) {
        const auto token = sas_token({.resource = "r", .key = key}, issued);
        EXPECT_EQ(token.error().code, Errc::invalid_option) << key;
        EXPECT_THAT(token.error().text, Not(HasSubstr("se$cret")));
    }
}

// ---- JSON Web Tokens -----------------------------------------------------------------------------------------------

TEST(Jwt, Rs256IsTheKnownAnswer) {
    const JwtKey key{.algorithm = JwtAlgorithm::rs256, .key = rsa_key, .key_id = "key \"1\"", .audience = "my-project"};
    EXPECT_EQ(jwt(key, issued, expires).value_or(""),
              "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleSBcIjFcIiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA"
              "wMzYwMCwiYXVkIjoibXktcHJvamVjdCJ9.wzHTgRGsT4j4Jnm0qkkNe0YdCdAqtd3_s4deWKdnvFn731mRoCjggogcHay-Avnp6d"
              "rFhds5noYuLqAYl3B3_-UT3O5_-k6FA-o26fuSECH7DPj59wIVL4tsZ9-VyXMbkunhDWKDY8pEufXw3U90-lm-LRXZMUMU0TTeym"
              "JrKY1J6NIEgdx0zOT_rcE3Z8as6ACti2p3C30ae6fayvK48QfPC9-Ji0_tvcAYXCk21QrlN65GWxESW7ppfucBmF0e3HETLlW3wt"
              "DSDfllMTuQ2xyfX4Ru4s-jNZZsoMq4QCQy6dzGUCSa0XIY-qF7DS04a6AlSqWdd1Dh4WNxyjJFug");
}

std::string from_base64_url(std::string text) {
    for (char& letter : text) {
        if (letter == '-') letter = '+';
        if (letter == '_') letter = '/';
    }
    const auto padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::string octets(text.size() / 4 * 3, '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    octets.resize(octets.size() - padding);
    return octets;
}

/// Is it a signature of ES256 by the key of that certificate?
bool signed_by(const std::string& certificate, const std::string& text, const std::string& signature) {
    if (signature.size() != 64) return false;
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
        BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())), &BIO_free_all);
    const std::unique_ptr<X509, decltype(&X509_free)> x509(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr),
                                                           &X509_free);
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> numbers(ECDSA_SIG_new(), &ECDSA_SIG_free);
    const auto* octets = reinterpret_cast<const unsigned char*>(signature.data());
    ECDSA_SIG_set0(numbers.get(), BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(numbers.get(), &der);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const bool good =
        EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(x509.get())) == 1 &&
        EVP_DigestVerify(digest.get(), der, static_cast<std::size_t>(size),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    OPENSSL_free(der);
    return good;
}

TEST(Jwt, Es256VerifiesAndSaysWhatItWasTold) {
    const Authority authority;
    const auto device = authority.issue();
    for (int i = 0; i < 300; ++i) { // numbers of the signature that begin with zeros come too
        const JwtKey key{.key = device.key(), .issuer = "me", .subject = "number " + std::to_string(i)};
        const auto token = jwt(key, issued, expires);
        ASSERT_TRUE(token) << token.error().describe();
        const auto dot = token->rfind('.');
        ASSERT_TRUE(signed_by(device.certificate(), token->substr(0, dot), from_base64_url(token->substr(dot + 1))));
        const auto first = token->find('.');
        EXPECT_EQ(from_base64_url(token->substr(0, first)), R"({"alg":"ES256","typ":"JWT"})");
        EXPECT_EQ(from_base64_url(token->substr(first + 1, dot - first - 1)),
                  R"({"iat":1700000000,"exp":1700003600,"iss":"me","sub":")" + key.subject + "\"}");
    }
    EXPECT_FALSE(signed_by(device.certificate(), "other text", std::string(64, 'x')));
}

TEST(Jwt, RefusesKeysOfTheWrongKindAndNone) {
    const auto identity = Authority().issue();
    EXPECT_EQ(jwt({.algorithm = JwtAlgorithm::rs256, .key = identity.key()}, issued, expires).error().code,
              Errc::invalid_option);
    EXPECT_EQ(jwt({.key = rsa_key}, issued, expires).error().code, Errc::invalid_option);
    EXPECT_EQ(jwt({}, issued, expires).error().code, Errc::tls_configuration);
    const auto missing = jwt({.key_file = "/no/such/key"}, issued, expires);
    EXPECT_THAT(missing.error().text, HasSubstr("/no/such/key"));
}

// ---- Credentials ---------------------------------------------------------------------------------------------------

TEST(TokenCredentials, AreMadeForEachConnectAndSayWhenTheyEnd) {
    auto now = std::make_shared<WallTime>(issued);
    const auto ask = sas_credentials(device_key, "hub/door", std::chrono::minutes(10), [now] { return *now; });
    const auto first = ask({}).wait();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->user_name, "hub/door");
    EXPECT_EQ(first->expires, issued + std::chrono::minutes(10));
    EXPECT_EQ(first->password, sas_token(device_key, *first->expires).value_or(""));
    *now += std::chrono::minutes(8);
    EXPECT_EQ(ask({}).wait()->expires, issued + std::chrono::minutes(18));
}

TEST(TokenCredentials, AnErrorOfTheirKeyIsTheAnswer) {
    EXPECT_EQ(jwt_credentials({.key = "none"}, "unused")({}).wait().error().code, Errc::tls_configuration);
}

} // namespace
} // namespace tortoise::test
