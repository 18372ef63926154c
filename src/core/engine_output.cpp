/// The client engine: what we send, and when it may go.
#include "core/engine_impl.hpp"

#include <algorithm>

namespace tortoise::core {

namespace {

constexpr std::size_t most_added = 5 + 3; // to a PUBLISH that was let in: expiry interval and alias

Publish packet_of(const Message& m, PacketId id) noexcept {
    return {id, m.topic, m.payload, m.qos, m.retain, false, m.properties};
}

} // namespace

// What reaches this was checked when it was admitted. Should the codec refuse it all the same, the connection ends with
// its words: nothing is dropped in silence.
template <class P> void Engine::Impl::send(Time now, const P& packet) {
    if (auto encoded = encode(options.version, packet, output); !encoded) return close(std::move(encoded).error());
    keep_alive.sent(now);
}
template <class P> void Engine::Impl::send_checked(Time now, const P& packet) {
    encode_checked(options.version, packet, output);
    keep_alive.sent(now);
}
template void Engine::Impl::send_checked(Time, const Ack&);
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
    if (credentials) {
        connect.user_name = credentials->user_name;
        connect.password = credentials->password;
    }
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
        if (options.version == Version::v3_1_1) ack->reason = Reason::success;
        if (is_refusal(ack->reason))
            send(now, *ack); // the user's, maybe none that this packet can have
        else
            send_checked(now, *ack);
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

Message Draft::message() const {
    return Message(MessageView{.topic = packet.topic,
                               .payload = packet.payload,
                               .qos = packet.qos,
                               .retain = packet.retain,
                               .properties = packet.properties});
}

void Draft::write(Time now, WorkItem& to) const {
    to.message.topic = packet.topic;
    to.message.payload = packet.payload;
    to.message.qos = packet.qos;
    to.message.retain = packet.retain;
    if (!packet.properties.empty()) to.message.properties = Properties(packet.properties);
    to.key = key;
    to.priority = priority;
    to.accepted = now;
    to.expires = expires;
    to.attempts = 0;
    to.token = token;
}

std::optional<Error> Engine::Impl::wrong_with(const PublishRequest& request) const {
    if (lifecycle.state() == State::ended || stopping) return make_error(Errc::stopped, "the connection is stopped");
    if (request.checked) return std::nullopt;
    return check_publish(rules, request);
}

// What names an alias only, means the topic that it was named with last.
std::optional<Error> Engine::Impl::resolve_alias(Draft& draft) {
    if (options.topic_aliases != TopicAliases::manual) return std::nullopt;
    auto& [id, topic, payload, qos, retain, duplicate, properties] = draft.packet;
    const auto alias = properties.get(property::topic_alias);
    if (!alias) return std::nullopt;
    const auto means = aliases_named.get().topic_of(*alias, topic);
    if (!means)
        return make_error(Errc::invalid_topic, "topic alias " + std::to_string(*alias) + " was not named with a topic");
    if (topic.empty())
        topic = *means;
    else
        aliases_named.get().name(*alias, topic);
    return std::nullopt;
}

void Engine::Impl::publish(Time now, const PublishRequest& request) {
    Draft draft(request);
    if (auto wrong = wrong_with(request)) return refuse(draft, std::move(*wrong));
    if (request.properties.empty())
        let_in(now, draft, request.ttl);
    else
        publish_with_properties(now, draft, request);
}

bool Engine::Impl::pass(Time now, const PublishRun& run) {
    const bool at_once = lifecycle.state() == State::up && !stopping && !renewing && output.empty() &&
                         outbox->empty() && resend_next == 0 && has_room();
    if (!at_once || !takes_as_it_is(run)) return false;
    unwritten += run.octets.size();
    counters.sent_at_most_once += run.count;
    keep_alive.sent(now);
    return true;
}

bool Engine::Impl::takes_as_it_is(const PublishRun& run) const noexcept {
    const bool aliased = limits.topic_aliases > 0 && options.topic_aliases == TopicAliases::automatic;
    const bool small = limits.packet_size >= largest_packet || run.largest + most_added <= limits.packet_size;
    return !aliased && small && (limits.retain || !run.retained) && !pace.publishes.limits() && !pace.octets.limits();
}

void Engine::Impl::publish_with_properties(Time now, Draft& draft, const PublishRequest& request) {
    if (auto wrong = resolve_alias(draft)) return refuse(draft, std::move(*wrong));
    const auto interval = request.properties.get(property::message_expiry_interval);
    if (!interval) return let_in(now, draft, request.ttl);
    const auto others = Properties(request.properties).remove(PropertyId::message_expiry_interval);
    draft.packet.properties = others;
    let_in(now, draft, request.ttl.value_or(std::chrono::seconds(*interval)));
}

void Engine::Impl::refuse(const Draft& draft, Error why) {
    events.push_back(Undelivered{draft.token, draft.message(), std::move(why)});
}

void Engine::Impl::let_in(Time now, Draft& draft, const std::optional<Duration>& ttl) {
    if (ttl) draft.expires = now + std::clamp<Duration>(*ttl, Duration::zero(), Time::max() - now);
    draft.key = journal.next_key();
    if (goes_at_once(now, draft))
        transmit_at_once(now, draft);
    else
        enqueue(now, draft);
}

bool Engine::Impl::goes_at_once(Time now, const Draft& draft) {
    return lifecycle.state() == State::up && outbox->empty() && resend_next == 0 && has_room() && !renewing &&
           (draft.packet.qos == QoS::at_most_once || window_open()) && (!draft.expires || *draft.expires > now) &&
           may_go(now, draft.bytes());
}

void Engine::Impl::enqueue(Time now, const Draft& draft) {
    WorkItem item;
    draft.write(now, item);
    journal.waits(item);
    outbox->push(std::move(item), dropped);
    outbox->expire(now, dropped);
    const auto is_it = [&](const auto& d) { return d.item.key == draft.key; };
    const bool in = std::none_of(dropped.begin(), dropped.end(), is_it);
    drop(dropped);
    if (in && journal.on() && draft.token != 0) events.push_back(Accepted{draft.token});
}

bool Engine::Impl::window_open() const noexcept { return outstanding < limits.receive_maximum && ids.used() < 65'535; }

// Is it not too fast? Otherwise it is tried again when it would not be.
bool Engine::Impl::may_go(Time now, std::size_t bytes) {
    const Time at = std::max(pace.publishes.ready(now), pace.octets.ready(now, bytes));
    if (at <= now) return true;
    too_fast_until = too_fast_until ? std::min(*too_fast_until, at) : at;
    return false;
}

void Engine::Impl::went(Time now, std::size_t bytes) {
    pace.publishes.take(now);
    pace.octets.take(now, bytes);
}

// What this broker does not take.
std::optional<Error> Engine::Impl::not_allowed(const Publish& publish) const {
    if (publish.qos > limits.maximum_qos) return make_error(Reason::qos_not_supported);
    if (publish.retain && !limits.retain) return make_error(Reason::retain_not_supported);
    if (limits.packet_size >= largest_packet) return std::nullopt;
    const std::size_t size = encoded_size(options.version, publish) + most_added;
    if (size <= limits.packet_size) return std::nullopt;
    return make_error(Errc::packet_too_large,
                      std::to_string(size) + " bytes; the broker takes at most " + std::to_string(limits.packet_size));
}

// `checked`: nobody but us had it since it was let in.
void Engine::Impl::transmit(Time now, Publish& publish, const std::optional<Time>& expires, bool checked) {
    if (expires || !publish.properties.empty() || limits.topic_aliases > 0) complete(now, publish, expires);
    if (checked)
        send_checked(now, publish);
    else
        send(now, publish);
}

// With an alias, and the rest of its time to live.
void Engine::Impl::complete(Time now, Publish& publish, const std::optional<Time>& expires) {
    const auto named = publish.properties.get(property::topic_alias);
    const bool by_user = named && options.topic_aliases == TopicAliases::manual; // others are of an earlier life
    const auto alias = by_user ? aliases_named.get().use(*named, publish.topic) : aliases_out.use(publish.topic);
    const bool interval = expires && options.version == Version::v5;
    if (alias.alias == 0 && !interval && !named) return;
    Properties properties(publish.properties);
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

// Both send a message for the first time on this connection, unless this broker does not take it.
void Engine::Impl::transmit_at_once(Time now, Draft& draft) {
    const auto token = draft.token;
    auto& packet = draft.packet;
    const bool in_flight = packet.qos != QoS::at_most_once;
    if (auto error = not_allowed(packet)) return refuse(draft, std::move(*error));
    went(now, draft.bytes());
    if (in_flight) {
        packet.id = ids.allocate();
        auto& entry = inflight.insert(packet.id);
        draft.write(now, entry.item);
        entry.on_wire = true;
        entry.item.attempts = 1;
        ++outstanding;
        journal.sent(entry.item, packet.id);
    } else {
        ++counters.sent_at_most_once;
        if (token != 0)
            events.push_back(
                Delivered{token, {QoS::at_most_once, Reason::success, 1, {}, {}, {}}, std::string(packet.topic)});
    }
    transmit(now, packet, draft.expires, true);
    if (in_flight && token != 0 && journal.on()) events.push_back(Accepted{token});
}

void Engine::Impl::transmit_queued(Time now, WorkItem&& item) {
    Publish packet = packet_of(item.message, 0);
    if (auto error = not_allowed(packet)) {
        journal.ended(item);
        return undelivered(std::move(item), std::move(*error));
    }
    went(now, item.bytes());
    ++item.attempts;
    if (item.message.qos == QoS::at_most_once) {
        journal.sent_after_waiting(item, 0);
        transmit(now, packet, item.expires, false);
        ++counters.sent_at_most_once;
        if (item.token == 0) return;
        events.push_back(Delivered{item.token,
                                   {QoS::at_most_once, Reason::success, item.attempts, now - item.accepted, {}, {}},
                                   std::move(item.message.topic)});
        return;
    }
    const PacketId id = ids.allocate();
    auto& entry = inflight.insert(id);
    entry.item = std::move(item);
    entry.on_wire = true;
    ++outstanding;
    journal.sent_after_waiting(entry.item, id);
    packet = packet_of(entry.item.message, id);
    transmit(now, packet, entry.item.expires, false);
}

// An acknowledgement ended a flow.
void Engine::Impl::settle(Time now, PacketId id, PropertiesView properties, Reason reason) {
    auto& entry = *inflight.find(id);
    auto& item = entry.item;
    ids.release(id);
    --outstanding;
    journal.ended(item);
    if (!entry.answered && is_refusal(reason)) {
        const auto text = properties.get(property::reason_string).value_or(Octets{});
        return undelivered(std::move(inflight.take(id).item), make_error(reason, std::string(text)));
    }
    if (!entry.answered && item.token != 0) {
        auto& event = events.emplace_back(
            std::in_place_type<Delivered>, item.token,
            Receipt{item.message.qos, reason, item.attempts, now - item.accepted, {}, Properties(properties)},
            std::move(item.message.topic));
        if (const auto text = properties.get(property::reason_string))
            std::get_if<Delivered>(&event)->receipt.text = *text;
    }
    inflight.erase(id);
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
        if (!next || (next->message.qos != QoS::at_most_once && !window_open()) || !may_go(now, next->bytes())) break;
        transmit_queued(now, outbox->pop());
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
        if (published && (outstanding >= limits.receive_maximum || !may_go(now, entry.item.bytes()))) return;
        resend_next = inflight.next(id);
        if (!published) {
            entry.on_wire = true;
            ++outstanding;
            send(now, Ack{PacketType::pubrel, id, Reason::success, {}});
            continue;
        }
        if (auto error = not_allowed(packet_of(entry.item.message, id))) {
            auto gone = inflight.take(id);
            if (gone.item.message.qos == QoS::exactly_once)
                withheld.push_back(id);
            else
                ids.release(id);
            journal.ended(gone.item);
            if (!gone.answered) undelivered(std::move(gone.item), std::move(*error));
            continue;
        }
        went(now, entry.item.bytes());
        entry.on_wire = true;
        ++outstanding;
        ++entry.item.attempts;
        Publish again = packet_of(entry.item.message, id);
        again.duplicate = true;
        transmit(now, again, entry.item.expires, false);
        ++counters.resent;
    }
}

} // namespace tortoise::core
