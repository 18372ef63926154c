/// Enhanced authentication: the client's turns; the broker's follow at once. [MQTT-4.12]
///
///   where it stands     what comes            what follows
///   no CONNECT yet      CONNECT with method   unknown: CONNACK 0x8C. Otherwise a step of the exchange
///   before CONNACK      AUTH 0x18             a step: AUTH 0x18, CONNACK 0x00, or CONNACK 0x87
///                       DISCONNECT            the end
///                       anything else         CONNACK 0x82
///   established         AUTH 0x19             a step: AUTH 0x18, AUTH 0x00, or DISCONNECT 0x87
///   … and again         AUTH 0x18             the same
///                       others but AUTH       as ever
///   AUTH in other places, or by another method: DISCONNECT 0x82

#include "broker/impl.hpp"
#include "broker/reply.hpp"

namespace tortoise::broker {

namespace {

using Kind = testing::BrokerAuthentication::Step::Kind;

Octets data_of(PropertiesView properties) { return properties.get(property::authentication_data).value_or(Octets{}); }

} // namespace

bool Engine::Impl::wants_authentication() const { return static_cast<bool>(context.options.authentication); }

void Engine::Impl::begin_authentication(Time now, Connection& connection, const core::Connect& connect, Octets whole) {
    auto& authentication = connection.authentication;
    const auto method = *connect.properties.get(property::authentication_method);
    if (wants_authentication()) authentication.exchange.reset(context.options.authentication(method));
    if (!authentication.exchange)
        return refuse(now, connection, Reason::bad_authentication_method, "the authentication method is not supported");
    authentication.method = method;
    authentication.connect = whole;
    go_on(now, connection, data_of(connect.properties));
}

/// Nothing but AUTH and DISCONNECT may come. [MQTT-3.1.2-30]
void Engine::Impl::on_packet_before_connack(Time now, Connection& connection, const core::Frame& frame) {
    const auto packet = core::decode(connection.version, frame);
    if (!packet) return refuse(now, connection, reason_of(packet.error()), packet.error().text);
    if (const auto* auth = std::get_if<core::Auth>(&*packet)) return on_auth(now, connection, *auth);
    if (std::holds_alternative<core::Disconnect>(*packet)) return close(now, connection);
    refuse(now, connection, Reason::protocol_error,
           std::string(core::to_string(core::type_of(*packet))) + " before the authentication has ended");
}

void Engine::Impl::on_auth(Time now, Connection& connection, const core::Auth& auth) {
    auto& [method, exchange, connect] = connection.authentication;
    const auto refuse_it = [&](std::string_view text) {
        refuse_authentication(now, connection, Reason::protocol_error, text);
    };
    if (method.empty()) return refuse_it("AUTH from a client whose CONNECT had no Authentication Method");
    if (auth.properties.get(property::authentication_method) != method)
        return refuse_it("AUTH with another Authentication Method than CONNECT"); // [MQTT-4.12.1-1]
    const bool begins = auth.reason == Reason::reauthenticate;
    if ((!begins && auth.reason != Reason::continue_authentication) || begins == (exchange != nullptr))
        return refuse_it("AUTH out of its turn");
    if (begins) exchange.reset(context.options.authentication(method));
    if (!exchange) return refuse_it("the authentication method is not supported any more");
    go_on(now, connection, data_of(auth.properties));
}

void Engine::Impl::go_on(Time now, Connection& connection, Octets data) {
    auto& authentication = connection.authentication;
    const auto step = authentication.exchange->step(data);
    if (step.kind == Kind::refuse)
        return refuse_authentication(now, connection, Reason::not_authorized, "the authentication failed");
    if (step.kind == Kind::accept) authentication.exchange.reset();
    if (step.kind == Kind::accept && !connection.established) {
        const auto octets = std::exchange(authentication.connect, {});
        const auto connect = core::decode(Version::v5, octets); // as it did before
        return accept(now, connection, std::get<core::Connect>(*connect), step.data);
    }
    Properties properties;
    properties.set(property::authentication_method, authentication.method);
    if (!step.data.empty()) properties.set(property::authentication_data, step.data);
    const bool accepted = step.kind == Kind::accept;
    send_or_close(now, connection,
                  core::Auth{accepted ? Reason::success : Reason::continue_authentication, properties});
}

void Engine::Impl::refuse_authentication(Time now, Connection& connection, Reason reason, std::string_view text) {
    connection.authentication.exchange.reset();
    if (connection.established)
        hang_up(now, connection, reason, text);
    else
        refuse(now, connection, reason, text);
}

} // namespace tortoise::broker
