// Numbers about a connection, as a dashboard would collect them: counters, gauges and histograms.
//   telemetry [URL]
#include <cstdio>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Histogram;
using tortoise::QoS;

namespace {

void show(const char* name, std::uint64_t value) {
    std::printf("%-18s %llu\n", name, static_cast<unsigned long long>(value));
}

// Buckets double; what is asked of them is the upper bound of the one in which a part of the durations ends.
void show(const char* name, const Histogram& times) {
    const auto us = [&](double part) { return static_cast<long long>(times.quantile(part) / 1us); };
    std::printf("%-18s %llu times; half within %lld us, 99%% within %lld us\n", name,
                static_cast<unsigned long long>(times.count), us(0.5), us(0.99));
}

} // namespace

int main(int argc, char** argv) {
    tortoise::Connection meter{
        {.client_id = "example-telemetry", .server = argc > 1 ? argv[1] : "mqtt://localhost:1883"}};
    if (!meter.wait_until_up(10s)) return 1;
    for (int i = 0; i < 100; ++i) meter.publish("example/telemetry", "21.5", {.qos = QoS::at_least_once});
    const auto round_trip = meter.ping().wait(10s);
    const auto stopped = meter.stop(5s).wait(10s);

    // May be read at any time, from any thread; it holds nobody up.
    const auto s = meter.statistics();
    show("bytes sent", s.bytes_sent);
    show("bytes received", s.bytes_received);
    show("packets received", s.packets_received);
    show("published", s.published);
    show("delivered", s.delivered);
    show("undelivered", s.undelivered);
    show("expired", s.expired);
    show("displaced", s.displaced);
    show("refused", s.refused);
    show("sent again", s.resent);
    show("connects", s.connects);
    show("failed attempts", s.failures);
    show("drops", s.drops);
    show("queued", s.queued_messages);
    show("in flight", s.in_flight);
    show("delivery time", s.delivery_time);
    show("round trip", s.round_trip_time);
    return round_trip && stopped && s.delivered == 100 ? 0 : 1;
}
