// What tokens are made of. Known answers: RFC 4648 and RFC 4231.
#include "io/signing.hpp"

#include <gtest/gtest.h>

namespace tortoise::io {
namespace {

TEST(Base64, IsThatOfRfc4648) {
    const std::pair<const char*, const char*> known[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [text, encoded] : known) {
        EXPECT_EQ(base64(text), encoded);
        EXPECT_EQ(from_base64(encoded), text);
    }
    EXPECT_EQ(base64("\xfb\xff\xbe"), "+/++");
    EXPECT_EQ(base64_url("\xfb\xff\xbe\x01"), "-_--AQ");
}

TEST(Base64, IsNothingElse) {
    for (const char* text : {"Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zg=v", "Z g=", "Zm9v\n", "Zm9*"}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(PercentEncoded, LeavesOnlyWhatIsUnreserved) {
    EXPECT_EQ(percent_encoded("aZ09-_.~"), "aZ09-_.~");
    EXPECT_EQ(percent_encoded("a b/c+d=\xff"), "a%20b%2Fc%2Bd%3D%FF");
}

TEST(HmacSha256, IsThatOfRfc4231) {
    const auto digest = hmac_sha256("Jefe", "what do ya want for nothing?");
    EXPECT_EQ(base64(digest), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

} // namespace
} // namespace tortoise::io
