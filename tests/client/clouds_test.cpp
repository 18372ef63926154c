// A program that was written for a cloud, on the broker that behaves like it.
#include "support/certificates.hpp"
#include "support/jwt.hpp"
#include "support/options.hpp"
#include <tortoise/profile.hpp>

namespace tortoise::test {
namespace {

using ::testing::HasSubstr;

class OnAws : public BothVersions {
protected:
    ConnectionOptions door() const {
        auto o = options(recorder, broker.url());
        o.client_id = "door";
        return o;
    }
    ConnectionOptions written_for_aws() const { return apply(profiles::aws(), door()).value(); }
    ConnectionOptions unchecked() const {
        auto o = door();
        o.limits.check = false;
        return apply(profiles::aws(), std::move(o)).value();
    }
    static std::vector<TopicFilter> nine() {
        std::vector<TopicFilter> filters;
        for (int i = 0; i < 9; ++i) filters.emplace_back("doors/" + std::to_string(i), QoS::at_least_once);
        return filters;
    }
    testing::Broker broker{{.profile = "aws"}};
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(OnAws);

TEST_P(OnAws, AProgramThatWasWrittenForItPasses) {
    Connection c{written_for_aws()};
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    const auto grants = c.subscribe(nine()).wait(patience);
    ASSERT_TRUE(grants) << grants.error().describe();
    for (const auto& grant : *grants) EXPECT_TRUE(grant) << grant.error().describe();
    std::vector<Delivery> deliveries;
    for (int i = 0; i < 130; ++i) { // more than a second's worth
        deliveries.push_back(c.publish("doors/1", std::to_string(i), {.qos = QoS::at_least_once}));
    }
    deliveries.push_back(c.publish("doors/1", std::string(128 * 1024, 'x'), {.qos = QoS::at_least_once}));
    deliveries.push_back(c.publish("1/2/3/4/5/6/7/8", "x", {.qos = QoS::at_least_once}));
    for (const auto& delivery : deliveries) {
        const auto receipt = delivery.wait(patience);
        EXPECT_TRUE(receipt) << receipt.error().describe();
    }
    EXPECT_TRUE(recorder.wait_for_messages(131));
    EXPECT_EQ(recorder.seen().count(Status::up), 1u);
}

TEST_P(OnAws, WhatItDoesNotTakeIsAnErrorBeforeItIsSent) {
    Connection c{written_for_aws()};
    ASSERT_TRUE(c.wait_until_up(patience));
    const auto publish = [&](std::string_view topic, const std::string& payload, QoS qos) {
        const auto delivery = c.publish(topic, payload, {.qos = qos});
        return delivery.done() ? delivery.peek()->error() : Error{};
    };
    const auto qos = publish("doors/1", "x", QoS::exactly_once);
    EXPECT_EQ(qos.code, Reason::qos_not_supported);
    EXPECT_THAT(qos.text, HasSubstr("the QoS is 2; the server allows 1"));
    const auto levels = publish("1/2/3/4/5/6/7/8/9", "x", QoS::at_most_once);
    EXPECT_EQ(levels.code, Errc::invalid_topic);
    EXPECT_THAT(levels.text, HasSubstr("the topic has 9 levels; the server allows 8"));
    const auto size = publish("doors/1", std::string(129 * 1024, 'x'), QoS::at_least_once);
    EXPECT_EQ(size.code, Errc::packet_too_large);
    EXPECT_THAT(size.text, HasSubstr("the payload has 132096 bytes; the server allows 131072"));
    const auto grant = c.subscribe({"doors/1", QoS::exactly_once}).wait(patience);
    EXPECT_EQ(grant.error().code, Reason::qos_not_supported);
    EXPECT_TRUE(c.subscriptions().empty());
    EXPECT_EQ(c.status(), Status::up);
    EXPECT_EQ(broker.statistics().publishes_received, 0u);
}

TEST_P(OnAws, WithoutSplittingNineFiltersInARequestAreAnError) {
    auto o = door();
    o.limits.split_subscribes = false;
    Connection c{apply(profiles::aws(), std::move(o)).value()};
    ASSERT_TRUE(c.wait_until_up(patience));
    const auto results = c.subscribe(nine()).wait(patience);
    ASSERT_TRUE(results);
    ASSERT_EQ(results->size(), 9u);
    for (const auto& grant : *results) {
        EXPECT_EQ(grant.error().code, Errc::not_supported);
        EXPECT_THAT(grant.error().text, HasSubstr("the request has 9 filters; the server allows 8"));
    }
    EXPECT_TRUE(c.subscriptions().empty());
    EXPECT_EQ(c.status(), Status::up);
}

TEST_P(OnAws, WithoutChecksQos2GetsNoAnswer) {
    Connection c{unchecked()};
    ASSERT_TRUE(c.wait_until_up(patience));
    const auto delivery = c.publish("doors/1", "x", {.qos = QoS::exactly_once});
    if (version() == Version::v5) { // it is told that there is none, and AWS hangs up
        ASSERT_TRUE(recorder.wait_for(Status::down));
        EXPECT_EQ(recorder.seen().statuses[1].reason.code, Reason::qos_not_supported);
        return;
    }
    EXPECT_TRUE(c.publish("doors/1", "y", {.qos = QoS::at_least_once}).wait(patience)); // behind it
    EXPECT_FALSE(delivery.done());
    EXPECT_EQ(broker.statistics().publishes_received, 2u);
}

TEST_P(OnAws, WithoutChecksItHangsUpOnWhatIsBeyond) {
    const std::function<void(Connection&)> sins[] = {
        [](Connection& c) { c.publish("1/2/3/4/5/6/7/8/9", "x"); },
        [](Connection& c) { c.publish("doors/1", std::string(129 * 1024, 'x'), {.qos = QoS::at_least_once}); },
        [](Connection& c) { c.subscribe(nine()); },
    };
    const Reason reasons[] = {Reason::topic_name_invalid, Reason::packet_too_large, Reason::quota_exceeded};
    for (std::size_t i = 0; i < std::size(sins); ++i) {
        Recorder fresh;
        auto o = unchecked();
        o.client_id += std::to_string(i);
        o.handler = fresh.factory();
        Connection c{std::move(o)};
        ASSERT_TRUE(c.wait_until_up(patience));
        sins[i](c);
        ASSERT_TRUE(fresh.wait_for(Status::down)) << i;
        const auto why = fresh.seen().statuses[1].reason.code;
        if (version() == Version::v5)
            EXPECT_EQ(why, reasons[i]);
        else
            EXPECT_EQ(why, Errc::connection_lost);
    }
}

TEST_P(OnAws, OptionsBeyondItStopTheConnectionFromTheStart) {
    auto o = written_for_aws();
    o.client_id = std::string(129, 'c');
    EXPECT_THAT(Connection{o}.error().text, HasSubstr("client_id: the client identifier has 129 bytes"));
    o = written_for_aws();
    o.will = Will{.topic = "a", .qos = QoS::exactly_once};
    EXPECT_THAT(Connection{o}.error().text, HasSubstr("will: the QoS is 2"));
    o = written_for_aws();
    o.subscriptions = {{"1/2/3/4/5/6/7/8/#"}};
    EXPECT_THAT(Connection{o}.error().text, HasSubstr("subscriptions: the filter has 9 levels"));
    o.subscriptions = std::vector<TopicFilter>(51, TopicFilter("a"));
    EXPECT_THAT(Connection{o}.error().text, HasSubstr("51 subscriptions; the server allows 50"));
    o = written_for_aws();
    o.limits.split_subscribes = false;
    o.subscriptions = nine();
    EXPECT_THAT(Connection{o}.error().text, HasSubstr("subscriptions: the request has 9 filters"));
}

TEST_P(OnAws, WithCertificatesOfATest) {
    const testing::TestCertificates certificates;
    testing::Broker secured{{.tls = certificates.for_broker(), .profile = "aws"}};
    ASSERT_TRUE(secured.ok()) << secured.ok().error().describe();
    auto o = door();
    o.server = secured.url();
    EXPECT_FALSE(apply(profiles::aws(), o)) << "without a certificate";
    o.tls = certificates.for_device();
    Connection c{apply(profiles::aws(), o).value()};
    EXPECT_TRUE(c.wait_until_up(patience)) << c.error().describe();
}

TEST(OnIotHub, WithoutChecksItDoesWhatTheHubDoes) {
    testing::Broker hub{{.profile = "azure-iot-hub"}};
    const Recorder recorder;
    auto o = options_for(hub.url(), Version::v5, recorder);
    o.limits.check = false;
    const AzureDevice door{.hub = "home.azure-devices.net", .device = "door", .key = "c2VjcmV0"};
    Connection c{azure_iot_hub_device(door, std::move(o)).value()};
    const auto up = c.wait_until_up(patience);
    ASSERT_TRUE(up) << up.error().describe();
    EXPECT_EQ(up->version, Version::v3_1_1);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(c.subscribe(TopicFilter("a/" + std::to_string(i))).wait(patience));
    EXPECT_EQ(c.subscribe(TopicFilter("a/5")).wait(patience).error().code, Reason::unspecified_error);
    EXPECT_EQ(c.status(), Status::up);
    c.publish("a/1", "x", {.qos = QoS::exactly_once});
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(recorder.seen().statuses[1].reason.code, Errc::connection_lost);
}

/// Clouds that the broker has no rules of: one over TLS that lets in who is known to it.
class OverTls : public BothVersions {
protected:
    /// It wants no certificate of its clients.
    testing::BrokerTls plain() const {
        auto tls = certificates.for_broker();
        tls.require_client_certificate = false;
        return tls;
    }
    ConnectionOptions door(const testing::Broker& broker) const {
        auto o = options(recorder, broker.url());
        o.client_id = "door";
        o.tls.ca_certificates = {certificates.authority.certificate()};
        return o;
    }
    const testing::TestCertificates certificates;
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(OverTls);

TEST_P(OverTls, GoogleIsReachedWithATokenAndQos2IsAnErrorBeforeItIsSent) {
    const JwtKey key{.algorithm = JwtAlgorithm::rs256, .key = rsa_key, .audience = "home"};
    const auto now = std::chrono::system_clock::now(), end = now + std::chrono::hours(1);
    testing::Broker broker{{.tls = plain(), .users = {{"unused", jwt(key, now, end).value_or("")}}}};
    auto o = door(broker);
    o.credentials = jwt_credentials(key, "unused", std::chrono::hours(1), [now] { return now; });
    Connection c{apply(profiles::google(), std::move(o)).value()};
    const auto up = c.wait_until_up(patience);
    ASSERT_TRUE(up) << up.error().describe();
    EXPECT_EQ(up->version, Version::v3_1_1);
    ASSERT_TRUE(c.subscribe({"doors/#", QoS::at_least_once}).wait(patience));
    EXPECT_TRUE(c.publish("doors/1", "open", {.qos = QoS::at_least_once}).wait(patience));
    EXPECT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(c.publish("doors/1", "x", {.qos = QoS::exactly_once}).wait(patience).error().code,
              Reason::qos_not_supported);
    EXPECT_EQ(broker.statistics().publishes_received, 1u);
}

TEST_P(OverTls, EmqxTakesQos2AndNot129LevelsOrMoreThanAMebibyte) {
    testing::Broker broker{{.tls = plain(), .users = {{"ann", "secret"}}}};
    auto o = door(broker);
    o.user_name = "ann";
    o.password = "secret";
    Connection c{apply(profiles::emqx(), std::move(o)).value()};
    const auto up = c.wait_until_up(patience);
    ASSERT_TRUE(up) << up.error().describe();
    EXPECT_EQ(up->version, version());
    std::string levels = "1"; // 128 of them
    for (int i = 1; i < 128; ++i) levels += "/1";
    EXPECT_TRUE(c.publish(levels, "x", {.qos = QoS::exactly_once}).wait(patience));
    EXPECT_TRUE(c.publish("t", std::string(1024 * 1024 - 100, 'x'), {.qos = QoS::at_least_once}).wait(patience));
    EXPECT_EQ(c.publish(levels + "/1", "x", {.qos = QoS::at_least_once}).wait(patience).error().code,
              Errc::invalid_topic);
    EXPECT_EQ(c.publish("t", std::string(1024 * 1024, 'x'), {.qos = QoS::at_least_once}).wait(patience).error().code,
              Errc::packet_too_large);
    EXPECT_EQ(broker.statistics().publishes_received, 2u);
}

TEST(UnknownProfile, IsAnErrorThatListsTheKnown) {
    testing::Broker broker{{.profile = "nimbus"}};
    EXPECT_EQ(broker.ok().error().code, Errc::invalid_option);
    EXPECT_THAT(broker.ok().error().text, HasSubstr("profile is 'nimbus'; allowed: aws, azure-event-grid"));
}

class Renewed : public BothVersions {
protected:
    testing::Broker broker{{.users = {{"ann", "secret"}}}};
    Recorder recorder;
};
TORTOISE_BOTH_VERSIONS(Renewed);

TEST_P(Renewed, CredentialsThatEndAreAskedForAgainAheadOfIt) {
    std::atomic<int> asked = 0;
    auto o = options(recorder, broker.url());
    o.session.clean_start = false;
    o.subscriptions = {{"a", QoS::at_least_once}};
    o.credentials = [&](const CredentialsRequest&) {
        Credentials credentials{"ann", "secret"};
        if (++asked == 1) credentials.expires = std::chrono::system_clock::now() + 60ms;
        return Pending<Credentials>(Result<Credentials>(std::move(credentials)));
    };
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_EQ(asked, 2);
    const auto seen = recorder.seen();
    const auto down = std::ranges::find(seen.statuses, Status::down, &StatusInfo::status);
    ASSERT_NE(down, seen.statuses.end());
    EXPECT_EQ(down->reason.code, Errc::cancelled);
    EXPECT_EQ(down->retry_in, Duration::zero());
    EXPECT_TRUE(c.publish("a", "still there", {.qos = QoS::at_least_once}).wait(patience));
    EXPECT_TRUE(recorder.wait_for_messages(1));
    EXPECT_EQ(c.statistics().drops, 0u);
}

} // namespace
} // namespace tortoise::test
