#include "broker/sessions.hpp"

#include <algorithm>

namespace tortoise::broker {

Sessions::Sessions(Context& context)
    : context_(context), subscriptions_(context.options.one_copy_per_subscription, context.rules.parent_matches_hash) {}

Session* Sessions::find(std::string_view client_id) {
    const auto found = sessions_.find(client_id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

Session& Sessions::create(std::string client_id) {
    auto session = std::make_unique<Session>(context_, ++last_serial_, std::move(client_id));
    auto& created = *session;
    by_serial_.emplace(created.serial, &created);
    sessions_.emplace(created.client_id, std::move(session));
    return created;
}

std::string Sessions::unused_client_id() {
    std::string name;
    do {
        name = "tortoise-broker-" + std::to_string(++last_name_);
    } while (find(name));
    return name;
}

void Sessions::attach(Session& session, Connection& connection) {
    timers_.disarm(session.serial);
    session.will.reset();
    session.will_at.reset();
    session.expires_at.reset();
    session.attach(connection);
    subscriptions_.set_connected(session, true);
}

void Sessions::detach(Time now, Session& session) {
    if (session.expiry == 0) return end(now, session);
    subscriptions_.set_connected(session, false);
    auto shared = session.take_shared(false);
    session.detach();
    hand_on(now, session, false, std::move(shared));
    if (session.expiry != Session::never) session.expires_at = after(now, std::chrono::seconds(session.expiry));
    if (session.will && session.will->delay == 0) {
        publish_will(now, session);
    } else if (session.will) {
        session.will_at = after(now, std::chrono::seconds(session.will->delay));
    }
    arm(session);
}

void Sessions::arm(Session& session) {
    auto next = session.will_at;
    if (session.expires_at && (!next || *session.expires_at < *next)) next = session.expires_at;
    if (next)
        timers_.arm(session.serial, *next);
    else
        timers_.disarm(session.serial);
}

void Sessions::end(Time now, Session& session) {
    timers_.disarm(session.serial);
    auto shared = session.take_shared(true);
    session.detach();
    subscriptions_.remove_all(session);
    hand_on(now, session, true, std::move(shared));
    publish_will(now, session);
    by_serial_.erase(session.serial);
    sessions_.erase(sessions_.find(session.client_id));
}

void Sessions::clear() {
    for (auto& [name, session] : sessions_) subscriptions_.remove_all(*session);
    sessions_.clear();
    by_serial_.clear();
    timers_.clear();
    retained_.clear();
}

/// What a shared subscription chose this session for and it did not get goes to another member; if there is none and
/// the session stays, back to it.
void Sessions::hand_on(Time now, Session& from, bool session_ends, std::vector<Delivery> deliveries) {
    for (auto& delivery : deliveries) {
        if (delivery.message->expired(now)) continue;
        Letter letter(delivery.message);
        if (auto target = subscriptions_.choose(delivery.grant.group, letter))
            target->session->deliver(now, letter, std::move(target->grant));
        else if (!session_ends)
            from.deliver(now, letter, std::move(delivery.grant));
    }
}

void Sessions::publish_will(Time now, Session& session) {
    session.will_at.reset();
    if (!session.will) return;
    const auto will = std::move(*session.will);
    session.will.reset();
    Letter letter(will.message);
    if (will.expiry_interval) {
        // A copy of its own: when it expires is known only now.
        Letter timed;
        timed.topic = letter.topic;
        timed.payload = letter.payload;
        timed.properties = letter.properties;
        timed.qos = letter.qos;
        timed.retain = letter.retain;
        timed.publisher = letter.publisher;
        timed.expires = after(now, std::chrono::seconds(*will.expiry_interval));
        publish(now, timed);
        return;
    }
    publish(now, letter);
}

bool Sessions::publish(Time now, Letter& letter) {
    if (context_.passed_on) context_.passed_on(letter.payload);
    if (letter.retain) retained_.put(letter);
    targets_.clear();
    subscriptions_.match(letter, targets_);
    for (auto& target : targets_) target.session->deliver(now, letter, std::move(target.grant));
    return !targets_.empty();
}

void Sessions::send_retained(Time now, Session& session, std::string_view filter) {
    const auto known = session.subscriptions.find(filter);
    if (known == session.subscriptions.end()) return;
    const auto& subscription = subscriptions_.at(known->second);
    found_.clear();
    retained_.match(filter, now, found_);
    for (const auto& message : found_) {
        if (subscription.options.no_local && message->publisher == session.publisher) continue;
        Letter letter(message);
        Grant grant{.qos = std::min(message->qos, subscription.options.qos), .retain = true};
        if (subscription.id != 0) grant.ids.push_back(subscription.id);
        session.deliver(now, letter, std::move(grant));
    }
    found_.clear();
}

void Sessions::run(Time now) {
    retained_.expire(now);
    while (const auto due = timers_.due(now)) {
        auto& session = *by_serial_.find(*due)->second;
        if (session.expires_at && *session.expires_at <= now) {
            end(now, session);
            continue;
        }
        if (session.will_at && *session.will_at <= now) publish_will(now, session);
        arm(session);
    }
}

std::optional<Time> Sessions::deadline() const {
    auto next = timers_.next();
    const auto retained = retained_.deadline();
    if (retained && (!next || *retained < *next)) next = retained;
    return next;
}

void Sessions::fill(Snapshot& snapshot) const {
    for (const auto& [name, session] : sessions_) {
        auto& shown = snapshot.sessions.emplace_back();
        shown.client_id = name;
        shown.connected = session->connection() != nullptr;
        shown.queued = session->queued();
        shown.in_flight = session->in_flight();
        shown.inbound_qos2 = session->inbound_ids();
        for (const auto& [filter, index] : session->subscriptions)
            shown.subscriptions.emplace_back(filter, subscriptions_.at(index).options);
    }
    snapshot.retained = retained_.size();
}

} // namespace tortoise::broker
