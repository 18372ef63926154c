// Several servers, and several addresses of one: who is tried, and when.
#include "support/certificates.hpp"
#include "support/options.hpp"

namespace tortoise {
namespace {

using namespace std::chrono_literals;
using test::patience;
using test::Recorder;
using test::Seen;
using testing::Broker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Nobody listens there: whoever listened has just gone.
std::string abandoned(const std::string& host) {
    Broker gone({.host = host});
    return gone.url();
}

class Servers : public test::BothVersions {
protected:
    /// Says why each attempt failed.
    std::vector<std::string> failures() const {
        std::vector<std::string> texts;
        for (const auto& s : recorder.seen().statuses)
            if (s.status == Status::down) texts.push_back(s.reason.text);
        return texts;
    }
    Recorder recorder;
    Broker four{{.host = "127.0.0.1"}}, six{{.host = "::1"}};
};
INSTANTIATE_TEST_SUITE_P(, Servers, ::testing::Values(Version::v3_1_1, Version::v5), test::name_of);

TEST_P(Servers, CanBeOfEitherFamily) {
    ASSERT_TRUE(six.ok()) << six.ok().error().describe();
    EXPECT_THAT(six.url(), HasSubstr("mqtt://[::1]:"));
    for (const auto* broker : {&four, &six}) {
        Connection c(options(recorder, broker->url()));
        ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
        EXPECT_TRUE(c.publish("a", "x", {.qos = QoS::exactly_once}).wait(patience));
    }
}

TEST_P(Servers, ThatAreDeadAreTriedInTurnUntilOneLives) {
    const auto first = abandoned("127.0.0.1"), second = abandoned("::1");
    auto o = options(recorder, first);
    o.more_servers = {second, four.url()};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    EXPECT_THAT(failures(),
                ElementsAre(HasSubstr("refused by " + first.substr(7)), HasSubstr("refused by " + second.substr(7))));
    EXPECT_EQ(four.statistics().connections, 1u);
}

TEST_P(Servers, AreTriedRoundAndRound) {
    const auto first = abandoned("127.0.0.1"), second = abandoned("127.0.0.1");
    auto o = options(recorder, first);
    o.more_servers = {second};
    Connection c(o);
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count(Status::down) >= 5; }));
    const auto texts = failures();
    for (std::size_t i = 0; i < 5; ++i) EXPECT_THAT(texts[i], HasSubstr((i % 2 == 0 ? first : second).substr(7))) << i;
}

TEST_P(Servers, EachFailureTellsWhenTheNextAttemptIs) {
    auto o = options(recorder, abandoned("127.0.0.1"));
    o.more_servers = {abandoned("::1")};
    o.backoff = {.min = 1ms, .max = 5ms};
    Connection c(o);
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count(Status::down) >= 3; }));
    for (const auto& s : recorder.seen().statuses) {
        if (s.status != Status::down) continue;
        ASSERT_TRUE(s.retry_in);
        EXPECT_LE(*s.retry_in, 5ms);
    }
}

TEST_P(Servers, TakeOverWhenTheirPredecessorDies) {
    auto o = options(recorder, four.url());
    o.more_servers = {six.url()};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience));
    four.stop();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_EQ(six.statistics().connections, 1u);
    EXPECT_TRUE(c.publish("a", "x", {.qos = QoS::at_least_once}).wait(patience));
}

TEST_P(Servers, CanBeOfDifferentKinds) {
    const test::Authority authority;
    const auto identity = authority.issue();
    Broker secure({.tls = testing::BrokerTls{.certificate = identity.certificate(), .key = identity.key()}});
    auto o = options(recorder, "unix:///nowhere/mqtt.sock");
    o.more_servers = {abandoned("127.0.0.1"), secure.url()};
    o.tls.ca_certificates = {authority.certificate()};
    Connection c(o);
    ASSERT_TRUE(c.wait_until_up(patience)) << c.error().describe();
    EXPECT_THAT(failures(), ElementsAre(HasSubstr("cannot connect to /nowhere/mqtt.sock: No such file"),
                                        HasSubstr("connection refused by 127.0.0.1:")));
}

TEST_P(Servers, OneThatIsNoUrlIsRefusedFromTheStart) {
    auto o = options(recorder, four.url());
    o.more_servers = {"unix:///" + std::string(200, 'x')};
    const Connection c(o);
    EXPECT_EQ(c.status(), Status::stopped);
    EXPECT_EQ(c.error().code, Errc::invalid_url);
    EXPECT_THAT(c.error().text, HasSubstr("has a path of 201 bytes; allowed on Unix sockets: at most 107"));
}

} // namespace
} // namespace tortoise
