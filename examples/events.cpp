// Watches connections from outside: events as they happen, numbers when they are wanted.
//   events [URL]
#include <cstdio>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using namespace tortoise;

int main(int argc, char** argv) {
    // "" is every connection of the process. Listening ends when the listener goes.
    const auto statuses = Events::on<StatusEvent>("", [](std::string_view id, const StatusEvent& e) {
        std::printf("%s is %s\n", std::string(id).c_str(), std::string(to_string(e.info.status)).c_str());
    });
    const auto deliveries = Events::on<DeliveryEvent>("example-events", [](std::string_view, const DeliveryEvent& e) {
        std::printf("%s: %s\n", std::string(e.topic).c_str(),
                    e.result ? "delivered" : e.result.error().describe().c_str());
    });
    const auto pings = Events::on<PingEvent>("example-events", [](std::string_view, const PingEvent& e) {
        std::printf("a ping took %lld ns\n", static_cast<long long>(e.round_trip.count()));
    });

    Connection home{{.client_id = "example-events", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};
    const auto receipt = home.publish("example/events", "21.5", {.qos = QoS::exactly_once}).wait(10s);
    const auto too_late = home.publish("example/events", "21.5", {.qos = QoS::at_least_once, .ttl = 0s}).wait(10s);
    const auto round_trip = home.ping().wait(10s);
    const auto stopped = home.stop(1s).wait(10s);

    const auto s = home.statistics();
    std::printf("published %llu, delivered %llu, expired %llu; %llu bytes out, %llu in; delivery p99 <= %lld us\n",
                static_cast<unsigned long long>(s.published), static_cast<unsigned long long>(s.delivered),
                static_cast<unsigned long long>(s.expired), static_cast<unsigned long long>(s.bytes_sent),
                static_cast<unsigned long long>(s.bytes_received),
                static_cast<long long>(s.delivery_time.quantile(0.99) / 1us));
    return receipt && !too_late && round_trip && stopped ? 0 : 1;
}
