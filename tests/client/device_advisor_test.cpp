// The MQTT cases by which AWS Device Advisor judges a device, against a script, or the broker in the part of AWS.
// docs/clouds.md lists them.
#include "support/certificates.hpp"
#include "support/script.hpp"

#include <set>
#include <tortoise/profile.hpp>

namespace tortoise::test {
namespace {

using core::Ack;
using core::Connack;
using core::PacketType;
using core::Pingreq;
using core::Publish;
using core::Suback;
using core::Subscribe;
using testing::Script;

// ---- TLS -----------------------------------------------------------------------------------------------------------

class DeviceAdvisorTls : public BothVersions {
protected:
    Result<SessionInfo> connect(testing::BrokerTls at_broker, const std::string& ciphers, TlsVersion maximum) {
        const testing::Broker broker{{.tls = std::move(at_broker), .profile = "aws"}};
        auto o = options(recorder, broker.url());
        o.client_id = "door";
        o.tls = certificates.for_device();
        o.tls.ciphers = ciphers;
        o.tls.maximum = maximum;
        o.classify = [](const Error&) noexcept { return Retry::fatal; };
        return Connection{apply(profiles::aws(), std::move(o)).value()}.wait_until_up(patience);
    }
    const testing::TestCertificates certificates;
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(DeviceAdvisorTls);

TEST_P(DeviceAdvisorTls, connects) {
    for (const auto maximum : {TlsVersion::v1_2, TlsVersion::v1_3}) {
        const auto up = connect(certificates.for_broker(), {}, maximum);
        EXPECT_TRUE(up) << up.error().describe();
    }
}

// Those of them that go with the certificate, which has a key on P-256.
TEST_P(DeviceAdvisorTls, supportsTheRecommendedCipherSuites) {
    for (const auto* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}) {
        const auto up = connect(certificates.for_broker(), suite, TlsVersion::v1_2);
        EXPECT_TRUE(up) << suite << ": " << up.error().describe();
    }
}

TEST_P(DeviceAdvisorTls, refusesAServerWithoutACommonAlgorithm) {
    const auto up = connect(certificates.for_broker(), "ECDHE-RSA-AES128-GCM-SHA256", TlsVersion::v1_2);
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().code, Errc::tls_handshake) << up.error().describe();
}

// ---- Connecting, and connecting again ------------------------------------------------------------------------------

class DeviceAdvisor : public BothVersions {
protected:
    ConnectionOptions door() const {
        auto o = options(recorder, script.url());
        o.client_id = "door";
        o.session.clean_start = false;
        o.backoff = {.min = 2ms, .max = 64ms};
        o.limits = {}; // without the pace of connects that the profile has: the backoff is looked at
        return o;
    }
    Connection up(ConnectionOptions o) {
        script.expect_connect().send(Connack{});
        Connection c{std::move(o)};
        EXPECT_TRUE(c.wait_until_up(patience)) << script.report();
        return c;
    }
    /// Of each failure in a row a wait within a bound that doubles from 2 ms to 64 ms, at random: not the same again
    /// and again, and beyond what no growth would give.
    void expect_backoff_with_jitter(std::size_t failures) const {
        ASSERT_TRUE(recorder.wait_for(Status::down, failures)) << script.report();
        Duration bound = 2ms, longest = {};
        std::set<Duration> waits;
        std::size_t seen = 0;
        for (const auto& info : recorder.seen().statuses) {
            if (info.status != Status::down || ++seen > failures) continue;
            ASSERT_TRUE(info.retry_in);
            EXPECT_LE(*info.retry_in, bound) << "failure " << seen;
            longest = std::max(longest, *info.retry_in);
            waits.insert(*info.retry_in);
            bound = std::min<Duration>(2 * bound, 64ms);
        }
        EXPECT_GT(waits.size(), failures / 2);
        EXPECT_GT(longest, 2ms);
    }
    Script script;
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(DeviceAdvisor);

TEST_P(DeviceAdvisor, connectsAndDisconnects) {
    auto c = up(door());
    script.expect(PacketType::disconnect).expect_close();
    EXPECT_TRUE(c.stop().wait(patience));
    ASSERT_FOLLOWED(script);
}

TEST_P(DeviceAdvisor, backsOffExponentiallyWithJitterWithoutAConnack) {
    for (int i = 0; i < 13; ++i) script.expect_connect().expect_close();
    auto o = door();
    o.connect_timeout = 5ms;
    const Connection c{std::move(o)};
    expect_backoff_with_jitter(12);
}

TEST_P(DeviceAdvisor, backsOffWithJitterAfterTheServerDisconnects) {
    for (int i = 0; i < 13; ++i) {
        script.expect_connect().send(Connack{});
        if (version() == Version::v5) script.send(core::Disconnect{.reason = Reason::server_busy});
        script.close();
    }
    const Connection c{door()};
    expect_backoff_with_jitter(12);
}

// A connection that comes up and breaks at once does not begin the backoff anew.
TEST_P(DeviceAdvisor, backsOffWithJitterOnAnUnstableConnection) {
    for (int i = 0; i < 13; ++i) script.expect_connect().send(Connack{}).drop();
    const Connection c{door()};
    expect_backoff_with_jitter(12);
}

// ---- Publishing ----------------------------------------------------------------------------------------------------

TEST_P(DeviceAdvisor, publishes) {
    auto c = up(door());
    script.expect_publish({.topic = "doors/1", .payload = "open", .qos = QoS::at_most_once});
    EXPECT_TRUE(c.publish("doors/1", "open").wait(patience));
    script.expect_publish({.topic = "doors/1", .qos = QoS::at_most_once, .retain = true});
    EXPECT_TRUE(c.publish("doors/1", "open", {.retain = true}).wait(patience));
    script.expect_publish({.topic = "doors/1", .qos = QoS::at_least_once}).send(ack(PacketType::puback));
    EXPECT_TRUE(c.publish("doors/1", "open", {.qos = QoS::at_least_once}).wait(patience));
    ASSERT_FOLLOWED(script);
}

// With the same identifier, on the next connection: on the same one MQTT 5 forbids it. [MQTT5-4.4.0-1]
TEST_P(DeviceAdvisor, publishesAgainWithoutAPuback) {
    auto c = up(door());
    script.expect_publish({.topic = "doors/1", .qos = QoS::at_least_once, .duplicate = false});
    const auto delivery = c.publish("doors/1", "open", {.qos = QoS::at_least_once});
    ASSERT_FOLLOWED(script);
    script.drop().expect_connect({.client_id = "door", .clean_start = false}).send(Connack{.session_present = true});
    script.expect_publish({.topic = "doors/1", .payload = "open", .duplicate = true}).send(ack(PacketType::puback));
    EXPECT_TRUE(delivery.wait(patience)) << script.report();
}

TEST_P(DeviceAdvisor, acknowledgesAnyTopicAndUpTo128Kibibytes) {
    script.expect_connect().send(Connack{});
    static const std::string large(128 * 1024, 'x');
    script.send(Publish{.id = 7, .topic = "doors/1/of/any/name", .payload = "x", .qos = QoS::at_least_once})
        .expect(ack(PacketType::puback, 7))
        .send(Publish{.id = 8, .topic = "$aws/things/door", .payload = large, .qos = QoS::at_least_once})
        .expect(ack(PacketType::puback, 8));
    const Connection c{apply(profiles::aws(), door()).value()};
    ASSERT_FOLLOWED(script);
    EXPECT_TRUE(recorder.wait_for_messages(2));
}

// ---- Subscribing ---------------------------------------------------------------------------------------------------

TEST_P(DeviceAdvisor, subscribes) {
    auto c = up(door());
    script.expect_subscribe({"doors/#"}).send(Suback{.reasons = {Reason::granted_qos_1}});
    const auto grant = c.subscribe({"doors/#", QoS::at_least_once}).wait(patience);
    ASSERT_TRUE(grant) << script.report();
    EXPECT_EQ(grant->granted, QoS::at_least_once);
}

TEST_P(DeviceAdvisor, subscribesAgainWithoutASuback) {
    auto o = door();
    o.reply_timeout = 20ms;
    auto c = up(std::move(o));
    script.expect_subscribe({"doors/#"}).expect_subscribe({"doors/#"}).send(Suback{.reasons = {Reason::granted_qos_1}});
    EXPECT_TRUE(c.subscribe({"doors/#", QoS::at_least_once}).wait(patience)) << script.report();
}

// ---- Keep-alive and sessions ---------------------------------------------------------------------------------------

TEST_P(DeviceAdvisor, disconnectsWithoutAPingresp) {
    auto o = door();
    o.keep_alive = 1s;
    o.keep_alive_timeout = 5ms;
    script.expect_connect().send(Connack{}).expect(Pingreq{});
    const Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::down)) << script.report();
    const auto seen = recorder.seen();
    EXPECT_EQ(std::ranges::find(seen.statuses, Status::down, &StatusInfo::status)->reason.code,
              Errc::keep_alive_timeout);
}

