// Supervision, the first way: none. The connection belongs to the object that made it, and ends with it; when it
// crashes, its owner is told, and decides.
//   supervision_linked [URL]
#include <cstdio>
#include <stdexcept>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

struct Meter : tortoise::Handler {
    tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
        if (m.text() == "nonsense") throw std::runtime_error("cannot read this meter");
        return {};
    }
};

int main(int argc, char** argv) {
    tortoise::Connection meter{{.client_id = "example-linked",
                                .server = argc > 1 ? argv[1] : "mqtt://localhost:1883",
                                .handler = tortoise::make_handler<Meter>()}};
    if (!meter.subscribe({"example/linked", QoS::at_least_once}).wait(10s)) return 1;
    meter.publish("example/linked", "nonsense", {.qos = QoS::at_least_once});

    // The link: an operation that is open when the connection ends is answered with why.
    while (meter.status() != tortoise::Status::stopped) {
        if (!meter.ping().wait(10s)) break;
    }
    if (!meter.stop().wait(10s)) return 1;
    std::printf("the connection ended: %s\n", meter.error().describe().c_str());
    return meter.error().code == tortoise::Errc::handler_threw ? 0 : 1;
}
