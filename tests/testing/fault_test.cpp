// Each fault at work on a connection over real sockets, and the client surviving it: whatever is accepted arrives, at
// QoS 2 once, or the error is named.
#include "support/options.hpp"
#include "support/plain_server.hpp"
#include <tortoise/testing/ledger.hpp>
#include <tortoise/testing/proxy.hpp>

namespace tortoise::test {
namespace {

using testing::Capture;
using testing::Faults;
using ::testing::HasSubstr;
using testing::Ledger;
using testing::Proxy;

// ---- Everything arrives --------------------------------------------------------------------------------------------

enum class Help {
    none,      // the client comes through by itself
    reconnect, // on that connection nothing more will happen: it is told to connect anew when the rule has applied
    reconnect_first, // the rule is about the second connection
};
enum class Over { both, v5 };

struct Case {
    std::string rule;
    QoS qos = QoS::at_least_once;
    Help help = Help::none;
    Over versions = Over::both;
    /// False: what is behind a PUBLISH that is dropped, and sent again later, arrives before it.
    bool in_order = true;
};

std::ostream& operator<<(std::ostream& to, const Case& c) {
    return to << c.rule << " (QoS " << static_cast<int>(c.qos) << ")";
}

constexpr auto q0 = QoS::at_most_once, q1 = QoS::at_least_once, q2 = QoS::exactly_once;

const Case cases[] = {
    {"drop PUBLISH nth=3 to=broker", q1, Help::reconnect, Over::both, false},
    {"drop PUBLISH nth=3 to=broker", q2, Help::reconnect, Over::both, false},
    {"drop PUBLISH nth=3 to=client", q1, Help::reconnect, Over::both, false},
    {"reorder PUBLISH 20ms to=broker", q2, Help::none, Over::both, false},
    {"drop PUBACK nth=3 on=t/#", q1, Help::reconnect},
    {"drop PUBACK nth=3 to=broker", q1, Help::reconnect},
    {"drop PUBREC nth=2", q2, Help::reconnect},
    {"drop PUBREL nth=2", q2, Help::reconnect},
    {"drop PUBCOMP nth=2", q2, Help::reconnect},
    {"drop SUBACK nth=1", q1},
    {"delay PUBLISH 20ms every=3", q1},
    {"delay PUBREC 20ms every=2", q2},
    {"slow CONNACK 50ms", q1},
    {"duplicate PUBLISH to=broker", q1},
    {"duplicate PUBLISH to=broker", q2},
    {"duplicate PUBLISH to=client", q1},
    {"duplicate PUBLISH to=client", q2},
    {"duplicate PUBACK", q1},
    {"duplicate PUBREC", q2},
    {"duplicate PUBREL", q2},
    {"duplicate PUBCOMP", q2},
    {"duplicate SUBACK", q1},
    {"reorder PUBACK 20ms to=client", q1},
    {"reorder PUBREC 20ms to=client", q2},
    {"reorder PUBCOMP 20ms to=client", q2},
    {"reorder PUBREL 20ms to=broker", q2},
    {"change-id PUBACK id=60000 nth=2 to=client", q1, Help::reconnect},
    {"change-id PUBREC id=60000 nth=2 to=client", q2, Help::reconnect},
    {"change-id PUBCOMP id=60000 nth=2 to=client", q2, Help::reconnect},
    {"refuse CONNECT reason=server-busy first=2", q1},
    {"refuse SUBSCRIBE reason=quota-exceeded nth=1", q1, Help::none, Over::v5},
    {"cut CONNECT nth=1", q1},
    {"cut CONNACK at=1 nth=1", q1},
    {"cut PUBLISH nth=3 to=broker", q1},
    {"cut PUBLISH nth=3 to=broker", q2},
    {"cut PUBLISH nth=3 to=client", q2},
    {"cut PUBACK at=1 nth=3", q1},
    {"cut PUBREC at=2 nth=3", q2},
    {"cut PUBREL at=3 nth=3", q2},
    {"cut PUBCOMP at=0 nth=3", q2},
    {"stall PUBLISH 50ms nth=4", q2},
    {"stall PUBLISH nth=4 to=broker", q2, Help::reconnect},
    {"stall PUBREC nth=4", q2, Help::reconnect},
    {"byte-by-byte", q2},
    {"byte-by-byte PUBLISH", q0},
    {"reset CONNECT first=3", q1},
    {"reset PUBLISH nth=3 to=broker", q1},
    {"reset PUBACK nth=3", q1},
    {"reset PUBREC nth=3", q2},
    {"reset PUBCOMP nth=3", q2},
    {"half-open PUBLISH nth=3 to=broker", q2, Help::reconnect},
    {"half-open PUBACK nth=3 to=client", q1, Help::reconnect},
    {"half-open PUBREC nth=3 to=client", q2, Help::reconnect},
    {"session-present=0 connection=2", q1, Help::reconnect_first},
    {"receive-maximum=1", q2, Help::none, Over::v5},
    {"receive-maximum=2 from=2", q2, Help::reconnect_first, Over::v5},
};

class EveryFault : public ::testing::TestWithParam<std::tuple<Case, Version>> {};

TEST_P(EveryFault, IsSurvived) {
    const auto& [c, version] = GetParam();
    constexpr int messages = 12;
    const Capture capture;
    Faults faults{c.rule};
    testing::Broker broker({.faults = faults, .capture = capture});
    ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();

    Ledger ledger;
    Recorder recorder({.message = [&](Connection&, const MessageView& m) {
        ledger.received(m.text());
        return Actions{};
    }});
    auto o = options_for(broker.url(), version, recorder);
    o.client_id = "me";
    o.session.clean_start = false;
    o.reply_timeout = 100ms;
    o.backoff.stable_after = 0s;
    o.subscriptions = {{"t/#", c.qos}};
    Connection connection(std::move(o));
    ASSERT_TRUE(recorder.wait([](const Seen& s) {
        return !s.filters.empty() && s.filters.back().kind == FilterStatus::Kind::up;
    })) << capture.text();

    std::vector<Delivery> deliveries;
    for (int i = 0; i < messages; ++i) {
        const auto name = std::to_string(i);
        ledger.sent(name, c.qos, c.in_order ? "t/1" : name);
        deliveries.push_back(connection.publish("t/1", name, {.qos = c.qos}));
        deliveries.back().on_done([&ledger, name](const Result<Receipt>& receipt) {
            if (receipt) ledger.accepted(name);
        });
        if (i != messages / 2 || c.help == Help::none) continue;
        if (c.help == Help::reconnect_first) connection.reconnect();
        ASSERT_TRUE(faults.wait(0, 1, patience)) << capture.text();
        if (c.help == Help::reconnect) connection.reconnect();
    }
    for (auto& delivery : deliveries) ASSERT_TRUE(delivery.wait(patience)) << capture.text();
    ASSERT_TRUE(recorder.wait_for_messages(messages)) << capture.text();
    EXPECT_TRUE(ledger.wait(patience)) << capture.text();
    const auto balance = ledger.check();
    EXPECT_TRUE(balance) << balance.error().text << "\n" << capture.text();
    EXPECT_GE(faults.applied(), 1u) << faults.report() << capture.text();
    EXPECT_TRUE(connection.stop(1s).wait(patience));
}

std::vector<std::tuple<Case, Version>> with_versions() {
    std::vector<std::tuple<Case, Version>> all;
    for (const auto& c : cases)
        for (const auto version : {Version::v3_1_1, Version::v5})
            if (version == Version::v5 || c.versions == Over::both) all.emplace_back(c, version);
    return all;
}

std::string case_name(const ::testing::TestParamInfo<std::tuple<Case, Version>>& test) {
    const auto& [c, version] = test.param;
    std::string name;
    for (const char letter : to_string(testing::parse_fault(c.rule).value()))
        name += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
    return name + "_QoS" + std::to_string(static_cast<int>(c.qos)) + (version == Version::v5 ? "_v5" : "_v3_1_1");
}
INSTANTIATE_TEST_SUITE_P(, EveryFault, ::testing::ValuesIn(with_versions()), case_name);

// ---- Or the error is named -----------------------------------------------------------------------------------------

class NamedFault : public BothVersions {
protected:
    void start(std::initializer_list<std::string_view> rules) {
        faults = Faults(rules);
        broker.emplace(testing::BrokerOptions{.faults = faults, .capture = capture});
        ASSERT_TRUE(broker->ok());
    }
    ConnectionOptions kept() const {
        auto o = options(recorder, broker->url());
        o.client_id = "me";
        o.session.clean_start = false;
        return o;
    }
    Capture capture;
    Faults faults;
    std::optional<testing::Broker> broker;
    Recorder recorder;
};

TEST_P(NamedFault, OfARefusedMessageIsItsReason) {
    if (version() == Version::v3_1_1) return; // it has no refusals: see the next test
    start({"refuse PUBLISH reason=quota-exceeded nth=1", "refuse PUBLISH reason=payload-format-invalid nth=1"});
    Connection c(kept());
    EXPECT_EQ(c.publish("a", "1", {.qos = q1}).wait(patience).error().code, Reason::quota_exceeded);
    EXPECT_EQ(c.publish("a", "2", {.qos = q2}).wait(patience).error().code, Reason::payload_format_invalid);
    EXPECT_TRUE(c.publish("a", "3", {.qos = q2}).wait(patience));
    EXPECT_EQ(recorder.seen().count(Status::down), 0u);
}

TEST_P(NamedFault, OfARefusalThatTheVersionLacksIsALossOfTheConnection) {
    if (version() == Version::v5) return;
    start({"refuse PUBLISH nth=1"});
    Connection c(kept());
    EXPECT_TRUE(c.publish("a", "1", {.qos = q1}).wait(patience)) << "it is sent again";
    EXPECT_EQ(recorder.seen().count(Status::down), 1u);
}

TEST_P(NamedFault, OfARefusedFilterIsItsReason) {
    start({"refuse SUBSCRIBE reason=not-authorized on=secret/#"});
    Connection c(kept());
    const auto refused = c.subscribe({"secret/#", q1}).wait(patience);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, version() == Version::v5 ? Reason::not_authorized : Reason::unspecified_error);
    EXPECT_TRUE(c.subscribe({"public/#", q1}).wait(patience));
}

TEST_P(NamedFault, OfARefusedUnsubscribeIsItsReason) {
    start({"refuse UNSUBSCRIBE reason=not-authorized nth=1"});
    Connection c(kept());
    ASSERT_TRUE(c.subscribe({"a", q1}).wait(patience));
    const auto left = c.unsubscribe("a").wait(patience);
    if (version() == Version::v5) {
        EXPECT_EQ(left.error().code, Reason::not_authorized);
        EXPECT_EQ(recorder.seen().count(Status::down), 0u);
    } else { // which has no such refusal: the connection ends, and it is asked again
        EXPECT_TRUE(left);
        EXPECT_EQ(recorder.seen().count(Status::down), 1u);
    }
    EXPECT_TRUE(c.publish("b", "1", {.qos = q1}).wait(patience));
}

TEST_P(NamedFault, OfARefusedConnectIsItsReason) {
    start({"refuse CONNECT reason=not-authorized"});
    auto o = kept();
    o.classify = [](const Error&) noexcept { return Retry::fatal; };
    Connection c(std::move(o));
    EXPECT_EQ(c.wait_until_up(patience).error().code, Reason::not_authorized);
}

TEST_P(NamedFault, OfASessionThatIsLostBehindPubrecIsSessionLost) {
    start({"drop PUBCOMP nth=1", "session-present=0 connection=2"});
    Connection c(kept());
    const auto delivery = c.publish("a", "1", {.qos = q2});
    ASSERT_TRUE(faults.wait(0, 1, patience));
    c.reconnect();
    EXPECT_EQ(delivery.wait(patience).error().code, Errc::session_lost) << capture.text();
    EXPECT_EQ(faults.applied(1), 1u);
}

/// [MQTT5-3.2.2-4]: there is no session at the client, so it closes the connection.
TEST_P(NamedFault, OfASessionThatIsNotThereIsAProtocolError) {
    start({"session-present=1 connection=1"});
    auto o = options(recorder, broker->url());
    Connection c(std::move(o));
    ASSERT_TRUE(c.wait_until_up(patience)) << "the second time";
    const auto seen = recorder.seen();
    const auto down = std::ranges::find(seen.statuses, Status::down, &StatusInfo::status);
    ASSERT_NE(down, seen.statuses.end());
    EXPECT_EQ(down->reason.code, Reason::protocol_error) << down->reason.describe();
}

TEST_P(NamedFault, OfAConnackThatIsTooSlowIsConnectTimeout) {
    start({"slow CONNACK 10min first=1"});
    auto o = kept();
    o.connect_timeout = 50ms;
    Connection c(std::move(o));
    ASSERT_TRUE(c.wait_until_up(patience)) << "the second time";
    const auto seen = recorder.seen();
    const auto down = std::ranges::find(seen.statuses, Status::down, &StatusInfo::status);
    ASSERT_NE(down, seen.statuses.end());
    EXPECT_EQ(down->reason.code, Errc::connect_timeout);
}

/// Half-open connections and stalls end by themselves: by the keep-alive.
TEST_P(NamedFault, OfAConnectionThatDiedSilentlyIsKeepAliveTimeout) {
    for (const auto* rule : {"half-open PUBACK nth=1", "half-open PUBLISH nth=1 to=broker", "stall PUBLISH nth=1"}) {
        Recorder watching;
        start({rule});
        auto o = options(watching, broker->url());
        o.client_id = "me";
        o.session.clean_start = false;
        o.keep_alive = 1s;
        o.keep_alive_timeout = 50ms;
        Connection c(std::move(o));
        EXPECT_TRUE(c.publish("a", "1", {.qos = q1}).wait(patience)) << rule;
        const auto seen = watching.seen();
        const auto down = std::ranges::find(seen.statuses, Status::down, &StatusInfo::status);
        ASSERT_NE(down, seen.statuses.end()) << rule;
        EXPECT_EQ(down->reason.code, Errc::keep_alive_timeout) << rule << ": " << down->reason.describe();
    }
}

TORTOISE_BOTH_VERSIONS(NamedFault);

} // namespace
} // namespace tortoise::test
