// Publishes a message at each quality of service and prints what became of it.
//   publish [URL]
#include <cstdio>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

int main(int argc, char** argv) {
    tortoise::Connection home{{.client_id = "example-publish", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};

    bool all_well = true;
    for (const auto qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
        // Returns at once, also when the connection is not up yet.
        const tortoise::Delivery delivery = home.publish("rooms/hall/temp", "21.5", {.qos = qos});
        const auto receipt = delivery.wait(10s);
        const std::string outcome = receipt ? "delivered" : receipt.error().describe();
        std::printf("QoS %d: %s\n", static_cast<int>(qos), outcome.c_str());
        all_well = all_well && receipt;
    }
    // Without this, the end of main would say DISCONNECT at once and drop what is still queued.
    const auto stopped = home.stop(5s).wait(10s);
    return all_well && stopped ? 0 : 1;
}
