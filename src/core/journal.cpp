#include "core/journal.hpp"
#include "core/give_back.hpp"

#include "core/codec/scalar.hpp"

#include <algorithm>
#include <tortoise/core/codec.hpp>

namespace tortoise::core {

namespace {

using Action = RecordChange::Action;

// A mark: the packet identifier, whether PUBREC came, and behind them the number of the sending.
constexpr std::uint64_t id_bits = 16, released_bit = 1u << id_bits, sending_shift = id_bits + 1;

// A value: its layout's version, then for a message priority, end of its life (milliseconds of the wall clock; 0:
// none), and the message as a PUBLISH of MQTT 5, so that one codec writes and checks them all.
constexpr std::uint8_t layout = 1;
constexpr std::size_t message_head = 1 + 4 + 8;
constexpr PacketId any_id = 1;

Error damaged(const Record& record, std::string_view what) {
    return make_error(Errc::store_damaged, "record " + std::to_string(static_cast<int>(record.kind)) + "/" +
                                               std::to_string(record.key) + ": " + std::string(what));
}

} // namespace

void Journal::change(Action action, RecordKind kind, std::uint64_t key, std::uint64_t mark, std::string value,
                     bool first) {
    changes_.push_back({action, {kind, key, mark, std::move(value)}});
    first_ |= first;
}

bool Journal::take(std::vector<RecordChange>& into) {
    if (into.empty())
        into.swap(changes_);
    else
        into.insert(into.end(), std::make_move_iterator(changes_.begin()), std::make_move_iterator(changes_.end()));
    changes_.clear();
    return std::exchange(first_, false);
}

// ---- What happens --------------------------------------------------------------------------------------------------

void Journal::waits(const WorkItem& item) {
    if (on_) change(Action::put, RecordKind::message, item.key, 0, written(item), true);
}

void Journal::sent(const WorkItem& item, PacketId id) {
    if (on_) change(Action::put, RecordKind::message, item.key, mark_of(id), written(item), true);
}

void Journal::sent_after_waiting(const WorkItem& item, PacketId id) {
    if (!on_) return;
    if (item.message.qos == QoS::at_most_once)
        change(Action::erase, RecordKind::message, item.key, 0, {}, true);
    else
        change(Action::mark, RecordKind::message, item.key, mark_of(id), {}, true);
}

void Journal::released(const WorkItem& item, PacketId id) {
    if (on_) change(Action::mark, RecordKind::message, item.key, mark_of(id) | released_bit, {}, true);
}

void Journal::waits_again(const WorkItem& item) {
    if (on_) change(Action::mark, RecordKind::message, item.key, 0, {}, false);
}

void Journal::ended(const WorkItem& item) {
    if (on_) change(Action::erase, RecordKind::message, item.key, 0, {}, false);
}

void Journal::handled(PacketId id) {
    if (on_) change(Action::put, RecordKind::inbound, id, 0, {}, true);
}

void Journal::handled_and_released(PacketId id) {
    if (on_) change(Action::erase, RecordKind::inbound, id, 0, {}, true);
}

void Journal::accepted_as(std::string_view client_id) {
    if (!on_) return;
    std::string value(1, static_cast<char>(layout));
    change(Action::put, RecordKind::session, 0, 0, value.append(client_id), false);
}

std::uint64_t Journal::mark_of(PacketId id) noexcept { return (next_sending_++ << sending_shift) | id; }

std::string Journal::written(const WorkItem& item) const {
    const auto& m = item.message;
    std::uint64_t until = 0;
    if (item.expires) {
        const auto end = item.expires->time_since_epoch(), last = Duration::max();
        const auto wall = wall_ahead_ > Duration(0) && end > last - wall_ahead_ ? last : end + wall_ahead_;
        until = static_cast<std::uint64_t>(
            std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(wall).count()));
    }
    std::string value(message_head, '\0');
    Writer head(value.data());
    head.u8(layout);
    head.u32(static_cast<std::uint32_t>(item.priority));
    head.u32(static_cast<std::uint32_t>(until >> 32));
    head.u32(static_cast<std::uint32_t>(until));
    const PacketId id = m.qos == QoS::at_most_once ? 0 : any_id;
    // What was admitted can be encoded.
    static_cast<void>(
        encode(Version::v5, Publish{id, m.topic, m.payload, m.qos, m.retain, false, m.properties}, value));
    return value;
}

