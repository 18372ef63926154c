// Profiles: what they make of the options.
#include "support/options.hpp"
#include <tortoise/profile.hpp>

namespace tortoise::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConnectionOptions device(std::string server) {
    ConnectionOptions o;
    o.client_id = "door";
    o.server = std::move(server);
    o.tls.certificate = "a certificate";
    o.tls.key = "a key";
    return o;
}

TEST(Profile, CompletesAServerThatIsOnlyAHost) {
    EXPECT_EQ(apply(profiles::aws(), device("x.amazonaws.com"))->server, "mqtts://x.amazonaws.com:8883");
    EXPECT_EQ(apply(profiles::aws_443(), device("x.amazonaws.com"))->server, "mqtts://x.amazonaws.com:443");
    EXPECT_EQ(apply(profiles::aws(), device("x.amazonaws.com:1234"))->server, "mqtts://x.amazonaws.com:1234");
    EXPECT_EQ(apply(profiles::aws(), device("mqtt://127.0.0.1:1883"))->server, "mqtt://127.0.0.1:1883");
    EXPECT_EQ(apply(profiles::aws(), device("not a host")).error().code, Errc::invalid_url);
}

TEST(Profile, SetsWhatTlsDemands) {
    EXPECT_THAT(apply(profiles::aws_443(), device("x"))->tls.alpn, ElementsAre("x-amzn-mqtt-ca"));
    EXPECT_THAT(apply(profiles::aws(), device("x"))->tls.alpn, ElementsAre());
    auto o = device("x");
    o.user_name = "me";
    EXPECT_THAT(apply(profiles::aws_authorizer(), o)->tls.alpn, ElementsAre("mqtt"));
    auto strict = profiles::aws();
    strict.minimum_tls = TlsVersion::v1_3;
    EXPECT_EQ(apply(strict, device("x"))->tls.minimum, TlsVersion::v1_3);
}

TEST(Profile, AsksForWhatIsMissing) {
    auto o = device("x");
    o.client_id.clear();
    EXPECT_THAT(apply(profiles::aws(), o).error().text, HasSubstr("client_id"));
    o = device("x");
    o.tls = {};
    const auto without = apply(profiles::aws(), o);
    EXPECT_EQ(without.error().code, Errc::invalid_option);
    EXPECT_THAT(without.error().text, HasSubstr("tls.certificate is missing"));
    EXPECT_THAT(apply(profiles::hivemq_cloud(), o).error().text, HasSubstr("user_name is missing"));
    o.server = "mqtt://127.0.0.1:1"; // tried at home, without TLS
    EXPECT_TRUE(apply(profiles::aws(), o));
}

TEST(Profile, SetsSessionVersionAndWindow) {
    auto o = device("x");
    o.user_name = "me";
    o.session.expiry = std::chrono::hours(24);
    EXPECT_EQ(apply(profiles::azure_iot_hub(), o)->version, Version::v3_1_1);
    EXPECT_EQ(apply(profiles::azure_event_grid(), o)->session.expiry, std::chrono::hours(8));
    EXPECT_EQ(apply(profiles::aws(), o)->max_in_flight, 100);
    o.max_in_flight = 5;
    EXPECT_EQ(apply(profiles::aws(), o)->max_in_flight, 5);
}

TEST(Profile, OfGoogleWantsMqtt311AnIdentifierAndAToken) {
    auto o = device("mqtt.example.com");
    o.max_in_flight = 300;
    EXPECT_THAT(apply(profiles::google(), o).error().text, HasSubstr("user_name is missing"));
    o.credentials = jwt_credentials({.key = "a key"}, "unused");
    const auto applied = apply(profiles::google(), o);
    ASSERT_TRUE(applied) << applied.error().describe();
    EXPECT_EQ(applied->server, "mqtts://mqtt.example.com:8883");
    EXPECT_EQ(applied->version, Version::v3_1_1);
    EXPECT_EQ(applied->tls.minimum, TlsVersion::v1_2);
    EXPECT_THAT(applied->tls.alpn, ElementsAre());
    EXPECT_EQ(applied->max_in_flight, 300); // as before
    EXPECT_EQ(applied->limits.maximum_qos, QoS::at_least_once);
    EXPECT_EQ(applied->limits.packet_size, PeerLimits{}.packet_size);
    EXPECT_EQ(applied->limits.publishes, Rate{});
    o.client_id.clear();
    EXPECT_THAT(apply(profiles::google(), o).error().text, HasSubstr("client_id is empty"));
}

