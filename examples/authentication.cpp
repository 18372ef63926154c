// Enhanced authentication: SCRAM-SHA-256, where the password never travels and the broker has to prove itself too; and
// a method of one's own. The broker runs in this process.
//   authentication
#include <cstdio>
#include <memory>
#include <string>
#include <tortoise/scram.hpp>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Octets;
using tortoise::Pending;
using tortoise::Result;

/// The broker asks for the door's number of today. A real one would ask a card reader, and answer later by a Promise.
class DoorNumber final : public tortoise::Authenticator {
public:
    std::string_view method() const override { return "DOOR-NUMBER"; }
    Pending<std::string> answer(Octets question) override {
        std::printf("the broker asks: %s\n", std::string(question).c_str());
        return Pending<std::string>(Result<std::string>("seventeen"));
    }
};

/// The broker's side of it.
class Doorman final : public tortoise::testing::BrokerAuthentication {
public:
    Step step(Octets data) override {
        if (data.empty()) return {Step::Kind::go_on, "which number?"};
        return {data == "seventeen" ? Step::Kind::accept : Step::Kind::refuse, {}};
    }
};

int main() {
    tortoise::testing::Broker broker{{
        .scram_users = {{"ann", "open sesame"}},
        .authentication = [](std::string_view method) -> tortoise::testing::BrokerAuthentication* {
            return method == "DOOR-NUMBER" ? new Doorman : nullptr;
        },
    }};

    tortoise::Connection ann{{.server = broker.url(), .authenticator = tortoise::scram_sha_256("ann", "open sesame")}};
    if (!ann.wait_until_up(10s)) return 1;
    std::puts("ann and the broker know each other");
    // Before a token or a certificate ends, or when a person has to confirm: again, while messages flow.
    if (!ann.reauthenticate().wait(10s)) return 2;
    std::puts("and still do");

    tortoise::Connection eve{{.server = broker.url(),
                              .authenticator = tortoise::scram_sha_256("ann", "open barley"),
                              .classify = [](const auto&) noexcept { return tortoise::Retry::fatal; }}};
    const auto refused = eve.wait_until_up(10s);
    std::printf("eve: %s\n", refused ? "is in" : refused.error().describe().c_str());

    tortoise::Connection door{
        {.server = broker.url(), .authenticator = [](const auto&) { return std::make_unique<DoorNumber>(); }}};
    return door.wait_until_up(10s) && !refused ? 0 : 3;
}
