/// What a WebSocket peer or a proxy says before there is any MQTT, and WebSocket's frames. Input: an octet that chooses
/// whom we hear and in which pieces; then what they say.

#include "fuzz/input.hpp"
#include "io/proxy.hpp"
#include "io/websocket.hpp"

namespace tortoise::fuzz {
namespace {

using namespace io;

std::string copied(Octets octets) {
    const Exact exact(octets);
    return std::string(Octets(exact));
}

/// However frames come apart, they carry the same, and end the same.
void frames(WebSocketSide from, Octets octets, std::size_t at_a_time) {
    WebSocketReader whole(from), pieces(from);
    auto all = copied(octets);
    const auto size = whole.take({all.data(), all.size()});
    require(size <= octets.size(), "frames carry no more than they are");
    std::string together;
    for (auto left = octets; !left.empty(); left.remove_prefix(std::min(at_a_time, left.size()))) {
        auto piece = copied(left.substr(0, at_a_time));
        together.append(piece.data(), pieces.take({piece.data(), piece.size()}));
    }
    require(together == all.substr(0, size), "pieces carry the same as the whole");
    require(whole.end().has_value() == pieces.end().has_value(), "pieces end if the whole does");
    if (whole.end()) require(whole.end()->why == pieces.end()->why, "for the same reason");
    require(whole.take_ping() == pieces.take_ping(), "and with the same ping");
}

/// As a stream would: what is not used comes again with what follows.
void converse(Handshake& handshake, Octets octets, std::size_t at_a_time) {
    static_cast<void>(handshake.begin());
    std::string heard;
    for (; !octets.empty(); octets.remove_prefix(std::min(at_a_time, octets.size()))) {
        heard += octets.substr(0, at_a_time);
        const Exact exact(heard);
        const auto step = handshake.hear(exact);
        require(step.used <= heard.size(), "no more is used than came");
        heard.erase(0, step.used);
        if (step.state == Handshake::Step::failed)
            require(!step.error.text.empty() && bool(step.error.code), "a refusal says why");
        if (step.state != Handshake::Step::more) return;
        if (heard.empty()) heard.shrink_to_fit();
    }
}

void play(Octets octets, unsigned whom, std::size_t at_a_time) {
    const auto proxy = [&](const char* url) {
        converse(*proxy_handshake(*parse_proxy_url(url), *parse_url("mqtt://broker")), octets, at_a_time);
    };
    switch (whom) {
    case 0: return frames(WebSocketSide::client, octets, at_a_time);
    case 1: return frames(WebSocketSide::server, octets, at_a_time);
    case 2: return converse(*websocket_request("broker", "/mqtt", {}), octets, at_a_time);
    case 3: return converse(*websocket_answer(), octets, at_a_time);
    case 4: return proxy("http://a:b@proxy");
    case 5: return proxy("socks5://proxy");
    default: return proxy("socks5://a:b@proxy");
    }
}

} // namespace
} // namespace tortoise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tortoise::fuzz;
    Input input(data, size);
    const unsigned choice = input.octet();
    constexpr std::size_t pieces[] = {1, 2, 3, 5, 7, 11, 64, 1000};
    play(input.octets(size), choice % 8, pieces[choice / 8 % 8]);
    return 0;
}
