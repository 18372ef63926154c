/// How a network connection ends. [MQTT-3.14] [MQTT-4.13]

#include "broker/impl.hpp"
#include "broker/reply.hpp"

namespace tortoise::broker {

void Engine::Impl::on_disconnect(Time now, Connection& connection, const core::Disconnect& disconnect) {
    if (const auto expiry = disconnect.properties.get(property::session_expiry_interval)) {
        if (connection.session_expiry_asked == 0 && *expiry != 0)
            return hang_up(now, connection, Reason::protocol_error, "the session expiry was 0 and cannot be set now");
        connection.session->expiry = granted_expiry(*expiry);
    }
    // [MQTT-3.14.4-3]
    if (disconnect.reason == Reason::success) connection.session->will.reset();
    close(now, connection);
}

void Engine::Impl::hang_up(Time now, Connection& connection, Reason reason, std::string_view text) {
    // [MQTT-3.14.0-1]
    if (connection.established && connection.version == Version::v5)
        send_with_reason(connection, core::Disconnect{.reason = reason}, text, true);
    close(now, connection);
}

void Engine::Impl::hang_up(Time now, Connection& connection, const Error& error) {
    hang_up(now, connection, reason_of(error), error.text);
}

void Engine::Impl::close(Time now, Connection& connection) {
    if (connection.closing()) return;
    connection.close();
    timers.disarm(connection.id);
    if (connection.session) sessions.detach(now, *connection.session);
}

void Engine::Impl::send_or_close(Time now, Connection& connection, const core::Packet& packet) {
    if (!connection.send(packet)) close(now, connection);
}

} // namespace tortoise::broker
