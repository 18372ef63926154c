// A capture as a file in the pcap format: MQTT in TCP in IPv4, both made up. The clients are 10.0.0.1, a port for each
// connection; the broker is 10.0.0.2, port 1883.
#include "testing/capture_state.hpp"
#include <algorithm>
#include <map>

namespace tortoise::testing {

namespace {

constexpr std::uint32_t client_address = 0x0A000001, broker_address = 0x0A000002;
constexpr std::size_t most_in_segment = 60'000; // an IPv4 packet has at most 65,535
constexpr std::uint8_t syn = 0x02, psh = 0x08, ack = 0x10;

void put16(std::string& to, std::size_t value) {
    to.append({static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)});
}
void put32(std::string& to, std::size_t value) {
    put16(to, value >> 16);
    put16(to, value);
}
void set16(std::string& in, std::size_t at, std::size_t value) {
    in[at] = static_cast<char>(value >> 8 & 0xFF);
    in[at + 1] = static_cast<char>(value & 0xFF);
}

/// The Internet checksum (RFC 1071).
std::size_t checksum(Octets octets) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        const std::size_t octet = static_cast<unsigned char>(octets[i]);
        sum += i % 2 == 0 ? octet << 8 : octet;
    }
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
    return ~sum & 0xFFFF;
}

class Writer {
public:
    explicit Writer(const Capture::State& capture) : capture_(capture) {
        put32(file_, 0xA1B2C3D4); // the order of octets, and times in microseconds
        put16(file_, 2);
        put16(file_, 4);
        put32(file_, 0);
        put32(file_, 0);
        put32(file_, 65'535);
        put32(file_, 101); // LINKTYPE_RAW: a record begins with an IP header
    }

    void add(const Captured& c) {
        if (c.from == Side::client && c.made_here) return; // the client had no part in it
        auto& flow = flows_[c.connection];
        auto& last = flow.last[c.from == Side::client ? 0 : 1];
        const auto at = last = std::max(last, c.at + c.later); // what is delayed delays what is behind it
        if (!flow.begun) {
            flow.begun = true;
            segment(flow, c, at, Side::client, syn, {});
            segment(flow, c, at, Side::broker, syn | ack, {});
            segment(flow, c, at, Side::client, ack, {});
        }
        Octets octets = c.packet;
        if (c.from == Side::broker && c.arrived) octets = *c.arrived;
        for (; !octets.empty(); octets.remove_prefix(std::min(octets.size(), most_in_segment)))
            segment(flow, c, at, c.from, psh | ack, octets.substr(0, most_in_segment));
    }
    std::string take() { return std::move(file_); }

private:
    struct Flow {
        bool begun = false;
        std::uint32_t next[2] = {1000, 5000}; // sequence numbers, by the side that sends
        core::Time last[2] = {};
    };

    void segment(Flow& flow, const Captured& c, core::Time at, Side from, std::uint8_t flags, Octets octets) {
        const bool of_client = from == Side::client;
        const auto source = of_client ? client_address : broker_address;
        const auto target = of_client ? broker_address : client_address;
        const std::size_t port = 10'000 + c.connection % 50'000;
        auto& sequence = flow.next[of_client ? 0 : 1];

        std::string tcp;
        put16(tcp, of_client ? port : 1883);
        put16(tcp, of_client ? 1883 : port);
        put32(tcp, sequence);
        put32(tcp, (flags & ack) != 0 ? flow.next[of_client ? 1 : 0] : 0);
        put16(tcp, std::size_t{5} << 12 | flags);
        put16(tcp, 65'535); // window
        put32(tcp, 0);      // checksum, urgent pointer
        tcp.append(octets);
        std::string pseudo;
        put32(pseudo, source);
        put32(pseudo, target);
        put16(pseudo, 6);
        put16(pseudo, tcp.size());
        set16(tcp, 16, checksum(pseudo + tcp));
        sequence += static_cast<std::uint32_t>(octets.size()) + ((flags & syn) != 0 ? 1u : 0u);

        std::string ip;
        put16(ip, 0x4500);
        put16(ip, 20 + tcp.size());
        put32(ip, 0x4000); // not fragmented
        put16(ip, 0x4006); // time to live, TCP
        put16(ip, 0);
        put32(ip, source);
        put32(ip, target);
        set16(ip, 10, checksum(ip));

        const auto since =
            std::chrono::floor<std::chrono::microseconds>(capture_.made.time_since_epoch() + (at - capture_.begun));
        put32(file_, static_cast<std::size_t>(since.count() / 1'000'000));
        put32(file_, static_cast<std::size_t>(since.count() % 1'000'000));
        put32(file_, ip.size() + tcp.size());
        put32(file_, ip.size() + tcp.size());
        file_ += ip + tcp;
    }

    const Capture::State& capture_;
    std::string file_;
    std::map<std::uint32_t, Flow> flows_;
};

} // namespace

std::string pcap_of(const Capture::State& capture, const std::deque<Captured>& packets) {
    Writer writer(capture);
    for (const auto& packet : packets)
        if (!packet.packet.empty()) writer.add(packet);
    return writer.take();
}

} // namespace tortoise::testing
