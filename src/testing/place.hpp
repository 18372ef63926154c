#pragma once
/// Where a server of the test kit listens: TCP, with or without TLS, or a Unix socket.

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

    std::string url() const;
};

/// Null without TLS. Errc::tls_configuration.
Result<std::shared_ptr<io::TlsContext>> server_tls(const Place&);
/// `accepted` is called with each connection; TLS is not laid over it. May look the host's name up.
Result<std::shared_ptr<io::Acceptor>> listen(io::Loop&, const Place&, Fn<void(std::shared_ptr<io::Stream>)> accepted);

} // namespace tortoise::testing
