/// CONNECT: who may come in, on which terms, and with which session. [MQTT-3.1]

#include "broker/impl.hpp"
#include "broker/reply.hpp"

#include <algorithm>

namespace tortoise::broker {

namespace {

/// The version that a CONNECT claims, as far as it can be read, to answer what cannot be decoded.
struct Claim {
    std::string_view name;
    std::uint8_t level = 0;
};

std::optional<Claim> claim_of(Octets body) {
    if (body.size() < 2) return std::nullopt;
    const auto octet = [&](std::size_t at) { return static_cast<std::uint8_t>(body[at]); };
    const std::size_t size = octet(0) * 256U + octet(1);
    if (body.size() < 2 + size + 1) return std::nullopt;
    return Claim{body.substr(2, size), octet(2 + size)};
}

} // namespace

void Engine::Impl::on_connect(Time now, Connection& connection, const core::Frame& frame) {
    // [MQTT-3.1.0-1]
    if (frame.first >> 4 != static_cast<std::uint8_t>(core::PacketType::connect)) return close(now, connection);
    const auto packet = core::decode(Version::v5, frame);
    const auto claim = claim_of(frame.body);
    if (!packet) {
        // Only who speaks MQTT gets an answer, in the dialect of what he asked for; 3.1 is answered as 3.1.1.
        if (!claim || (claim->name != "MQTT" && claim->name != "MQIsdp")) return close(now, connection);
        connection.version = claim->level < 5 ? Version::v3_1_1 : Version::v5;
        return refuse(now, connection, reason_of(packet.error()), packet.error().text);
    }
    const auto& connect = std::get<core::Connect>(*packet);
    connection.version = connect.version;
    negotiate(connection, connect);
    if (const auto& redirect = context.options.redirect; redirect && connection.version == Version::v5) {
        const auto reference = Properties{}.set(property::server_reference, redirect->server);
        connection.send(core::Packet(core::Connack{.reason = redirect->reason, .properties = reference}));
        return close(now, connection);
    }
    if (const auto error = objection(connect)) return refuse(now, connection, reason_of(*error), error->text);
    if (const auto broken = judge.connect(now, connect)) return refuse(now, connection, broken->reason, broken->text);
    if (connect.properties.get(property::authentication_method))
        return begin_authentication(now, connection, connect, frame.whole);
    accept(now, connection, connect, {});
}

/// Why the client may not come in.
std::optional<Error> Engine::Impl::objection(const core::Connect& connect) const {
    const auto& options = context.options;
    // [MQTT-3.1.3-8] of 3.1.1
    if (connect.client_id.empty() && connect.version == Version::v3_1_1 && !connect.clean_start)
        return make_error(Reason::client_identifier_not_valid, "an empty client identifier needs Clean Session");
    const bool authenticates = connect.properties.get(property::authentication_method).has_value();
    if (!authenticates && options.users.empty() && wants_authentication())
        return make_error(Reason::not_authorized, "an Authentication Method is required");
    if (!authenticates && !options.users.empty()) {
        const auto user = connect.user_name ? options.users.find(std::string(*connect.user_name)) : options.users.end();
        if (user == options.users.end() || !connect.password || user->second != *connect.password)
            return make_error(Reason::bad_user_name_or_password, "unknown user or wrong password");
    }
    if (connect.will) {
        if (connect.will->qos > options.maximum_qos)
            return make_error(Reason::qos_not_supported, "the will's QoS is above the Maximum QoS");
        if (connect.will->retain && !options.retain_available)
            return make_error(Reason::retain_not_supported, "the will is retained, which is not available");
        std::vector<core::TopicTree::Value> matching;
        denied_topics.match(connect.will->topic, matching);
        if (!matching.empty()) return make_error(Reason::not_authorized, "the will's topic may not be published");
    }
    if (sessions.size() >= limits::sessions) return make_error(Reason::quota_exceeded, "too many sessions");
    return std::nullopt;
}

void Engine::Impl::negotiate(Connection& connection, const core::Connect& connect) const {
    auto seconds = static_cast<std::uint32_t>(connect.keep_alive);
    if (connect.version == Version::v5) {
        const auto& properties = connect.properties;
        auto& client = connection.client;
        client.receive_maximum = properties.get(property::receive_maximum).value_or(client.receive_maximum);
        client.maximum_packet_size = properties.get(property::maximum_packet_size).value_or(client.maximum_packet_size);
        client.topic_alias_maximum = properties.get(property::topic_alias_maximum).value_or(0);
        client.problem_information = properties.get(property::request_problem_information).value_or(1) != 0;
        connection.session_expiry_asked = properties.get(property::session_expiry_interval).value_or(0);
        if (const auto server = context.options.server_keep_alive) {
            seconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(server->count(), 0, 65'535));
            connection.server_keep_alive = static_cast<std::uint16_t>(seconds);
        }
    } else {
        connection.session_expiry_asked = connect.clean_start ? 0 : Session::never;
    }
    const auto kept = core::clamp_keep_alive(context.rules.limits, std::chrono::seconds(seconds));
    if (kept != std::chrono::seconds(seconds)) {
        seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(kept).count());
        connection.server_keep_alive = static_cast<std::uint16_t>(seconds);
    }
    connection.silence_allowed = std::chrono::milliseconds(seconds * 1'500);
}

std::uint32_t Engine::Impl::granted_expiry(std::uint32_t asked) const {
    const auto cap = context.options.session_expiry_cap;
    if (!cap) return asked;
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(cap->count(), 0, asked));
}

void Engine::Impl::accept(Time now, Connection& connection, const core::Connect& connect, Octets authentication_data) {
    const bool assigned = connect.client_id.empty();
    const auto client_id = assigned ? sessions.unused_client_id() : std::string(connect.client_id);
    auto* session = sessions.find(client_id);
    if (session && session->connection()) {
        // [MQTT-3.1.4-3]; the session may end with it.
        hang_up(now, *session->connection(), Reason::session_taken_over,
                "another connection uses the client identifier");
        session = sessions.find(client_id);
    }
    if (session && connect.clean_start) {
        sessions.end(now, *session);
        session = nullptr;
    }
    const bool present = session != nullptr;
    if (!session) session = &sessions.create(client_id);
    answer_connect(connection, connect, present, assigned ? std::string_view(client_id) : std::string_view{},
                   authentication_data);
    if (!connection.established) {
        if (!present) sessions.end(now, *session);
        return close(now, connection);
    }
    session->expiry = granted_expiry(connection.session_expiry_asked);
    sessions.attach(*session, connection);
    if (connect.will) {
        Letter letter;
        letter.topic = connect.will->topic;
        letter.payload = connect.will->payload;
        const auto properties = forwarded_properties(connect.will->properties);
        letter.properties = properties;
        letter.qos = connect.will->qos;
        letter.retain = connect.will->retain;
        letter.publisher = session->publisher;
        session->will = Will{letter.stored(), connect.will->properties.get(property::message_expiry_interval),
                             connect.will->properties.get(property::will_delay_interval).value_or(0)};
    }
    session->flush(now);
    arm(connection);
}

void Engine::Impl::answer_connect(Connection& connection, const core::Connect& connect, bool session_present,
                                  std::string_view assigned_id, Octets authentication_data) {
    const auto& options = context.options;
    Properties told;
    if (connect.version == Version::v5) {
        const auto granted = granted_expiry(connection.session_expiry_asked);
        if (granted != connection.session_expiry_asked) told.set(property::session_expiry_interval, granted);
        if (options.receive_maximum < 65'535) told.set(property::receive_maximum, options.receive_maximum);
        if (options.maximum_qos != QoS::exactly_once)
            told.set(property::maximum_qos, static_cast<std::uint32_t>(options.maximum_qos));
        if (!options.retain_available) told.set(property::retain_available, 0);
        if (options.maximum_packet_size < core::largest_packet)
            told.set(property::maximum_packet_size, options.maximum_packet_size);
        if (!assigned_id.empty()) told.set(property::assigned_client_identifier, assigned_id);
        if (options.topic_alias_maximum > 0) told.set(property::topic_alias_maximum, options.topic_alias_maximum);
        if (!options.wildcard_subscriptions) told.set(property::wildcard_subscription_available, 0);
        if (!options.subscription_identifiers) told.set(property::subscription_identifier_available, 0);
        if (!options.shared_subscriptions) told.set(property::shared_subscription_available, 0);
        if (connection.server_keep_alive) told.set(property::server_keep_alive, *connection.server_keep_alive);
        const auto& method = connection.authentication.method;
        if (!method.empty()) told.set(property::authentication_method, method); // [MQTT-4.12.0-5]
        if (!authentication_data.empty()) told.set(property::authentication_data, authentication_data);
    }
    connection.established =
        connection.send(core::Packet(core::Connack{.session_present = session_present, .properties = told}));
}

/// 3.1.1 has no return code for what it cannot read, and then no CONNACK. [MQTT-3.2.2-7]
void Engine::Impl::refuse(Time now, Connection& connection, Reason reason, std::string_view text) {
    const bool unreadable = reason < Reason::unsupported_protocol_version;
    if (connection.version == Version::v5 || !unreadable)
        send_with_reason(connection, core::Connack{.reason = reason}, text, true);
    close(now, connection);
}

} // namespace tortoise::broker
