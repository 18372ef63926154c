/// PUBLISH and its acknowledgements, in both directions. [MQTT-3.3] [MQTT-4.3]

#include "broker/impl.hpp"
#include "broker/reply.hpp"

namespace tortoise::broker {

using core::PacketType;

Engine::Impl::PublishFacts::PublishFacts(PropertiesView properties) {
    for (const auto& property : properties) {
        if (property.id == PropertyId::topic_alias) alias = property.number;
        if (property.id == PropertyId::message_expiry_interval) expiry = property.number;
        if (property.id == PropertyId::subscription_identifier) subscription_identifier = true;
    }
}

/// What a PUBLISH breaks, beyond its encoding.
std::optional<Error> Engine::Impl::violation(const Connection& connection, const core::Publish& publish,
                                             const PublishFacts& facts) const {
    const auto& options = context.options;
    if (publish.qos > options.maximum_qos) return make_error(Reason::qos_not_supported, "above the Maximum QoS");
    if (publish.retain && !options.retain_available)
        return make_error(Reason::retain_not_supported, "retained messages are not available");
    // [MQTT-3.3.4-6]
    if (facts.subscription_identifier)
        return make_error(Reason::protocol_error, "a client sent a Subscription Identifier");
    // 3.1.1 knows no Receive Maximum. What is marked as sent again is no further message. [MQTT5-3.3.4-7]
    const bool again = publish.duplicate && publish.qos == QoS::exactly_once;
    if (connection.version == Version::v5 && publish.qos != QoS::at_most_once &&
        connection.unreleased >= options.receive_maximum && !(again && connection.session->counts_inbound(publish.id)))
        return make_error(Reason::receive_maximum_exceeded, "more unacknowledged messages than the Receive Maximum");
    return std::nullopt;
}

bool Engine::Impl::may_publish(std::string_view topic) {
    if (denied_topics.empty()) return true;
    denied.clear();
    denied_topics.match(topic, denied);
    return denied.empty();
}

void Engine::Impl::on_publish(Time now, Connection& connection, const core::Publish& publish) {
    ++context.publishes_received;
    const PublishFacts facts(publish.properties);
    const MessageView seen{.topic = publish.topic,
                           .payload = publish.payload,
                           .qos = publish.qos,
                           .retain = publish.retain,
                           .properties = publish.properties};
    if (const auto broken = judge.publish(now, connection.paces, connection.version, seen))
        return punish(now, connection, publish, *broken);
    if (const auto error = violation(connection, publish, facts)) return hang_up(now, connection, *error);
    const auto topic = connection.resolve_topic(publish.topic, facts.alias);
    if (!topic) return hang_up(now, connection, topic.error());
    auto& session = *connection.session;
    if (publish.qos == QoS::exactly_once && session.has_inbound(publish.id)) {
        // It was forwarded already. [MQTT-4.3.3-10]
        session.received_qos2(publish.id);
        return answer_publish(now, connection, PacketType::pubrec, publish.id, Reason::success);
    }
    const bool allowed = may_publish(*topic);
    auto reason = allowed ? Reason::success : Reason::not_authorized;
    if (allowed) {
        Letter letter;
        letter.topic = *topic;
        letter.payload = publish.payload;
        letter.qos = publish.qos;
        letter.retain = publish.retain;
        letter.publisher = session.publisher;
        Properties kept;
        if (facts.expiry) letter.expires = after(now, std::chrono::seconds(*facts.expiry));
        if (facts.expiry || facts.alias) {
            kept = forwarded_properties(publish.properties);
            letter.properties = kept;
        } else {
            letter.properties = publish.properties;
        }
        if (!sessions.publish(now, letter)) reason = Reason::no_matching_subscribers;
    }
    if (publish.qos == QoS::at_most_once) return;
    // 3.1.1 has no way to refuse: a message that may not be published is acknowledged and gone. [MQTT-3.3.5-2]
    if (connection.version == Version::v3_1_1) reason = Reason::success;
    const bool exactly_once = publish.qos == QoS::exactly_once;
    if (exactly_once && !is_refusal(reason)) session.received_qos2(publish.id);
    answer_publish(now, connection, exactly_once ? PacketType::pubrec : PacketType::puback, publish.id, reason,
                   is_refusal(reason) ? "the topic may not be published" : "");
}

void Engine::Impl::punish(Time now, Connection& connection, const core::Publish& publish, const Breach& broken) {
    if (broken.penalty == Penalty::disconnect) return hang_up(now, connection, broken.reason, broken.text);
    if (broken.penalty != Penalty::refuse || publish.qos == QoS::at_most_once) return;
    const bool tell = connection.version == Version::v5;
    const auto type = publish.qos == QoS::exactly_once ? PacketType::pubrec : PacketType::puback;
    answer_publish(now, connection, type, publish.id, tell ? broken.reason : Reason::success, tell ? broken.text : "");
}

void Engine::Impl::answer_publish(Time now, Connection& connection, PacketType type, core::PacketId id, Reason reason,
                                  std::string_view text) {
    const core::Ack ack{.type = type, .id = id, .reason = reason};
    const bool sent = text.empty() ? connection.send(ack) : send_with_reason(connection, ack, text, false);
    if (!sent) close(now, connection);
}

void Engine::Impl::on_ack(Time now, Connection& connection, const core::Ack& ack) {
    if (ack.type == PacketType::pubrel) return on_release(now, connection, ack.id);
    if (is_refusal(ack.reason) && !context.rules.takes_refusals)
        return hang_up(now, connection, Reason::implementation_specific_error, "a message was refused");
    if (!connection.session->acknowledged(now, ack))
        hang_up(now, connection, Reason::protocol_error, "an acknowledgement of the wrong kind");
}

/// [MQTT-4.3.3-11]
void Engine::Impl::on_release(Time now, Connection& connection, core::PacketId id) {
    const bool known = connection.session->release_qos2(id);
    const bool tell = !known && connection.version == Version::v5;
    answer_publish(now, connection, PacketType::pubcomp, id,
                   tell ? Reason::packet_identifier_not_found : Reason::success);
}

} // namespace tortoise::broker