// ---- And the way back ----------------------------------------------------------------------------------------------

Result<Journal::Message> Journal::read_message(Time now, const Record& record) const {
    const Octets value = record.value;
    if (value.size() < message_head || static_cast<std::uint8_t>(value[0]) != layout)
        return damaged(record, "not a message");
    auto packet = decode(Version::v5, value.substr(message_head));
    if (!packet) return damaged(record, packet.error().describe());
    const auto* publish = std::get_if<Publish>(&*packet);
    if (!publish) return damaged(record, "not a PUBLISH");

    Message read;
    read.item.message = tortoise::Message(
        MessageView{publish->topic, publish->payload, publish->qos, publish->retain, false, publish->properties});
    read.item.key = record.key;
    read.item.priority = static_cast<std::int32_t>(big_endian(value.substr(1, 4)));
    read.item.accepted = now;
    const std::uint64_t until = (std::uint64_t{big_endian(value.substr(5, 4))} << 32) | big_endian(value.substr(9, 4));
    if (until != 0) {
        // Ends that are further away than the clock can say are as good as none.
        const auto wall_now = std::chrono::ceil<std::chrono::milliseconds>(now.time_since_epoch() + wall_ahead_);
        const auto limit =
            static_cast<std::uint64_t>(std::chrono::milliseconds(std::chrono::hours(24 * 365 * 100)).count());
        const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(wall_now.count(), 0));
        if (until <= wall)
            read.item.expires = now;
        else if (until - wall < limit)
            read.item.expires = now + std::chrono::milliseconds(until - wall);
    }
    read.id = static_cast<PacketId>(record.mark);
    read.released = (record.mark & released_bit) != 0;
    const bool flies = record.mark != 0;
    const QoS qos = publish->qos;
    if (flies && (read.id == 0 || qos == QoS::at_most_once || (read.released && qos != QoS::exactly_once)))
        return damaged(record, "a state that cannot be");
    if (read.released) give_back(read.item.message.payload);
    return read;
}

Result<Journal::Session> Journal::restore(Time now, std::span<const Record> records) {
    Session session;
    std::vector<std::pair<std::uint64_t, std::size_t>> order; // by the number of the sending
    std::vector<bool> used(65'536);
    for (const auto& record : records) {
        switch (record.kind) {
        case RecordKind::session: session.accepted = true; break;
        case RecordKind::inbound:
            if (record.key == 0 || record.key > 65'535) return damaged(record, "not a packet identifier");
            session.handled.push_back(static_cast<PacketId>(record.key));
            break;
        case RecordKind::message: {
            auto read = read_message(now, record);
            if (!read) return std::move(read).error();
            next_key_ = std::max(next_key_, record.key + 1);
            next_sending_ = std::max(next_sending_, (record.mark >> sending_shift) + 1);
            if (read->id == 0) {
                session.waiting.push_back(std::move(*read));
                break;
            }
            if (used[read->id]) return damaged(record, "a packet identifier that is in use twice");
            used[read->id] = true;
            order.emplace_back(record.mark >> sending_shift, session.in_flight.size());
            session.in_flight.push_back(std::move(*read));
            break;
        }
        default: return damaged(record, "of no known kind");
        }
    }
    std::sort(order.begin(), order.end());
    std::vector<Message> sorted;
    sorted.reserve(order.size());
    for (const auto& [number, index] : order) sorted.push_back(std::move(session.in_flight[index]));
    session.in_flight = std::move(sorted);
    const auto by_key = [](const Message& a, const Message& b) { return a.item.key < b.item.key; };
    std::sort(session.waiting.begin(), session.waiting.end(), by_key);
    return session;
}

std::string Journal::client_id(std::span<const Record> records) {
    for (const auto& record : records)
        if (record.kind == RecordKind::session && !record.value.empty()) return record.value.substr(1);
    return {};
}

} // namespace tortoise::core
