#include "broker/session.hpp"

#include <algorithm>

namespace tortoise::broker {

Session::Session(Context& context, std::uint64_t number, std::string name)
    : serial(number), client_id(std::move(name)), publisher(std::hash<std::string>{}(client_id) | 1),
      context_(context) {}

void Session::attach(Connection& connection) {
    connection_ = &connection;
    connection.session = this;
    window_used_ = 0;
    // PUBREL is never held back by the window, but it takes part in it until PUBCOMP. [MQTT5-3.3.4-10]
    for (const auto id : in_flight_.in_order(true)) {
        connection.send(core::Ack{.type = core::PacketType::pubrel, .id = id});
        in_flight_.find(id)->on_wire = true;
        ++window_used_;
    }
    const auto published = in_flight_.in_order(false);
    resend_.assign(published.begin(), published.end());
}

void Session::detach() {
    if (connection_) connection_->session = nullptr;
    connection_ = nullptr;
    resend_.clear();
    queue_qos0_.clear();
    queue_qos0_octets_ = 0;
    in_flight_.each([](InFlight& entry) { entry.on_wire = false; });
}

void Session::deliver(Time now, Letter& letter, Grant grant) {
    has_shared_ = has_shared_ || grant.group != 0;
    const bool connected = connection_ != nullptr;
    if (grant.qos == QoS::at_most_once) {
        if (!connected) return;
        if (queue_qos0_.empty() && !connection_->blocked()) return send_qos0(now, letter, grant);
    } else if (connected && queue_.empty() && resend_.empty() && window_open() && !connection_->blocked()) {
        if (send_new(now, letter, grant, ++last_order_)) return;
    }
    keep(now, letter, std::move(grant));
}

void Session::keep(Time now, Letter& letter, Grant grant) {
    const auto qos = grant.qos;
    if (!make_room(now)) return;
    auto& queue = qos == QoS::at_most_once ? queue_qos0_ : queue_;
    queue.push_back({letter.stored(), std::move(grant), ++last_order_});
    if (qos != QoS::at_most_once) return;
    queue_qos0_octets_ += queue_qos0_.back().message->octets.size();
    while (queue_qos0_octets_ > limits::queued_qos0_octets && queue_qos0_.size() > 1) drop_oldest_qos0();
}

/// Beyond the bound the expired go first, then the oldest of QoS 0, then the new message itself.
bool Session::make_room(Time now) {
    if (queued() < context_.options.queue_limit) return true;
    drop_expired(now);
    if (queued() < context_.options.queue_limit) return true;
    if (queue_qos0_.empty()) return false;
    drop_oldest_qos0();
    return true;
}

void Session::drop_oldest_qos0() {
    queue_qos0_octets_ -= queue_qos0_.front().message->octets.size();
    queue_qos0_.pop_front();
}

void Session::drop_expired(Time now) {
    // A sweep costs the whole queue, hence not for every message that finds it full.
    if (now < next_sweep_) return;
    next_sweep_ = after(now, std::chrono::seconds(1));
    std::erase_if(queue_, [now](const Delivery& waiting) { return waiting.message->expired(now); });
}

void Session::send_qos0(Time now, Letter& letter, const Grant& grant) {
    connection_->publish(now, letter, grant, false, 0);
}

/// False if every packet identifier is in use. A message that is too large for the client counts as sent.
/// [MQTT-3.1.2-25]
bool Session::send_new(Time now, Letter& letter, Grant& grant, std::uint64_t order) {
    InFlight* const entry = in_flight_.add();
    if (!entry) return false;
    if (connection_->publish(now, letter, grant, false, entry->id) == Connection::Outcome::too_large) {
        in_flight_.erase(*entry);
        return true;
    }
    entry->on_wire = true;
    entry->delivery = {letter.stored(), std::move(grant), order};
    ++window_used_;
    return true;
}

void Session::flush(Time now) {
    while (connection_ && !connection_->blocked()) {
        const bool sent = resend_.empty() ? send_next(now) : window_open() && resend(now);
        if (sent) continue;
        // The window is closed, which holds QoS 1 and 2 only.
        if (queue_qos0_.empty()) return;
        Letter letter(queue_qos0_.front().message);
        if (!queue_qos0_.front().message->expired(now)) send_qos0(now, letter, queue_qos0_.front().grant);
        drop_oldest_qos0();
    }
}

/// Once sent, a message is sent again even if it expired meanwhile. [MQTT-4.3.3-7]
bool Session::resend(Time now) {
    const auto id = resend_.front();
    resend_.pop_front();
    auto* const entry = in_flight_.find(id);
    if (!entry || entry->released || entry->on_wire) return true;
    const Letter letter(entry->delivery.message);
    if (connection_->publish(now, letter, entry->delivery.grant, true, id) == Connection::Outcome::too_large) {
        in_flight_.erase(*entry);
        return true;
    }
    entry->on_wire = true;
    ++window_used_;
    return true;
}

/// The next of QoS 1 and 2, unless one of QoS 0 came before it. False if the window does not let it out.
bool Session::send_next(Time now) {
    if (queue_.empty() || (!queue_qos0_.empty() && queue_qos0_.front().order < queue_.front().order)) return false;
    auto& next = queue_.front();
    if (!next.message->expired(now)) {
        Letter letter(next.message);
        if (!window_open() || !send_new(now, letter, next.grant, next.order)) return false;
    }
    queue_.pop_front();
    return true;
}

bool Session::acknowledged(Time now, const core::Ack& ack) {
    auto* const entry = in_flight_.find(ack.id);
    const bool exactly_once = entry && entry->delivery.grant.qos == QoS::exactly_once;
    switch (ack.type) {
    case core::PacketType::puback:
        if (!entry) return true;
        if (exactly_once) return false;
        finish(*entry);
        break;
    case core::PacketType::pubrec:
        if (!entry) {
            connection_->send(core::Ack{
                .type = core::PacketType::pubrel,
                .id = ack.id,
                .reason = connection_->version == Version::v5 ? Reason::packet_identifier_not_found : Reason::success});
            return true;
        }
        if (!exactly_once) return false;
        if (is_refusal(ack.reason)) {
            finish(*entry);
            break;
        }
        if (!entry->released) {
            entry->released = true;
            entry->delivery.message = nullptr;
            entry->delivery.order = ++last_order_;
            if (!entry->on_wire) ++window_used_;
            entry->on_wire = true;
        }
        connection_->send(core::Ack{.type = core::PacketType::pubrel, .id = ack.id});
        return true;
    default:
        if (!entry) return true;
        if (!entry->released) return false;
        finish(*entry);
        break;
    }
    flush(now);
    return true;
}

void Session::finish(InFlight& entry) {
    if (entry.on_wire) --window_used_;
    in_flight_.erase(entry);
}

bool Session::counts_inbound(core::PacketId id) const {
    const auto found = inbound_.find(id);
    return found != inbound_.end() && found->second == connection_->id;
}

void Session::received_qos2(core::PacketId id) {
    const auto [at, fresh] = inbound_.try_emplace(id, connection_->id);
    if (!fresh && at->second == connection_->id) return;
    at->second = connection_->id;
    ++connection_->unreleased;
}

bool Session::release_qos2(core::PacketId id) {
    const auto found = inbound_.find(id);
    if (found == inbound_.end()) return false;
    if (found->second == connection_->id) --connection_->unreleased;
    inbound_.erase(found);
    return true;
}

std::vector<std::uint16_t> Session::inbound_ids() const {
    std::vector<std::uint16_t> ids;
    for (const auto& [id, counted_by] : inbound_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<Delivery> Session::take_shared(bool unacknowledged) {
    std::vector<Delivery> taken;
    if (!has_shared_) return taken;
    const auto shared = [](const Delivery& delivery) { return delivery.grant.group != 0; };
    if (unacknowledged) {
        for (const auto id : in_flight_.in_order(false)) {
            auto& entry = *in_flight_.find(id);
            if (!shared(entry.delivery) || entry.delivery.grant.qos != QoS::at_least_once) continue;
            taken.push_back(std::move(entry.delivery));
            in_flight_.erase(entry);
        }
    }
    for (auto* queue : {&queue_, &queue_qos0_}) {
        for (auto& waiting : *queue)
            if (shared(waiting)) taken.push_back(std::move(waiting));
        std::erase_if(*queue, [](const Delivery& waiting) { return waiting.message == nullptr; });
    }
    queue_qos0_octets_ = 0;
    for (const auto& waiting : queue_qos0_) queue_qos0_octets_ += waiting.message->octets.size();
    return taken;
}

} // namespace tortoise::broker
