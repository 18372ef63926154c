#pragma once
/// TLS over any other stream. What it is made of does not show here.

#include "io/stream.hpp"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tortoise/result.hpp>
#include <tortoise/tls.hpp>

namespace tortoise::io {

/// Certificates, keys and choices, checked and ready for use; and the sessions to resume. A client has one for each
/// connection. Making it reads files; all else is of the loop's thread only, but for the counts.
class TlsContext {
public:
    virtual ~TlsContext() = default;
    /// Handshakes that ended well, and how many of them resumed a session.
    virtual std::uint64_t handshakes() const noexcept = 0;
    virtual std::uint64_t resumptions() const noexcept = 0;
};

/// Errc::tls_configuration.
Result<std::shared_ptr<TlsContext>> make_client_tls(const Tls&);

struct ServerTls {
    Tls tls; ///< verify, server_name and resume are not used
    bool require_client_certificate = false;
    std::map<std::string, std::string> psk; ///< identities and keys
};
Result<std::shared_ptr<TlsContext>> make_server_tls(const ServerTls&);

/// Shakes hands over a stream that is open; the events tell how it went, not before this returns. `host` is who the
/// server has to be, unless the options name another.
std::shared_ptr<Stream> secure_client(Loop&, std::shared_ptr<Stream> over, std::shared_ptr<TlsContext>,
                                      const std::string& host, Stream::Events&);

/// The server's side is open at once, and shakes hands while it is read.
std::shared_ptr<Stream> secure_server(Loop&, std::shared_ptr<Stream> over, std::shared_ptr<TlsContext>);

} // namespace tortoise::io
