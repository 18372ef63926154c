#pragma once
/// Where a server of the test kit listens: TCP, with or without TLS and WebSocket, or a Unix socket.

#include "io/loop.hpp"
#include "io/tcp.hpp"
#include "io/tls.hpp"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tortoise/testing/broker.hpp>

namespace tortoise::testing {

struct Place {
    std::string host;
    std::uint16_t port = 0; // 0: the system chooses
    std::string unix_path;  // instead
    std::optional<BrokerTls> tls;
    bool websocket = false;

    std::string url() const;
};

/// What lies over the connections of a place: TLS, WebSocket, both or nothing.
class Layers {
public:
    /// Errc::tls_configuration, Errc::invalid_option.
    static Result<Layers> of(const Place&);
    std::shared_ptr<io::Stream> over(io::Loop&, std::shared_ptr<io::Stream>) const;

private:
    std::shared_ptr<io::TlsContext> tls_; // null: none
    bool websocket_ = false;
};

/// `accepted` is called with each connection, on which nothing is laid yet. May look the host's name up.
Result<std::shared_ptr<io::Acceptor>> listen(io::Loop&, const Place&, Fn<void(std::shared_ptr<io::Stream>)> accepted);

} // namespace tortoise::testing
