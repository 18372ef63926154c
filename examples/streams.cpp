// Pulls messages from a stream that does not grow, asks a question and answers one, and acknowledges by hand.
//   streams [URL]
#include <cstdio>
#include <string>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Connection;
using tortoise::MessageView;
using tortoise::QoS;

/// At most ten readings wait; while they do, the broker keeps the others.
bool pull(Connection& home) {
    tortoise::Stream readings(home, {{"example/streams/+", QoS::at_least_once}}, {.messages = 10});
    if (!readings.granted().wait(10s)) return false;
    for (int i = 0; i < 100; ++i)
        home.publish("example/streams/hall", std::to_string(i), {.qos = QoS::at_least_once, .ttl = 1min});
    for (int i = 0; i < 100; ++i) {
        const auto reading = readings.next(10s); // acknowledges the one before
        if (!reading || reading->payload != std::to_string(i)) return false;
    }
    std::puts("a hundred readings, in their order");
    return true;
}

bool ask(Connection& home, Connection& hall) {
    const auto answer = [](Connection& self, const MessageView& request) {
        self.reply(request, "21.5", {.qos = QoS::at_least_once});
    };
    if (!hall.subscribe({"example/ask/hall", QoS::at_least_once}, answer).wait(10s)) return false;
    const auto reply = home.request("example/ask/hall", "temperature?", {.timeout = 10s}).wait();
    std::printf("the hall has %s degrees\n", reply ? reply->payload.c_str() : reply.error().describe().c_str());
    return static_cast<bool>(reply);
}

/// What a job was worth is known later, and not in their order.
bool acknowledge(const std::string& url) {
    Connection worker{{.client_id = "example-worker", .server = url, .acknowledge = tortoise::Acknowledge::manual}};
    tortoise::Stream jobs(worker, {{"example/jobs", QoS::exactly_once}});
    if (!jobs.granted().wait(10s)) return false;
    for (const auto* name : {"easy", "hard"}) worker.publish("example/jobs", name, {.qos = QoS::exactly_once});
    const auto first = jobs.next(10s), second = jobs.next(10s);
    if (!first || !second) return false;
    worker.acknowledge(second->ack_id);
    worker.acknowledge(first->ack_id);
    std::puts("two jobs done");
    return static_cast<bool>(worker.stop(1s).wait(10s));
}

int main(int argc, char** argv) {
    const std::string url = argc > 1 ? argv[1] : "mqtt://localhost:1883";
    Connection home{{.client_id = "example-home", .server = url}};
    Connection hall{{.client_id = "example-hall", .server = url}};
    return pull(home) && ask(home, hall) && acknowledge(url) ? 0 : 1;
}
