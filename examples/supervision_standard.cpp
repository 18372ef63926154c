// Supervision, the third way: the supervisor that is there already.
//   supervision_standard [URL]
#include <cstdio>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

int main(int argc, char** argv) {
    const auto started = tortoise::Supervisor::standard().start(
        {.connection = {.client_id = "example-standard", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}});
    if (!started) return std::puts(started.error().describe().c_str()), 1;

    // Nobody holds a handle: everything goes by the client id.
    const auto receipt =
        tortoise::publish_sync("example-standard", "example/standard", "21.5", {.qos = QoS::at_least_once}, 10s);
    const auto round_trip = tortoise::ping_sync("example-standard", 10s);
    std::printf("published: %s, ping: %s\n", receipt ? "yes" : "no", round_trip ? "yes" : "no");

    const auto unknown = tortoise::publish_sync("nobody", "example/standard");
    std::printf("by another id: %s\n", unknown.error().describe().c_str());
    const auto stopped = tortoise::Supervisor::standard().stop_child("example-standard", 1s).wait(10s);
    return receipt && round_trip && stopped ? 0 : 1;
}