TEST_P(DeviceAdvisor, receivesWhatAKeptSessionHolds) {
    auto o = door();
    o.subscriptions = {{"doors/#", QoS::at_least_once}};
    script.expect_connect({.clean_start = false}).send(Connack{}).expect_subscribe({"doors/#"});
    script.send(Suback{.reasons = {Reason::granted_qos_1}}).drop();
    script.expect_connect({.clean_start = false}).send(Connack{.session_present = true});
    script.send(Publish{.id = 7, .topic = "doors/1", .payload = "open", .qos = QoS::at_least_once})
        .expect_subscribe({"doors/#"}) // asked for again; it does no harm, and finds out about brokers that forgot
        .send(Suback{.reasons = {Reason::granted_qos_1}})
        .expect(ack(PacketType::puback, 7));
    const Connection c{std::move(o)};
    ASSERT_FOLLOWED(script);
    EXPECT_TRUE(recorder.wait_for_messages(1));
}

TEST_P(DeviceAdvisor, subscribesAgainAfterItsSessionExpired) {
    auto o = door();
    o.subscriptions = {{"doors/#", QoS::at_least_once}};
    script.expect_connect().send(Connack{}).expect_subscribe({"doors/#"});
    script.send(Suback{.reasons = {Reason::granted_qos_1}}).drop();
    script.expect_connect({.clean_start = false}).send(Connack{.session_present = false});
    script.expect_subscribe({"doors/#"}).send(Suback{.reasons = {Reason::granted_qos_1}});
    const Connection c{std::move(o)};
    ASSERT_FOLLOWED(script);
}

} // namespace
} // namespace tortoise::test
