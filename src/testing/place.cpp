#include "testing/place.hpp"
#include "io/resolver.hpp"
#include "io/unix.hpp"
#include <utility>

namespace tortoise::testing {

std::string Place::url() const {
    if (!unix_path.empty()) return "unix://" + unix_path;
    const bool v6 = host.find(':') != std::string::npos;
    return std::string(tls ? "mqtts://" : "mqtt://") + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::shared_ptr<io::TlsContext>> server_tls(const Place& place) {
    if (!place.tls) return std::shared_ptr<io::TlsContext>();
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
    return io::make_server_tls(tls);
}

Result<std::shared_ptr<io::Acceptor>> listen(io::Loop& loop, const Place& place,
                                             Fn<void(std::shared_ptr<io::Stream>)> accepted) {
    if (!place.unix_path.empty()) return io::listen_unix(loop, place.unix_path, std::move(accepted));
    const auto found = io::resolve_now(place.host, place.port);
    if (!found) return found.error();
    return io::listen_tcp(loop, found->front(), std::move(accepted));
}

} // namespace tortoise::testing
