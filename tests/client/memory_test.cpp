// What a connection keeps of a message that was large, once it is quiet again: next to nothing.
#include "support/certificates.hpp"
#include "support/options.hpp"
#include <malloc.h>

namespace tortoise::test {
namespace {

constexpr std::size_t large = 20'000'000;

/// Octets that are allocated, by anybody in this process; 0 where sanitizers count them.
std::size_t allocated() {
    const auto counts = ::mallinfo2();
    return counts.uordblks + counts.hblkhd;
}

struct Case {
    Version version;
    bool secured;
};

class Memory : public ::testing::TestWithParam<Case> {
protected:
    testing::BrokerOptions broker_options() const {
        if (!GetParam().secured) return {};
        return {.tls = testing::BrokerTls{.certificate = identity.certificate(), .key = identity.key()}};
    }
    Authority authority;
    Identity identity = authority.issue();
};
INSTANTIATE_TEST_SUITE_P(
    , Memory, ::testing::Values(Case{Version::v3_1_1, false}, Case{Version::v5, false}, Case{Version::v5, true}),
    [](const auto& test) {
        return std::string(test.param.version == Version::v5 ? "v5" : "v3_1_1") + (test.param.secured ? "_tls" : "");
    });

TEST_P(Memory, OfALargeMessageGoesWithIt) {
    testing::Broker broker(broker_options());
    Recorder recorder;
    auto o = options_for(broker.url(), GetParam().version, recorder);
    o.tls.ca_certificates = {authority.certificate()};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    const auto before = allocated();
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
        const std::string payload(large, 'x');
        ASSERT_TRUE(c.publish("a", payload, {.qos = qos}).wait(patience));
    }
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(c.publish("a", "few", {.qos = QoS::exactly_once}).wait(patience));
    ASSERT_TRUE(c.ping().wait(patience)); // the broker is at rest, too
    const auto after = allocated();
    EXPECT_LT(after, before + large / 20) << before;
}

TEST_P(Memory, OfABusyTimeGoesSoonAfterIt) {
    constexpr std::size_t count = 20, middling = 500'000;
    testing::Broker broker(broker_options());
    std::vector<Recorder> recorders(count);
    std::vector<Connection> connections;
    for (auto& recorder : recorders) {
        auto o = options_for(broker.url(), GetParam().version, recorder);
        o.tls.ca_certificates = {authority.certificate()};
        connections.emplace_back(o);
        ASSERT_TRUE(connections.back().wait_until_up(patience)) << connections.back().error().describe();
    }
    const auto before = allocated();
    for (auto& c : connections)
        ASSERT_TRUE(c.publish("a", std::string(middling, 'x'), {.qos = QoS::at_least_once}).wait(patience));
    const auto give_up = std::chrono::steady_clock::now() + patience;
    const auto bound = before + count * middling / 10;
    while (allocated() > bound && std::chrono::steady_clock::now() < give_up)
        for (auto& c : connections) ASSERT_TRUE(c.ping().wait(patience));
    EXPECT_LT(allocated(), bound) << before;
}

} // namespace
} // namespace tortoise::test
