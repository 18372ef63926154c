// What can be wrong with TLS, through a connection: each fault has an error of its own, which says which check failed
// on which certificate.
#include "support/certificates.hpp"
#include "support/options.hpp"

namespace tortoise {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;
using test::Authority;
using test::Identity;
using test::patience;
using testing::Broker;
using testing::BrokerTls;
using ::testing::HasSubstr;

/// The authorities of the tests.
struct Trust {
    Authority known, unknown{"Somebody Else"};
    Identity client = known.issue({.name = "client"}), other = known.issue({.name = "other"});
    Identity stranger = unknown.issue({.name = "stranger"});
};
const Trust& trust() {
    static const Trust all;
    return all;
}

struct Fault {
    const char* name;
    Identity (*broker)();             ///< its certificate
    void (*change)(BrokerTls&, Tls&); ///< from two sides that agree
    Errc code;                        ///< that is expected
    const char* text;
};

Identity good() { return trust().known.issue(); }
void same(BrokerTls&, Tls&) {}
void demand(BrokerTls& tls) {
    tls.ca_certificates = {trust().known.certificate()};
    tls.require_client_certificate = true;
}
void show(Tls& tls, const Identity& certificate, const Identity& key) {
    tls.certificate = certificate.certificate();
    tls.key = key.key();
}

const Fault faults[] = {
    {"Expired", [] { return trust().known.issue({.name = "old", .until = hours(-1)}); }, same, Errc::tls_expired,
     "the server's certificate 'CN=old' expired on "},
    {"NotYetValid", [] { return trust().known.issue({.name = "young", .from = hours(1)}); }, same, Errc::tls_expired,
     "the server's certificate 'CN=young' is not valid before "},
    {"WrongName", [] { return trust().known.issue({.name = "other", .for_names = "DNS:elsewhere"}); }, same,
     Errc::tls_wrong_name, "'CN=other' is not for '127.0.0.1' but for elsewhere"},
    {"UnknownAuthority", [] { return trust().unknown.issue({.name = "alien"}); }, same, Errc::tls_unknown_issuer,
     "the server's certificate 'CN=alien': unable to get local issuer certificate"},
    {"SelfSigned", [] { return Authority::self_signed({.name = "myself"}); }, same, Errc::tls_self_signed,
     "the server's certificate 'CN=myself': self-signed certificate"},
    {"WrongPurpose", [] { return trust().known.issue({.name = "a client", .purposes = "clientAuth"}); }, same,
     Errc::tls_bad_certificate, "the server's certificate 'CN=a client': unsuitable certificate purpose"},
    {"MissingClientCertificate", good, [](BrokerTls& broker, Tls&) { demand(broker); }, Errc::tls_certificate_required,
     "the server requires a client certificate"},
    {"ClientCertificateOfAStranger", good,
     [](BrokerTls& broker, Tls& tls) {
         demand(broker);
         show(tls, trust().stranger, trust().stranger);
     },
     Errc::tls_certificate_refused, "the server does not know the issuer of our certificate"},
    {"ClientKeyOfAnotherCertificate", good,
     [](BrokerTls& broker, Tls& tls) {
         demand(broker);
         show(tls, trust().client, trust().other);
     },
     Errc::tls_configuration, "does not belong to the certificate 'CN=client'"},
    {"WrongPassphrase", good,
     [](BrokerTls&, Tls& tls) {
         show(tls, trust().client, trust().client);
         tls.key = trust().client.key("sesame");
         tls.key_passphrase = [] { return std::string("open"); };
     },
     Errc::tls_configuration, "cannot be decrypted with the passphrase"},
    {"BrokerTooOld", good,
     [](BrokerTls& broker, Tls& tls) {
         broker.maximum = TlsVersion::v1_2;
         tls.minimum = TlsVersion::v1_3;
     },
     Errc::tls_version_refused, "supports none of the TLS versions that we allow: 1.3"},
    {"ClientTooOld", good,
     [](BrokerTls& broker, Tls& tls) {
         broker.minimum = TlsVersion::v1_3;
         tls.maximum = TlsVersion::v1_2;
     },
     Errc::tls_version_refused, "supports none of the TLS versions that we allow: 1.2"},
    {"NoCommonProtocol", good,
     [](BrokerTls& broker, Tls& tls) {
         broker.alpn = {"mqtt"};
         tls.alpn = {"h2"};
     },
     Errc::tls_handshake, "speaks none of the protocols that we offer (ALPN)"},
    {"WrongSharedKey", good,
     [](BrokerTls& broker, Tls& tls) {
         broker = {.psk = {{"lamp", "one key"}}};
         tls = {.psk_identity = "lamp", .psk = "another key"};
     },
     Errc::tls_handshake, "the server does not accept our shared key, or does not know 'lamp'"},
    {"Ciphers", good, [](BrokerTls&, Tls& tls) { tls.ciphers = "ROT13"; }, Errc::tls_configuration,
     "tls.ciphers 'ROT13': no cipher match"},
};

class TlsFault : public ::testing::TestWithParam<Fault> {};
INSTANTIATE_TEST_SUITE_P(, TlsFault, ::testing::ValuesIn(faults),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(TlsFault, HasAnErrorOfItsOwn) {
    const auto& fault = GetParam();
    const auto identity = fault.broker();
    BrokerTls broker_tls{.certificate = identity.certificate(), .key = identity.key()};
    Tls tls{.ca_certificates = {trust().known.certificate()}};
    fault.change(broker_tls, tls);
    Broker broker({.tls = broker_tls});
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
    const Connection c(
        {.server = broker.url(), .tls = tls, .classify = [](const Error&) noexcept { return Retry::fatal; }});
    const auto up = Connection(c).wait_until_up(patience);
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().code, fault.code) << up.error().describe();
    EXPECT_THAT(up.error().text, HasSubstr(fault.text));
    EXPECT_EQ(c.status(), Status::stopped);
}

} // namespace
} // namespace tortoise
