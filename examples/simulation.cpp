// A work list of one's own under a month of bad network, which takes a moment: nothing may be lost, come twice, or be
// sent too late.
#include "priority_work_list.hpp"
#include <cstdio>
#include <tortoise/testing/sim.hpp>

using namespace std::chrono_literals;
using tortoise::QoS;
using tortoise::testing::Sim;

int main() {
    Sim sim(2026);
    sim.set_network({.latency_min = 20ms, .latency_max = 2s, .bandwidth = 2'000, .in_pieces = 300, .slow_writes = 200});
    const tortoise::SessionOptions lasting{.clean_start = false, .expiry = 24h};
    const tortoise::SharedFn<tortoise::core::WorkList*()> work_list(
        []() -> tortoise::core::WorkList* { return new PriorityWorkList(100); });
    const auto plant = *sim.add({.engine = {.client_id = "plant", .session = lasting}, .work_list = work_list});
    const auto office = *sim.add({.engine = {.client_id = "office", .session = lasting}});
    int arrived = 0, urgent = 0, given_up = 0;
    sim.on_event = [&](Sim::Client client, const tortoise::core::Event& event) {
        if (std::holds_alternative<tortoise::core::Undelivered>(event)) ++given_up;
        const auto* received = std::get_if<tortoise::core::Received>(&event);
        if (client != office || received == nullptr) return;
        ++arrived;
        urgent += received->message.topic == "plant/alarm" ? 1 : 0;
    };
    sim.subscribe(office, {{"plant/#", QoS::exactly_once}});

    for (int hour = 0; hour < 24 * 30; ++hour) {
        sim.publish(plant, "plant/value", {.qos = QoS::at_least_once, .ttl = 2h});
        if (hour % 10 == 0) sim.publish(plant, "plant/alarm", {.qos = QoS::exactly_once, .priority = 9});
        if (hour % 7 == 0) sim.cut(plant, {.broker_learns = 10s, .some_arrives = false});
        if (hour % 100 == 50) sim.stop_broker();
        sim.run_for(30min);
        if (hour % 100 == 53) sim.start_broker();
        sim.run_for(30min);
    }
    const auto settled = sim.settle();
    if (!settled) {
        std::printf("%s\n%s", settled.error().describe().c_str(), sim.transcript().c_str());
        return 1;
    }
    std::printf("%d messages arrived, %d of them alarms; %d were too old to be sent\n", arrived, urgent, given_up);
    return urgent == 72 ? 0 : 1;
}
