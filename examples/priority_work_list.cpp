// A work list of one's own: while the broker is away messages pile up, and when it is back the alarm goes first.
#include "priority_work_list.hpp"
#include <cstdio>
#include <jackalope/session.hpp>
#include <tortoise/testing/broker.hpp>

using namespace std::chrono_literals;

namespace {

std::vector<std::string> arrived; // on the loop thread, before the last one is acknowledged

struct Control final : jackalope::Handler {
    void message(jackalope::Session&, const tortoise::MessageView& m) override {
        std::printf("arrived: %s\n", std::string(m.text()).c_str());
        arrived.emplace_back(m.text());
    }
};

} // namespace

int main() {
    tortoise::testing::Broker broker;
    broker.stop(); // its port is known, and nobody is there
    jackalope::Session plant{{.client_id = "example-plant",
                              .server = broker.url(),
                              .handler = jackalope::make_handler<Control>(),
                              .initial_topics = {{"plant/#", tortoise::QoS::at_least_once}},
                              .work_list = jackalope::own_work_list<PriorityWorkList>(3),
                              .backoff = {.min = 10ms, .max = 100ms}}};
    const auto chat = plant.publish("plant/chat", "lunch?", {.priority = 0});
    const auto log = plant.publish("plant/log", "all is well", {.priority = 1});
    const auto value = plant.publish("plant/boiler", "181 degrees", {.priority = 5});
    const auto alarm = plant.publish("plant/alarm", "fire!", {.priority = 9}); // one too many: the chat gives way
    std::printf("chat: %s\n", chat.wait(10s).error().describe().c_str());

    if (!broker.start()) return 1;
    for (const auto& delivery : {alarm, value, log})
        if (!delivery.wait(10s)) return 1;
    plant.stop().wait(10s).value();
    return arrived == std::vector<std::string>{"fire!", "181 degrees", "all is well"} ? 0 : 1;
}
