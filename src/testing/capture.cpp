#include "io/loop.hpp"
#include "testing/capture_state.hpp"
#include "testing/kept_packet.hpp"
#include "testing/transcript.hpp"
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

namespace tortoise::testing {

namespace {

using core::Packet;

constexpr std::size_t overhead = 256; // of what describes a packet, about

/// Writes x over views into its octets.
class Blank {
public:
    explicit Blank(std::string& octets) : octets_(octets) {}

    void operator()(Octets part) const {
        const auto at = static_cast<std::size_t>(part.data() - octets_.data());
        if (!part.empty()) std::fill_n(octets_.begin() + static_cast<std::ptrdiff_t>(at), part.size(), 'x');
    }
    void operator()(PropertiesView properties, bool payloads) const {
        for (const auto& property : properties) {
            const bool secret = property.id == PropertyId::authentication_data;
            if (secret || (!payloads && property.id == PropertyId::correlation_data)) (*this)(property.value);
        }
    }

private:
    std::string& octets_;
};

void blank(std::string& octets, const Packet& packet, bool payloads) {
    const Blank out(octets);
    std::visit(
        [&](const auto& p) {
            if constexpr (requires { p.properties; }) out(p.properties, payloads);
        },
        packet);
    if (const auto* connect = std::get_if<core::Connect>(&packet)) {
        if (connect->password) out(*connect->password);
        if (connect->will) {
            if (!payloads) out(connect->will->payload);
            out(connect->will->properties, payloads);
        }
    }
    if (const auto* publish = std::get_if<core::Publish>(&packet); publish && !payloads) out(publish->payload);
}

std::string json_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append({'\\', c});
        else if (octet < 0x20 || octet == 0x7F)
            out.append({'\\', 'u', '0', '0', digits[octet >> 4], digits[octet & 0xF]});
        else
            out.push_back(c);
    }
    return out + '"';
}

std::string seconds(Duration since) {
    std::array<char, 32> text = {};
    std::snprintf(text.data(), text.size(), "%.6f", static_cast<double>(since.count()) / 1e9);
    return text.data();
}

std::string_view sender(const Captured& c) {
    if (c.packet.empty()) return "";
    if (c.made_here) return "proxy";
    return c.from == Side::client ? "client" : "broker";
}

/// One line; of what is no packet, its size.
std::string describe(const Captured& c, bool payloads) {
    const auto packet = core::decode(c.version, Octets(c.packet));
    if (!packet) return std::to_string(c.packet.size()) + " octets that are no packet";
    return one_line(core::print(*packet, {.payloads = payloads}));
}

} // namespace

Capture::State::State(CaptureOptions o)
    : options(o), made(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())),
      begun(io::Loop::now()) {}

void Capture::State::add(Captured packet) {
    const auto size = [](const Captured& c) {
        return overhead + c.packet.size() + c.note.size() + (c.arrived ? c.arrived->size() : 0);
    };
    std::lock_guard lock(mutex);
    octets += size(packet);
    packets.push_back(std::move(packet));
    for (; octets > options.most_octets && !packets.empty(); ++left_out) {
        octets -= size(packets.front());
        packets.pop_front();
    }
}

std::string Capture::State::masked(Version version, Octets packet) const {
    std::string copy(packet);
    if (const auto decoded = core::decode(version, Octets(copy)))
        blank(copy, *decoded, options.payloads);
    else if (copy.size() > 1) // nobody knows what is in there
        std::fill(copy.begin() + 1, copy.end(), 'x');
    return copy;
}

Capture::Capture(CaptureOptions options) : state_(std::make_shared<State>(options)) {}

std::string Capture::text() const {
    std::lock_guard lock(state_->mutex);
    std::string text;
    if (state_->left_out > 0) text = "(" + std::to_string(state_->left_out) + " earlier lines are left out)\n";
    for (const auto& c : state_->packets) {
        text += seconds(c.at - state_->begun) + " #" + std::to_string(c.connection) + " ";
        if (c.packet.empty())
            text += "(" + c.note + ")";
        else
            text.append(sender(c)).append(": ").append(describe(c, state_->options.payloads));
        if (!c.packet.empty() && !c.note.empty()) text += "   <- " + c.note;
        text += "\n";
    }
    return text;
}

std::string Capture::json() const {
    std::lock_guard lock(state_->mutex);
    std::string text;
    for (const auto& c : state_->packets) {
        text += "{\"time\":" + seconds(c.at - state_->begun) + ",\"connection\":" + std::to_string(c.connection);
        if (c.packet.empty()) {
            text += ",\"event\":" + json_text(c.note) + "}\n";
            continue;
        }
        text += ",\"from\":" + json_text(sender(c)) + ",\"octets\":" + std::to_string(c.packet.size());
        if (const auto packet = core::decode(c.version, Octets(c.packet))) {
            text += ",\"packet\":" + json_text(core::to_string(core::type_of(*packet)));
            if (const auto id = id_of(*packet); id != 0) text += ",\"id\":" + std::to_string(id);
            if (const auto* publish = std::get_if<core::Publish>(&*packet))
                text += ",\"topic\":" + json_text(publish->topic) +
                        ",\"qos\":" + std::to_string(static_cast<unsigned>(publish->qos));
        }
        text += ",\"text\":" + json_text(describe(c, state_->options.payloads));
        if (!c.note.empty()) text += ",\"faults\":" + json_text(c.note);
        if (c.arrived) text += ",\"arrived_octets\":" + std::to_string(c.arrived->size());
        text += "}\n";
    }
    return text;
}

std::string Capture::pcap() const {
    std::lock_guard lock(state_->mutex);
    return pcap_of(*state_, state_->packets);
}

Result<Done> Capture::write_to(const std::string& path) const {
    const std::string_view name = path;
    const bool lines = name.ends_with(".json") || name.ends_with(".jsonl");
    const auto octets = name.ends_with(".pcap") ? pcap() : lines ? json() : text();
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
    file.close();
    if (file) return Done{};
    const std::error_code why(errno, std::system_category());
    return Error{why, "cannot write '" + path + "': " + why.message()};
}

} // namespace tortoise::testing
