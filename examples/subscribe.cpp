// A handler: what it is told, and how it answers. Ends when it has seen a fire and the alarm that follows.
//   subscribe [URL]
#include <iostream>
#include <semaphore>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;

// Called on the connection's thread, one call at a time: its members need no lock.
class Rooms : public tortoise::Handler {
public:
    explicit Rooms(std::counting_semaphore<>* alarmed) : alarmed_(alarmed) {}

    tortoise::Actions connection(tortoise::Connection&, const tortoise::StatusInfo& info) override {
        std::cout << "connection is " << to_string(info.status) << '\n';
        return {};
    }

    tortoise::Actions subscription(tortoise::Connection& home, const tortoise::FilterStatus& status) override {
        if (status.kind != tortoise::FilterStatus::Kind::up) return {};
        std::cout << "subscribed to " << status.filter << '\n';
        // Everything may be called from inside a callback.
        if (status.filter == "rooms/+/temp") home.publish("rooms/hall/temp", "fire", {.qos = QoS::at_least_once});
        if (status.filter == "alarms/#") home.publish("alarms/hall", "ring", {.qos = QoS::exactly_once});
        return {};
    }

    tortoise::Actions message(tortoise::Connection&, const tortoise::MessageView& m) override {
        std::cout << m.topic << ": " << m.text() << '\n';
        if (m.matches("alarms/#")) {
            alarmed_->release();
            return {tortoise::unsubscribe("alarms/#")};
        }
        if (m.text() == "fire") return {tortoise::subscribe("alarms/#", {.qos = QoS::exactly_once})};
        return {};
    }

private:
    std::counting_semaphore<>* alarmed_;
};

int main(int argc, char** argv) {
    std::counting_semaphore alarmed(0);
    tortoise::Connection home{{.client_id = "example-subscribe",
                               .server = argc > 1 ? argv[1] : "mqtt://localhost:1883",
                               .handler = tortoise::make_handler<Rooms>(&alarmed),
                               .subscriptions = {{"rooms/+/temp", QoS::at_least_once}}}};
    return alarmed.try_acquire_for(30s) ? 0 : 1;
}
