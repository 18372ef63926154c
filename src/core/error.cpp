#include <tortoise/error.hpp>

#include <array>
#include <utility>

namespace tortoise {
namespace {

struct ErrcName {
    Errc code;
    std::string_view name;
};
constexpr ErrcName errc_names[] = {
    {Errc::invalid_option, "invalid option"},
    {Errc::invalid_url, "invalid URL"},
    {Errc::invalid_topic, "invalid topic name"},
    {Errc::invalid_filter, "invalid topic filter"},
    {Errc::invalid_qos, "invalid QoS"},
    {Errc::invalid_ttl, "invalid time to live"},
    {Errc::packet_too_large, "packet too large"},
    {Errc::not_supported, "not supported"},
    {Errc::would_deadlock, "would deadlock: a blocking wait on a loop thread"},
    {Errc::host_not_found, "host not found"},
    {Errc::connect_timeout, "connect timed out"},
    {Errc::keep_alive_timeout, "keep-alive timed out"},
    {Errc::connection_lost, "connection lost"},
    {Errc::not_mqtt, "not an MQTT broker"},
    {Errc::websocket_refused, "WebSocket refused"},
    {Errc::proxy_refused, "refused by the proxy"},
    {Errc::timeout, "timed out"},
    {Errc::expired, "expired"},
    {Errc::queue_full, "queue full"},
    {Errc::displaced, "displaced from the queue"},
    {Errc::cancelled, "cancelled"},
    {Errc::session_lost, "session lost"},
    {Errc::stopped, "stopped"},
    {Errc::handler_threw, "handler threw"},
    {Errc::unknown_connection, "unknown connection"},
    {Errc::duplicate_client_id, "duplicate client id"},
    {Errc::unknown_supervisor, "unknown supervisor"},
    {Errc::too_many_restarts, "too many restarts"},
    {Errc::tls_configuration, "TLS configuration"},
    {Errc::tls_expired, "server certificate expired or not valid yet"},
    {Errc::tls_wrong_name, "server certificate for another name"},
    {Errc::tls_unknown_issuer, "server certificate of an unknown issuer"},
    {Errc::tls_self_signed, "server certificate self-signed"},
    {Errc::tls_bad_certificate, "server certificate not acceptable"},
    {Errc::tls_certificate_required, "client certificate required"},
    {Errc::tls_certificate_refused, "client certificate refused"},
    {Errc::tls_version_refused, "no common TLS version"},
    {Errc::tls_handshake, "TLS handshake failed"},
    {Errc::store_locked, "store in use"},
    {Errc::store_damaged, "store damaged"},
    {Errc::store_failed, "store failed"},
};

class ErrcCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "tortoise"; }
    std::string message(int code) const override {
        for (const auto& entry : errc_names)
            if (static_cast<int>(entry.code) == code) return std::string(entry.name);
        return "unknown error";
    }
};

class ReasonCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "mqtt"; }
    std::string message(int code) const override { return std::string(to_string(static_cast<Reason>(code))); }
};

std::string hex(int code) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {'0', 'x', digits[(code >> 4) & 0xF], digits[code & 0xF]};
}

} // namespace

std::string_view to_string(Reason reason) noexcept {
    switch (reason) {
    case Reason::success: return "success";
    case Reason::granted_qos_1: return "granted QoS 1";
    case Reason::granted_qos_2: return "granted QoS 2";
    case Reason::disconnect_with_will: return "disconnect with will message";
    case Reason::no_matching_subscribers: return "no matching subscribers";
    case Reason::no_subscription_existed: return "no subscription existed";
    case Reason::continue_authentication: return "continue authentication";
    case Reason::reauthenticate: return "re-authenticate";
    case Reason::unspecified_error: return "unspecified error";
    case Reason::malformed_packet: return "malformed packet";
    case Reason::protocol_error: return "protocol error";
    case Reason::implementation_specific_error: return "implementation specific error";
    case Reason::unsupported_protocol_version: return "unsupported protocol version";
    case Reason::client_identifier_not_valid: return "client identifier not valid";
    case Reason::bad_user_name_or_password: return "bad user name or password";
    case Reason::not_authorized: return "not authorized";
    case Reason::server_unavailable: return "server unavailable";
    case Reason::server_busy: return "server busy";
    case Reason::banned: return "banned";
    case Reason::server_shutting_down: return "server shutting down";
    case Reason::bad_authentication_method: return "bad authentication method";
    case Reason::keep_alive_timeout: return "keep alive timeout";
    case Reason::session_taken_over: return "session taken over";
    case Reason::topic_filter_invalid: return "topic filter invalid";
    case Reason::topic_name_invalid: return "topic name invalid";
    case Reason::packet_identifier_in_use: return "packet identifier in use";
    case Reason::packet_identifier_not_found: return "packet identifier not found";
    case Reason::receive_maximum_exceeded: return "receive maximum exceeded";
    case Reason::topic_alias_invalid: return "topic alias invalid";
    case Reason::packet_too_large: return "packet too large";
    case Reason::message_rate_too_high: return "message rate too high";
    case Reason::quota_exceeded: return "quota exceeded";
    case Reason::administrative_action: return "administrative action";
    case Reason::payload_format_invalid: return "payload format invalid";
    case Reason::retain_not_supported: return "retain not supported";
    case Reason::qos_not_supported: return "QoS not supported";
    case Reason::use_another_server: return "use another server";
    case Reason::server_moved: return "server moved";
    case Reason::shared_subscriptions_not_supported: return "shared subscriptions not supported";
    case Reason::connection_rate_exceeded: return "connection rate exceeded";
    case Reason::maximum_connect_time: return "maximum connect time";
    case Reason::subscription_identifiers_not_supported: return "subscription identifiers not supported";
    case Reason::wildcard_subscriptions_not_supported: return "wildcard subscriptions not supported";
    }
    return "unknown reason code";
}

const std::error_category& errc_category() noexcept {
    static const ErrcCategory category;
    return category;
}

const std::error_category& reason_category() noexcept {
    static const ReasonCategory category;
    return category;
}

std::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), errc_category()}; }
std::error_code make_error_code(Reason code) noexcept { return {static_cast<int>(code), reason_category()}; }

std::string Error::describe() const {
    std::string line = code.message();
    if (code.category() == reason_category()) line.append(" (MQTT ").append(hex(code.value())).append(")");
    if (!text.empty()) line.append(": ").append(text);
    return line;
}

Error make_error(Errc code, std::string text) { return {make_error_code(code), std::move(text)}; }
Error make_error(Reason code, std::string text) { return {make_error_code(code), std::move(text)}; }

namespace detail {

const Error& no_error() noexcept {
    static const Error none;
    return none;
}

void throw_error(const Error& error) {
#if defined(__cpp_exceptions)
    throw std::system_error(error.code, error.describe());
#else
    static_cast<void>(error);
    std::terminate();
#endif
}

Error what_was_thrown() {
#if defined(__cpp_exceptions)
    try {
        throw;
    } catch (const std::exception& e) {
        return make_error(Errc::handler_threw, e.what());
    } catch (...) {
    }
#endif
    return make_error(Errc::handler_threw, "something that is not a std::exception");
}

} // namespace detail
} // namespace tortoise
