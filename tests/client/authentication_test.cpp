// Enhanced authentication as users see it: SCRAM-SHA-256 against the broker of the test kit, and authenticators of
// one's own.
#include "support/script.hpp"
#include <tortoise/scram.hpp>

namespace tortoise::test {
namespace {

using core::Auth;
using core::Connack;
using ::testing::HasSubstr;

ConnectionOptions options5(const Recorder& recorder, const std::string& url) {
    return options_for(url, Version::v5, recorder);
}

// ---- SCRAM ---------------------------------------------------------------------------------------------------------

class Scram5 : public ::testing::Test {
protected:
    testing::Broker broker{{.scram_users = {{"ann", "open sesame"}}}};
    Recorder recorder;
    ConnectionOptions as(std::string name, std::string password) {
        auto o = options5(recorder, broker.url());
        o.authenticator = scram_sha_256(std::move(name), std::move(password));
        return o;
    }
};

TEST_F(Scram5, LetsInWhoKnowsThePassword) {
    Connection c{as("ann", "open sesame")};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_TRUE(c.publish("a", "b", {.qos = QoS::exactly_once}).wait(patience));
}

TEST_F(Scram5, AndNobodyElse) {
    for (const auto& [name, password] : {std::pair{"ann", "open barley"}, std::pair{"bob", "open sesame"}}) {
        auto o = as(name, password);
        o.classify = [](const Error&) noexcept { return Retry::fatal; };
        Connection c{std::move(o)};
        const auto up = c.ready().wait(patience);
        ASSERT_FALSE(up);
        EXPECT_EQ(up.error().code, Reason::not_authorized);
        EXPECT_THAT(up.error().describe(), ::testing::Not(HasSubstr(password)));
    }
    auto o = options5(recorder, broker.url());
    o.classify = [](const Error&) noexcept { return Retry::fatal; };
    EXPECT_EQ(Connection{o}.ready().wait(patience).error().code, Reason::not_authorized);
}

TEST_F(Scram5, WorksAtEachReconnectAndAgainOnTheOpenConnection) {
    Connection c{as("ann", "open sesame")};
    ASSERT_TRUE(c.ready().wait(patience));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(c.reauthenticate().wait(patience));
    EXPECT_TRUE(c.publish("a", "b", {.qos = QoS::at_least_once}).wait(patience));
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait_for(Status::up, 2));
    EXPECT_TRUE(c.reauthenticate().wait(patience));
}

// A broker that says yes to everybody does not know the password.
TEST_F(Scram5, ABrokerThatCannotProveItselfIsLeft) {
    testing::Script impostor;
    impostor.expect_connect().send(
        Connack{.properties = Properties{}.set(property::authentication_method, "SCRAM-SHA-256")});
    impostor.expect(core::PacketType::disconnect).expect_close();
    auto o = as("ann", "open sesame");
    o.server = impostor.url();
    o.classify = [](const Error&) noexcept { return Retry::fatal; };
    Connection c{std::move(o)};
    const auto up = c.ready().wait(patience);
    ASSERT_FALSE(up);
    EXPECT_EQ(up.error().code, Reason::not_authorized);
    EXPECT_THAT(up.error().text, HasSubstr("did not prove"));
    ASSERT_FOLLOWED(impostor);
}

// ---- Authenticators of one's own -----------------------------------------------------------------------------------

/// Does what the test says.
struct Plan {
    std::function<Pending<std::string>(Octets)> answer;
    std::function<Pending<Done>(Octets)> verify;
    std::function<Pending<std::string>()> begin;
    std::optional<std::chrono::seconds> lasts;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Error> failures;
    std::vector<CredentialsRequest> requests;
    bool made(std::size_t times) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, patience, [&] { return requests.size() >= times; });
    }
    bool failed(std::size_t times) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, patience, [&] { return failures.size() >= times; });
    }
};

template <class T> Pending<T> now(T value) { return Pending<T>(Result<T>(std::move(value))); }
template <class T> Pending<T> never(Error why) { return Pending<T>(Result<T>(std::move(why))); }

class Planned final : public Authenticator {
public:
    explicit Planned(std::shared_ptr<Plan> plan) : plan_(std::move(plan)) {}
    std::string_view method() const override { return "PLAN"; }
    Pending<std::string> begin() override { return plan_->begin ? plan_->begin() : Authenticator::begin(); }
    Pending<std::string> answer(Octets data) override { return plan_->answer(data); }
    Pending<Done> verify(Octets data) override {
        return plan_->verify ? plan_->verify(data) : Authenticator::verify(data);
    }
    void failed(const Error& why) override {
        const std::lock_guard lock(plan_->mutex);
        plan_->failures.push_back(why);
        plan_->changed.notify_all();
    }
    std::optional<std::chrono::system_clock::time_point> expires() const override {
        if (!plan_->lasts) return std::nullopt;
        return std::chrono::system_clock::now() + *plan_->lasts;
    }

private:
    const std::shared_ptr<Plan> plan_;
};

