#include <tortoise/options.hpp>

namespace tortoise {
namespace {

// What is not in a table is retried: the network's errors, passing troubles of the server, and a broker that broke the
// protocol, which may be replaced by one that does not.

// A new attempt would be made with the same credentials, identifier or limits, yet somebody may change the broker's
// mind.
constexpr Reason slow_reasons[] = {
    Reason::client_identifier_not_valid,
    Reason::bad_user_name_or_password,
    Reason::not_authorized,
    Reason::banned,
    Reason::session_taken_over, // at full speed two clients of one identifier would push each other out for ever
    Reason::quota_exceeded,
    Reason::administrative_action,
    Reason::topic_name_invalid, // of the will; like the next four, an answer to what CONNECT says
    Reason::packet_too_large,
    Reason::payload_format_invalid,
    Reason::retain_not_supported,
    Reason::qos_not_supported,
};
// The next attempt would say the same words to the same end.
constexpr Reason fatal_reasons[] = {
    Reason::unsupported_protocol_version,
    Reason::bad_authentication_method,
};
constexpr Errc fatal_errors[] = {
    Errc::invalid_option, Errc::invalid_url,      Errc::invalid_topic,     Errc::invalid_filter,
    Errc::invalid_qos,    Errc::invalid_ttl,      Errc::not_supported,     Errc::handler_threw,
    Errc::stopped,        Errc::packet_too_large, Errc::tls_configuration,
};
// Somebody has to renew a certificate or a permission, or change a configuration.
constexpr Errc slow_errors[] = {
    Errc::tls_expired,         Errc::tls_wrong_name,           Errc::tls_unknown_issuer,      Errc::tls_self_signed,
    Errc::tls_bad_certificate, Errc::tls_certificate_required, Errc::tls_certificate_refused, Errc::tls_version_refused,
    Errc::tls_handshake,       Errc::websocket_refused,        Errc::proxy_refused,
};

template <class Code, std::size_t n> bool has(const Code (&table)[n], int value) noexcept {
    for (const Code code : table)
        if (static_cast<int>(code) == value) return true;
    return false;
}

} // namespace

Retry classify(const Error& error) noexcept {
    const int value = error.code.value();
    if (error.code.category() == errc_category()) {
        if (has(fatal_errors, value)) return Retry::fatal;
        return has(slow_errors, value) ? Retry::slow : Retry::retry;
    }
    if (error.code.category() != reason_category()) return Retry::retry;
    if (has(fatal_reasons, value)) return Retry::fatal;
    return has(slow_reasons, value) ? Retry::slow : Retry::retry;
}

} // namespace tortoise
