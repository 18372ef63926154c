// SCRAM-SHA-256 by the test vector of RFC 7677, section 3, and what a false broker may say.
#include "io/scram.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tortoise::io {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO", server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                           salt = "W22ZaJ0SNY7soEsUEjb6gQ==",
                           server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                          "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                           client_final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                           server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramClient client(std::string_view name = "user", std::string_view nonce = client_nonce) {
    return {name,
            [](Octets s, std::uint32_t iterations) { return scram_keys("pencil", s, iterations); },
            {4'096, 10'000},
            std::string(nonce)};
}

TEST(ScramClient, SaysWhatTheTestVectorSays) {
    auto c = client();
    EXPECT_EQ(c.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    EXPECT_EQ(c.answer(server_first).value_or(""), client_final);
    EXPECT_TRUE(c.verify(server_final));
}

TEST(ScramClient, NamesMayHaveCommasAndEqualSigns) {
    EXPECT_EQ(client("a,b=c").first(), "n,,n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO");
}

TEST(ScramClient, DoesNotBelieveAWrongSignature) {
    auto c = client();
    EXPECT_FALSE(c.verify(server_final)); // nothing was proven yet
    ASSERT_TRUE(c.answer(server_first));
    for (const std::string_view wrong :
         {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=!", "", "x", "v=AAAA"}) {
        const auto verdict = c.verify(wrong);
        ASSERT_FALSE(verdict) << wrong;
        EXPECT_EQ(verdict.error().code, Reason::not_authorized);
    }
    const auto refused = c.verify("e=invalid-proof");
    EXPECT_EQ(refused.error().code, Reason::bad_user_name_or_password);
    EXPECT_THAT(refused.error().text, HasSubstr("invalid-proof"));
}

TEST(ScramClient, AsksForANonceThatGoesOnFromItsOwn) {
    for (const std::string_view wrong :
         {"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"}) {
        const auto answer = client().answer(wrong);
        ASSERT_FALSE(answer) << wrong;
        EXPECT_THAT(answer.error().text, HasSubstr("nonce"));
    }
    EXPECT_FALSE(client("user", "").answer(server_first)); // there was no randomness to be had
}

TEST(ScramClient, DoesNotCountForEver) {
    for (const std::string_view count :
         {"4095", "10001", "2147483648", "99999999999999999999", "-1", "", "4096x", "0"}) {
        const auto answer =
            client().answer("r=rOprNGfwEbeRWgbNEkqOx,s=" + std::string(salt) + ",i=" + std::string(count));
        ASSERT_FALSE(answer) << count;
        EXPECT_THAT(answer.error().text, HasSubstr("iterations"));
    }
}

TEST(ScramClient, RefusesWhatIsNotScram) {
    for (const std::string_view wrong : {"", "r", "r=", "nonsense", "s=a,r=b,i=1",
                                         "r=rOprNGfwEbeRWgbNEkqOx,s=!!!!,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
                                         "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA"})
        EXPECT_FALSE(client().answer(wrong)) << wrong;
    EXPECT_FALSE(client().answer(std::string(5'000, 'r')));
    auto c = client();
    ASSERT_TRUE(c.answer(server_first));
    EXPECT_FALSE(c.answer(server_first)); // asked twice
}

class ScramServers : public ::testing::Test {
protected:
    const ScramRecord record = scram_record("pencil",
                                            "[m\x99h\x9d\x12"
                                            "5\x8e\xec\xa0K\x14\x12"
                                            "6\xfa\x81",
                                            4'096);
    ScramServer server{[this](const std::string& name) { return name == "user" ? &record : nullptr; },
                       std::string(server_nonce)};
    using Kind = ScramServer::Answer::Kind;
};

TEST_F(ScramServers, SayWhatTheTestVectorSays) {
    const auto first = server.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    EXPECT_EQ(first.kind, Kind::go_on);
    EXPECT_EQ(first.data, server_first);
    const auto final = server.final(client_final);
    EXPECT_EQ(final.kind, Kind::accept);
    EXPECT_EQ(final.data, server_final);
}

TEST_F(ScramServers, RefuseAWrongProofAndWhatIsNotScram) {
    EXPECT_EQ(server.final(client_final).kind, Kind::refuse); // there was no first
    for (const auto* wrong :
         {"", "n,,", "n,,n=user", "n,,n=nobody,r=x", "n,,n=us=er,r=x", "p=tls-unique,,n=user,r=x", "n,,n=user,r="})
        EXPECT_EQ(server.first(wrong).kind, Kind::refuse) << wrong;
    ASSERT_EQ(server.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").kind, Kind::go_on);
    for (const auto* wrong :
         {"", "c=biws", "c=biws,r=x,p=AAAA",
          "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="})
        EXPECT_EQ(server.final(wrong).kind, Kind::refuse) << wrong;
}

TEST(ScramNonce, IsNeverTheSameAndHasNoComma) {
    const auto one = scram_nonce();
    EXPECT_EQ(one.size(), 24u);
    EXPECT_EQ(one.find(','), one.npos);
    EXPECT_NE(one, scram_nonce());
}

} // namespace
} // namespace tortoise::io
