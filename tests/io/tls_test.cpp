// Handshakes: each fault has its own error.
#include "io/tls_context.hpp"
#include "secure_echo.hpp"
#include "support/process.hpp"
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

TEST_F(TlsTest, TheCommonNameIsNoName) { // RFC 9525, 6.3
    serve(authority.issue({.name = "localhost", .for_names = ""}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_wrong_name);
    EXPECT_THAT(error.text, HasSubstr("'CN=localhost' is not for 'localhost': it has no subject alternative names, "
                                      "and common names do not count"));
    serve(authority.issue({.name = "localhost", .for_names = "DNS:elsewhere"}));
    EXPECT_EQ(call(trusting()).code, Errc::tls_wrong_name);
    serve(authority.issue({.name = "127.0.0.1", .for_names = "DNS:127.0.0.1"}));
    EXPECT_EQ(call(trusting(), "127.0.0.1").code, Errc::tls_wrong_name); // an address is not a name
}

TEST_F(TlsTest, AWildcardStandsForNoPartOfALabelAndNotForATopLevelName) {
    for (const auto* names : {"DNS:bro*.example.org", "DNS:*.org", "DNS:broker.*.org", "DNS:*"}) {
        serve(authority.issue({.for_names = names}));
        EXPECT_EQ(call(trusting(), std::string(names) == "DNS:*.org" ? "example.org" : "broker.example.org").code,
                  Errc::tls_wrong_name)
            << names;
    }
}

TEST_F(TlsTest, NamesAreComparedWithoutCaseAndWithoutTheLastDot) {
    serve(authority.issue({.for_names = "DNS:Broker.Example.org"}));
    EXPECT_EQ(call(trusting(), "bROKER.example.ORG").describe(), good);
    EXPECT_EQ(call(trusting(), "broker.example.org.").describe(), good);
}

TEST_F(TlsTest, ACertificateForAnotherPurposeIsRefused) {
    serve(authority.issue({.name = "client", .purposes = "clientAuth"}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_bad_certificate);
    EXPECT_THAT(error.text, HasSubstr("'CN=client': unsuitable certificate purpose"));
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

TEST_F(TlsTest, AChainWithAGapIsRefused) {
    const auto intermediate = authority.issue_authority("Intermediate");
    serve(intermediate.issue({.name = "lonely broker"}));
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_unknown_issuer);
    EXPECT_THAT(error.text, HasSubstr("'CN=lonely broker'"));
    // Who trusts the intermediate itself needs no root.
    EXPECT_EQ(call(Tls{.ca_certificates = {intermediate.certificate()}}).describe(), good);
}

TEST_F(TlsTest, AnIssuerThatExpiredIsNamed) {
    const auto intermediate = authority.issue_authority({.name = "Old Intermediate", .until = hours(-1)});
    const auto identity = intermediate.issue();
    serve({.tls = {.certificate = identity.certificate() + intermediate.certificate(), .key = identity.key()}});
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_expired);
    EXPECT_THAT(error.text, HasSubstr("the issuer's certificate 'CN=Old Intermediate' expired on "));
}

TEST_F(TlsTest, WhoIsNoAuthorityIssuesNothing) {
    // A leaf is no issuer, whoever issued it. Its key is taken to sign in the name of the broker.
    const auto leaf = Authority::posing_as(authority.issue({.name = "a leaf"}));
    const auto identity = leaf.issue();
    serve({.tls = {.certificate = identity.certificate() + leaf.certificate(), .key = identity.key()}});
    const auto error = call(trusting());
    EXPECT_EQ(error.code, Errc::tls_bad_certificate);
    EXPECT_THAT(error.text, HasSubstr("the issuer's certificate 'CN=a leaf'"));
}

/// What the server was asked for by SNI; "none": nothing.
int note_name(SSL* ssl, int*, void* into) {
    const auto* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    *static_cast<std::string*>(into) = name ? name : "none";
    return SSL_TLSEXT_ERR_OK;
}

TEST_F(TlsTest, TheServerIsToldTheNameThatIsWantedButNoAddress) {
    std::string asked;
    serve(authority.issue({.for_names = "DNS:broker.example,DNS:inside.example,IP:127.0.0.1,IP:::1"}));
    auto* native = OpenSslContext::of(*server).native();
    SSL_CTX_set_tlsext_servername_callback(native, &note_name);
    SSL_CTX_set_tlsext_servername_arg(native, &asked);
    EXPECT_EQ(call(trusting(), "broker.example").describe(), good);
    EXPECT_EQ(asked, "broker.example");
    auto tls = trusting();
    for (const auto* address : {"127.0.0.1", "::1"}) {
        tls.server_name = address;
        EXPECT_EQ(call(tls, "127.0.0.1").describe(), good);
        EXPECT_EQ(asked, "none");
    }
    tls.server_name = "inside.example";
    EXPECT_EQ(call(tls, "127.0.0.1").describe(), good);
    EXPECT_EQ(asked, "inside.example");
}

TEST_F(TlsTest, ADirectoryOfAuthoritiesIsTrusted) {
    const ::test::TemporaryDirectory directory;
    serve(authority.issue());
    EXPECT_EQ(call(Tls{.ca_path = directory.path()}).code, Errc::tls_unknown_issuer);
    directory.file(authority.file_name_in_directories(), authority.certificate());
    EXPECT_EQ(call(Tls{.ca_path = directory.path()}).describe(), good);
}

TEST_F(TlsTest, AProtocolThatIsTooOldIsRefused) {
    const auto identity = authority.issue();
    serve({.tls = {.certificate = identity.certificate(), .key = identity.key(), .maximum = TlsVersion::v1_2}});
    auto tls = trusting();
    tls.minimum = TlsVersion::v1_3;
    const auto error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_version_refused);
    EXPECT_THAT(error.text, HasSubstr("supports none of the TLS versions that we allow: 1.3"));
}

