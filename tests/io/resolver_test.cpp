// Names to addresses; lookups that hang hold up nobody.
#include "io/connector.hpp"
#include "io/resolver.hpp"
#include "io/tcp.hpp"
#include "io/with_loop.hpp"
#include "support/plain_server.hpp"
#include <gmock/gmock.h>

namespace tortoise::io::test {
namespace {

using ::testing::HasSubstr;

/// A resolver's view of the world: "stuck…" hangs until it is let go, other names are known or not.
struct World {
    static inline std::mutex mutex;
    static inline std::condition_variable changed;
    static inline bool released = false;
    static inline int stuck = 0, let_go = 0;

    static Result<Addresses> look(const std::string& host, std::uint16_t port) {
        if (host.starts_with("stuck")) {
            std::unique_lock lock(mutex);
            ++stuck;
            changed.notify_all();
            changed.wait(lock, [] { return released; });
            ++let_go;
            changed.notify_all();
        }
        if (host == "unknown") return make_error(Errc::host_not_found, "'unknown': really");
        return Addresses{*Address::parse("127.0.0.1", port)};
    }
    static void reset() {
        std::lock_guard lock(mutex);
        released = false;
        stuck = let_go = 0;
    }
    static void await_stuck(int count) {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, patience, [&] { return stuck >= count; }));
    }
    static void release(int count) {
        std::unique_lock lock(mutex);
        released = true;
        changed.notify_all();
        ASSERT_TRUE(changed.wait_for(lock, patience, [&] { return let_go >= count; }));
    }
};

class Resolving : public ::testing::Test {
protected:
    Resolving() { World::reset(); }
    const detail::Ref<Loops> loops = Loops::make(1);
    Loop& loop = loops->next();
};

TEST_F(Resolving, answersOnTheLoop) {
    Resolver resolver(&World::look);
    Later<Result<Addresses>> known, unknown, literal;
    Resolver::Question questions[3];
    on(loop, [&] {
        questions[0] = resolver.ask(loop, "known", 1, [&](Result<Addresses> r) {
            EXPECT_TRUE(loop.on_this_thread());
            known.set(std::move(r));
        });
        questions[1] = resolver.ask(loop, "unknown", 1, [&](Result<Addresses> r) { unknown.set(std::move(r)); });
        questions[2] = resolver.ask(loop, "::1", 7, [&](Result<Addresses> r) { literal.set(std::move(r)); });
    });
    ASSERT_TRUE(known.wait() && unknown.wait() && literal.wait());
    EXPECT_EQ((*known)->front().to_string(), "127.0.0.1:1");
    EXPECT_EQ(unknown->error().code, Errc::host_not_found);
    EXPECT_EQ((*literal)->front().to_string(), "[::1]:7");
}

TEST_F(Resolving, goesOnWhileALookupHangs) {
    Resolver resolver(&World::look);
    Later<Result<Addresses>> known;
    Resolver::Question stuck, question;
    on(loop, [&] { stuck = resolver.ask(loop, "stuck", 1, [](Result<Addresses>) { ADD_FAILURE(); }); });
    World::await_stuck(1);
    on(loop, [&] { question = resolver.ask(loop, "known", 1, [&](Result<Addresses> r) { known.set(std::move(r)); }); });
    EXPECT_TRUE(known.wait());
    on(loop, [&] { stuck.withdraw(); });
    World::release(1);
    on(loop, [] {});
}

TEST_F(Resolving, hasNoMoreThreadsThanItMayAndAsksTheRestLater) {
    Resolver resolver(&World::look, 2);
    Later<Result<Addresses>> known;
    std::vector<Resolver::Question> questions;
    on(loop, [&] {
        for (int i = 0; i < 3; ++i) questions.push_back(resolver.ask(loop, "stuck", 1, [](Result<Addresses>) {}));
        questions.push_back(resolver.ask(loop, "known", 1, [&](Result<Addresses> r) { known.set(std::move(r)); }));
    });
    World::await_stuck(2);
    EXPECT_FALSE(known.is_set());
    World::release(3);
    EXPECT_TRUE(known.wait());
    on(loop, [&] { questions.clear(); });
}

