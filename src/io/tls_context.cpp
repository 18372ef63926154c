#include "io/tls_context.hpp"
#include "io/tls_error.hpp"
#include "io/tls_material.hpp"
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <openssl/err.h>

namespace tortoise::io {

namespace {

constexpr unsigned char session_context[] = "tortoise"; // servers need some name to let clients resume
constexpr std::size_t longest_protocol = 255;
constexpr std::size_t longest_identity = PSK_MAX_IDENTITY_LEN - 1;

Error refused(const std::string& what) {
    auto error = tls_configuration(what + ": " + last_openssl_error());
    ERR_clear_error();
    return error;
}

int native(TlsVersion v) { return v == TlsVersion::v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION; }

/// As the TLS extension has them: each behind its length.
std::string wire_format(const std::vector<std::string>& protocols) {
    std::string out;
    for (const auto& p : protocols) out += static_cast<char>(p.size()) + p;
    return out;
}

Result<Done> set_versions(OpenSslContext& context, const Tls& tls) {
    if (tls.minimum > TlsVersion::v1_3 || tls.maximum > TlsVersion::v1_3 || tls.maximum < tls.minimum) {
        return tls_configuration("tls.minimum and tls.maximum leave no version; allowed: v1_2, v1_3");
    }
    SSL_CTX_set_min_proto_version(context.native(), native(tls.minimum));
    SSL_CTX_set_max_proto_version(context.native(), native(tls.maximum));
    context.versions = tls.minimum == TlsVersion::v1_3   ? "1.3"
                       : tls.maximum == TlsVersion::v1_2 ? "1.2"
                                                         : "1.2 and 1.3";
    return Done{};
}

Result<Done> set_ciphers(SSL_CTX* context, const Tls& tls) {
    if (!tls.ciphers.empty() && SSL_CTX_set_cipher_list(context, tls.ciphers.c_str()) != 1) {
        return refused("tls.ciphers '" + tls.ciphers + "'");
    }
    if (!tls.cipher_suites.empty() && SSL_CTX_set_ciphersuites(context, tls.cipher_suites.c_str()) != 1) {
        return refused("tls.cipher_suites '" + tls.cipher_suites + "'");
    }
    return Done{};
}

Result<Done> check_alpn(const Tls& tls) {
    for (const auto& p : tls.alpn) {
        if (!p.empty() && p.size() <= longest_protocol) continue;
        return tls_configuration("tls.alpn has a name of " + std::to_string(p.size()) + " bytes; allowed: 1 to 255");
    }
    return Done{};
}

Result<Done> trust(X509_STORE* store, const Material& m) {
    auto certificates = certificates_in(m);
    if (!certificates) return certificates.error();
    for (const auto& c : *certificates) {
        if (X509_STORE_add_cert(store, c.get()) != 1) return refused(m.name);
    }
    return Done{};
}

Result<Done> set_trust(SSL_CTX* context, const Tls& tls) {
    auto* store = SSL_CTX_get_cert_store(context);
    // Whom the user names is trusted, root or not.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    if (!tls.ca_file.empty()) {
        auto file = material(tls.ca_file, {}, "tls.ca");
        if (!file) return file.error();
        if (auto ok = trust(store, *file); !ok) return ok;
    }
    for (std::size_t i = 0; i < tls.ca_certificates.size(); ++i) {
        const Material one{tls.ca_certificates[i], "tls.ca_certificates[" + std::to_string(i) + "]"};
        if (auto ok = trust(store, one); !ok) return ok;
    }
    if (tls.ca_path.empty()) return Done{};
    // OpenSSL would look there when it needs somebody, and find nobody.
    std::error_code error;
    if (!std::filesystem::is_directory(tls.ca_path, error)) {
        return tls_configuration("tls.ca_path '" + tls.ca_path + "' is not a directory");
    }
    if (X509_STORE_load_path(store, tls.ca_path.c_str()) != 1) return refused("tls.ca_path '" + tls.ca_path + "'");
    return Done{};
}

Result<Done> set_identity(OpenSslContext& context, const Tls& tls) {
    auto certificate = material(tls.certificate_file, tls.certificate, "tls.certificate");
    if (!certificate) return certificate.error();
    auto key = material(tls.key_file, tls.key, "tls.key");
    if (!key) return key.error();
    if (certificate->octets.empty()) {
        if (key->octets.empty()) return Done{};
        return tls_configuration("there is a tls.key, and no tls.certificate");
    }
    if (key->octets.empty()) key = *certificate;
    auto chain = certificates_in(*certificate);
    if (!chain) return chain.error();
    auto private_key = key_in(*key, tls.key_passphrase);
    if (!private_key) return private_key.error();
    auto* leaf = chain->front().get();
    if (X509_check_private_key(leaf, private_key->get()) != 1) {
        ERR_clear_error();
        return tls_configuration("the key in " + key->name + " does not belong to the certificate " +
                                 subject_of(*leaf));
    }
    if (SSL_CTX_use_certificate(context.native(), leaf) != 1) return refused(certificate->name);
    if (SSL_CTX_use_PrivateKey(context.native(), private_key->get()) != 1) return refused(key->name);
    for (std::size_t i = 1; i < chain->size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context.native(), (*chain)[i].get()) != 1) return refused(certificate->name);
    }
    context.has_certificate = true;
    return Done{};
}

// ---- Callbacks of OpenSSL ------------------------------------------------------------------------------------------

/// Copies the key; its size, or 0 if it does not fit.
unsigned copied(const std::string& key, unsigned char* into, unsigned room) {
    if (key.size() > room) return 0;
    std::memcpy(into, key.data(), key.size());
    return static_cast<unsigned>(key.size());
}