Properties says(std::string_view data) {
    Properties properties;
    properties.set(property::authentication_method, "PLAN");
    if (!data.empty()) properties.set(property::authentication_data, data);
    return properties;
}

class OwnAuthenticator5 : public ::testing::Test {
protected:
    std::shared_ptr<Plan> plan = std::make_shared<Plan>();
    Recorder recorder;
    const Properties question = says("why?"), thanks = says("thanks");

    ConnectionOptions options(const std::string& url) {
        auto o = options5(recorder, url);
        o.authenticator = [plan = plan](const CredentialsRequest& request) {
            const std::lock_guard lock(plan->mutex);
            plan->requests.push_back(request);
            plan->changed.notify_all();
            return std::make_unique<Planned>(plan);
        };
        return o;
    }
    testing::Script& ask(testing::Script& script) {
        return script.expect_connect().send(Auth{Reason::continue_authentication, question});
    }
    testing::Script& expect_answer(testing::Script& script, std::string text) {
        return script.expect_that<Auth>("AUTH " + text, [text](const Auth& a) {
            return a.reason == Reason::continue_authentication &&
                   a.properties.get(property::authentication_data) == text;
        });
    }
};

TEST_F(OwnAuthenticator5, MayAnswerFromAnotherThread) {
    std::vector<std::thread> threads;
    const auto later = [&](auto value) {
        Promise<decltype(value)> promise;
        threads.emplace_back([promise, value] { promise.answer(value); });
        return promise.pending();
    };
    plan->begin = [&] { return later(std::string("hello")); };
    plan->answer = [&](Octets data) { return later(std::string(data) + " because"); };
    plan->verify = [&](Octets data) {
        EXPECT_EQ(data, "thanks");
        return later(Done{});
    };
    testing::Script script;
    script.expect_that<core::Connect>("CONNECT with hello", [](const core::Connect& c) {
        return c.properties.get(property::authentication_data) == "hello";
    });
    script.send(Auth{Reason::continue_authentication, question});
    expect_answer(script, "why? because").send(Connack{.properties = thanks});
    {
        Connection c{options(script.url())};
        EXPECT_TRUE(c.ready().wait(patience));
        ASSERT_FOLLOWED(script);
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(plan->failures.empty());
}

TEST_F(OwnAuthenticator5, IsToldOfARefusalAndMadeAnewForTheNextAttempt) {
    plan->answer = [](Octets) { return now(std::string("42")); };
    testing::Script script;
    ask(script);
    expect_answer(script, "42").send(Connack{.reason = Reason::not_authorized}).expect_close();
    ask(script);
    expect_answer(script, "42").send(Connack{.properties = thanks});
    auto o = options(script.url());
    o.classify = [](const Error&) noexcept { return Retry::retry; };
    Connection c{std::move(o)};
    EXPECT_TRUE(c.ready().wait(patience));
    ASSERT_EQ(plan->failures.size(), 1u);
    EXPECT_EQ(plan->failures[0].code, Reason::not_authorized);
    EXPECT_EQ(plan->requests.at(1).attempt, 2u);
    EXPECT_EQ(plan->requests.at(1).last_failure.code, Reason::not_authorized);
    EXPECT_EQ(plan->requests.at(1).server, script.url());
    ASSERT_FOLLOWED(script);
}

TEST_F(OwnAuthenticator5, ThatCannotAnswerEndsTheAttemptWithItsError) {
    plan->answer = [](Octets) { return never<std::string>(make_error(Errc::timeout, "the card reader sleeps")); };
    testing::Script script;
    ask(script).expect(core::PacketType::disconnect).expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(recorder.seen().statuses.front().reason.text, "the card reader sleeps");
    ASSERT_FOLLOWED(script);
}

TEST_F(OwnAuthenticator5, ThatCannotBeginEndsTheAttemptBeforeItIsMade) {
    plan->begin = [] { return never<std::string>(make_error(Errc::timeout, "no card")); };
    testing::Script script;
    Connection c{options(script.url())};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_EQ(recorder.seen().statuses.front().reason.text, "no card");
    EXPECT_EQ(script.transcript(), "");
}

TEST_F(OwnAuthenticator5, IsWaitedForNoLongerThanTheConnectTimeout) {
    const Promise<std::string> promise;
    plan->answer = [&](Octets) { return promise.pending(); };
    testing::Script script;
    ask(script);
    auto o = options(script.url());
    o.connect_timeout = 50ms;
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    const auto why = recorder.seen().statuses.front().reason;
    EXPECT_EQ(why.code, Errc::connect_timeout);
    EXPECT_THAT(why.text, HasSubstr("the authenticator did not answer"));
    promise.answer(std::string("too late"));
}

TEST_F(OwnAuthenticator5, ThatNeverAnswersDoesNotKeepAnybody) {
    const Promise<std::string> promise;
    plan->answer = [&](Octets) { return promise.pending(); };
    testing::Script script;
    ask(script);
    {
        Connection c{options(script.url())};
        ASSERT_FOLLOWED(script);
    }
    EXPECT_EQ(recorder.seen().terminated.size(), 1u);
    EXPECT_TRUE(plan->failed(1));
}

TEST_F(OwnAuthenticator5, ThatThrowsEndsTheConnection) {
    plan->answer = [](Octets) -> Pending<std::string> { throw std::runtime_error("no card"); };
    testing::Script script;
    ask(script);
    Connection c{options(script.url())};
    EXPECT_EQ(c.ready().wait(patience).error().code, Errc::handler_threw);
    EXPECT_EQ(c.error().text, "no card");
}

TEST_F(OwnAuthenticator5, ThatIsNullOrHasNoMethodIsAnInvalidOption) {
    auto o = options("mqtt://127.0.0.1:1");
    o.authenticator = [](const CredentialsRequest&) { return std::unique_ptr<Authenticator>(); };
    EXPECT_EQ((Connection{o}).ready().wait(patience).error().code, Errc::invalid_option);
    struct Nameless final : Authenticator {
        std::string_view method() const override { return {}; }
        Pending<std::string> answer(Octets) override { return now(std::string()); }
    };
    o.authenticator = [](const CredentialsRequest&) { return std::make_unique<Nameless>(); };
    EXPECT_EQ((Connection{o}).ready().wait(patience).error().code, Errc::invalid_option);
}

TEST_F(OwnAuthenticator5, IsNotForMqtt311NorBesideTheProperties) {
    auto o = options("mqtt://127.0.0.1:1");
    o.version = Version::v3_1_1;
    EXPECT_THAT(Connection{o}.error().describe(), HasSubstr("authenticator"));
    o.version = Version::v5;
    o.connect_properties = says({});
    EXPECT_THAT(Connection{o}.error().describe(), HasSubstr("authenticator"));
}

// ---- Again ---------------------------------------------------------------------------------------------------------

TEST_F(OwnAuthenticator5, AgainInVainEndsTheConnection) {
    plan->answer = [](Octets) { return now(std::string("42")); };
    testing::Script script;
    testing::Gate both;
    ask(script);
    expect_answer(script, "42").send(Connack{.properties = thanks});
    script.expect_that<Auth>("AUTH 0x19", [](const Auth& a) { return a.reason == Reason::reauthenticate; })
        .await(both)
        .send(core::Disconnect{.reason = Reason::not_authorized})
        .expect_close();
    Connection c{options(script.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    const auto again = c.reauthenticate(), with_it = c.reauthenticate(); // the same conversation
    ASSERT_TRUE(c.subscribe(std::vector<TopicFilter>{}).wait(patience)); // the loop has heard of both
    both.open();
    EXPECT_EQ(again.wait(patience).error().code, Reason::not_authorized);
    EXPECT_EQ(with_it.wait(patience).error().code, Reason::not_authorized);
    ASSERT_TRUE(recorder.wait_for(Status::down));
    EXPECT_TRUE(plan->failed(1));
    ASSERT_FOLLOWED(script);
}

TEST_F(OwnAuthenticator5, AgainThatCannotBeginLeavesTheConnectionUp) {
    testing::Script script;
    script.expect_connect().send(Connack{.properties = thanks});
    Connection c{options(script.url())};
    ASSERT_TRUE(c.ready().wait(patience));
    plan->begin = [] { return never<std::string>(make_error(Errc::timeout, "no card")); };
    EXPECT_EQ(c.reauthenticate().wait(patience).error().text, "no card");
    EXPECT_EQ(c.status(), Status::up);
}

TEST_F(OwnAuthenticator5, AgainWithoutAnAuthenticatorOrAConnectionIsAnError) {
    testing::Broker broker;
    Connection plain{options5(recorder, broker.url())};
    ASSERT_TRUE(plain.ready().wait(patience));
    EXPECT_EQ(plain.reauthenticate().wait(patience).error().code, Errc::not_supported);
    auto o = options("mqtt://127.0.0.1:1");
    Connection down{std::move(o)};
    EXPECT_EQ(down.reauthenticate().wait(patience).error().code, Errc::connection_lost);
    ASSERT_TRUE(down.stop().wait(patience));
    EXPECT_EQ(down.reauthenticate().wait(patience).error().code, Errc::stopped);
}

TEST_F(OwnAuthenticator5, WhatEndsIsRenewedOnTheOpenConnection) {
    plan->lasts = 1s;
    testing::Script script;
    script.expect_connect().send(Connack{.properties = thanks});
    for (int i = 0; i < 2; ++i) {
        script.expect_that<Auth>("AUTH 0x19", [](const Auth& a) { return a.reason == Reason::reauthenticate; })
            .send(Auth{Reason::success, thanks});
    }
    Connection c{options(script.url())};
    ASSERT_FOLLOWED(script);
    EXPECT_EQ(c.status(), Status::up);
    EXPECT_TRUE(plan->made(3));
}

} // namespace
} // namespace tortoise::test
