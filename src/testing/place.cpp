#include "testing/place.hpp"
#include "io/resolver.hpp"
#include "io/unix.hpp"
#include "io/websocket.hpp"
#include <utility>

namespace tortoise::testing {

std::string Place::url() const {
    if (!unix_path.empty()) return "unix://" + unix_path;
    const bool v6 = host.find(':') != std::string::npos;
    const auto scheme = std::string(websocket ? "ws" : "mqtt") + (tls ? "s" : "");
    return scheme + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + (websocket ? "/mqtt" : "");
}

Result<Layers> Layers::of(const Place& place) {
    Layers layers;
    layers.websocket_ = place.websocket;
    if (place.websocket && !place.unix_path.empty())
        return make_error(Errc::invalid_option, "websocket and unix_path exclude each other");
    if (!place.tls) return layers;
    if (!place.unix_path.empty()) return make_error(Errc::tls_configuration, "tls and unix_path exclude each other");
    const auto& o = *place.tls;
    io::ServerTls tls;
    tls.tls = {.ca_file = o.ca_file,
               .ca_certificates = o.ca_certificates,
               .certificate_file = o.certificate_file,
               .key_file = o.key_file,
               .certificate = o.certificate,
               .key = o.key,
               .alpn = o.alpn,
               .minimum = o.minimum,
               .maximum = o.maximum};
    tls.require_client_certificate = o.require_client_certificate;
    tls.psk = o.psk;
    auto context = io::make_server_tls(tls);
    if (!context) return context.error();
    layers.tls_ = std::move(*context);
    return layers;
}

std::shared_ptr<io::Stream> Layers::over(io::Loop& loop, std::shared_ptr<io::Stream> stream) const {
    if (tls_) stream = io::secure_server(loop, std::move(stream), tls_);
    if (!websocket_) return stream;
    stream = io::answer_hands(loop, std::move(stream), io::websocket_answer());
    return io::websocket(loop, std::move(stream), io::WebSocketSide::server);
}

Result<std::shared_ptr<io::Acceptor>> listen(io::Loop& loop, const Place& place,
                                             Fn<void(std::shared_ptr<io::Stream>)> accepted) {
    if (!place.unix_path.empty()) return io::listen_unix(loop, place.unix_path, std::move(accepted));
    const auto found = io::resolve_now(place.host, place.port);
    if (!found) return found.error();
    return io::listen_tcp(loop, found->front(), std::move(accepted));
}

} // namespace tortoise::testing
