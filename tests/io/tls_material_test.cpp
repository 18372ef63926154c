// Certificates and keys: formats, sources, and what is wrong with them.
#include "secure_echo.hpp"
#include "support/process.hpp"
#include <gmock/gmock.h>

namespace tortoise::io {
namespace {

using test::Authority;
using ::test::TemporaryDirectory;
using ::testing::HasSubstr;

const auto good = Error{}.describe();

using TlsMaterial = SecureEcho;

TEST_F(TlsMaterial, IsPemOrDerFromFilesOrMemory) {
    const auto broker = authority.issue();
    serve({.tls = {.ca_certificates = {authority.certificate()},
                   .certificate = broker.certificate(),
                   .key = broker.key()},
           .require_client_certificate = true});
    const auto client = authority.issue({.name = "client"});
    const TemporaryDirectory files;
    for (const bool der : {false, true}) {
        const auto ca = der ? authority.certificate_der() : authority.certificate();
        const auto certificate = der ? client.certificate_der() : client.certificate();
        const auto key = der ? client.key_der() : client.key();
        EXPECT_EQ(call(Tls{.ca_certificates = {ca}, .certificate = certificate, .key = key}).describe(), good);
        EXPECT_EQ(call(Tls{.ca_file = files.file("ca", ca),
                           .certificate_file = files.file("certificate", certificate),
                           .key_file = files.file("key", key)})
                      .describe(),
                  good);
    }
    EXPECT_EQ(call(Tls{.ca_certificates = {authority.certificate()},
                       .certificate_file = files.file("both", client.certificate() + client.key())})
                  .describe(),
              good);
}

TEST_F(TlsMaterial, EncryptedAsksForItsPassphrase) {
    const auto client = authority.issue({.name = "client"});
    for (const auto& key : {client.key("sesame"), client.key_der("sesame")}) {
        Tls tls{.certificate = client.certificate(), .key = key};
        EXPECT_THAT(make_client_tls(tls).error().text, HasSubstr("is encrypted, and there is no key_passphrase"));
        tls.key_passphrase = [] { return std::string("open"); };
        EXPECT_THAT(make_client_tls(tls).error().text, HasSubstr("cannot be decrypted"));
        tls.key_passphrase = [] { return std::string("sesame"); };
        EXPECT_TRUE(make_client_tls(tls));
    }
}

TEST_F(TlsMaterial, APassphraseThatThrowsIsAnErrorLikeOthers) {
    const auto client = authority.issue({.name = "client"});
    Tls tls{.certificate = client.certificate(), .key = client.key("sesame")};
    tls.key_passphrase = []() -> std::string { throw std::runtime_error("the vault is shut"); };
    EXPECT_EQ(make_client_tls(tls).error().code, Errc::tls_configuration);
    EXPECT_THAT(make_client_tls(tls).error().text, HasSubstr("key_passphrase threw: the vault is shut"));
    tls.key_passphrase = []() -> std::string { throw 7; };
    EXPECT_THAT(make_client_tls(tls).error().text, HasSubstr("key_passphrase threw"));
}

struct Unusable {
    const char* name;
    Tls tls;
    const char* text;
};

TEST(TlsOptions, ThatCannotBeUsedAreNamed) {
    const Authority authority;
    const auto one = authority.issue({.name = "one"}), other = authority.issue();
    const auto damaged = one.certificate() + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const Unusable all[] = {
        {"wrong key",
         {.certificate = one.certificate(), .key = other.key()},
         "does not belong to the certificate 'CN=one'"},
        {"no file", {.certificate_file = "/nowhere/c.pem"}, "cannot read '/nowhere/c.pem': No such file"},
        {"no CA file", {.ca_file = "/nowhere/ca.pem"}, "tls.ca_file: cannot read '/nowhere/ca.pem': No such file"},
        {"no directory", {.ca_path = "/nowhere"}, "tls.ca_path '/nowhere' is not a directory"},
        {"both", {.certificate_file = "/c.pem", .certificate = "x"}, "are both given"},
        {"no certificate", {.key = one.key()}, "no tls.certificate"},
        {"not a certificate", {.ca_certificates = {"nonsense"}}, "tls.ca_certificates[0] holds no certificate"},
        {"damaged", {.ca_certificates = {damaged}}, "or a damaged one"},
        {"not a key", {.certificate = one.certificate(), .key = "nonsense"}, "holds no private key"},
        {"ciphers", {.ciphers = "ROT13"}, "tls.ciphers 'ROT13'"},
        {"suites", {.cipher_suites = "ROT13"}, "tls.cipher_suites 'ROT13'"},
        {"versions", {.minimum = TlsVersion::v1_3, .maximum = TlsVersion::v1_2}, "leave no version"},
        {"alpn", {.alpn = {""}}, "tls.alpn has a name of 0 bytes"},
        {"psk alone", {.psk = "secret"}, "go together"},
        {"long psk", {.psk_identity = "x", .psk = std::string(1000, 'x')}, "tls.psk has 1000 bytes"},
    };
    for (const auto& unusable : all) {
        SCOPED_TRACE(unusable.name);
        const auto made = make_client_tls(unusable.tls);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Errc::tls_configuration);
        EXPECT_THAT(made.error().text, HasSubstr(unusable.text));
    }
}

} // namespace
} // namespace tortoise::io