TEST_F(TlsTest, OurProtocolCanBeTooOldForTheServer) {
    const auto identity = authority.issue();
    serve({.tls = {.certificate = identity.certificate(), .key = identity.key(), .minimum = TlsVersion::v1_3}});
    auto tls = trusting();
    tls.maximum = TlsVersion::v1_2;
    const auto error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_version_refused);
    EXPECT_THAT(error.text, HasSubstr("supports none of the TLS versions that we allow: 1.2"));
}

TEST_F(TlsTest, CiphersWithoutCommonGroundAreSaidSo) {
    const auto identity = authority.issue();
    serve({.tls = {.certificate = identity.certificate(),
                   .key = identity.key(),
                   .maximum = TlsVersion::v1_2,
                   .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}});
    auto tls = trusting();
    tls.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
    const auto error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_handshake);
    EXPECT_THAT(error.text, HasSubstr("no common ground: ciphers"));
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

/// Waits for what comes next.
struct Waiting final : Stream::Events {
    explicit Waiting(std::shared_ptr<Stream> s) : stream(std::move(s)) {
        stream->tell(this);
        stream->await_readable();
    }
    void opened() override {}
    void not_opened(Error) override {}
    void writable() override {}
    void readable() override {
        char octet = 0;
        auto got = stream->read(&octet, 1);
        if (got.state == Transfer::blocked) return stream->await_readable();
        error = std::move(got.error);
        done.set();
    }
    std::shared_ptr<Stream> stream;
    Error error;
    Latch done;
};

/// A connection that stays, whose server shows the stream below it.
class TlsAfterwards : public TlsVersions {
protected:
    ~TlsAfterwards() override {
        on_loop([this] { caller.reset(); });
    }
    void connect() {
        listen([this](std::shared_ptr<Stream> stream) {
            below = stream;
            return secure_server(loop, std::move(stream), server);
        });
        const auto url = *parse_url("mqtts://localhost:" + std::to_string(acceptor->port()));
        on_loop([&] {
            caller = std::make_unique<Caller>(loop, resolver, Means{.tls = *make_client_tls(trusting())});
            caller->call(url);
        });
        caller->done.wait();
        ASSERT_EQ(caller->result.describe(), good);
    }
    /// What comes next, after the client said or the server did something.
    template <class Job> Error next(Job job) {
        std::unique_ptr<Waiting> waiting;
        on_loop([&] {
            waiting = std::make_unique<Waiting>(caller->stream);
            job();
            below = nullptr;
        });
        waiting->done.wait();
        on_loop([&] { waiting->stream->tell(nullptr); });
        return waiting->error;
    }
    std::shared_ptr<Stream> below;
    std::unique_ptr<Caller> caller;
};
INSTANTIATE_TEST_SUITE_P(Of, TlsAfterwards, ::testing::Values(TlsVersion::v1_2, TlsVersion::v1_3),
                         [](const auto& test) { return test.param == TlsVersion::v1_2 ? "v1_2" : "v1_3"; });

TEST_P(TlsAfterwards, AnEndWithoutAGoodbyeIsALostConnection) {
    serve({.tls = of_version(authority.issue())});
    connect();
    const auto error = next([&] { below->finish(); }); // no close_notify
    EXPECT_EQ(error.code, Errc::connection_lost) << error.describe();
}

TEST_P(TlsAfterwards, AnEndWithAGoodbyeIsALostConnectionToo) { // MQTT has a goodbye of its own
    serve({.tls = of_version(authority.issue())});
    connect();
    const auto error = next([&] { peers.front().stream->finish(); });
    EXPECT_EQ(error.code, Errc::connection_lost);
    EXPECT_THAT(error.text, HasSubstr("closed the connection"));
}

TEST_P(TlsAfterwards, OctetsThatAreNoTlsEndIt) {
    serve({.tls = of_version(authority.issue())});
    connect();
    const auto error = next([&] { below->write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    EXPECT_EQ(error.code, Errc::tls_handshake);
}

TEST_P(TlsAfterwards, AnotherHandshakeIsRefused) {
    if (GetParam() != TlsVersion::v1_2) return; // the last version that had it
    serve({.tls = of_version(authority.issue())});
    auto* native = OpenSslContext::of(*server).native();
    SSL_CTX_clear_options(native, SSL_OP_NO_RENEGOTIATION);
    static SSL* ssl; // of the server's side
    ssl = nullptr;
    SSL_CTX_set_info_callback(native, [](const SSL* s, int, int) { ssl = const_cast<SSL*>(s); });
    connect();
    static_cast<void>(next([&] {
        SSL_renegotiate(ssl);
        caller->stream->write("x"); // comes back behind the request
    }));
    const auto error = next([&] { caller->stream->write("x"); });
    EXPECT_TRUE(error.code); // the server does not put up with it
}

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
    auto error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_handshake);
    EXPECT_THAT(error.text, HasSubstr("does not accept our shared key, or does not know 'lamp'"));
    tls = {.psk_identity = "stranger", .psk = "a secret of the lamp"};
    error = call(tls);
    EXPECT_EQ(error.code, Errc::tls_handshake);
    EXPECT_THAT(error.text, HasSubstr("does not know 'stranger'"));
}

} // namespace
} // namespace tortoise::io
