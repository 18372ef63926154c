// The protocol without sockets, clock or threads: drives the client engine by hand and prints both sides of the talk.
#include <cstdio>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>

using namespace std::chrono_literals;
using namespace tortoise::core;
using tortoise::Version;

namespace {

// What the engine wants to be written: here it is only printed.
void print_output(Engine& engine, Time now) {
    std::string octets;
    engine.take_output(octets);
    engine.wrote(now, octets.size());
    FrameReader reader;
    reader.feed(octets);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
        if (const auto packet = decode(Version::v5, **frame)) std::printf("engine: %s\n", print(*packet).c_str());
    }
}

// What a broker would send.
void feed(Engine& engine, Time now, const Packet& packet) {
    std::printf("broker: %s\n", print(packet).c_str());
    std::string octets;
    if (encode(Version::v5, packet, octets)) engine.received(now, octets);
}

} // namespace

int main() {
    Time now{}; // there is no clock: it is whatever we say
    Engine engine({.client_id = "by-hand"}, 42);
    engine.publish(now,
                   {.topic = "rooms/hall/temp", .payload = "21.5", .qos = tortoise::QoS::at_least_once, .token = 7});
    engine.start(now);
    while (engine.take_wish().kind != Wish::open) { // it waits for a moment before it connects
        if (!engine.deadline()) return 1;
        engine.elapsed(now = engine.deadline()->at);
    }

    engine.opened(now);
    print_output(engine, now); // CONNECT
    feed(engine, now, Connack{});
    print_output(engine, now); // PUBLISH
    feed(engine, now += 20ms, Ack{PacketType::puback, 1});

    std::vector<Event> events;
    engine.take_events(events);
    for (const auto& event : events) {
        if (const auto* delivered = std::get_if<Delivered>(&event)) {
            std::printf("operation %d was delivered\n", static_cast<int>(delivered->token));
            return 0;
        }
    }
    return 1;
}
