// The command and mosquitto's clients with the same options of TLS, on mosquitto and on `tortoise broker`.
#include "interop/brokers.hpp"
#include "support/certificates.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using test::Words;
using tortoise::test::Authority;

/// The files of somebody who runs a broker, and of those who connect to it.
struct Keys {
    Authority authority;
    tortoise::test::Identity broker_identity = authority.issue();
    tortoise::test::Identity client_identity = authority.issue({.name = "client"});
    test::TemporaryDirectory files;
    std::string ca = files.file("ca.pem", authority.certificate());
    std::string certificate = files.file("broker.pem", broker_identity.certificate());
    std::string key = files.file("broker.key", broker_identity.key());
    std::string client_certificate = files.file("client.pem", client_identity.certificate());
    std::string client_key = files.file("client.key", client_identity.key());
};

/// A way to secure a connection: how each broker is told, and what every client says.
struct Way {
    std::string mosquitto;
    Words tortoise_broker, clients;
};

Way certificates(const Keys& k) {
    return {"cafile " + k.ca + "\ncertfile " + k.certificate + "\nkeyfile " + k.key + "\nrequire_certificate true\n",
            {"--cafile", k.ca, "--cert", k.certificate, "--key", k.key, "--require-certificate"},
            {"--cafile", k.ca, "--cert", k.client_certificate, "--key", k.client_key}};
}
Way newest_version(const Keys& k) {
    return {"cafile " + k.ca + "\ncertfile " + k.certificate + "\nkeyfile " + k.key + "\ntls_version tlsv1.3\n",
            {"--cert", k.certificate, "--key", k.key, "--tls-version", "tlsv1.3"},
            {"--cafile", k.ca, "--tls-version", "tlsv1.3", "--tls-alpn", "mqtt"}};
}
/// mosquitto's clients still want to know the authority with --insecure, and take any name then.
Way any_name(const Keys& k) {
    const auto elsewhere = k.authority.issue({.for_names = "DNS:elsewhere"});
    const auto certificate = k.files.file("elsewhere.pem", elsewhere.certificate());
    const auto key = k.files.file("elsewhere.key", elsewhere.key());
    return {"certfile " + certificate + "\nkeyfile " + key + "\n",
            {"--cert", certificate, "--key", key},
            {"--cafile", k.ca, "--insecure"}};
}
Way shared_key(const Keys& k) {
    return {"psk_hint lamps\npsk_file " + k.files.file("psk", "lamp:00112233445566778899aabbccddeeff\n") + "\n",
            {"--psk", "lamp:00112233445566778899aabbccddeeff"},
            {"--psk", "00112233445566778899aabbccddeeff", "--psk-identity", "lamp"}};
}

/// What the publisher says, the subscriber prints; each may be ours or mosquitto's.
void expect_talk(const Words& at, const Words& pub, const Words& sub) {
    SCOPED_TRACE(pub[0] + " and " + sub[0]);
    const auto topic = std::filesystem::path(pub[0]).filename().string() + "/" + sub[0];
    const auto published = test::run(pub + at + Words{"-t", topic, "-m", "through TLS", "-q", "1", "-r", "-V", "5"});
    EXPECT_EQ(published.code, 0) << published.err;
    const auto ended = test::run(sub + at + Words{"-t", topic, "-C", "1", "-W", "20", "-V", "5"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, "through TLS\n");
}

void expect_talk_of_all(const test::BrokerProcess& broker, const Way& way) {
    const auto at = Words{"-h", "localhost", "-p", std::to_string(broker.port())} + way.clients;
    const Words our_sub = {TORTOISE_PROGRAM, "sub"}, our_pub = {TORTOISE_PROGRAM, "pub"};
    expect_talk(at, our_pub, our_sub);
    expect_talk(at, {"mosquitto_pub"}, our_sub);
    expect_talk(at, our_pub, {"mosquitto_sub"});
}

struct NamedWay {
    const char* name;
    Way (*make)(const Keys&);
};
constexpr NamedWay ways[] = {{"certificates", &certificates},
                             {"newest_version", &newest_version},
                             {"any_name", &any_name},
                             {"shared_key", &shared_key}};

class SecureCommand : public ::testing::TestWithParam<NamedWay> {
protected:
    Keys keys;
    Way way = GetParam().make(keys);
};
INSTANTIATE_TEST_SUITE_P(, SecureCommand, ::testing::ValuesIn(ways),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(SecureCommand, TalksWithMosquittosClientsOnMosquitto) {
    expect_talk_of_all(test::ConfiguredMosquitto("listener PORT 127.0.0.1", way.mosquitto), way);
}

TEST_P(SecureCommand, TalksWithMosquittosClientsOnOurBroker) {
    expect_talk_of_all(test::TortoiseBroker(way.tortoise_broker), way);
}

TEST(UnixCommand, TalksWithMosquittosClientsOnMosquitto) {
    const test::TemporaryDirectory directory;
    const auto path = directory.path() + "/mqtt.sock";
    const test::ConfiguredMosquitto broker("listener 0 " + path, "");
    const Words at = {"--unix", path};
    expect_talk(at, {"mosquitto_pub"}, {TORTOISE_PROGRAM, "sub"});
    expect_talk(at, {TORTOISE_PROGRAM, "pub"}, {"mosquitto_sub"});
}

} // namespace
