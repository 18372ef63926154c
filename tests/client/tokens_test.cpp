// Tokens in place of passwords. The known answers were computed with Python's hmac and with openssl dgst.
#include "support/certificates.hpp"
#include "support/jwt.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

namespace tortoise::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const WallTime issued{seconds(1'700'000'000)}, expires{seconds(1'700'003'600)};

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

TEST(Jwt, Es256VerifiesAndSaysWhatItWasTold) {
    const Authority authority;
    const auto device = authority.issue();
    for (int i = 0; i < 300; ++i) { // numbers of the signature that begin with zeros come too
        const JwtKey key{.key = device.key(), .issuer = "me", .subject = "number " + std::to_string(i)};
        const auto token = jwt(key, issued, expires);
        ASSERT_TRUE(token) << token.error().describe();
        const auto said = verified(*token, JwtAlgorithm::es256, device.key());
        ASSERT_TRUE(said);
        EXPECT_EQ(said->header, R"({"alg":"ES256","typ":"JWT"})");
        EXPECT_EQ(said->claims, R"({"iat":1700000000,"exp":1700003600,"iss":"me","sub":")" + key.subject + "\"}");
    }
    const auto token = jwt({.key = device.key()}, issued, expires).value_or("");
    EXPECT_FALSE(verified(token, JwtAlgorithm::es256, authority.key())); // somebody else's
    EXPECT_FALSE(verified("e30.e30." + std::string(86, 'x'), JwtAlgorithm::es256, device.key()));
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
