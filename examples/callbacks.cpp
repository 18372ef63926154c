// A callback per filter instead of a handler, and a topic template.
//   callbacks [URL]
#include <iostream>
#include <semaphore>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Connection;
using tortoise::MessageView;
using tortoise::QoS;

constexpr tortoise::TopicTemplate temperature = "rooms/{room}/temp";

int main(int argc, char** argv) {
    std::counting_semaphore arrived(0);
    Connection home{{.client_id = "example-callbacks", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};

    // Subscribes to rooms/+/temp. Views are valid until the callback returns.
    const auto temperatures = home.subscribe({temperature, QoS::at_least_once}, [&](Connection&, const MessageView& m) {
        if (const auto at = m.match(temperature)) std::cout << (*at)["room"] << " has " << m.text() << " degrees\n";
        arrived.release();
    });
    const auto doors = home.subscribe({"doors/#", QoS::exactly_once}, [&](Connection&, const MessageView& m) {
        std::cout << "a door is " << m.text() << '\n';
        arrived.release();
    });
    for (const auto& pending : {temperatures, doors}) {
        if (const auto grant = pending.wait(10s); !grant) {
            std::cerr << grant.error().describe() << '\n';
            return 1;
        }
    }

    home.publish("rooms/hall/temp", "21.5", {.qos = QoS::at_least_once});
    home.publish(temperature.topic({{"room", "kitchen"}}).value(), "23", {.qos = QoS::at_least_once});
    home.publish("doors/front", "closed", {.qos = QoS::exactly_once});
    for (int i = 0; i < 3; ++i) arrived.acquire();
}
