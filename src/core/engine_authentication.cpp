/// The client engine: enhanced authentication, before CONNACK and again while up. Its states: authentication.hpp.
#include "core/engine_impl.hpp"

namespace tortoise::core {

namespace {

using Step = AuthenticationState::Step;

std::string data_of(PropertiesView properties) {
    return std::string(properties.get(property::authentication_data).value_or(Octets{}));
}

} // namespace

// Each AUTH of the broker's, and a CONNACK that accepts, say the method of our CONNECT.
bool Engine::Impl::right_method(Time now, PropertiesView properties, std::string_view packet) {
    const auto method = properties.get(property::authentication_method);
    if (method && *method == authentication.method()) return true;
    violation(now, make_error(Reason::protocol_error,
                              "[MQTT-4.12.0-5] " + std::string(packet) + " with " +
                                  (method ? "another Authentication Method" : "no Authentication Method")));
    return false;
}

void Engine::Impl::on(Time now, const Auth& auth) {
    if (authentication.step() != Step::asked)
        return violation(now, make_error(Reason::protocol_error, authentication.step() == Step::none
                                                                     ? "[MQTT-4.12.0-6] AUTH, which was not asked for"
                                                                     : "AUTH out of its turn"));
    const bool success = auth.reason == Reason::success;
    if (auth.reason == Reason::reauthenticate || (success && !authentication.again()))
        return violation(now,
                         make_error(Reason::protocol_error, "AUTH with a reason that is not the server's to give"));
    if (!right_method(now, auth.properties, "AUTH")) return;
    authentication.become(success ? Step::verifying : Step::answering);
    if (success)
        events.push_back(AuthenticationSucceeded{data_of(auth.properties)});
    else
        events.push_back(AuthenticationContinued{data_of(auth.properties)});
}

// CONNACK accepts us. It counts when the user is content with what the broker says of itself.
void Engine::Impl::succeeded(Time now, const Connack& connack) {
    if (authentication.step() != Step::asked)
        return violation(now, make_error(Reason::protocol_error, "CONNACK ahead of the answer to AUTH"));
    if (!right_method(now, connack.properties, "CONNACK")) return;
    authentication.become(Step::verifying);
    unanswered = true; // until it counts: what is said of the session is lost if it never does
    held_connack = HeldConnack{connack.session_present, Properties(connack.properties)};
    events.push_back(AuthenticationSucceeded{data_of(connack.properties)});
}

void Engine::Impl::send_auth(Time now, Reason reason, Octets data) {
    Properties properties;
    properties.set(property::authentication_method, authentication.method());
    if (!data.empty()) properties.set(property::authentication_data, data);
    const auto before = output.size();
    send(now, Packet(Auth{reason, properties}));
    if (const auto size = output.size() - before; size > limits.packet_size) {
        output.resize(before);
        fail_authentication(now, make_error(Errc::packet_too_large, "AUTH has " + std::to_string(size) +
                                                                        " bytes; the broker takes at most " +
                                                                        std::to_string(limits.packet_size)));
    }
}

void Engine::Impl::continue_authentication(Time now, Octets data) {
    if (authentication.step() != Step::answering || lifecycle.state() == State::closing) return;
    authentication.become(Step::asked);
    send_auth(now, Reason::continue_authentication, data);
}

void Engine::Impl::accept_authentication(Time now, std::optional<Time> ends) {
    if (authentication.step() != Step::verifying || lifecycle.state() == State::closing) return;
    authentication.become(Step::done);
    if (authentication.again()) {
        timers.clear(Timer::authenticate);
        if (ends) timers.set(Timer::renew, *ends);
        return events.push_back(Reauthenticated{});
    }
    unanswered = false;
    auto held = held_connack.take().value_or(HeldConnack());
    accepted(now, Connack{held.session_present, Reason::success, held.properties});
    if (ends) timers.set(Timer::renew, *ends);
    replayed = std::move(held.behind);
    received(now, replayed);
}

void Engine::Impl::fail_authentication(Time now, Error why) {
    if (!authentication.under_way() || lifecycle.state() == State::closing) return;
    if (lifecycle.state() == State::greeting || lifecycle.state() == State::up)
        send_disconnect(now, Reason::unspecified_error);
    close(std::move(why));
}

void Engine::Impl::reauthenticate(Time now, Authentication with) {
    if (authentication.under_way()) return;
    const auto cannot = [&](Error why) { events.push_back(Reauthenticated{std::move(why)}); };
    if (lifecycle.state() != State::up) return cannot(make_error(Errc::connection_lost, "not connected"));
    if (authentication.step() == Step::none)
        return cannot(make_error(Errc::not_supported, "the connection was made without an authentication method"));
    if (with.method != authentication.method())
        return cannot(make_error(Errc::invalid_option, "[MQTT-4.12.1-1] the method is '" + with.method +
                                                           "'; that of the connection is '" + authentication.method() +
                                                           "'"));
    authentication.begin_again();
    timers.clear(Timer::renew);
    timers.set(Timer::authenticate, now + options.connect_timeout);
    send_auth(now, Reason::reauthenticate, with.data);
}

// The connection ended.
void Engine::Impl::end_authentication(const Error& why) {
    if (authentication.again() && authentication.under_way()) events.push_back(Reauthenticated{why});
    authentication.reset();
    held_connack.reset();
}

} // namespace tortoise::core
