// Unit tests of your own code without a socket: a session that records what is published, and does what the test says.
#include <cstdio>
#include <jackalope/testing/fake_session.hpp>

using namespace std::chrono_literals;
using jackalope::testing::FakeSession;

namespace {

// ---- The code to test

class Door {
public:
    explicit Door(jackalope::Session session) : session_(std::move(session)) {}
    void ring() { session_.publish("doors/front", "ring", {.ttl = 30s}); }
    static inline int opened = 0, missed = 0;

    struct Handler final : jackalope::Handler {
        void message(jackalope::Session& s, const tortoise::MessageView& m) override {
            if (m.text() != "unlock") return;
            ++opened;
            s.publish("doors/front/state", "open", {.retain = true});
        }
        void error(jackalope::Session&, const jackalope::WorkError&) override { ++missed; }
    };

private:
    jackalope::Session session_;
};

// ---- The tests

int failures = 0;
void expect(bool well, const char* what) {
    std::printf("%-4s %s\n", well ? "ok" : "FAIL", what);
    failures += well ? 0 : 1;
}

} // namespace

int main() {
    FakeSession fake({.client_id = "door",
                      .handler = jackalope::make_handler<Door::Handler>(),
                      .initial_topics = {{"doors/front/commands", tortoise::QoS::at_least_once}}});
    Door door(fake.session());

    door.ring();
    expect(fake.published().size() == 1 && fake.published()[0].message.payload == "ring", "a ring is published");
    expect(fake.published()[0].options.ttl == 30s, "… for half a minute");
    fake.pass(30s);
    expect(Door::missed == 1, "a ring that nobody heard in time is missed");

    fake.go_online();
    expect(fake.receive("doors/front/commands", "unlock"), "it listens to commands");
    expect(Door::opened == 1, "it opens when it is told to");
    expect(fake.published().back().message.topic == "doors/front/state" && fake.published().back().message.retain,
           "… and says so");
    expect(!fake.receive("doors/back/commands", "unlock"), "it does not listen to other doors' commands");

    fake.hold_deliveries();
    door.ring();
    fake.fail_next(make_error(tortoise::Reason::not_authorized));
    expect(Door::missed == 2, "a ring that the broker refuses is missed");
    return failures;
}