TEST(Profile, OfEmqxLimitsPacketsAndLevelsAndAsksForNothing) {
    const auto applied = apply(profiles::emqx(), {.server = "emqx.example.com"});
    ASSERT_TRUE(applied) << applied.error().describe();
    EXPECT_EQ(applied->server, "mqtts://emqx.example.com:8883");
    EXPECT_EQ(applied->version, Version::v5);
    EXPECT_EQ(applied->tls.minimum, TlsVersion::v1_2);
    EXPECT_EQ(applied->max_in_flight, 0);
    EXPECT_EQ(applied->session.expiry, ConnectionOptions{}.session.expiry);
    EXPECT_EQ(applied->limits.maximum_qos, QoS::exactly_once);
    EXPECT_EQ(applied->limits.packet_size, 1024u * 1024);
    EXPECT_EQ(applied->limits.topic_levels, 128);
    EXPECT_EQ(applied->limits.publishes, Rate{});
}

TEST(Profile, SetsTheLimitsButNotWhetherTheyAreChecked) {
    auto o = device("x");
    o.limits.check = false;
    o.limits.split_subscribes = false;
    const auto limits = apply(profiles::aws(), o)->limits;
    EXPECT_FALSE(limits.check);
    EXPECT_FALSE(limits.split_subscribes);
    EXPECT_EQ(limits.maximum_qos, QoS::at_least_once);
    EXPECT_EQ(limits.filters_per_subscribe, 8);
}

TEST(Profile, RatesStayBelowWhatIsAllowedInAnySecond) {
    const auto aws = profiles::aws().limits;
    EXPECT_EQ(aws.publishes.per_second + aws.publishes.burst, 100u);
    EXPECT_EQ(aws.octets.per_second + aws.octets.burst, 512u * 1024);
    EXPECT_EQ(aws.connects, (Rate{1, 1}));
}

TEST(AwsAuthorizer, IsWrittenIntoTheUserName) {
    EXPECT_EQ(aws_authorizer_user({.user = "me"}), "me");
    EXPECT_EQ(aws_authorizer_user({.user = "me", .name = "mine"}), "me?x-amz-customauthorizer-name=mine");
    EXPECT_EQ(aws_authorizer_user({.name = "mine", .token_key = "token", .token = "t1", .signature = "a+b/c="}),
              "?x-amz-customauthorizer-name=mine&token=t1&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D");
}

TEST(AzureIotHub, IsReachedByNameDeviceAndKey) {
    const AzureDevice door{.hub = "home.azure-devices.net", .device = "door", .key = "c2VjcmV0"};
    const auto o = azure_iot_hub_device(door, {});
    ASSERT_TRUE(o) << o.error().describe();
    EXPECT_EQ(o->server, "mqtts://home.azure-devices.net:8883");
    EXPECT_EQ(o->client_id, "door");
    EXPECT_EQ(o->version, Version::v3_1_1);
    const auto credentials = o->credentials({}).wait();
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->user_name, "home.azure-devices.net/door/?api-version=2021-04-12");
    EXPECT_THAT(*credentials->password,
                ::testing::StartsWith("SharedAccessSignature sr=home.azure-devices.net%2Fdevices%2Fdoor&sig="));
    EXPECT_TRUE(credentials->expires);
}

} // namespace
} // namespace tortoise::test
