#include "core/inbox.hpp"

#include <algorithm>

namespace tortoise::core {

Inbox::Due* Inbox::due(InboundId id) noexcept {
    return id >= base_ && id - base_ < due_.size() ? &due_[id - base_] : nullptr;
}

InboundId Inbox::append(Due entry) {
    due_.push_back(entry);
    return base_ + due_.size() - 1;
}

Inbox::Arrived Inbox::publish(QoS qos, PacketId id, bool repeated) {
    if (qos == QoS::at_least_once) {
        if (window_ >= receive_maximum_) return {Arrival::exceeded};
        ++window_;
        return {Arrival::deliver, append({id, qos})};
    }
    const auto found = seen_.find(id);
    const bool known = found != seen_.end();
    if ((!known || !found->second.counted) && window_ >= receive_maximum_) return {Arrival::exceeded};
    const bool renamed = known && found->second.doubtful && !repeated;
    if (renamed) {
        std::erase_if(earlier_, [id](const auto& entry) { return entry.second == id; });
        found->second = {.counted = found->second.counted};
    }
    const bool fresh = !known || renamed;
    Seen& seen = known ? found->second : seen_[id];
    if (!seen.counted) {
        seen.counted = true;
        ++window_;
    }
    if (seen.due == 0) seen.due = append({id, qos, fresh, seen.handled, seen.reason});
    return fresh ? Arrived{Arrival::deliver, seen.due, renamed} : Arrived{Arrival::duplicate};
}

PacketId Inbox::acknowledge(InboundId id, Reason reason) {
    const auto handled = [reason](PacketId packet) { return is_refusal(reason) ? PacketId{0} : packet; };
    if (const auto late = earlier_.empty() ? earlier_.end() : earlier_.find(id); late != earlier_.end()) {
        const PacketId packet = late->second;
        Seen& seen = seen_[packet];
        earlier_.erase(late);
        seen.handled = true;
        seen.reason = reason;
        if (Due* repeated = due(seen.due)) {
            repeated->handled = true;
            repeated->reason = reason;
        }
        return handled(packet);
    }
    Due* entry = due(id);
    if (!entry || !entry->handed_out || entry->handled) return 0;
    entry->handled = true;
    entry->reason = reason;
    if (entry->qos == QoS::at_least_once) return 0;
    Seen& seen = seen_[entry->id];
    seen.handled = true;
    seen.reason = reason;
    return handled(entry->id);
}

std::optional<Ack> Inbox::next_ack() {
    if (due_.empty() || !due_.front().handled) return std::nullopt;
    const Due entry = due_.front();
    due_.pop_front();
    ++base_;
    const bool qos1 = entry.qos == QoS::at_least_once;
    if (qos1) {
        --window_;
    } else if (is_refusal(entry.reason)) {
        --window_;
        seen_.erase(entry.id);
    } else {
        seen_[entry.id].due = 0;
    }
    return Ack{qos1 ? PacketType::puback : PacketType::pubrec, entry.id, entry.reason, {}};
}

std::optional<Reason> Inbox::release(PacketId id) {
    const auto found = seen_.find(id);
    if (found == seen_.end()) return Reason::packet_identifier_not_found;
    if (!found->second.handled || found->second.due != 0) return std::nullopt;
    if (found->second.counted) --window_;
    seen_.erase(found);
    return Reason::success;
}

void Inbox::disconnected() {
    for (std::size_t i = 0; i < due_.size(); ++i) {
        const Due& entry = due_[i];
        if (entry.qos == QoS::exactly_once && entry.handed_out && !entry.handled)
            earlier_.try_emplace(base_ + i, entry.id);
    }
    base_ += due_.size();
    due_.clear();
    window_ = 0;
    for (auto& [id, seen] : seen_) {
        seen.due = 0;
        seen.counted = false;
    }
}

void Inbox::session_lost() {
    disconnected();
    seen_.clear();
    earlier_.clear();
}

void Inbox::given_up() {
    for (Due& entry : due_)
        if (!entry.handled) entry.handed_out = false;
    std::erase_if(seen_, [](const auto& entry) { return !entry.second.handled; });
    earlier_.clear();
}

void Inbox::session_uncertain() {
    for (auto& [id, seen] : seen_) seen.doubtful = true;
}

std::size_t Inbox::unacknowledged() const noexcept {
    return earlier_.size() + static_cast<std::size_t>(std::count_if(due_.begin(), due_.end(), [](const Due& entry) {
               return entry.handed_out && !entry.handled;
           }));
}

std::vector<PacketId> Inbox::seen() const {
    std::vector<PacketId> ids;
    ids.reserve(seen_.size());
    for (const auto& [id, seen] : seen_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

} // namespace tortoise::core
