// Supervision, the second way: a supervisor of one's own. A child that crashes is started anew, with a fresh handler;
// those that depend on it, too.
//   supervision_own [URL]
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

std::atomic<int> lives{0};

struct Meter : tortoise::Handler {
    void init(tortoise::Connection& c) override {
        std::printf("life %d of %s\n", ++lives, std::string(c.client_id()).c_str());
    }
    tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
        // An acknowledgement leaves when this returns: what crashed is delivered again in the next life's session, if
        // it has one; this one has not.
        if (m.text() == "nonsense") throw std::runtime_error("cannot read this meter");
        return {};
    }
};

int main(int argc, char** argv) {
    const std::string server = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    tortoise::Supervisor supervisor({.strategy = tortoise::Strategy::rest_for_one, .max_restarts = 5, .within = 10s});
    for (const std::string name : {"meter", "display"}) {
        const auto started = supervisor.start({.name = name,
                                               .connection = {.client_id = "example-own-" + name,
                                                              .server = server,
                                                              .handler = tortoise::make_handler<Meter>()}});
        if (!started) return std::puts(started.error().describe().c_str()), 1;
    }
    auto meter = *supervisor.find_child("meter");
    if (!meter.subscribe({"example/own", QoS::at_least_once}).wait(10s)) return 1;
    meter.publish("example/own", "nonsense", {.qos = QoS::at_least_once});

    while (lives < 4) std::this_thread::yield(); // both, twice: the display was started after the meter
    for (const auto& child : supervisor.children()) {
        std::printf("%s: %u restart(s), the last life ended with \"%s\"\n", child.name.c_str(), child.restarts,
                    child.last_error.describe().c_str());
    }
    return supervisor.stop(1s).wait(10s) ? 0 : 1; // newest first
}
