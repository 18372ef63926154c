// The proxy, and a broker with faults: places, TLS, ends, bounds.
#include "support/options.hpp"
#include "testing/raw_client.hpp"
#include <tortoise/testing/certificates.hpp>
#include <tortoise/testing/proxy.hpp>
#include <tortoise/testing/script.hpp>

namespace tortoise::test {
namespace {

using testing::Broker;
using testing::Capture;
using testing::Faults;
using ::testing::HasSubstr;
using testing::Proxy;
using testing::Script;
using ::testing::StartsWith;
using testing::TestCertificates;

constexpr auto q1 = QoS::at_least_once, q2 = QoS::exactly_once;

class Proxies : public BothVersions {};

TEST_P(Proxies, PassEverythingOn) {
    const Broker broker;
    const Proxy proxy({.to = broker.url()});
    ASSERT_TRUE(proxy.ok());
    Recorder recorder;
    auto o = options(recorder, proxy.url());
    o.subscriptions = {{"t", q2}};
    Connection c(std::move(o));
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return !s.filters.empty(); }));
    const std::string big(3'000'000, 'x');
    for (const auto& payload : {std::string("small"), big}) c.publish("t", payload, {.qos = q2});
    ASSERT_TRUE(recorder.wait_for_messages(2));
    EXPECT_EQ(recorder.seen().messages[1].payload, big);
    EXPECT_EQ(proxy.connections(), 1u);
    EXPECT_TRUE(c.stop(patience).wait(patience));
}
TORTOISE_BOTH_VERSIONS(Proxies);

TEST(ProxyPlaces, AreTcpUnixAndTlsOnBothSides) {
    const TestCertificates certificates;
    const Broker secure({.tls = certificates.for_broker()});
    const std::string path = "@tortoise_proxy_test." + std::to_string(::getpid());
    const Proxy to_tls({.to = secure.url(), .unix_path = path, .to_tls = certificates.for_device()});
    ASSERT_TRUE(to_tls.ok()) << to_tls.ok().error().describe();
    EXPECT_EQ(to_tls.url(), "unix://" + path);
    const Proxy with_tls({.to = to_tls.url(), .tls = certificates.for_broker()});
    ASSERT_TRUE(with_tls.ok()) << with_tls.ok().error().describe();
    EXPECT_THAT(with_tls.url(), StartsWith("mqtts://127.0.0.1:"));
    Connection c({.server = with_tls.url(), .tls = certificates.for_device()});
    EXPECT_TRUE(c.publish("a", "b", {.qos = q1}).wait(patience));
}

TEST(ProxyPlaces, OfABrokerWithTlsAndFaultsAreItsOwn) {
    const TestCertificates certificates;
    const Capture capture;
    Faults faults{"drop PUBACK nth=1"};
    Broker broker({.tls = certificates.for_broker(), .faults = faults, .capture = capture});
    ASSERT_TRUE(broker.ok());
    Connection c({.server = broker.url(), .tls = certificates.for_device(), .backoff = {.min = 1ms, .max = 5ms}});
    const auto delivery = c.publish("a", "b", {.qos = q1});
    ASSERT_TRUE(faults.wait(0, 1, patience));
    broker.drop_connections();
    EXPECT_TRUE(delivery.wait(patience));
    EXPECT_THAT(capture.text(), HasSubstr("drop PUBACK"));
    broker.stop();
    ASSERT_TRUE(broker.start());
    EXPECT_TRUE(c.publish("a", "c", {.qos = q1}).wait(patience));
}

TEST(ProxyOk, SaysWhatIsWrong) {
    EXPECT_EQ(Proxy({.to = "no url at all"}).ok().error().code, Errc::invalid_url);
    EXPECT_THAT(Proxy({.to = "mqtt://127.0.0.1", .faults = Faults{"dorp"}}).ok().error().text,
                HasSubstr("'dorp' is no action"));
    EXPECT_THAT(Broker({.faults = Faults{"dorp"}}).ok().error().text, HasSubstr("'dorp' is no action"));
    const Proxy first({.to = "mqtt://127.0.0.1"});
    EXPECT_FALSE(Proxy({.to = "mqtt://127.0.0.1", .port = first.port()}).ok());
    EXPECT_EQ(
        Proxy({.to = "mqtt://127.0.0.1", .tls = testing::BrokerTls{.certificate_file = "/none"}}).ok().error().code,
        Errc::tls_configuration);
    EXPECT_EQ(Proxy({.to = "mqtts://127.0.0.1", .to_tls = {.ca_file = "/none"}}).ok().error().code,
              Errc::tls_configuration);
    Proxy broken({.to = "no url at all"});
    broken.drop_connections();
    EXPECT_EQ(broken.connections(), 0u);
}

