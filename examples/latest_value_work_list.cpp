// A work list of one's own: when the broker is back it gets the latest value of each topic, and no history.
#include "latest_value_work_list.hpp"
#include <cstdio>
#include <jackalope/session.hpp>
#include <tortoise/testing/broker.hpp>

using namespace std::chrono_literals;

/// That older values give way is what the list is for: nothing to be told of. The default handler would log each.
struct Meter : jackalope::Handler {
    void error(jackalope::Session&, const jackalope::WorkError& e) override {
        if (e.why.code != tortoise::Errc::displaced) std::fprintf(stderr, "%s\n", e.why.describe().c_str());
    }
};

int main() {
    tortoise::testing::Broker broker;
    broker.stop(); // its port is known, and nobody is there
    jackalope::Session meter{{.client_id = "example-meter",
                              .server = broker.url(),
                              .handler = jackalope::make_handler<Meter>(),
                              .work_list = jackalope::own_work_list<LatestValueWorkList>(),
                              .backoff = {.min = 10ms, .max = 100ms}}};
    std::vector<tortoise::Delivery> values;
    for (int second = 0; second < 1000; ++second) {
        values.push_back(meter.publish("meter/power", std::to_string(second)));
        values.push_back(meter.publish("meter/voltage", std::to_string(230 + second % 2)));
    }
    // Every one that had to go says so, while the broker is still away.
    for (std::size_t i = 0; i + 2 < values.size(); ++i)
        if (values[i].wait(10s).error().code != tortoise::Errc::displaced) return 1;
    std::printf("%zu values wait\n", meter.work().waiting);

    if (!broker.start()) return 1;
    for (std::size_t i = values.size() - 2; i < values.size(); ++i)
        if (!values[i].wait(10s)) return 1;
    std::printf("the broker got %llu\n", static_cast<unsigned long long>(broker.statistics().publishes_received));
    return broker.statistics().publishes_received == 2 ? 0 : 1;
}
