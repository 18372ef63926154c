#pragma once
/// What TlsContext is made of: for the .cpp files of TLS.

#include "io/tls.hpp"
#include "io/tls_handles.hpp"
#include <atomic>
#include <map>
#include <string>

namespace tortoise::io {

class OpenSslContext final : public TlsContext {
public:
    static OpenSslContext& of(TlsContext& context) noexcept { return static_cast<OpenSslContext&>(context); }
    static OpenSslContext& of(SSL_CTX* context) noexcept {
        return *static_cast<OpenSslContext*>(SSL_CTX_get_app_data(context));
    }
    OpenSslContext();

    std::uint64_t handshakes() const noexcept override { return handshakes_.load(std::memory_order_relaxed); }
    std::uint64_t resumptions() const noexcept override { return resumptions_.load(std::memory_order_relaxed); }

    SSL_CTX* native() const noexcept { return context_.get(); }
    /// Counts a handshake that ended well.
    void count(bool resumed) noexcept;

    /// The session to resume with that peer; null: none.
    SSL_SESSION* session_with(const std::string& peer) const;
    void keep_session(const std::string& peer, SessionHandle);
    void forget_session(const std::string& peer) { sessions_.erase(peer); }

    bool server = false;
    bool verify = true;
    bool has_certificate = false;
    bool resume = true;
    std::string server_name;                // instead of the host
    std::string versions;                   // allowed: "1.2 and 1.3"
    std::string protocols;                  // of a server: those that it speaks, in wire format
    std::map<std::string, std::string> psk; // keys by identity; of a client, its own only

private:
    SslContextHandle context_;
    std::map<std::string, SessionHandle> sessions_; // by server: as many as there are servers in the options
    std::atomic<std::uint64_t> handshakes_{0}, resumptions_{0};
};

/// Has OpenSSL tell the streams of a client what they need to know. With the streams, in tls_stream.cpp.
void watch_client(OpenSslContext&);

} // namespace tortoise::io
