// MQTT over a transport of one's own: here a pipe in memory, with somebody at its other end who sends every message back.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <future>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;
namespace core = tortoise::core;
using tortoise::Octets, tortoise::Reason;

/// The other end: just enough of a broker to accept everything, and to send publishes back to who sent them.
class Echo {
public:
    /// What it answers to these octets.
    std::string answer(Octets octets) {
        std::string out;
        reader_.feed(octets);
        for (auto frame = reader_.next(); frame && *frame; frame = reader_.next()) {
            if (auto packet = core::decode(version_, **frame)) reply(*packet, out);
        }
        return out;
    }

private:
    void say(const core::Packet& packet, std::string& out) { static_cast<void>(core::encode(version_, packet, out)); }

    void reply(const core::Packet& packet, std::string& out) {
        if (const auto* connect = std::get_if<core::Connect>(&packet)) {
            version_ = connect->version;
            say(core::Connack{}, out);
        } else if (const auto* subscribe = std::get_if<core::Subscribe>(&packet)) {
            say(core::Suback{.id = subscribe->id, .reasons = {subscribe->entries.size(), Reason::success}}, out);
        } else if (const auto* publish = std::get_if<core::Publish>(&packet)) {
            if (publish->id != 0) say(core::Ack{.type = core::PacketType::puback, .id = publish->id}, out);
            say(core::Publish{.topic = publish->topic, .payload = publish->payload}, out);
        } else if (std::holds_alternative<core::Pingreq>(packet)) {
            say(core::Pingresp{}, out);
        }
    }

    tortoise::Version version_ = tortoise::Version::v5;
    core::FrameReader reader_;
};

/// All of it happens on the loop thread. A transport with threads of its own would guard what it shares with them; the
/// events may be reported from any thread.
class MemoryPipe : public tortoise::Transport {
public:
    void open(std::string_view server, tortoise::TransportEvents events) override {
        std::printf("opening %.*s\n", static_cast<int>(server.size()), server.data());
        events_ = std::move(events);
        events_.opened();
    }
    Moved read(std::span<char> into) override {
        const auto size = std::min(into.size(), arrived_.size());
        std::memcpy(into.data(), arrived_.data(), size);
        arrived_.erase(0, size);
        return {.octets = size};
    }
    Moved write(Octets octets) override {
        arrived_ += echo_.answer(octets);
        if (!arrived_.empty()) events_.readable();
        return {.octets = octets.size()};
    }
    void close() noexcept override { arrived_.clear(); }

private:
    tortoise::TransportEvents events_;
    Echo echo_;
    std::string arrived_;
};

int main() {
    tortoise::Connection home{{.client_id = "example-custom-transport",
                               .server = "memory://pipe", // whatever makes sense to the transport
                               .transport = [] { return new MemoryPipe; }}};

    std::promise<std::string> heard;
    const auto granted = home.subscribe("rooms/#", [&](tortoise::Connection&, const tortoise::MessageView& m) {
        heard.set_value(std::string(m.payload));
    });
    if (const auto grant = granted.wait(10s); !grant) {
        std::printf("%s\n", grant.error().describe().c_str());
        return 1;
    }
    const auto delivery = home.publish("rooms/hall/temp", "21.5", {.qos = tortoise::QoS::at_least_once});
    const bool delivered = static_cast<bool>(delivery.wait(10s));
    auto back = heard.get_future();
    const bool came_back = back.wait_for(10s) == std::future_status::ready;
    std::printf("%s, %s\n", delivered ? "delivered" : "not delivered", came_back ? back.get().c_str() : "no echo");
    return delivered && came_back && home.stop(5s).wait(10s) ? 0 : 1;
}