// OpenSSL asks these two for TLS 1.3 too, unless the callbacks that know of nothing else are set.
unsigned client_psk(SSL* ssl, const char*, char* identity, unsigned identity_room, unsigned char* key, unsigned room) {
    const auto& own = OpenSslContext::of(SSL_get_SSL_CTX(ssl)).psk;
    if (own.begin()->first.size() >= identity_room) return 0;
    std::memcpy(identity, own.begin()->first.c_str(), own.begin()->first.size() + 1);
    return copied(own.begin()->second, key, room);
}

unsigned server_psk(SSL* ssl, const char* identity, unsigned char* key, unsigned room) {
    const auto& known = OpenSslContext::of(SSL_get_SSL_CTX(ssl)).psk;
    const auto found = identity ? known.find(identity) : known.end();
    return found == known.end() ? 0 : copied(found->second, key, room);
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* ours) {
    const auto& wire = *static_cast<const std::string*>(ours);
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(wire.data()),
                                            static_cast<unsigned>(wire.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<Done> set_psk(OpenSslContext& context) {
    for (const auto& [identity, key] : context.psk) {
        if (identity.empty() || identity.size() > longest_identity || identity.find('\0') != std::string::npos) {
            return tls_configuration("tls.psk_identity has " + std::to_string(identity.size()) +
                                     " bytes, or a zero among them; allowed: 1 to " + std::to_string(longest_identity));
        }
        if (key.empty() || key.size() > PSK_MAX_PSK_LEN) {
            return tls_configuration("tls.psk has " + std::to_string(key.size()) + " bytes; allowed: 1 to " +
                                     std::to_string(PSK_MAX_PSK_LEN));
        }
    }
    if (context.psk.empty()) return Done{};
    if (context.server)
        SSL_CTX_set_psk_server_callback(context.native(), &server_psk);
    else
        SSL_CTX_set_psk_client_callback(context.native(), &client_psk);
    return Done{};
}

/// What both sides have.
Result<Done> set_common(OpenSslContext& context, const Tls& tls) {
    if (!context.native()) return refused("OpenSSL");
    SSL_CTX_set_options(context.native(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.native(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context.native(), 1); // a record costs one read, not two
    if (auto ok = set_versions(context, tls); !ok) return ok;
    if (auto ok = set_ciphers(context.native(), tls); !ok) return ok;
    if (auto ok = check_alpn(tls); !ok) return ok;
    if (auto ok = set_trust(context.native(), tls); !ok) return ok;
    if (auto ok = set_identity(context, tls); !ok) return ok;
    return set_psk(context);
}

} // namespace

OpenSslContext::OpenSslContext() : context_(SSL_CTX_new(TLS_method())) {
    if (context_) SSL_CTX_set_app_data(context_.get(), this);
}

void OpenSslContext::count(bool resumed) noexcept {
    handshakes_.fetch_add(1, std::memory_order_relaxed);
    if (resumed) resumptions_.fetch_add(1, std::memory_order_relaxed);
}

SSL_SESSION* OpenSslContext::session_with(const std::string& peer) const {
    const auto found = sessions_.find(peer);
    return found == sessions_.end() ? nullptr : found->second.get();
}

void OpenSslContext::keep_session(const std::string& peer, SessionHandle session) {
    if (resume) sessions_[peer] = std::move(session);
}

Result<std::shared_ptr<TlsContext>> make_client_tls(const Tls& tls) {
    auto context = std::make_shared<OpenSslContext>();
    context->verify = tls.verify;
    context->resume = tls.resume;
    context->server_name = tls.server_name;
    if (tls.psk_identity.empty() != tls.psk.empty()) {
        return tls_configuration("tls.psk_identity and tls.psk go together; one of them is empty");
    }
    if (!tls.psk.empty()) context->psk.emplace(tls.psk_identity, tls.psk);
    if (auto ok = set_common(*context, tls); !ok) return ok.error();
    const bool own_trust = !tls.ca_file.empty() || !tls.ca_path.empty() || !tls.ca_certificates.empty();
    if (tls.verify && !own_trust && SSL_CTX_set_default_verify_paths(context->native()) != 1) {
        return refused("the system's trust store");
    }
    const auto protocols = wire_format(tls.alpn);
    if (!protocols.empty()) {
        SSL_CTX_set_alpn_protos(context->native(), reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
    }
    watch_client(*context);
    SSL_CTX_set_session_cache_mode(context->native(), tls.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                                                 : SSL_SESS_CACHE_OFF);
    return std::shared_ptr<TlsContext>(std::move(context));
}

Result<std::shared_ptr<TlsContext>> make_server_tls(const ServerTls& options) {
    auto context = std::make_shared<OpenSslContext>();
    context->server = true;
    context->psk = options.psk;
    if (auto ok = set_common(*context, options.tls); !ok) return ok.error();
    auto* native = context->native();
    if (!context->has_certificate && context->psk.empty()) {
        return tls_configuration("a server needs a certificate, or psk");
    }
    const bool asks = !options.tls.ca_file.empty() || !options.tls.ca_certificates.empty();
    if (options.require_client_certificate && !asks) {
        return tls_configuration("require_client_certificate needs a CA for the clients' certificates");
    }
    if (asks) {
        const int must = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
        SSL_CTX_set_verify(native, SSL_VERIFY_PEER | must, nullptr);
    }
    context->protocols = wire_format(options.tls.alpn);
    if (!context->protocols.empty()) SSL_CTX_set_alpn_select_cb(native, &choose_protocol, &context->protocols);
    SSL_CTX_set_session_id_context(native, session_context, sizeof(session_context));
    return std::shared_ptr<TlsContext>(std::move(context));
}

} // namespace tortoise::io
