// Handshakes: each fault has its own error.
#include "secure_echo.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using std::chrono::hours;
using test::Authority;
using test::Identity;
using ::testing::HasSubstr;

const auto good = Error{}.describe();

using TlsTest = SecureEcho;

TEST_F(TlsTest, AGoodCertificateConnects) {
    serve(authority.issue());
    EXPECT_EQ(call(trusting()).describe(), good);
}

TEST_F(TlsTest, AnAddressIsCheckedAgainstTheAddressesOfTheCertificate) {
    serve(authority.issue());
    EXPECT_EQ(call(trusting(), "127.0.0.1").describe(), good);
    auto tls = trusting();
    tls.server_name = "127.0.0.2";
    EXPECT_EQ(call(tls, "127.0.0.1").code, Errc::tls_wrong_name);
}

TEST_F(TlsTest, AWildcardStandsForOneWholeLabel) {
    serve(authority.issue({.for_names = "DNS:*.example.org"}));
    EXPECT_EQ(call(trusting(), "broker.example.org").describe(), good);
    EXPECT_EQ(call(trusting(), "a.broker.example.org").code, Errc::tls_wrong_name);
    EXPECT_EQ(call(trusting(), "example.org").code, Errc::tls_wrong_name);
}

TEST_F(TlsTest, AnExpiredCertificateIsNamed) {
    serve(authority.issue({.name = "old broker", .until = hours(-1)}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_expired);
    EXPECT_THAT(error.text, HasSubstr("'CN=old broker' expired on "));
}

TEST_F(TlsTest, ACertificateOfTheFutureIsNotValidYet) {
    serve(authority.issue({.from = hours(1)}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_expired);
    EXPECT_THAT(error.text, HasSubstr("is not valid before"));
}

TEST_F(TlsTest, AWrongNameIsToldWithTheRightOnes) {
    serve(authority.issue({.for_names = "DNS:other.example,IP:10.0.0.1,IP:::1"}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_wrong_name);
    EXPECT_THAT(error.text, HasSubstr("is not for 'localhost' but for other.example, 10.0.0.1, ::1"));
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefused) {
    serve(Authority("Somebody Else").issue());
    EXPECT_EQ(call(trusting()).code, Errc::tls_unknown_issuer);
}

TEST_F(TlsTest, TheSystemsStoreIsTheDefaultAndDoesNotKnowTheTests) {
    serve(authority.issue());
    EXPECT_EQ(call(Tls{}).code, Errc::tls_unknown_issuer);
}

TEST_F(TlsTest, ASelfSignedCertificateIsRefusedUnlessItIsTrustedItself) {
    const auto identity = Authority::self_signed();
    serve(identity);
    EXPECT_EQ(call(trusting()).code, Errc::tls_self_signed);
    EXPECT_EQ(call(Tls{.ca_certificates = {identity.certificate()}}).describe(), good);
}

TEST_F(TlsTest, WithoutVerificationAnyCertificateWillDo) {
    serve(Authority::self_signed({.for_names = "DNS:elsewhere", .until = hours(-1)}));
    EXPECT_EQ(call(Tls{.verify = false}).describe(), good);
}

TEST_F(TlsTest, AnotherServerNameCanBeDemanded) {
    serve(authority.issue({.for_names = "DNS:inside.example"}));
    auto tls = trusting();
    EXPECT_EQ(call(tls).code, Errc::tls_wrong_name);
    tls.server_name = "inside.example";
    EXPECT_EQ(call(tls).describe(), good);
}

TEST_F(TlsTest, TheChainBehindACertificateIsSent) {
    const auto intermediate = authority.issue_authority("Intermediate");
    const auto identity = intermediate.issue();
    serve({.tls = {.certificate = identity.certificate() + intermediate.certificate(), .key = identity.key()}});
    EXPECT_EQ(call(trusting()).describe(), good);
}

TEST_F(TlsTest, AProtocolThatIsTooOldIsRefused) {
    const auto identity = authority.issue();
    serve({.tls = {.certificate = identity.certificate(), .key = identity.key(), .maximum = TlsVersion::v1_2}});
    auto tls = trusting();
    tls.minimum = TlsVersion::v1_3;
    EXPECT_EQ(call(tls).code, Errc::tls_version_refused);
}

TEST_F(TlsTest, AProtocolForAlpnIsAgreedOnOrRefused) {
    const auto identity = authority.issue();
    serve({.tls = {.certificate = identity.certificate(), .key = identity.key(), .alpn = {"mqtt"}}});
    auto tls = trusting();
    tls.alpn = {"x-amzn-mqtt-ca", "mqtt"};
    EXPECT_EQ(call(tls).describe(), good);
    tls.alpn = {"h2"};
    const auto error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_handshake);
    EXPECT_THAT(error.text, HasSubstr("ALPN"));
}

TEST_F(TlsTest, WhatDoesNotSpeakTlsIsSaidSo) {
    listen([](std::shared_ptr<Stream> stream) { return stream; }); // echoes the handshake
    EXPECT_EQ(call(trusting()).code, Errc::tls_handshake);
}

TEST_F(TlsTest, AServerThatHangsUpDuringTheHandshakeIsSaidSo) {
    listen([](std::shared_ptr<Stream> stream) {
        stream->finish();
        return stream;
    });
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::connection_lost);
    EXPECT_THAT(error.text, HasSubstr("during the TLS handshake"));
}

// ---- In both versions ----------------------------------------------------------------------------------------------

class TlsVersions : public TlsTest, public ::testing::WithParamInterface<TlsVersion> {
protected:
    Tls of_version(const Identity& identity) const {
        return {.certificate = identity.certificate(), .key = identity.key(), .maximum = GetParam()};
    }
    /// A server that demands a certificate of the authority's.
    void demand_certificates() {
        auto tls = of_version(authority.issue());
        tls.ca_certificates = {authority.certificate()};
        serve({.tls = tls, .require_client_certificate = true});
    }
    Tls trusting_as(const Identity& identity) const {
        auto tls = trusting();
        tls.certificate = identity.certificate();
        tls.key = identity.key();
        return tls;
    }
};
INSTANTIATE_TEST_SUITE_P(Of, TlsVersions, ::testing::Values(TlsVersion::v1_2, TlsVersion::v1_3),
                         [](const auto& test) { return test.param == TlsVersion::v1_2 ? "v1_2" : "v1_3"; });

TEST_P(TlsVersions, AMissingClientCertificateIsToldInWords) {
    demand_certificates();
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_certificate_required) << error.describe();
    EXPECT_THAT(error.text, HasSubstr("the server requires a client certificate"));
}

