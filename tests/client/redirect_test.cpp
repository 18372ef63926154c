// Server References: followed so often and no further, and never to where they must not lead. [MQTT-4.11]
#include "support/script.hpp"

namespace tortoise::test {
namespace {

using core::Connack;
using core::Disconnect;
using ::testing::HasSubstr;

std::string address_of(const std::string& url) { return url.substr(url.find("://") + 3); }

class Redirected5 : public ::testing::Test {
protected:
    Recorder recorder;
    testing::Broker target;
    const Properties to_target = Properties{}.set(property::server_reference, address_of(target.url()));

    ConnectionOptions options(const std::string& url) {
        auto o = options_for(url, Version::v5, recorder);
        o.backoff = {.min = 5ms, .max = 5ms};
        return o;
    }
    Error first_failure() const { return recorder.seen().statuses.front().reason; }
};

TEST_F(Redirected5, ToAnotherServerForThisTime) {
    testing::Script script;
    for (int i = 0; i < 2; ++i) // at the next connect it is asked again
        script.expect_connect()
            .send(Connack{.reason = Reason::use_another_server, .properties = to_target})
            .expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    const auto seen = recorder.seen();
    EXPECT_EQ(seen.statuses[0].reason.code, Reason::use_another_server);
    EXPECT_EQ(seen.statuses[0].retry_in, Duration(0));
    EXPECT_EQ(seen.statuses[0].server, script.url());
    EXPECT_EQ(seen.statuses[0].properties.view().get(property::server_reference), address_of(target.url()));
    ASSERT_TRUE(recorder.wait_for(Status::up));
    EXPECT_EQ(recorder.seen().statuses.back().server, target.url());
    EXPECT_EQ(c.statistics().redirects, 1u);
    target.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    ASSERT_FOLLOWED(script);
}

TEST_F(Redirected5, ToAnotherServerFromNowOn) {
    testing::Script script;
    script.expect_connect().send(Connack{.reason = Reason::server_moved, .properties = to_target}).expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    target.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2)); // without the script, which would not answer
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(c.statistics().redirects, 1u);
}

TEST_F(Redirected5, ByADisconnectToo) {
    testing::Script script;
    script.expect_connect()
        .send({core::Packet(Connack{}),
               core::Packet(Disconnect{.reason = Reason::use_another_server, .properties = to_target})})
        .expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_EQ(recorder.seen().statuses.back().server, target.url());
    ASSERT_FOLLOWED(script);
}

TEST_F(Redirected5, WithTheCredentialsOfTheOptions) {
    testing::Broker guarded{{.users = {{"ann", "sesame"}}}};
    testing::Broker first{{.redirect = testing::BrokerRedirect{"eve:secret@" + address_of(guarded.url())}}};
    auto o = options(first.url());
    o.user_name = "ann";
    o.password = "sesame";
    Connection c{std::move(o)};
    EXPECT_TRUE(c.ready().wait(patience));
}

TEST_F(Redirected5, OfSeveralServersTheFirst) {
    testing::Broker first{{.redirect = testing::BrokerRedirect{address_of(target.url()) + " other.example:1883"}}};
    Connection c{options(first.url())};
    EXPECT_TRUE(c.ready().wait(patience));
}

TEST_F(Redirected5, RoundAndRoundItEnds) {
    testing::Script script; // sends us to itself
    const auto to_itself = Properties{}.set(property::server_reference, address_of(script.url()));
    for (int i = 0; i < 5; ++i)
        script.expect_connect()
            .send(Connack{.reason = Reason::use_another_server, .properties = to_itself})
            .expect_close();
    Connection c{options(script.url())};
    ASSERT_FOLLOWED(script);
    ASSERT_TRUE(recorder.wait_for(Status::down, 5));
    const auto seen = recorder.seen();
    std::vector<const StatusInfo*> downs;
    for (const auto& s : seen.statuses)
        if (s.status == Status::down) downs.push_back(&s);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(downs[i]->reason.text, "");
    EXPECT_THAT(downs[3]->reason.text, HasSubstr("max_redirects is 3"));
    EXPECT_THAT(downs[3]->reason.text, HasSubstr(script.url()));
    EXPECT_EQ(downs[4]->reason.text, ""); // a new row, after the backoff
}

TEST_F(Redirected5, IfWantedNotAtAll) {
    testing::Broker first{{.redirect = testing::BrokerRedirect{address_of(target.url())}}};
    auto o = options(first.url());
    o.max_redirects = 0;
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::down, 3));
    EXPECT_EQ(c.statistics().redirects, 0u);
    EXPECT_EQ(target.statistics().connections, 0u);
}

TEST_F(Redirected5, NeverToNonsense) {
    for (const std::string to : {"", "host:port", "unix:///run/secret", "ws://host", "::"}) {
        const Recorder one;
        testing::Broker first{{.redirect = testing::BrokerRedirect{to}}};
        Connection c{options_for(first.url(), Version::v5, one)};
        ASSERT_TRUE(one.wait_for(Status::down, 2)) << to;
        const auto why = one.seen().statuses.front().reason;
        EXPECT_EQ(why.code, Reason::use_another_server);
        EXPECT_THAT(why.text, HasSubstr("'" + to + "' is not followed"));
        EXPECT_EQ(c.statistics().redirects, 0u);
    }
}

TEST_F(Redirected5, WithoutAReferenceItIsAnErrorLikeOthers) {
    testing::Script script;
    script.expect_connect().send(Connack{.reason = Reason::server_moved}).expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(first_failure().code, Reason::server_moved);
    ASSERT_FOLLOWED(script);
}

TEST(Redirected311, ThereAreNoReferences) {
    testing::Broker first{{.redirect = testing::BrokerRedirect{"nowhere:1"}}};
    Recorder recorder;
    Connection c{options_for(first.url(), Version::v3_1_1, recorder)};
    EXPECT_TRUE(c.ready().wait(patience));
}

} // namespace
} // namespace tortoise::test
