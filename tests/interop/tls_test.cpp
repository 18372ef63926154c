// The library against mosquitto's listeners with TLS, client certificates and shared keys, and on a Unix socket.
#include "interop/brokers.hpp"
#include "support/certificates.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tortoise/connection.hpp>

namespace {

using ::test::patience;
using ::testing::HasSubstr;
using tortoise::Connection;
using tortoise::ConnectionOptions;
using tortoise::Errc;
using tortoise::QoS;
using tortoise::Tls;
using tortoise::TlsVersion;
using tortoise::test::Authority;

class Secure : public ::testing::TestWithParam<TlsVersion> {
protected:
    void start(const std::string& listener, const std::string& more) {
        broker = std::make_unique<test::ConfiguredMosquitto>(listener, more);
    }
    std::string identity_lines() const {
        return "cafile " + files.file("ca.pem", authority.certificate()) + "\ncertfile " +
               files.file("broker.pem", broker_identity.certificate()) + "\nkeyfile " +
               files.file("broker.key", broker_identity.key()) + "\n";
    }
    std::string url() const { return "mqtts://localhost:" + std::to_string(broker->port()); }
    Tls trusting() const { return {.ca_certificates = {authority.certificate()}, .maximum = GetParam()}; }

    /// It connects, and a message comes back.
    static void expect_good(ConnectionOptions options) {
        std::atomic<int> received{0};
        Connection c(std::move(options));
        ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
        ASSERT_TRUE(c.subscribe({"a", QoS::at_least_once}, [&](Connection&, const tortoise::MessageView& m) {
                         received += static_cast<int>(m.payload.size());
                     }).wait(patience));
        EXPECT_TRUE(c.publish("a", std::string(100'000, 'x'), {.qos = QoS::exactly_once}).wait(patience));
        EXPECT_TRUE(c.ping().wait(patience)); // what was sent before its answer has arrived
        EXPECT_EQ(received, 100'000);
        EXPECT_TRUE(c.stop(patience).wait(patience));
    }
    static tortoise::Error failure(ConnectionOptions options) {
        options.classify = [](const tortoise::Error&) noexcept { return tortoise::Retry::fatal; };
        Connection c(std::move(options));
        const auto up = c.wait_until_up(patience);
        return up ? tortoise::Error{} : up.error();
    }

    Authority authority;
    tortoise::test::Identity broker_identity = authority.issue();
    test::TemporaryDirectory files;
    std::unique_ptr<test::ConfiguredMosquitto> broker;
};
INSTANTIATE_TEST_SUITE_P(Mosquitto, Secure, ::testing::Values(TlsVersion::v1_2, TlsVersion::v1_3),
                         [](const auto& test) { return test.param == TlsVersion::v1_2 ? "v1_2" : "v1_3"; });

TEST_P(Secure, IsVerified) {
    start("listener PORT 127.0.0.1", identity_lines());
    expect_good({.server = url(), .tls = trusting()});
    EXPECT_EQ(failure({.server = url(), .tls = {.maximum = GetParam()}}).code, Errc::tls_unknown_issuer);
}

TEST_P(Secure, TakesClientCertificates) {
    start("listener PORT 127.0.0.1", identity_lines() + "require_certificate true\n");
    const auto identity = authority.issue({.name = "client"});
    auto tls = trusting();
    const auto missing = failure({.server = url(), .tls = tls});
    EXPECT_EQ(missing.code, Errc::tls_certificate_required) << missing.describe();
    tls.certificate = identity.certificate();
    tls.key = identity.key();
    expect_good({.server = url(), .tls = tls});
    const auto stranger = Authority("Stranger").issue();
    tls.certificate = stranger.certificate();
    tls.key = stranger.key();
    EXPECT_EQ(failure({.server = url(), .tls = tls}).code, Errc::tls_certificate_refused);
}

TEST_P(Secure, TakesSharedKeys) {
    start("listener PORT 127.0.0.1",
          "psk_hint lamps\npsk_file " + files.file("psk", "lamp:0123456789abcdef0123456789abcdef\n") + "\n");
    const std::string key("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16);
    expect_good({.server = url(), .tls = {.psk_identity = "lamp", .psk = key, .maximum = GetParam()}});
    EXPECT_EQ(failure({.server = url(), .tls = {.psk_identity = "lamp", .psk = "x", .maximum = GetParam()}}).code,
              Errc::tls_handshake);
}

TEST_P(Secure, ResumesItsSessionAtTheSecondConnect) {
    start("listener PORT 127.0.0.1", identity_lines());
    Connection c({.server = url(), .tls = trusting()});
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    ASSERT_TRUE(c.ping().wait(patience)); // tickets of TLS 1.3 come behind the handshake
    EXPECT_EQ(c.statistics().tls_resumptions, 0u);
    c.reconnect();
    while (c.statistics().connects < 2 && c.status() != tortoise::Status::stopped) ::poll(nullptr, 0, 1);
    ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_EQ(c.statistics().tls_resumptions, 1u);
}

TEST_P(Secure, DoesNotNeedTlsOnAUnixSocket) {
    const auto path = files.path() + "/mqtt.sock";
    start("listener 0 " + path, "");
    expect_good({.server = "unix://" + path});
}

} // namespace