std::string hello() {
    std::string octets;
    EXPECT_TRUE(core::encode(Version::v5, core::Connect{.client_id = "raw"}, octets));
    return octets;
}

TEST(ProxyEnds, ArePassedOn) {
    Script script;
    const Proxy proxy({.to = script.url()});
    {
        script.expect_connect().expect_close();
        RawClient client(proxy.port());
        client.send(hello());
        client.close();
        ASSERT_TRUE(script.wait(patience)) << script.report();
    }
    script.expect_connect().send(core::Connack{}).close();
    RawClient client(proxy.port());
    client.send(hello());
    EXPECT_EQ(client.receive(5).size(), 5u) << "what was said before the end arrives";
    EXPECT_EQ(client.end(), RawClient::End::in_order);
}

TEST(ProxyEnds, OfABrokerThatIsNotThereAreOrderly) {
    std::uint16_t port = 0;
    {
        const Broker gone;
        port = gone.port();
    }
    const Proxy proxy({.to = "mqtt://127.0.0.1:" + std::to_string(port)});
    RawClient client(proxy.port());
    client.send(hello());
    EXPECT_EQ(client.end(), RawClient::End::in_order);
}

TEST(ProxyEnds, ByAResetAreSeenAsOneOnBothSides) {
    Script script;
    script.expect_connect().send(core::Connack{}).expect_close();
    const Proxy proxy({.to = script.url(), .faults = Faults{"reset PINGREQ"}});
    RawClient client(proxy.port());
    client.send(hello());
    EXPECT_EQ(client.receive(5).size(), 5u);
    client.send(core::Pingreq{});
    EXPECT_EQ(client.end(), RawClient::End::reset);
    ASSERT_TRUE(script.wait(patience)) << script.report();
    EXPECT_THAT(script.transcript(), HasSubstr("lost"));
}

TEST(ProxyEnds, OfAHalfOpenConnectionAreNotPassedOn) {
    Script script;
    testing::Gate checked;
    script.expect_connect().send(core::Connack{}).silence_until(checked).close();
    Faults faults{"half-open PINGREQ", "refuse CONNECT connection=2"};
    const Proxy proxy({.to = script.url(), .faults = faults});
    {
        RawClient client(proxy.port());
        client.send(hello());
        EXPECT_EQ(client.receive(5).size(), 5u);
        client.send(core::Pingreq{});
        ASSERT_TRUE(faults.wait(0, 1, patience));
    }
    RawClient other(proxy.port());
    other.send(hello());
    EXPECT_EQ(other.end(), RawClient::End::in_order); // by now the end of the first was seen, too
    EXPECT_EQ(proxy.connections(), 1u);
    checked.open();
    ASSERT_TRUE(script.wait(patience)) << script.report();
}

TEST(ProxyBounds, CloseConnectionsBeyondTheMost) {
    const Broker broker;
    const Proxy proxy({.to = broker.url(), .most_connections = 1});
    RawClient first(proxy.port());
    first.send(hello());
    ASSERT_EQ(first.receive(2).size(), 2u);
    RawClient second(proxy.port());
    EXPECT_EQ(second.end(), RawClient::End::in_order);
    EXPECT_EQ(proxy.connections(), 1u);
}

TEST(ProxyBounds, HoldBackWhoSendsToSomebodyWhoDoesNotRead) {
    Script script; // nobody is served: nothing is read
    const Proxy proxy({.to = script.url()});
    RawClient client(proxy.port());
    client.send(hello());
    std::string octets;
    ASSERT_TRUE(core::encode(Version::v5, core::Publish{.topic = "t", .payload = std::string(100'000, 'x')}, octets));
    std::size_t sent = 0;
    while (client.send_some(octets) && sent < (256u << 20)) sent += octets.size();
    EXPECT_LT(sent, 256u << 20) << "the proxy took everything";
}

TEST(ProxyDrop, ClosesEveryConnectionAndListensOn) {
    const Broker broker;
    Proxy proxy({.to = broker.url()});
    RawClient client(proxy.port());
    client.send(hello());
    ASSERT_EQ(client.receive(2).size(), 2u);
    proxy.drop_connections();
    EXPECT_NE(client.end(), RawClient::End::none);
    EXPECT_EQ(proxy.connections(), 0u);
    RawClient again(proxy.port());
    again.send(hello());
    EXPECT_EQ(again.receive(2).size(), 2u);
}

} // namespace
} // namespace tortoise::test
