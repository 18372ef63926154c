#pragma once
/// What can go wrong, as values. Nothing in the library throws unless asked to by `Result::value()`.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace tortoise {

/// What this library reports by itself.
enum class Errc {
    // the caller's side
    invalid_option = 1,   ///< an option has a value that is not allowed; the text names it
    invalid_url,          ///< not a URL of a server; the text says what is allowed
    invalid_topic,        ///< not a topic name [MQTT-4.7]
    invalid_filter,       ///< not a topic filter [MQTT-4.7]
    invalid_qos,          ///< not 0, 1 or 2
    invalid_ttl,          ///< a time to live below zero
    packet_too_large,     ///< larger than the broker's Maximum Packet Size, or than MQTT allows
    not_supported,        ///< the broker, or this protocol version, does not offer it
    would_deadlock,       ///< a blocking wait was made on a loop thread
    // the network's side
    host_not_found,       ///< name resolution failed
    connect_timeout,      ///< no connection, or no CONNACK, within `connect_timeout`
    keep_alive_timeout,   ///< the broker did not answer a PINGREQ
    connection_lost,      ///< the connection ended without a DISCONNECT
    not_mqtt,             ///< what answered does not speak MQTT; the text shows how it began
    websocket_refused,    ///< the server does not go on with WebSocket; the text has its answer
    proxy_refused,        ///< the proxy does not let us through; the text has its answer
    // what became of an operation
    timeout,              ///< the wait ended; the operation goes on
    expired,              ///< the time to live ran out before the message was sent
    queue_full,           ///< refused: the queue is at its bound
    displaced,            ///< dropped from the queue to keep its bound
    cancelled,            ///< withdrawn by `cancel()`
    session_lost,         ///< the broker lost the session between PUBREC and PUBCOMP; it had the message
    stopped,              ///< the connection was stopped before the operation ended
    handler_threw,        ///< a handler threw; the text is what it said
    // the registry and the supervisors
    unknown_connection,   ///< no connection of that client id is running; no child of that name is there
    duplicate_client_id,  ///< a connection of that client id is running in this process
    unknown_supervisor,   ///< no supervisor of that name is running
    too_many_restarts,    ///< children of the supervisor ended more often than it allows; the text names the last
    // TLS; the text names the certificate and the check
    tls_configuration,    ///< a certificate, key or option of ours cannot be used
    tls_expired,          ///< a certificate of the server expired, or is not valid yet
    tls_wrong_name,       ///< the server's certificate is for other names
    tls_unknown_issuer,   ///< nobody whom we trust issued the server's certificate
    tls_self_signed,      ///< the server issued its certificate itself
    tls_bad_certificate,  ///< another check of a server's certificate failed
    tls_certificate_required,  ///< the server wants a certificate of ours, and we have none
    tls_certificate_refused,   ///< the server does not accept our certificate
    tls_version_refused,  ///< no TLS version that both sides accept
    tls_handshake,        ///< anything else between us and a secured connection
    // the store; the text names it
    store_locked,         ///< another process, or another connection of that client id, uses it
    store_damaged,        ///< what it holds cannot be what was written
    store_failed,         ///< it could not be opened, read or written; the text is what the system said
};

/// Reason codes of MQTT 5 [MQTT-2.4]; those of 3.1.1 are mapped to them. 0x80 and above are refusals.
enum class Reason : std::uint8_t {
    success = 0x00,  // also: normal disconnection, granted QoS 0
    granted_qos_1 = 0x01,
    granted_qos_2 = 0x02,
    disconnect_with_will = 0x04,
    no_matching_subscribers = 0x10,
    no_subscription_existed = 0x11,
    continue_authentication = 0x18,
    reauthenticate = 0x19,
    unspecified_error = 0x80,
    malformed_packet = 0x81,
    protocol_error = 0x82,
    implementation_specific_error = 0x83,
    unsupported_protocol_version = 0x84,
    client_identifier_not_valid = 0x85,
    bad_user_name_or_password = 0x86,
    not_authorized = 0x87,
    server_unavailable = 0x88,
    server_busy = 0x89,
    banned = 0x8A,
    server_shutting_down = 0x8B,
    bad_authentication_method = 0x8C,
    keep_alive_timeout = 0x8D,
    session_taken_over = 0x8E,
    topic_filter_invalid = 0x8F,
    topic_name_invalid = 0x90,
    packet_identifier_in_use = 0x91,
    packet_identifier_not_found = 0x92,
    receive_maximum_exceeded = 0x93,
    topic_alias_invalid = 0x94,
    packet_too_large = 0x95,
    message_rate_too_high = 0x96,
    quota_exceeded = 0x97,
    administrative_action = 0x98,
    payload_format_invalid = 0x99,
    retain_not_supported = 0x9A,
    qos_not_supported = 0x9B,
    use_another_server = 0x9C,
    server_moved = 0x9D,
    shared_subscriptions_not_supported = 0x9E,
    connection_rate_exceeded = 0x9F,
    maximum_connect_time = 0xA0,
    subscription_identifiers_not_supported = 0xA1,
    wildcard_subscriptions_not_supported = 0xA2,
};

/// The specification's name of a reason code, e.g. "not authorized"; "unknown reason code" for the others.
std::string_view to_string(Reason) noexcept;

constexpr bool is_refusal(Reason r) noexcept { return static_cast<std::uint8_t>(r) >= 0x80; }

const std::error_category& errc_category() noexcept;    ///< of Errc, named "tortoise"
const std::error_category& reason_category() noexcept;  ///< of Reason, named "mqtt"

std::error_code make_error_code(Errc) noexcept;
std::error_code make_error_code(Reason) noexcept;

/// An error: a code to compare (`error.code == Errc::expired`, `== Reason::not_authorized`) and a text for people.
struct Error {
    std::error_code code = {};
    std::string text = {};  ///< details: the rule that was broken, the peer's Reason String, the system's words

    /// One line: "not authorized (MQTT 0x87): quota of tenant 7".
    std::string describe() const;
};

Error make_error(Errc, std::string text = {});
Error make_error(Reason, std::string text = {});

namespace detail {
[[noreturn]] void throw_error(const Error&);  // std::system_error with describe() as its text
Error what_was_thrown();                      // the exception being handled, as handler_threw
const Error& no_error() noexcept;
}

} // namespace tortoise

template <> struct std::is_error_code_enum<tortoise::Errc> : std::true_type {};
template <> struct std::is_error_code_enum<tortoise::Reason> : std::true_type {};