TEST_F(Resolving, canEndWhileALookupHangs) {
    auto token = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = token;
    {
        Resolver resolver(&World::look);
        Resolver::Question stuck;
        on(loop, [&] { stuck = resolver.ask(loop, "stuck", 1, [token = std::move(token)](Result<Addresses>) {}); });
        World::await_stuck(1);
        on(loop, [&] { stuck.withdraw(); });
        EXPECT_TRUE(watch.expired());
    }
    World::release(1);
}

TEST_F(Resolving, aConnectorCanBeCancelledWhileItsLookupHangs) {
    Resolver resolver(&World::look);
    std::unique_ptr<Connector> connector;
    on(loop, [&] {
        connector = std::make_unique<Connector>(loop, resolver);
        connector->start({.host = "stuck"}, [](std::shared_ptr<Stream>, Error) { ADD_FAILURE(); });
    });
    World::await_stuck(1);
    on(loop, [&] { connector.reset(); });
    World::release(1);
    on(loop, [] {});
}

TEST(Addresses, ofBothFamiliesAreTriedByTurns) {
    const auto a = [](const char* literal) { return *Address::parse(literal, 1); };
    const auto order = interleaved({a("::1"), a("::2"), a("::3"), a("1.1.1.1"), a("2.2.2.2")});
    std::vector<std::string> texts;
    for (const auto& address : order) texts.push_back(address.to_string());
    EXPECT_THAT(texts, ::testing::ElementsAre("[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"));
    EXPECT_TRUE(interleaved({}).empty());
}

/// Where the next lookup leads.
struct Where {
    static inline Addresses addresses;
    static Result<Addresses> look(const std::string&, std::uint16_t) { return addresses; }
};

struct Outcome {
    std::shared_ptr<Stream> stream;
    Error error;
};

class Connecting : public ::testing::Test {
protected:
    Outcome connect(Addresses addresses) {
        Where::addresses = std::move(addresses);
        Later<Outcome> outcome;
        std::unique_ptr<Connector> connector;
        on(loop, [&] {
            connector = std::make_unique<Connector>(loop, resolver);
            connector->start({.host = "somewhere"}, [&](std::shared_ptr<Stream> stream, Error error) {
                if (stream) stream->close();
                outcome.set({std::move(stream), std::move(error)});
            });
        });
        EXPECT_TRUE(outcome.wait());
        on(loop, [&] { connector.reset(); });
        return std::move(*outcome);
    }
    static Address closed(int n) { return *Address::parse("127.0.0." + std::to_string(n), 1); }

    const detail::Ref<Loops> loops = Loops::make(1);
    Loop& loop = loops->next();
    Resolver resolver{&Where::look};
};

TEST_F(Connecting, triesTheNextAddressAtOnceWhenOneFails) {
    tortoise::test::Listening server;
    const Address good(reinterpret_cast<const sockaddr*>(&server.address()), sizeof(server.address()));
    const auto outcome = connect({closed(1), closed(2), good});
    ASSERT_TRUE(outcome.stream);
    EXPECT_EQ(outcome.stream->peer(), server.name());
}

TEST_F(Connecting, doesNotWaitLongForAnAddressThatDoesNotAnswer) {
    tortoise::test::BlackHole hole;
    tortoise::test::Listening server;
    const auto port = static_cast<std::uint16_t>(std::stoi(hole.url().substr(hole.url().rfind(':') + 1)));
    const Address good(reinterpret_cast<const sockaddr*>(&server.address()), sizeof(server.address()));
    const auto outcome = connect({*Address::parse("127.0.0.1", port), good});
    ASSERT_TRUE(outcome.stream);
    EXPECT_EQ(outcome.stream->peer(), server.name());
}

TEST_F(Connecting, saysWhatBecameOfEachAddress) {
    const auto outcome = connect({closed(1), closed(2)});
    EXPECT_FALSE(outcome.stream);
    EXPECT_EQ(outcome.error.code, std::errc::connection_refused);
    EXPECT_EQ(outcome.error.text, "connection refused by 127.0.0.1:1; connection refused by 127.0.0.2:1");
}

} // namespace
} // namespace tortoise::io::test
