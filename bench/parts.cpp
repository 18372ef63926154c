// The parts of the library by themselves, and how their cost grows: with the messages in flight, the filters, the
// timers. Google Benchmark's options apply.
#include "core/inflight.hpp"
#include "core/packet_ids.hpp"
#include "core/topic_tree.hpp"
#include "io/loop.hpp"
#include "io/mailbox.hpp"
#include <benchmark/benchmark.h>
#include <random>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>

namespace {

using namespace tortoise;
using namespace tortoise::core;
using namespace std::chrono_literals;

const std::string payload(64, 'x');
constexpr std::string_view topic = "bench/topic";

std::string wire_of(const Packet& packet, Version version = Version::v5) {
    std::string wire;
    static_cast<void>(encode(version, packet, wire));
    return wire;
}

// ---- codec ---------------------------------------------------------------------------------------------------------

void encode_publish(benchmark::State& state) {
    const Publish publish{7, topic, payload, QoS::at_least_once, false, false, {}};
    std::string out;
    for (auto _ : state) {
        out.clear();
        benchmark::DoNotOptimize(encode(Version::v5, publish, out));
    }
}
BENCHMARK(encode_publish);

void decode_publish(benchmark::State& state) {
    const auto wire = wire_of(Publish{7, topic, payload, QoS::at_least_once, false, false, {}});
    FrameReader reader;
    for (auto _ : state) {
        reader.feed(wire);
        Frame frame;
        Publish publish;
        benchmark::DoNotOptimize(reader.next_whole(frame) && decode_plain(Version::v5, frame, publish));
    }
}
BENCHMARK(decode_publish);

void decode_publish_with_properties(benchmark::State& state) {
    Properties properties;
    properties.set(property::content_type, "text/plain").add_user("unit", "C");
    const auto wire = wire_of(Publish{7, topic, payload, QoS::at_least_once, false, false, properties});
    for (auto _ : state) benchmark::DoNotOptimize(decode(Version::v5, wire));
}
BENCHMARK(decode_publish_with_properties);

// ---- a table of messages in flight ---------------------------------------------------------------------------------

void inflight_insert_and_erase(benchmark::State& state) {
    Inflight table;
    PacketIds ids;
    std::vector<PacketId> order(static_cast<std::size_t>(state.range(0)));
    for (auto& id : order) table.insert(id = ids.allocate()).item.message.payload = payload;
    std::size_t at = 0;
    for (auto _ : state) {
        auto& id = order[at];
        table.erase(id);
        ids.release(id);
        table.insert(id = ids.allocate()).item.message.payload = payload;
        at = at + 1 == order.size() ? 0 : at + 1;
    }
}
BENCHMARK(inflight_insert_and_erase)->Arg(1)->Arg(100)->Arg(10'000)->Arg(65'534);

// ---- filters -------------------------------------------------------------------------------------------------------

std::string name_of(std::size_t i) {
    return "building/" + std::to_string(i % 97) + "/room/" + std::to_string(i) + "/temperature";
}

void match_a_topic(benchmark::State& state) {
    TopicTree tree;
    const auto count = static_cast<std::size_t>(state.range(0));
    for (std::size_t i = 0; i < count; ++i) tree.insert(name_of(i), i);
    std::mt19937_64 random(1);
    std::vector<std::string> topics(1000);
    for (auto& t : topics) t = name_of(random() % count);
    std::vector<TopicTree::Value> found;
    std::size_t at = 0;
    for (auto _ : state) {
        found.clear();
        tree.match(topics[at++ % topics.size()], found);
        benchmark::DoNotOptimize(found.data());
    }
}
BENCHMARK(match_a_topic)->Arg(10)->Arg(10'000)->Arg(1'000'000);

// ---- the engine ----------------------------------------------------------------------------------------------------

/// A client engine whose connection is up.
class Up {
public:
    explicit Up(EngineOptions options = {}) : engine(std::move(options), 1) {
        engine.start(now);
        engine.take_wish();
        engine.opened(now);
        output();
        engine.received(now, wire_of(Connack{}));
        output();
    }
    void output() {
        events.clear();
        engine.take_events(events);
        out.clear();
        engine.take_output(out);
        engine.wrote(now, out.size());
    }
    Time now{1s};
    Engine engine;
    std::vector<Event> events;
    std::string out;
};

/// QoS 1: published, and the oldest one acknowledged.
void publish_with_so_many_in_flight(benchmark::State& state) {
    Up up;
    PacketIds ids;
    const PublishRequest request{.topic = topic, .payload = payload, .qos = QoS::at_least_once, .token = 1};
    std::vector<PacketId> order(static_cast<std::size_t>(state.range(0)));
    for (auto& id : order) {
        up.engine.publish(up.now, request);
        up.output();
        id =
            static_cast<PacketId>(static_cast<unsigned char>(up.out[15]) << 8 | static_cast<unsigned char>(up.out[16]));
    }
    std::size_t at = 0;
    std::string puback = wire_of(Ack{PacketType::puback, 1, Reason::success, {}});
    for (auto _ : state) {
        auto& id = order[at];
        puback[2] = static_cast<char>(id >> 8);
        puback[3] = static_cast<char>(id);
        up.engine.received(up.now, puback);
        up.engine.publish(up.now, request);
        up.output();
        id =
            static_cast<PacketId>(static_cast<unsigned char>(up.out[15]) << 8 | static_cast<unsigned char>(up.out[16]));
        at = at + 1 == order.size() ? 0 : at + 1;
    }
}
BENCHMARK(publish_with_so_many_in_flight)->Arg(1)->Arg(100)->Arg(10'000)->Arg(65'534);

/// QoS 0, from a broker that knows no subscription identifiers: the filters have to be searched.
void receive_with_so_many_filters(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    Up up;
    for (std::size_t i = 0; i < count; ++i) {
        up.engine.subscribe(up.now, {{name_of(i)}}, i + 1);
        if (i % 1000 == 0) up.output();
    }
    std::mt19937_64 random(1);
    std::vector<std::string> wires(1000);
    for (auto& wire : wires)
        wire = wire_of(Publish{0, name_of(random() % count), payload, QoS::at_most_once, false, false, {}});
    std::size_t at = 0;
    for (auto _ : state) {
        up.engine.received(up.now, wires[at++ % wires.size()]);
        up.output();
    }
}
BENCHMARK(receive_with_so_many_filters)->Arg(1)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

// ---- between threads, and timers -----------------------------------------------------------------------------------

void mailbox(benchmark::State& state, QoS qos) {
    io::Mailbox box(Version::v5, 64 << 20);
    io::Mailbox::Batch batch;
    const PublishRequest request{.topic = topic, .payload = payload, .qos = qos, .checked = true};
    std::size_t inside = 0;
    for (auto _ : state) {
        box.put(request, {});
        if (++inside < 100) continue;
        inside = 0;
        box.take(batch);
        while (!batch.empty())
            box.next(
                batch, [](const PublishRequest& r, Time) { benchmark::DoNotOptimize(r.topic.data()); },
                [](const PublishRun& r, Token) { benchmark::DoNotOptimize(r.octets.data()); },
                [](io::Mailbox::Call) {});
    }
}
void mailbox_at_most_once(benchmark::State& state) { mailbox(state, QoS::at_most_once); }
void mailbox_at_least_once(benchmark::State& state) { mailbox(state, QoS::at_least_once); }
BENCHMARK(mailbox_at_most_once);
BENCHMARK(mailbox_at_least_once);

/// What each packet does to a keep-alive.
void push_out_one_of_so_many_timers(benchmark::State& state) {
    const auto loops = io::Loops::make(1);
    auto& loop = loops->next();
    std::vector<std::unique_ptr<io::Timer>> timers;
    for (long i = 0; i < state.range(0); ++i) {
        timers.push_back(std::make_unique<io::Timer>(loop, [] {}));
        timers.back()->arm(io::Loop::now() + 1h);
    }
    auto later = io::Loop::now() + 2h;
    std::size_t at = 0;
    for (auto _ : state) timers[at++ % timers.size()]->arm(later += 1us);
}
BENCHMARK(push_out_one_of_so_many_timers)->Arg(1)->Arg(100)->Arg(15'000);

} // namespace

BENCHMARK_MAIN();
