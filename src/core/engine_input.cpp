/// The client engine: what the broker sends. The first violation ends the connection; what stands behind it is not
/// looked at.
#include "core/engine_impl.hpp"

#include <algorithm>

namespace tortoise::core {

namespace {

std::string reason_text(PropertiesView properties) {
    return std::string(properties.get(property::reason_string).value_or(Octets{}));
}

bool only_clients_send(PacketType type) noexcept {
    return type == PacketType::connect || type == PacketType::subscribe || type == PacketType::unsubscribe ||
           type == PacketType::pingreq;
}

Error not_expected(PacketType type) {
    return make_error(Reason::protocol_error, std::string(to_string(type)) + " is not expected from a server");
}

} // namespace

void Engine::Impl::received(Time now, Octets octets) {
    aliases_in.settle();
    routes.clear();
    const auto listening = [&] { return lifecycle.state() == State::greeting || lifecycle.state() == State::up; };
    if (!listening()) return;
    keep_alive.received(now);
    if (verifying()) {
        held_connack.get().behind += octets;
        return;
    }
    reader.feed(octets);
    while (listening()) {
        if (verifying()) {
            held_connack.get().behind = reader.take_rest();
            break;
        }
        Frame frame;
        if (!reader.next_whole(frame)) {
            auto next = reader.next();
            if (!next) violation(now, std::move(next).error());
            if (!next || !*next) break;
            frame = **next;
        }
        if (handle_plain(now, frame)) continue;
        if (auto error = handle(now, frame)) {
            violation(now, std::move(*error));
            break;
        }
    }
    flush_acks(now);
    if (renewing && inflight.empty()) renew(now);
    pump(now);
    check_drained(now);
}

void Engine::Impl::violation(Time now, Error error) {
    const bool has_reason = error.code.category() == reason_category();
    if (lifecycle.state() == State::up && options.version == Version::v5)
        send_disconnect(now, has_reason ? static_cast<Reason>(error.code.value()) : Reason::protocol_error);
    close(std::move(error));
}

// Most of what comes, at little cost. No: it is not of that kind.
inline bool Engine::Impl::handle_plain(Time now, const Frame& frame) {
    if (lifecycle.state() != State::up) return false;
    Publish plain;
    if (!decode_plain(options.version, frame, plain)) return false;
    ++counters.packets_received;
    on(now, plain);
    return true;
}

// The error: it was no packet, or not one that may come now.
std::optional<Error> Engine::Impl::handle(Time now, const Frame& frame) {
    const auto type = frame.type();
    // The reasons for what is wrong inside of such a packet are not ours to give, or to classify.
    if (only_clients_send(type)) return not_expected(type);
    const bool greets = type == PacketType::connack || type == PacketType::auth;
    const auto go_on = [&](const auto& packet) -> std::optional<Error> {
        if (!packet) return packet.error();
        if (lifecycle.state() == State::greeting && !greets)
            return make_error(Reason::protocol_error,
                              "[MQTT-3.2.0-1] " + std::string(to_string(type)) + " before CONNACK");
        ++counters.packets_received;
        if constexpr (std::is_same_v<decltype(packet), const Result<Packet>&>)
            std::visit([&](const auto& p) { on(now, p); }, *packet);
        else
            on(now, *packet);
        return std::nullopt;
    };
    switch (type) {
    case PacketType::publish: return go_on(decode_publish(options.version, frame));
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: return go_on(decode_ack(options.version, frame));
    default: return go_on(decode(options.version, frame));
    }
}

// What only clients send does not get that far.
template <class Other> void Engine::Impl::on(Time now, const Other& packet) {
    violation(now, not_expected(type_of(Packet(packet))));
}

std::uint16_t Engine::Impl::own_window() const noexcept {
    if (options.max_in_flight != 0) return options.max_in_flight;
    return options.version == Version::v5 ? std::uint16_t{65'535} : std::uint16_t{20};
}

// ---- CONNACK -------------------------------------------------------------------------------------------------------

void Engine::Impl::on(Time now, const Connack& connack) {
    if (lifecycle.state() == State::up)
        return violation(now, make_error(Reason::protocol_error, "[MQTT-3.2.0-2] a second CONNACK"));
    unanswered = false;
    if (is_refusal(connack.reason)) {
        close_properties = Properties(connack.properties);
        return close(make_error(connack.reason, reason_text(connack.properties)));
    }
    const bool asked_clean = options.session.clean_start && (options.version == Version::v3_1_1 || !had_session);
    if (connack.session_present && asked_clean)
        return violation(now,
                         make_error(Reason::protocol_error,
                                    std::string(options.version == Version::v5 ? "[MQTT-3.2.2-4]" : "[MQTT-3.2.2-1]") +
                                        " session present after a clean start"));
    if (authentication.step() != AuthenticationState::Step::none) return succeeded(now, connack);
    if (connack.properties.get(property::authentication_method))
        return violation(now,
                         make_error(Reason::protocol_error, "[MQTT-4.12.0-6] CONNACK with an Authentication Method, "
                                                            "which CONNECT had not"));
    accepted(now, connack);
}

void Engine::Impl::accepted(Time now, const Connack& connack) {
    lifecycle.become(State::up);
    was_up = true;
    had_session = true;
    timers.clear(Timer::connect);
    timers.set(Timer::stable, now + options.backoff.stable_after);
    if (renew_at) timers.set(Timer::renew, *renew_at);
    limits = Limits::of(connack, options.limits);
    limits.receive_maximum = std::min(limits.receive_maximum, own_window());
    if (const auto assigned = connack.properties.get(property::assigned_client_identifier);
        assigned && client_id.empty())
        client_id = *assigned;
    const Duration interval = limits.keep_alive ? std::chrono::seconds(*limits.keep_alive) : options.keep_alive;
    keep_alive.begin(now, interval);
    aliases_in.reset(options.topic_alias_maximum);
    aliases_out.reset(options.topic_aliases == TopicAliases::automatic ? limits.topic_aliases : std::uint16_t{0});
    if (options.topic_aliases == TopicAliases::manual) aliases_named.get().reset(limits.topic_aliases);

    events.push_back(
        Up{{connack.session_present, client_id, options.version, interval, Properties(connack.properties)}});
    // If the CONNACK to an earlier CONNECT was lost, the session that is present may be a new one, begun by that
    // CONNECT.
    if (!connack.session_present)
        forget_session(now);
    else if (unsure)
        inbox.session_uncertain();
    journal.accepted_as(client_id);
    subscriptions.connected(connack.session_present, !unsure, events);
    unsure = false;
    resend_next = inflight.first();
}

// The broker knows nothing of us: what it had not taken over goes back to its old place in the queue. A message that it
// had taken over (PUBREC) is never published again: that could deliver it twice.
void Engine::Impl::forget_session(Time now) {
    for (const PacketId id : inbox.seen()) journal.handled_and_released(id);
    inbox.session_lost();
    for (const PacketId id : std::exchange(withheld, {})) ids.release(id);
    std::vector<WorkItem> back;
    while (!inflight.empty()) {
        const PacketId id = inflight.first();
        auto entry = inflight.take(id);
        ids.release(id);
        if (entry.step == Inflight::Step::published && !entry.answered) {
            journal.waits_again(entry.item);
            back.push_back(std::move(entry.item));
            continue;
        }
        journal.ended(entry.item);
        if (!entry.answered) undelivered(std::move(entry.item), make_error(Errc::session_lost));
    }
    for (auto item = back.rbegin(); item != back.rend(); ++item) outbox->put_back(std::move(*item));
    outbox->expire(now, dropped);
    drop(dropped);
}

// ---- Messages ------------------------------------------------------------------------------------------------------

void Engine::Impl::on(Time now, const Publish& publish) {
    std::string_view topic = publish.topic;
    if (!publish.properties.empty()) {
        const auto alias = publish.properties.get(property::topic_alias);
        const auto resolved = alias ? aliases_in.resolve(*alias, topic) : topic;
        if (!resolved)
            return violation(
                now, make_error(Reason::topic_alias_invalid, "[MQTT-3.3.2-11] topic alias " + std::to_string(*alias)));
        topic = *resolved;
    }
    InboundId id = 0;
    if (publish.qos != QoS::at_most_once) {
        const auto arrived = inbox.publish(publish.qos, publish.id, publish.duplicate);
        if (arrived.what == Inbox::Arrival::exceeded)
            return violation(now, make_error(Reason::receive_maximum_exceeded,
                                             "[MQTT-3.3.4-9] more than " + std::to_string(options.receive_maximum) +
                                                 " unacknowledged messages"));
        if (arrived.what == Inbox::Arrival::duplicate) return;
        if (arrived.renamed) journal.handled_and_released(publish.id);
        id = arrived.id;
    }
    const std::size_t first = routes.size();
    const bool identified = options.version == Version::v5 && limits.subscription_identifiers;
    subscriptions.find_routes(topic, publish.properties, identified, routes);
    events.emplace_back(std::in_place_type<Received>,
                        MessageView{topic, publish.payload, publish.qos, publish.retain, publish.duplicate,
                                    publish.properties, publish.id, 0},
                        id, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(routes.size() - first));
}

// ---- Acknowledgements ----------------------------------------------------------------------------------------------

void Engine::Impl::on(Time now, const Ack& ack) {
    switch (ack.type) {
    case PacketType::puback: return on_puback(now, ack);
    case PacketType::pubrec: return on_pubrec(now, ack);
    case PacketType::pubcomp: return on_pubcomp(now, ack);
    default: break;
    }
    const auto reason = inbox.release(ack.id);
    if (!reason) return violation(now, make_error(Reason::protocol_error, "PUBREL ahead of our PUBREC"));
    if (*reason == Reason::success) journal.handled_and_released(ack.id);
    const bool told = options.version == Version::v5;
    send_checked(now, Ack{PacketType::pubcomp, ack.id, told ? *reason : Reason::success, {}});
}

// Is an acknowledgement for an identifier that is in use for something else? Then the broker broke the protocol. One
// for an identifier that is not in use came late, or twice, and is ignored.
bool Engine::Impl::other_use(PacketId id, std::string_view packet, Time now) {
    if (!ids.in_use(id)) return false;
    violation(now, make_error(Reason::protocol_error, std::string(packet) + " for packet identifier " +
                                                          std::to_string(id) + ", which awaits another packet"));
    return true;
}

void Engine::Impl::on_puback(Time now, const Ack& ack) {
    auto* entry = inflight.find(ack.id);
    if (!entry || entry->item.message.qos != QoS::at_least_once || !entry->on_wire) {
        other_use(ack.id, "PUBACK", now);
        return;
    }
    settle(now, ack.id, ack.properties, ack.reason);
}

void Engine::Impl::on_pubrec(Time now, const Ack& ack) {
    auto* entry = inflight.find(ack.id);
    if (!entry) {
        if (other_use(ack.id, "PUBREC", now) || is_refusal(ack.reason)) return;
        const bool told = options.version == Version::v5;
        send_checked(now,
                     Ack{PacketType::pubrel, ack.id, told ? Reason::packet_identifier_not_found : Reason::success, {}});
        return;
    }
    if (entry->item.message.qos != QoS::exactly_once || !entry->on_wire) {
        other_use(ack.id, "PUBREC", now);
        return;
    }
    if (is_refusal(ack.reason)) return settle(now, ack.id, ack.properties, ack.reason);
    Inflight::release(*entry);
    journal.released(entry->item, ack.id);
    send_checked(now, Ack{PacketType::pubrel, ack.id, Reason::success, {}});
}

void Engine::Impl::on_pubcomp(Time now, const Ack& ack) {
    auto* entry = inflight.find(ack.id);
    if (!entry || entry->step != Inflight::Step::released || !entry->on_wire) {
        other_use(ack.id, "PUBCOMP", now);
        return;
    }
    // The broker took the message over with its PUBREC, whatever it says now.
    settle(now, ack.id, ack.properties, Reason::success);
}

void Engine::Impl::on(Time now, const Suback& suback) {
    if (!subscriptions.awaits(suback.id, true)) {
        other_use(suback.id, "SUBACK", now);
        return;
    }
    if (!subscriptions.replied(now, suback.id, true, suback.reasons, suback.properties, events))
        return violation(now,
                         make_error(Reason::protocol_error,
                                    std::string(options.version == Version::v5 ? "[MQTT-3.8.4-6]" : "[MQTT-3.8.4-5]") +
                                        " SUBACK without a reason per filter"));
    ids.release(suback.id);
}

void Engine::Impl::on(Time now, const Unsuback& unsuback) {
    if (!subscriptions.awaits(unsuback.id, false)) {
        other_use(unsuback.id, "UNSUBACK", now);
        return;
    }
    if (!subscriptions.replied(now, unsuback.id, false, unsuback.reasons, unsuback.properties, events))
        return violation(now, make_error(Reason::protocol_error, "UNSUBACK without a reason per filter"));
    ids.release(unsuback.id);
}

void Engine::Impl::on(Time now, const Pingresp&) {
    if (const auto ping = keep_alive.answered()) events.push_back(Pong{ping->token, now - ping->sent});
}

void Engine::Impl::on(Time now, const Disconnect& disconnect) {
    if (options.version == Version::v3_1_1)
        return violation(now, make_error(Reason::protocol_error, "DISCONNECT is not expected from a 3.1.1 server"));
    close_properties = Properties(disconnect.properties);
    // Whoever took the session over, if only a late CONNECT of our own, may have begun a new one.
    if (disconnect.reason == Reason::session_taken_over) unsure = true;
    if (is_refusal(disconnect.reason)) return close(make_error(disconnect.reason, reason_text(disconnect.properties)));
    close(make_error(Errc::connection_lost, "the broker said DISCONNECT"));
}

} // namespace tortoise::core
