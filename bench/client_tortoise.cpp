// The comparison's work, done by tortoise with its defaults: its own loop, publishing from other threads, a result for
// each message of QoS 1 and 2, a handler for what arrives. "pipe" in place of "pub" publishes through a Pipe.
#include "work.hpp"
#include <deque>
#include <semaphore>
#include <thread>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
using tortoise::Connection;
using tortoise::QoS;

namespace {

struct Counting : tortoise::Handler {
    Counting(std::uint64_t* c, std::uint64_t u, std::binary_semaphore* d) : count(c), until(u), done(d) {}
    tortoise::Actions message(Connection&, const tortoise::MessageView&) override {
        if (++*count == until) done->release();
        return {};
    }
    std::uint64_t* count; // of all connections: they share the default loop thread
    std::uint64_t until;
    std::binary_semaphore* done;
};

/// At most a window of deliveries at a time, each looked at.
void publish(Connection& c, const bench::Work& work, std::uint64_t count, const std::string& payload) {
    const auto qos = static_cast<QoS>(work.qos);
    if (work.what == "pipe") {
        tortoise::Pipe pipe(c, {.window = work.window});
        for (std::uint64_t i = 0; i < count; ++i)
            if (!pipe.publish("bench/topic", payload, {.qos = qos})) std::abort();
        if (const auto report = pipe.await(); !report || report->failed > 0) std::abort();
        return;
    }
    if (qos == QoS::at_most_once) {
        // Taken is all there is to know; what there is no room for is tried again, when there is some.
        for (std::uint64_t i = 0; i < count; ++i)
            while (!c.publish("bench/topic", payload).wait()) std::this_thread::sleep_for(1ms);
        return;
    }
    std::deque<tortoise::Delivery> open;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (open.size() == work.window) {
            // Half of it at a time: a thread that waits for each message sleeps and wakes for each.
            for (unsigned n = 0; n < (work.window + 1) / 2; ++n) {
                if (!open.front().wait()) std::abort();
                open.pop_front();
            }
        }
        open.push_back(c.publish("bench/topic", payload, {.qos = qos}));
    }
    for (auto& delivery : open)
        if (!delivery.wait()) std::abort();
}

} // namespace

int main(int argc, char** argv) {
    const auto work = bench::Work::from(argc, argv);
    std::uint64_t received = 0;
    std::binary_semaphore done(0);
    const auto expected = work.what == "rtt" ? 1 : work.count * work.connections;
    std::vector<Connection> connections;
    for (unsigned i = 0; i < work.connections; ++i) {
        tortoise::ConnectionOptions o{.server = work.url};
        o.handler = tortoise::make_handler<Counting>(&received, expected, &done);
        o.max_in_flight = static_cast<std::uint16_t>(work.window);
        o.tls.verify = false;
        connections.emplace_back(std::move(o));
    }
    for (auto& c : connections)
        if (!c.wait_until_up(30s)) return std::fprintf(stderr, "%s\n", c.error().describe().c_str()), 1;

    if (work.what == "sub") {
        const bench::Measure measure;
        for (auto& c : connections) c.subscribe({work.blast(), static_cast<QoS>(work.qos)});
        done.acquire();
        measure.report(expected);
    } else if (work.what == "rtt") {
        std::binary_semaphore back(0);
        auto& c = connections.front();
        if (!c.subscribe("echo", [&](Connection&, const tortoise::MessageView&) { back.release(); }).wait(30s))
            return 1;
        bench::round_trips(
            work, [&](const std::string& payload) { c.publish("echo", payload); }, [&] { back.acquire(); });
    } else {
        const bench::Measure measure;
        bench::from_threads(work, [&](unsigned c, std::uint64_t count, const std::string& payload) {
            publish(connections[c], work, count, payload);
        });
        for (auto& c : connections)
            if (!c.ping().wait()) return 1; // what was taken has been sent
        measure.report(work.count / work.threads * work.threads);
    }
}
