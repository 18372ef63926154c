// The post office: messages are accepted while the broker is away, survive the program, and are never late.
#include <cstdio>
#include <filesystem>
#include <jackalope/session.hpp>
#include <tortoise/testing/broker.hpp>

using namespace std::chrono_literals;
using tortoise::Errc;

namespace {

/// Told about what will not be delivered, also of an earlier life of the program.
struct Clerk final : jackalope::Handler {
    void connection(jackalope::Session&, jackalope::ConnectionStatus status, const tortoise::Error& why) override {
        std::printf("%s %s\n", std::string(to_string(status)).c_str(), why.describe().c_str());
    }
    void error(jackalope::Session&, const jackalope::WorkError& e) override {
        std::printf("%s not delivered: %s\n", std::string(e.message.topic).c_str(), e.why.describe().c_str());
    }
};

jackalope::SessionOptions door(const std::string& server, const std::string& file) {
    return {.client_id = "example-door",
            .server = server,
            .handler = jackalope::make_handler<Clerk>(),
            .store = file, // everything that was accepted is on disk
            .backoff = {.min = 100ms, .max = 1s}};
}

bool run(const std::string& file) {
    tortoise::testing::Broker broker;
    broker.stop(); // its port is known, and nobody is there
    {
        jackalope::Session post(door(broker.url(), file));
        // Nobody wants the door unlocked later than this.
        const auto unlock = post.publish("doors/front", R"({"action":"unlock"})", {.ttl = 5s});
        const auto log = post.publish("doors/front/log", "somebody rang");
        if (!unlock.accepted().wait(10s) || !log.accepted().wait(10s)) return false;
        std::puts("accepted, and the program ends");
    }
    std::puts("the program begins again");
    jackalope::Session post(door(broker.url(), file));
    const auto late = post.publish("doors/back", R"({"action":"unlock"})", {.ttl = 50ms});
    if (late.wait(10s).error().code != Errc::expired) return false; // told at that moment, not when the broker is back

    if (!broker.start()) return false;
    if (!post.publish("doors/front/log", "somebody came in").wait(10s)) return false;
    const auto arrived = broker.statistics().publishes_received;
    std::printf("the broker got %llu messages\n", static_cast<unsigned long long>(arrived));
    return arrived == 3; // both of the earlier life, in their order, unless 5 s have passed
}

} // namespace

int main() {
    const auto folder = std::filesystem::temp_directory_path() / "tortoise-example-post-office";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const bool well = run((folder / "door.db").string());
    std::filesystem::remove_all(folder);
    return well ? 0 : 1;
}
