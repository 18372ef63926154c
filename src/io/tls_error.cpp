#include "io/tls_error.hpp"
#include "io/tls_material.hpp"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace tortoise::io {

namespace {

struct AlertText {
    int alert;
    std::string_view text;
};

/// What a server's alert says about us or itself; the others have OpenSSL's words.
constexpr AlertText alerts[] = {
    {SSL_AD_HANDSHAKE_FAILURE, "the server sees no common ground: ciphers, curves or signatures"},
    {SSL_AD_BAD_CERTIFICATE, "the server says that our certificate is bad"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "the server does not support certificates of our kind"},
    {SSL_AD_CERTIFICATE_REVOKED, "the server says that our certificate was revoked"},
    {SSL_AD_CERTIFICATE_EXPIRED, "the server says that our certificate expired"},
    {SSL_AD_CERTIFICATE_UNKNOWN, "the server does not accept our certificate"},
    {SSL_AD_UNKNOWN_CA, "the server does not know the issuer of our certificate"},
    {SSL_AD_ACCESS_DENIED, "the server denies access to our certificate"},
    {SSL_AD_DECRYPT_ERROR, "the server could not verify what we signed"},
    {SSL_AD_BAD_RECORD_MAC, "the server could not decrypt what we sent"},
    {SSL_AD_INSUFFICIENT_SECURITY, "the server wants stronger ciphers than ours"},
    {SSL_AD_INTERNAL_ERROR, "the server had an internal error"},
    {SSL_AD_UNRECOGNIZED_NAME, "the server does not know the name that we asked for"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, "the server speaks none of the protocols that we offer (ALPN)"},
};

/// The alert that the server sent, or -1.
int received_alert(unsigned long error) {
    const int reason = ERR_GET_REASON(error);
    return ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
               ? reason - SSL_AD_REASON_OFFSET
               : -1;
}

bool is_about_our_certificate(int alert) {
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED: return true;
    default: return false;
    }
}

/// What servers say to a key that is not theirs, of which the versions of TLS have several.
bool is_about_our_key(int alert) {
    switch (alert) {
    case SSL_AD_UNKNOWN_PSK_IDENTITY:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_BAD_RECORD_MAC:
    case SSL_AD_ILLEGAL_PARAMETER:
    case SSL_AD_HANDSHAKE_FAILURE: return true;
    default: return false;
    }
}

Error alert_error(int alert, const HandshakeState& state) {
    // TLS 1.2 has no alert of its own for it.
    const bool no_certificate = state.certificate_asked && !state.certificate_given &&
                                (alert == SSL_AD_HANDSHAKE_FAILURE || is_about_our_certificate(alert));
    if (alert == SSL_AD_CERTIFICATE_REQUIRED || no_certificate) {
        return make_error(Errc::tls_certificate_required, "the server requires a client certificate");
    }
    if (!state.psk_identity.empty() && is_about_our_key(alert)) {
        return make_error(Errc::tls_handshake,
                          "the server does not accept our shared key, or does not know '" + state.psk_identity + "'");
    }
    std::string text = "the server sent the alert '" + std::string(SSL_alert_desc_string_long(alert)) + "'";
    for (const auto& a : alerts) {
        if (a.alert == alert) text = a.text;
    }
    if (alert == SSL_AD_PROTOCOL_VERSION) {
        return make_error(Errc::tls_version_refused,
                          "the server supports none of the TLS versions that we allow: " + state.versions);
    }
    const bool refused = state.certificate_given && (is_about_our_certificate(alert) || alert == SSL_AD_DECRYPT_ERROR);
    return make_error(refused ? Errc::tls_certificate_refused : Errc::tls_handshake, std::move(text));
}

std::string time_of(const ASN1_TIME* time) {
    const BioHandle out(BIO_new(BIO_s_mem()));
    ASN1_TIME_print(out.get(), time);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "an unreadable time";
}

std::string name_of(const GENERAL_NAME& name) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(&name, &type));
    const auto* octets = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
        std::string text;
        for (int i = 0; i < size; ++i) text += octets[i] > ' ' && octets[i] < 0x7F ? static_cast<char>(octets[i]) : '?';
        return text;
    }
    char text[INET6_ADDRSTRLEN] = {};
    if (size == 4) ::inet_ntop(AF_INET, octets, text, sizeof(text));
    if (size == 16) ::inet_ntop(AF_INET6, octets, text, sizeof(text));
    return text;
}

/// For whom a certificate is: "broker.example, 10.0.0.1".
std::string names_in(const X509* certificate) {
    std::string out;
    int critical = 0;
    auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const auto* name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        if (!out.empty()) out += ", ";
        out += name_of(*name);
    }
    GENERAL_NAMES_free(names);
    return out;
}

Errc code_of(int check) {
    switch (check) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return Errc::tls_expired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return Errc::tls_wrong_name;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return Errc::tls_self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return Errc::tls_unknown_issuer;
    default: return Errc::tls_bad_certificate;
    }
}

} // namespace

std::string last_openssl_error() {
    const auto error = ERR_peek_error();
    const auto* reason = error ? ERR_reason_error_string(error) : nullptr;
    return reason ? reason : "OpenSSL gives no reason";
}

Error certificate_error(X509_STORE_CTX* checking, const std::string& host) {
    const int check = X509_STORE_CTX_get_error(checking);
    const auto* certificate = X509_STORE_CTX_get_current_cert(checking);
    const auto code = code_of(check);
    std::string text =
        X509_STORE_CTX_get_error_depth(checking) == 0 ? "the server's certificate " : "the issuer's certificate ";
    text += certificate ? subject_of(*certificate) : "that was not sent";
    switch (check) {
    case X509_V_ERR_CERT_HAS_EXPIRED: text += " expired on " + time_of(X509_get0_notAfter(certificate)); break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        text += " is not valid before " + time_of(X509_get0_notBefore(certificate));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: {
        const auto names = names_in(certificate);
        text += " is not for '" + host + "'";
        text += names.empty() ? ": it has no subject alternative names, and common names do not count"
                              : " but for " + names;
        break;
    }
    default: text += std::string(": ") + X509_verify_cert_error_string(check);
    }
    return make_error(code, std::move(text));
}

Error handshake_error(const HandshakeState& state) {
    const auto error = ERR_peek_error();
    if (const int alert = received_alert(error); alert >= 0) return alert_error(alert, state);
    if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
        switch (ERR_GET_REASON(error)) {
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_VERSION_TOO_HIGH:
        case SSL_R_WRONG_SSL_VERSION:
            return make_error(Errc::tls_version_refused,
                              "the server wants a TLS version that we do not allow; allowed: " + state.versions);
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG: return make_error(Errc::tls_handshake, "what answers does not speak TLS");
        default: break;
        }
    }
    return make_error(Errc::tls_handshake, last_openssl_error());
}

} // namespace tortoise::io
