// TLS as users see it: options of a connection, the test broker, warnings.
#include "support/certificates.hpp"
#include "support/options.hpp"

namespace tortoise {
namespace {

using namespace std::chrono_literals;
using test::Authority;
using test::patience;
using test::Recorder;
using ::testing::HasSubstr;

class SecureConnection : public ::testing::TestWithParam<Version> {
protected:
    testing::BrokerOptions secured(testing::BrokerTls tls = {}) const {
        tls.certificate = broker_identity.certificate();
        tls.key = broker_identity.key();
        return {.tls = std::move(tls)};
    }
    ConnectionOptions options(const std::string& url) const {
        auto o = test::options_for(url, GetParam(), recorder);
        o.tls.ca_certificates = {authority.certificate()};
        return o;
    }
    Authority authority;
    test::Identity broker_identity = authority.issue();
    Recorder recorder;
};
INSTANTIATE_TEST_SUITE_P(, SecureConnection, ::testing::Values(Version::v3_1_1, Version::v5), test::name_of);

TEST_P(SecureConnection, CarriesMessagesOfAnySize) {
    testing::Broker broker(secured());
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
    EXPECT_THAT(broker.url(), HasSubstr("mqtts://127.0.0.1:"));
    auto o = options(broker.url());
    o.subscriptions = {{"a", QoS::at_least_once}};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    const std::string large(3'000'000, 'x');
    for (const auto& payload : {std::string(), std::string("small"), large}) {
        EXPECT_TRUE(c.publish("a", payload, {.qos = QoS::exactly_once}).wait(patience));
    }
    ASSERT_TRUE(recorder.wait_for_messages(3));
    EXPECT_EQ(recorder.seen().messages[2].payload, large);
    EXPECT_TRUE(c.stop().wait(patience));
}

TEST_P(SecureConnection, ComesBackAfterALossByResumingItsSession) {
    testing::Broker broker(secured());
    Connection c(options(broker.url()));
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    broker.drop_connections();
    EXPECT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_TRUE(c.ping().wait(patience)); // after the loop has counted
    EXPECT_EQ(c.statistics().tls_resumptions, 1u);
}

TEST_P(SecureConnection, IsToldThatTheBrokerWantsACertificate) {
    testing::Broker broker(secured({.ca_certificates = {authority.certificate()}, .require_client_certificate = true}));
    Connection c(options(broker.url()));
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(c.error().code, Errc::tls_certificate_required) << c.error().describe(); // it may be at the next attempt
}

TEST_P(SecureConnection, ShowsItsCertificate) {
    testing::Broker broker(secured({.ca_certificates = {authority.certificate()}, .require_client_certificate = true}));
    const auto identity = authority.issue({.name = "client"});
    auto o = options(broker.url());
    o.tls.certificate = identity.certificate();
    o.tls.key = identity.key();
    Connection c(o);
    EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
}

TEST_P(SecureConnection, RetriesABadCertificateSlowly) {
    broker_identity = authority.issue({.until = std::chrono::hours(-1)});
    testing::Broker broker(secured());
    auto o = options(broker.url());
    o.backoff = {.min = 1ms, .max = 1h};
    Connection c(o);
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(recorder.seen().statuses.back().reason.code, Errc::tls_expired);
    EXPECT_EQ(c.status(), Status::down);
}

TEST(SecureOptions, ThatAreWrongStopTheConnectionFromTheStart) {
    Connection c({.server = "mqtts://localhost:1", .tls = {.ca_file = "/nowhere/ca.pem"}});
    EXPECT_EQ(c.status(), Status::stopped);
    EXPECT_EQ(c.error().code, Errc::tls_configuration);
    testing::Broker broker({.tls = testing::BrokerTls{}});
    ASSERT_FALSE(broker.ok());
    EXPECT_EQ(broker.ok().error().code, Errc::tls_configuration);
    EXPECT_FALSE(broker.start());
    broker.stop();
    EXPECT_EQ(broker.statistics().connections, 0u);
}

/// Keeps the warnings.
struct Warned : Handler {
    explicit Warned(std::shared_ptr<std::vector<std::string>> t) : texts(std::move(t)) {}
    void warning(Connection&, std::string_view text) override { texts->emplace_back(text); }
    std::shared_ptr<std::vector<std::string>> texts;
};

TEST(SecureOptions, WithoutVerificationAreWarnedAboutOnce) {
    const auto identity = Authority::self_signed();
    testing::Broker broker({.tls = testing::BrokerTls{.certificate = identity.certificate(), .key = identity.key()}});
    const auto texts = std::make_shared<std::vector<std::string>>();
    {
        Connection c({.server = broker.url(), .tls = {.verify = false}, .handler = make_handler<Warned>(texts)});
        EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
        c.reconnect();
        EXPECT_TRUE(c.stop(1s).wait(patience));
    }
    ASSERT_EQ(texts->size(), 1u);
    EXPECT_THAT(texts->front(), HasSubstr("without verification"));
}

} // namespace
} // namespace tortoise
