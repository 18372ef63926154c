/// The client engine: what we send, and when it may go.
#include "core/engine_impl.hpp"

#include <algorithm>

namespace tortoise::core {

// What reaches this was checked when it was admitted. Should the codec refuse it all the same, the connection ends with
// its words: nothing is dropped in silence.
template <class P> void Engine::Impl::send(Time now, const P& packet) {
    if (auto encoded = encode(options.version, packet, output); !encoded) return close(std::move(encoded).error());
    keep_alive.sent(now);
}
template void Engine::Impl::send(Time, const Pingreq&);
template void Engine::Impl::send(Time, const Ack&);
template void Engine::Impl::send(Time, const Packet&);

void Engine::Impl::send_disconnect(Time now, Reason reason, PropertiesView properties) {
    send(now, Packet(Disconnect{reason, properties}));
}

void Engine::Impl::send_connect(Time now) {
    const bool v5 = options.version == Version::v5;
    Properties properties;
    if (v5) {
        properties = options.connect_properties;
        const auto expiry = whole_seconds(options.session.expiry);
        if (expiry > 0) properties.set(property::session_expiry_interval, expiry);
        if (options.receive_maximum != 65'535) properties.set(property::receive_maximum, options.receive_maximum);
        if (options.maximum_packet_size < largest_packet)
            properties.set(property::maximum_packet_size, options.maximum_packet_size);
        if (options.topic_alias_maximum > 0) properties.set(property::topic_alias_maximum, options.topic_alias_maximum);
        if (authenticate_with) {
            authentication.begin(authenticate_with->method);
            properties.set(property::authentication_method, authenticate_with->method);
            if (!authenticate_with->data.empty())
                properties.set(property::authentication_data, authenticate_with->data);
        }
    }
    Connect connect;
    connect.version = options.version;
    connect.clean_start = options.session.clean_start && (!v5 || !had_session);
    connect.keep_alive = static_cast<std::uint16_t>(std::min<std::uint32_t>(whole_seconds(options.keep_alive), 65'535));
    connect.client_id = client_id;
    connect.properties = properties;
    if (credentials.user_name) connect.user_name = *credentials.user_name;
    if (credentials.password) connect.password = *credentials.password;
    Properties will_properties;
    if (will) {
        if (v5) {
            will_properties = will->properties;
            if (will->delay > Duration::zero())
                will_properties.set(property::will_delay_interval, whole_seconds(will->delay));
        }
        connect.will = ConnectWill{will->topic, will->payload, will->qos, will->retain, will_properties};
    }
    if (const auto found = excess(options.limits, connect)) return close(found->error());
    if (auto encoded = encode(options.version, Packet(connect), output); !encoded)
        close(make_error(Errc::invalid_option, "CONNECT cannot be made: " + encoded.error().describe()));
    unsure = unsure || unanswered;
    unanswered = true;
    keep_alive.sent(now);
}

void Engine::Impl::flush_acks(Time now) {
    if (lifecycle.state() != State::up) return;
    while (auto ack = inbox.next_ack()) {
        if (ack->type == PacketType::pubrec && !is_refusal(ack->reason)) journal.handled(ack->id);
        if (options.version == Version::v3_1_1) ack->reason = Reason::success;
        send(now, *ack);
    }
}

// ---- Publishing ----------------------------------------------------------------------------------------------------

void Engine::Impl::undelivered(WorkItem&& item, Error why) {
    events.push_back(Undelivered{item.token, std::move(item.message), std::move(why)});
}

void Engine::Impl::drop(std::vector<WorkList::Dropped>& list) {
    for (auto& [item, why] : list) {
        journal.ended(item);
        undelivered(std::move(item), make_error(why));
    }
    list.clear();
}

// Does the request make sense, whatever the broker? Then it becomes a message to be sent.
Result<WorkItem> Engine::Impl::admit(Time now, const PublishRequest& request) const {
    if (lifecycle.state() == State::ended || stopping) return make_error(Errc::stopped, "the connection is stopped");
    if (request.qos > QoS::exactly_once) return make_error(Errc::invalid_qos, "QoS is 0, 1 or 2");
    if (auto valid = check_topic(request.topic); !valid) return std::move(valid).error();
    const MessageView view{.topic = request.topic,
                           .payload = request.payload,
                           .qos = request.qos,
                           .retain = request.retain,
                           .properties = request.properties};
    if (const auto found = excess(options.limits, view)) return found->error();
    WorkItem item;
    auto ttl = request.ttl;
    if (!request.properties.empty()) {
        if (options.version == Version::v3_1_1) return make_error(Errc::not_supported, "MQTT 3.1.1 has no properties");
        if (options.topic_aliases != TopicAliases::manual && request.properties.get(property::topic_alias))
            return make_error(Errc::invalid_option, "topic aliases are chosen by the connection, unless its option "
                                                    "topic_aliases is manual");
        if (request.properties.get(property::subscription_identifier))
            return make_error(Errc::invalid_option, "[MQTT-3.3.4-6] a subscription identifier in a publish");
        item.message.properties = Properties(request.properties);
        if (const auto interval = request.properties.get(property::message_expiry_interval)) {
            if (!ttl) ttl = std::chrono::seconds(*interval);
            item.message.properties.remove(PropertyId::message_expiry_interval);
        }
    }
    item.message.topic = request.topic;
    item.message.payload = request.payload;
    item.message.qos = request.qos;
    item.message.retain = request.retain;
    item.token = request.token;
    item.priority = request.priority;
    item.accepted = now;
    if (ttl) item.expires = now + std::max(*ttl, Duration::zero());
    Publish sample{1, request.topic, request.payload, request.qos, request.retain, false, item.message.properties};
    if (request.qos == QoS::at_most_once) sample.id = 0;
    if (encoded_size(options.version, sample) + 16 > largest_packet)
        return make_error(Errc::packet_too_large, "MQTT allows packets of at most 268435460 bytes");
    if (!sample.properties.empty()) {
        sample.payload = {};
        std::string trial;
        if (auto valid = encode(options.version, sample, trial); !valid)
            return make_error(Errc::invalid_option, valid.error().describe());
    }
    return item;
}

// What names an alias only, means the topic that it was named with last.
Result<WorkItem> Engine::Impl::admit_by_alias(Time now, PublishRequest request) {
    const auto alias = request.properties.get(property::topic_alias);
    if (alias && options.topic_aliases == TopicAliases::manual) {
        const auto topic = aliases_named.topic_of(*alias, request.topic);
        if (!topic)
            return make_error(Errc::invalid_topic,
                              "topic alias " + std::to_string(*alias) + " was not named with a topic");
        request.topic = *topic;
    }
    auto item = admit(now, request);
    if (item && alias) aliases_named.name(*alias, request.topic);
    return item;
}

void Engine::Impl::publish(Time now, const PublishRequest& request) {
    auto admitted = admit_by_alias(now, request);
    if (!admitted) {
        Message message{std::string(request.topic), std::string(request.payload), request.qos, request.retain};
        events.push_back(Undelivered{request.token, std::move(message), std::move(admitted).error()});
        return;
    }
    admitted->key = journal.next_key();
    const bool at_once = lifecycle.state() == State::up && outbox->empty() && resend_next == 0 && has_room() &&
                         !renewing && (request.qos == QoS::at_most_once || window_open()) &&
                         (!admitted->expires || *admitted->expires > now) && may_go(now, *admitted);
    if (at_once)
        transmit_new(now, std::move(*admitted), false);
    else
        enqueue(now, std::move(*admitted));
}

void Engine::Impl::enqueue(Time now, WorkItem&& item) {
    const auto key = item.key;
    const Token token = item.token;
    journal.waits(item);
    outbox->push(std::move(item), dropped);
    outbox->expire(now, dropped);
    const bool in = std::none_of(dropped.begin(), dropped.end(), [key](const auto& d) { return d.item.key == key; });
    drop(dropped);
    if (in && journal.on() && token != 0) events.push_back(Accepted{token});
}

bool Engine::Impl::window_open() const noexcept { return outstanding < limits.receive_maximum && ids.used() < 65'535; }

// Is it not too fast? Otherwise it is tried again when it would not be.
bool Engine::Impl::may_go(Time now, const WorkItem& item) {
    const Time at = std::max(pace.publishes.ready(now), pace.octets.ready(now, item.bytes()));
    if (at <= now) return true;
    too_fast_until = too_fast_until ? std::min(*too_fast_until, at) : at;
    return false;
}

void Engine::Impl::went(Time now, const WorkItem& item) {
    pace.publishes.take(now);
    pace.octets.take(now, item.bytes());
}

// What this broker does not take.
std::optional<Error> Engine::Impl::not_allowed(const MessageView& message) const {
    if (message.qos > limits.maximum_qos) return make_error(Reason::qos_not_supported);
    if (message.retain && !limits.retain) return make_error(Reason::retain_not_supported);
    if (limits.packet_size >= largest_packet) return std::nullopt;
    const Publish sample{1, message.topic, message.payload, message.qos, false, false, message.properties};
    const std::size_t size = encoded_size(options.version, sample) + 5 + 3; // with expiry interval and alias
    if (size <= limits.packet_size) return std::nullopt;
    return make_error(Errc::packet_too_large,
                      std::to_string(size) + " bytes; the broker takes at most " + std::to_string(limits.packet_size));
}

void Engine::Impl::transmit(Time now, const MessageView& message, std::optional<Time> expires, PacketId id) {
    Publish publish{
        id, message.topic, message.payload, message.qos, message.retain, message.duplicate, message.properties};
    const auto named = message.properties.get(property::topic_alias);
    const bool by_user = named && options.topic_aliases == TopicAliases::manual; // others are of an earlier life
    const auto alias = by_user ? aliases_named.use(*named, message.topic) : aliases_out.use(message.topic);
    const bool interval = expires && options.version == Version::v5;
    if (alias.alias != 0 || interval || named) {
        Properties properties(message.properties);
        // What is sent again may be past its time; there are brokers to whom 0 means for ever.
        if (interval) properties.set(property::message_expiry_interval, std::max(1u, whole_seconds(*expires - now)));
        if (alias.alias != 0)
            properties.set(property::topic_alias, alias.alias);
        else if (named)
            properties.remove(PropertyId::topic_alias);
        if (alias.known) publish.topic = {};
        scratch.assign(properties.view().octets());
        publish.properties = PropertiesView(scratch);
    }
    send(now, publish);
}

// Sends a message for the first time on this connection, unless this broker does not take it.
void Engine::Impl::transmit_new(Time now, WorkItem&& item, bool waited) {
    if (auto error = not_allowed(item.message)) {
        if (waited) journal.ended(item);
        return undelivered(std::move(item), std::move(*error));
    }
    went(now, item);
    ++item.attempts;
    if (item.message.qos == QoS::at_most_once) {
        if (waited) journal.sent_after_waiting(item, 0);
        transmit(now, item.message, item.expires, 0);
        ++counters.sent_at_most_once;
        if (item.token == 0) return;
        events.push_back(Delivered{item.token,
                                   {QoS::at_most_once, Reason::success, item.attempts, now - item.accepted, {}, {}},
                                   std::move(item.message.topic)});
        return;
    }
    const PacketId id = ids.allocate();
    auto& entry = inflight.insert(id, std::move(item));
    entry.on_wire = true;
    ++outstanding;
    if (waited)
        journal.sent_after_waiting(entry.item, id);
    else
        journal.sent(entry.item, id);
    transmit(now, entry.item.message, entry.item.expires, id);
    if (!waited && journal.on() && entry.item.token != 0) events.push_back(Accepted{entry.item.token});
}

// An acknowledgement ended a flow.
void Engine::Impl::settle(Time now, PacketId id, PropertiesView properties, Reason reason) {
    const std::string text(properties.get(property::reason_string).value_or(Octets{}));
    auto entry = inflight.erase(id);
    ids.release(id);
    --outstanding;
    journal.ended(entry.item);
    if (entry.answered) return;
    WorkItem& item = entry.item;
    if (is_refusal(reason)) return undelivered(std::move(item), make_error(reason, text));
    if (item.token == 0) return;
    events.push_back(
        Delivered{item.token,
                  {item.message.qos, reason, item.attempts, now - item.accepted, text, Properties(properties)},
                  std::move(item.message.topic)});
}

// ---- What may go now -----------------------------------------------------------------------------------------------

void Engine::Impl::pump(Time now) {
    if (lifecycle.state() != State::up) return;
    too_fast_until.reset();
    pump_subscriptions(now);
    resend(now);
    outbox->expire(now, dropped);
    drop(dropped);
    while (resend_next == 0 && has_room() && !renewing) {
        const WorkItem* next = outbox->peek();
        if (!next || (next->message.qos != QoS::at_most_once && !window_open()) || !may_go(now, *next)) break;
        transmit_new(now, outbox->pop(), true);
    }
}

void Engine::Impl::pump_subscriptions(Time now) {
    while (has_room() && ids.used() < 65'535) {
        if (const Time at = pace.subscribes.ready(now); at > now) {
            too_fast_until = at;
            return;
        }
        const auto request = subscriptions.next(limits, events);
        if (!request) return;
        pace.subscribes.take(now);
        const PacketId id = ids.allocate();
        if (request->subscribe) {
            Properties properties = options.subscribe_properties;
            if (request->identifier != 0) properties.add(property::subscription_identifier, request->identifier);
            send(now, Packet(Subscribe{id, request->entries, properties}));
        } else {
            Unsubscribe unsubscribe{id, {}, options.subscribe_properties};
            for (const auto& entry : request->entries) unsubscribe.filters.push_back(entry.filter);
            send(now, Packet(unsubscribe));
        }
        subscriptions.asked(now, id);
    }
}

// After a reconnect, what was in flight goes first, in its old order, within the broker's Receive Maximum.
void Engine::Impl::resend(Time now) {
    while (resend_next != 0 && has_room()) {
        const PacketId id = resend_next;
        auto& entry = *inflight.find(id);
        const bool published = entry.step == Inflight::Step::published;
        if (published && (outstanding >= limits.receive_maximum || !may_go(now, entry.item))) return;
        resend_next = inflight.next(id);
        if (!published) {
            entry.on_wire = true;
            ++outstanding;
            send(now, Ack{PacketType::pubrel, id, Reason::success, {}});
            continue;
        }
        if (auto error = not_allowed(entry.item.message)) {
            auto gone = inflight.erase(id);
            ids.release(id);
            journal.ended(gone.item);
            if (!gone.answered) undelivered(std::move(gone.item), std::move(*error));
            continue;
        }
        went(now, entry.item);
        entry.on_wire = true;
        ++outstanding;
        ++entry.item.attempts;
        MessageView again = entry.item.message;
        again.duplicate = true;
        transmit(now, again, entry.item.expires, id);
        ++counters.resent;
    }
}

} // namespace tortoise::core
