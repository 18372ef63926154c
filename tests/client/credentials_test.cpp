// The function that is asked for credentials before each connect.
#include "support/options.hpp"
#include "support/plain_server.hpp"

namespace tortoise::test {
namespace {

struct Asked {
    std::mutex mutex;
    std::vector<CredentialsRequest> requests;
    CredentialsRequest at(std::size_t i) {
        std::lock_guard lock(mutex);
        return requests.at(i);
    }
};

class CredentialsOf : public BothVersions {
protected:
    ConnectionOptions asking(std::function<Pending<Credentials>(const CredentialsRequest&)> answer) {
        auto o = options(recorder, broker.url());
        o.classify = [](const Error& e) noexcept {
            return e.code.category() == reason_category() ? Retry::retry : classify(e);
        };
        o.credentials = [this, answer = std::move(answer)](const CredentialsRequest& r) {
            {
                std::lock_guard lock(asked.mutex);
                asked.requests.push_back(r);
            }
            return answer(r);
        };
        return o;
    }
    static Pending<Credentials> now(std::string password) {
        return Pending<Credentials>(Result<Credentials>(Credentials{"ann", std::move(password)}));
    }
    testing::Broker broker{{.users = {{"ann", "open sesame"}}}};
    Recorder recorder;
    Asked asked;
};

TEST_P(CredentialsOf, areAskedForBeforeEachConnectWithTheLastFailure) {
    Connection c{asking([](const CredentialsRequest& r) { return now(r.attempt < 3 ? "wrong" : "open sesame"); })};
    ASSERT_TRUE(recorder.wait_for(Status::up));
    EXPECT_EQ(asked.at(0).attempt, 1u);
    EXPECT_FALSE(asked.at(0).last_failure.code);
    EXPECT_EQ(asked.at(0).server, broker.url());
    EXPECT_EQ(asked.at(1).attempt, 2u);
    EXPECT_EQ(asked.at(1).last_failure.code, Reason::bad_user_name_or_password);
    EXPECT_EQ(asked.at(2).attempt, 3u);
    broker.drop_connections();
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count(Status::down) >= 3; }));
}

TEST_P(CredentialsOf, mayComeLaterFromAnotherThread) {
    std::optional<Promise<Credentials>> promise;
    std::mutex mutex;
    std::condition_variable placed;
    Connection c{asking([&](const CredentialsRequest&) {
        std::lock_guard lock(mutex);
        promise.emplace();
        placed.notify_all();
        return promise->pending();
    })};
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(placed.wait_for(lock, patience, [&] { return promise.has_value(); }));
        promise->answer(Credentials{"ann", "open sesame"});
    }
    EXPECT_TRUE(c.ready().wait(patience));
}

TEST_P(CredentialsOf, anErrorIsAFailedAttempt) {
    Connection c{asking([](const CredentialsRequest& r) {
        if (r.attempt > 1) return now("open sesame");
        return Pending<Credentials>(Result<Credentials>(make_error(Errc::timeout, "the vault sleeps")));
    })};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_EQ(recorder.seen().statuses.front().reason.text, "the vault sleeps");
}

TEST_P(CredentialsOf, aPromiseGivenUpIsAFailedAttempt) {
    Connection c{asking([](const CredentialsRequest& r) {
        return r.attempt > 1 ? now("open sesame") : Promise<Credentials>().pending();
    })};
    ASSERT_TRUE(c.ready().wait(patience));
    EXPECT_EQ(recorder.seen().statuses.front().reason.code, Errc::cancelled);
}

TEST_P(CredentialsOf, areWaitedForNoLongerThanTheConnectTimeout) {
    const Promise<Credentials> never;
    auto o = asking([&](const CredentialsRequest& r) { return r.attempt > 1 ? now("open sesame") : never.pending(); });
    o.connect_timeout = 20ms;
    Connection c{std::move(o)};
    ASSERT_TRUE(recorder.wait_for(Status::down));
    const auto why = recorder.seen().statuses.front().reason;
    EXPECT_EQ(why.code, Errc::connect_timeout);
    EXPECT_THAT(why.text, ::testing::HasSubstr("credentials"));
    never.answer(Credentials{"ann", "too late"}); // of an attempt that is over: nobody's
}

TEST_P(CredentialsOf, thatNeverComeDoNotKeepAnybody) {
    const Promise<Credentials> never;
    {
        Connection c{asking([&](const CredentialsRequest&) { return never.pending(); })};
        ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.count("init") == 1; }));
    }
    EXPECT_EQ(recorder.seen().terminated.size(), 1u);
}

TEST_P(CredentialsOf, aFunctionThatThrowsEndsTheConnection) {
    Connection c{
        asking([](const CredentialsRequest&) -> Pending<Credentials> { throw std::runtime_error("no vault"); })};
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(c.error().code, Errc::handler_threw);
    EXPECT_EQ(c.error().text, "no vault");
}

// [MQTT3-3.1.2-22]
TEST_P(CredentialsOf, aPasswordAloneIsRefusedLocallyOnMqtt311) {
    Connection c{asking([](const CredentialsRequest&) {
        return Pending<Credentials>(Result<Credentials>(Credentials{std::nullopt, "secret"}));
    })};
    if (version() == Version::v5) {
        EXPECT_TRUE(recorder.wait_for(Status::down));
        return;
    }
    ASSERT_TRUE(recorder.wait([](const Seen& s) { return s.terminated.size() == 1; }));
    EXPECT_EQ(c.error().code, Errc::invalid_option);
    EXPECT_THAT(c.error().text, ::testing::HasSubstr("[MQTT-3.1.2-22]"));
    EXPECT_THAT(c.error().text, ::testing::Not(::testing::HasSubstr("secret")));
}

TORTOISE_BOTH_VERSIONS(CredentialsOf);

} // namespace
} // namespace tortoise::test
