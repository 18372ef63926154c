// Drives a client engine through COUNT messages and does nothing else: for valgrind to count its instructions.
// hand_over: through the mailbox in front of the engine.
//   messages publish|receive|hand_over QOS COUNT
#include "io/mailbox.hpp"
#include <cstdio>
#include <cstdlib>

#include <string>
#include <string_view>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>

using namespace tortoise;
using namespace tortoise::core;

namespace {

constexpr unsigned window = 100; // in flight

class Client {
public:
    Client() : engine_({}, 1) {
        engine_.start(now_);
        engine_.take_wish();
        engine_.opened(now_);
        output();
        hear(Connack{});
        output();
    }
    void publish(QoS qos) {
        engine_.publish(
            now_,
            {.topic = "bench/topic", .payload = payload_, .qos = qos, .token = qos == QoS::at_most_once ? 0u : 1u});
    }
    template <class P> void hear(const P& packet) {
        wire_.clear();
        static_cast<void>(encode(Version::v5, Packet(packet), wire_));
        engine_.received(now_, wire_);
    }
    /// Acknowledges what it handed out, and gives the identifiers of what it published.
    std::vector<PacketId> output() {
        events_.clear();
        engine_.take_events(events_);
        for (auto& event : events_)
            if (const auto* received = std::get_if<Received>(&event)) engine_.acknowledge(now_, received->id);
        out_.clear();
        engine_.take_output(out_);
        engine_.wrote(now_, out_.size());
        std::vector<PacketId> ids;
        reader_.feed(out_);
        Frame frame;
        Publish sent;
        while (reader_.next_whole(frame))
            if (decode_plain(Version::v5, frame, sent) && sent.id != 0) ids.push_back(sent.id);
        return ids;
    }
    void hand_over(QoS qos) {
        mailbox_.put({.topic = "bench/topic", .payload = payload_, .qos = qos, .checked = true}, {});
    }
    void take_over() {
        mailbox_.take(batch_);
        while (!batch_.empty())
            mailbox_.next(
                batch_, [this](const PublishRequest& request, Time) { engine_.publish(now_, request); },
                [this](const PublishRun& run, Token) {
                    if (!engine_.pass(now_, run)) std::abort();
                    engine_.wrote(now_, run.octets.size());
                },
                [](io::Mailbox::Call) {});
    }
    const std::string& payload() const { return payload_; }

private:
    Time now_{std::chrono::seconds(1)};
    Engine engine_;
    const std::string payload_ = std::string(64, 'x');
    std::string wire_, out_;
    std::vector<Event> events_;
    FrameReader reader_;
    io::Mailbox mailbox_{Version::v5, 1 << 20};
    io::Mailbox::Batch batch_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fputs("usage: messages publish|receive|hand_over QOS COUNT\n", stderr), 2;
    const std::string_view what = argv[1];
    const auto qos = static_cast<QoS>(std::atoi(argv[2]));
    const auto count = static_cast<unsigned>(std::atol(argv[3]));
    Client client;
    for (unsigned done = 0; done < count; done += window) {
        if (what == "hand_over") {
            for (unsigned i = 0; i < window; ++i) client.hand_over(qos);
            client.take_over();
            client.output();
        } else if (what == "publish") {
            for (unsigned i = 0; i < window; ++i) client.publish(qos);
            const auto ids = client.output();
            const auto hear = [&](PacketType type) {
                for (const auto id : ids) client.hear(Ack{type, id, Reason::success, {}});
                client.output();
            };
            if (qos == QoS::at_least_once) hear(PacketType::puback);
            if (qos == QoS::exactly_once) hear(PacketType::pubrec), hear(PacketType::pubcomp);
        } else {
            const bool has_id = qos != QoS::at_most_once;
            for (PacketId i = 1; i <= window; ++i)
                client.hear(Publish{has_id ? i : PacketId{0}, "bench/topic", client.payload(), qos, false, false, {}});
            client.output();
            if (qos != QoS::exactly_once) continue;
            for (PacketId i = 1; i <= window; ++i) client.hear(Ack{PacketType::pubrel, i, Reason::success, {}});
            client.output();
        }
    }
}