TEST_P(TlsVersions, AStrangersClientCertificateIsRefused) {
    demand_certificates();
    const auto error = call(trusting_as(Authority("Stranger").issue({.name = "client"})));
    EXPECT_EQ(error.code, Errc::tls_certificate_refused) << error.describe();
    EXPECT_THAT(error.text, HasSubstr("does not know the issuer of our certificate"));
}

TEST_P(TlsVersions, AClientCertificateConnects) {
    demand_certificates();
    EXPECT_EQ(call(trusting_as(authority.issue({.name = "client"}))).describe(), good);
}

TEST_P(TlsVersions, TheSecondConnectResumesTheSession) {
    serve({.tls = of_version(authority.issue())});
    const auto context = *make_client_tls(trusting());
    EXPECT_EQ(call(context).describe(), good);
    EXPECT_EQ(context->resumptions(), 0u);
    EXPECT_EQ(call(context).describe(), good);
    EXPECT_EQ(context->resumptions(), 1u);
    EXPECT_EQ(context->handshakes(), 2u);
    EXPECT_EQ(server->resumptions(), 1u);
}

TEST_P(TlsVersions, ASessionOutlivesAConnectionThatIsLost) {
    serve({.tls = of_version(authority.issue())});
    const auto context = *make_client_tls(trusting());
    EXPECT_EQ(call(context).describe(), good);
    on_loop([&] { peers.clear(); }); // without a goodbye
    EXPECT_EQ(call(context).describe(), good);
    EXPECT_EQ(context->resumptions(), 1u);
}

TEST_P(TlsVersions, ASessionIsNotResumedUnlessThatIsWanted) {
    serve({.tls = of_version(authority.issue())});
    auto tls = trusting();
    tls.resume = false;
    const auto context = *make_client_tls(tls);
    EXPECT_EQ(call(context).describe(), good);
    EXPECT_EQ(call(context).describe(), good);
    EXPECT_EQ(context->resumptions(), 0u);
}

TEST_P(TlsVersions, ASharedKeyConnectsWithoutCertificates) {
    serve({.tls = {.maximum = GetParam()}, .psk = {{"lamp", "a secret of the lamp"}}});
    Tls tls{.psk_identity = "lamp", .psk = "a secret of the lamp"};
    EXPECT_EQ(call(tls).describe(), good);
    tls.psk = "another";
    EXPECT_EQ(call(tls).code, Errc::tls_handshake);
    tls.psk_identity = "stranger";
    EXPECT_EQ(call(tls).code, Errc::tls_handshake);
}

} // namespace
} // namespace tortoise::io
