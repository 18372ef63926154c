// Publishing while the broker is away: a bounded queue, a policy for when it is full, and a time to live.
#include <cstdio>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Delivery;
using tortoise::Errc;
using tortoise::QoS;

namespace {

void print(const char* what, const tortoise::Result<tortoise::Receipt>& result) {
    std::printf("%-8s %s\n", what, result ? "delivered" : result.error().describe().c_str());
}

} // namespace

int main() {
    tortoise::testing::Broker broker;
    broker.stop(); // its port is known, and nobody is there
    tortoise::Connection meter{{.client_id = "example-offline-queue",
                                .server = broker.url(),
                                .backoff = {.max = 1s},
                                .queue = {.messages = 3, .overflow = tortoise::Overflow::drop_oldest}}};

    const Delivery stale = meter.publish("meter/power", "stale", {.qos = QoS::at_least_once, .ttl = 50ms});
    const auto expired = stale.wait(10s); // ends when its time is over, not when the broker is back
    print("stale", expired);

    const Delivery first = meter.publish("meter/power", "1", {.qos = QoS::at_least_once});
    const Delivery second = meter.publish("meter/power", "2", {.qos = QoS::at_least_once});
    const Delivery third = meter.publish("meter/power", "3", {.qos = QoS::exactly_once});
    const Delivery fourth = meter.publish("meter/power", "4", {.qos = QoS::exactly_once}); // one too many
    const auto displaced = first.wait(10s);
    print("first", displaced);

    if (!broker.start()) return 1;
    bool all_well = expired.error().code == Errc::expired && displaced.error().code == Errc::displaced;
    for (const auto& delivery : {second, third, fourth}) {
        const auto receipt = delivery.wait(10s);
        print("later", receipt);
        all_well = all_well && receipt;
    }
    return all_well ? 0 : 1;
}
