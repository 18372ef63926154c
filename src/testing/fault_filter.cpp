#include "testing/fault_filter.hpp"
#include "testing/fault_words.hpp"
#include "testing/kept_packet.hpp"
#include <algorithm>
#include <utility>

namespace tortoise::testing {

namespace {

using core::Packet;
using core::PacketType;
using Action = Fault::Action;

constexpr std::size_t high_water = 256u << 10; // octets that wait for a side; with more, the other has to wait
constexpr std::size_t most_names = 1u << 20;   // octets

constexpr Side other(Side side) noexcept { return side == Side::client ? Side::broker : Side::client; }

std::optional<QoS> qos_of(const Packet& packet) {
    if (const auto* publish = std::get_if<core::Publish>(&packet)) return publish->qos;
    if (const auto* ack = std::get_if<core::Ack>(&packet))
        return ack->type == PacketType::puback ? QoS::at_least_once : QoS::exactly_once;
    return std::nullopt;
}

/// Nothing more will be said about its identifier.
bool is_last_word(PacketType type) {
    return type == PacketType::puback || type == PacketType::pubcomp || type == PacketType::suback ||
           type == PacketType::unsuback;
}

} // namespace

// ---- Names ---------------------------------------------------------------------------------------------------------

void FaultFilter::Names::learn(std::uint16_t number, std::vector<std::string> names) {
    forget(number);
    std::size_t size = 0;
    for (const auto& name : names) size += name.size();
    if (octets_ + size > most_names) return;
    octets_ += size;
    names_[number] = std::move(names);
}

const std::vector<std::string>* FaultFilter::Names::find(std::uint16_t number) const {
    const auto found = names_.find(number);
    return found == names_.end() ? nullptr : &found->second;
}

void FaultFilter::Names::forget(std::uint16_t number) {
    const auto found = names_.find(number);
    if (found == names_.end()) return;
    for (const auto& name : found->second) octets_ -= name.size();
    names_.erase(found);
}

// ---- In ------------------------------------------------------------------------------------------------------------

FaultFilter::FaultFilter(Time now, const Faults& faults, const std::optional<Capture>& capture,
                         std::size_t maximum_packet_size, const std::string& client)
    : rules_(faults.state_), capture_(capture ? capture->state_ : nullptr), connection_(rules_->accepted()), now_(now) {
    for (auto& lane : lanes_) lane.reader.set_max_packet_size(maximum_packet_size);
    note(client + " connected");
}

void FaultFilter::received(Time now, Side from, Octets octets) {
    now_ = now;
    auto& lane = to(other(from));
    lane.reader.feed(octets);
    while (ended_ == End::open && !lane.closing && !lane.black_hole) {
        const auto frame = lane.reader.next();
        if (!frame) {
            note(std::string("the ") + (from == Side::client ? "client" : "broker") +
                 " sent what is no packet: " + frame.error().describe());
            ended_ = End::finish;
            return;
        }
        if (!*frame) return;
        pass(from, **frame);
    }
    lane.reader.reset();
}

void FaultFilter::closed(Time now, Side side) {
    now_ = now;
    if (end(side) == End::open) note(side == Side::client ? "the client has gone" : "the broker has gone");
    auto& towards = to(side);
    towards.gone = true;
    towards.queue.clear();
    towards.held.clear();
    towards.queued = towards.written = 0;
    to(other(side)).complete = true;
}

template <class Condition> void FaultFilter::release(Lane& lane, Condition condition) {
    std::erase_if(lane.held, [&](Held& held) {
        if (!condition(std::as_const(held))) return false;
        if (capture_)
            capture_->add({.at = now_,
                           .connection = connection_,
                           .from = &lane == &to(Side::client) ? Side::broker : Side::client,
                           .version = version_,
                           .packet = capture_->masked(version_, held.parcel.octets),
                           .note = "held back until now",
                           .made_here = true});
        lane.queue.push_back(std::move(held.parcel));
        return true;
    });
}

void FaultFilter::elapsed(Time now) {
    now_ = now;
    for (auto& lane : lanes_) {
        release(lane, [now](const Held& held) { return held.until <= now; });
        settle(lane);
    }
}

// ---- Out -----------------------------------------------------------------------------------------------------------

FaultFilter::Output FaultFilter::output(Side side) const {
    const auto& lane = to(side);
    if (ended_ != End::open || lane.queue.empty() || lane.queue.front().due > now_ || lane.stalled_until > now_)
        return {};
    const auto& parcel = lane.queue.front();
    return {Octets(parcel.octets).substr(lane.written), parcel.singly};
}

void FaultFilter::wrote(Side side, std::size_t octets) {
    auto& lane = to(side);
    lane.written += octets;
    lane.queued -= octets;
    settle(lane);
}

/// Parcels that are written, or have nothing in them, are done.
void FaultFilter::settle(Lane& lane) {
    while (!lane.queue.empty() && lane.written == lane.queue.front().octets.size() && lane.queue.front().due <= now_ &&
           lane.stalled_until <= now_) {
        if (lane.queue.front().then != End::open) ended_ = lane.queue.front().then;
        lane.queue.pop_front();
        lane.written = 0;
    }
}

bool FaultFilter::wants_input(Side from) const {
    const auto& lane = to(other(from));
    return ended_ == End::open && !to(from).gone && (lane.black_hole || lane.queued < high_water);
}

FaultFilter::End FaultFilter::end(Side side) const {
    if (ended_ != End::open) return ended_;
    const auto& lane = to(side);
    const bool said_all = lane.queue.empty() && lane.held.empty() && lane.stalled_until <= now_;
    return lane.complete && said_all && !lane.black_hole ? End::finish : End::open;
}

std::optional<FaultFilter::Time> FaultFilter::deadline() const {
    std::optional<Time> first;
    const auto consider = [&](Time at) {
        if (at > now_ && (!first || at < *first)) first = at;
    };
    for (const auto& lane : lanes_) {
        consider(lane.stalled_until);
        if (!lane.queue.empty()) consider(lane.queue.front().due);
        for (const auto& held : lane.held) consider(held.until);
    }
    return ended_ == End::open ? first : std::nullopt;
}

// ---- A packet ------------------------------------------------------------------------------------------------------

void FaultFilter::pass(Side from, const core::Frame& frame) {
    const auto side = other(from);
    auto& lane = to(side);
    const auto packet = core::decode(version_, frame);
    if (!packet) { // it goes on: what becomes of it is what somebody wants to see
        if (capture_) capture_->add({now_, connection_, from, version_, capture_->masked(version_, frame.whole)});
        return put(lane, {.octets = std::string(frame.whole), .due = now_});
    }
    learn(lane, *packet);
    const auto type = core::type_of(*packet);
    const bool overtakes = std::ranges::any_of(lane.held, [type](const Held& held) { return held.type == type; });
    const auto hits = rules_->match({.packet = &*packet,
                                     .to = side,
                                     .version = version_,
                                     .topics = topics_of(side, *packet),
                                     .qos = qos_of(*packet),
                                     .connection = connection_,
                                     .client = client_,
                                     .overtakes = overtakes});
    auto fate = fate_of(hits, side, *packet, frame.whole.size());
    restore_topic(lane, *packet, fate);
    carry_out(side, *packet, frame.whole, std::move(fate));
    if (overtakes) release(lane, [type](const Held& held) { return held.type == type; });
    if (is_last_word(type)) to(from).requests.forget(id_of(*packet));
}

void FaultFilter::learn(Lane& lane, const Packet& packet) {
    if (const auto* connect = std::get_if<core::Connect>(&packet)) {
        version_ = connect->version;
        client_ = connect->client_id;
    }
    if (const auto* connack = std::get_if<core::Connack>(&packet))
        if (const auto assigned = connack->properties.get(property::assigned_client_identifier)) client_ = *assigned;
    if (const auto* publish = std::get_if<core::Publish>(&packet)) {
        const auto alias = static_cast<std::uint16_t>(publish->properties.get(property::topic_alias).value_or(0));
        if (alias != 0 && !publish->topic.empty()) lane.aliases.learn(alias, {std::string(publish->topic)});
        const auto* named = publish->topic.empty() ? lane.aliases.find(alias) : nullptr;
        if (publish->id != 0)
            lane.requests.learn(publish->id, named ? *named : std::vector{std::string(publish->topic)});
    }
    std::vector<std::string> filters;
    if (const auto* subscribe = std::get_if<core::Subscribe>(&packet)) {
        for (const auto& entry : subscribe->entries) filters.emplace_back(entry.filter);
        lane.requests.learn(subscribe->id, std::move(filters));
    } else if (const auto* unsubscribe = std::get_if<core::Unsubscribe>(&packet)) {
        filters.assign(unsubscribe->filters.begin(), unsubscribe->filters.end());
        lane.requests.learn(unsubscribe->id, std::move(filters));
    }
}

/// Valid until something is learnt.
const std::vector<std::string>* FaultFilter::topics_of(Side side, const Packet& packet) {
    const auto id = id_of(packet);
    switch (core::type_of(packet)) {
    case PacketType::publish: {
        const auto& publish = std::get<core::Publish>(packet);
        if (publish.topic.empty())
            return to(side).aliases.find(
                static_cast<std::uint16_t>(publish.properties.get(property::topic_alias).value_or(0)));
        topic_ = {std::string(publish.topic)};
        return &topic_;
    }
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pubrel: return to(side).requests.find(id);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubcomp:
    case PacketType::suback:
    case PacketType::unsuback: return to(other(side)).requests.find(id);
    default: return nullptr;
    }
}

FaultFilter::Fate FaultFilter::fate_of(const std::vector<Hit>& hits, Side side, const Packet& packet,
                                       std::size_t size) {
    Fate fate;
    for (const auto& hit : hits) {
        fate.words.append(fate.words.empty() ? "" : "; ").append(hit.words);
        apply(hit.fault, side, packet, size, fate);
    }
    return fate;
}

void FaultFilter::apply(const Fault& fault, Side side, const Packet& packet, std::size_t size, Fate& fate) {
    const auto change = [&]() -> Packet& {
        if (!fate.changed) fate.changed = packet;
        return *fate.changed;
    };
    switch (fault.action) {
    case Action::drop: fate.gone = true; break;
    case Action::delay: fate.later += fault.time; break;
    case Action::duplicate: fate.twice = true; break;
    case Action::reorder: fate.overtaken = fault.time; break;
    case Action::change_id: {
        const auto next = id_of(packet) == 65'535 ? 1u : id_of(packet) + 1u;
        change() = with_id(change(), static_cast<core::PacketId>(fault.number.value_or(next)));
        break;
    }
    case Action::refuse:
        fate.gone = true;
        fate.answer = refusal(packet, fault.reason);
        break;
    case Action::cut:
        fate.cut = std::min<std::size_t>(fault.number.value_or(size / 2), size);
        fate.then = End::finish;
        break;
    case Action::stall:
        for (auto& lane : lanes_) {
            if (fault.time == Duration::zero())
                lane.black_hole = true;
            else
                lane.stalled_until = std::max(lane.stalled_until, now_ + fault.time);
        }
        fate.gone = fault.time == Duration::zero();
        break;
    case Action::byte_by_byte: fate.singly = true; break;
    case Action::reset:
        fate.cut = 0;
        fate.then = End::reset;
        break;
    case Action::half_open:
        to(side).black_hole = true;
        fate.gone = true;
        break;
    case Action::session_present: std::get<core::Connack>(change()).session_present = fault.number == 1; break;
    case Action::receive_maximum: {
        auto& connack = std::get<core::Connack>(change());
        fate.properties = Properties(connack.properties);
        fate.properties.set(property::receive_maximum, *fault.number);
        connack.properties = PropertiesView();
        break;
    }
    }
}

/// A topic alias whose topic did not arrive means nothing at the other side: there the topic has to stand. Otherwise a
/// packet that is dropped would break the connection.
void FaultFilter::restore_topic(Lane& lane, const Packet& packet, Fate& fate) {
    const auto* publish = std::get_if<core::Publish>(&packet);
    if (!publish) return;
    const auto alias = static_cast<std::uint16_t>(publish->properties.get(property::topic_alias).value_or(0));
    if (alias == 0) return;
    const bool arrives = !fate.gone && !fate.cut && !fate.overtaken;
    if (!publish->topic.empty()) {
        if (arrives)
            lane.unheard.erase(alias);
        else
            lane.unheard.insert(alias);
        return;
    }
    const auto* topic = lane.aliases.find(alias);
    if (!topic || !lane.unheard.contains(alias)) return;
    if (!fate.changed) fate.changed = packet;
    std::get<core::Publish>(*fate.changed).topic = topic->front();
    if (arrives) lane.unheard.erase(alias);
}

void FaultFilter::carry_out(Side side, const Packet& packet, Octets whole, Fate fate) {
    auto& lane = to(side);
    std::string octets(whole);
    if (fate.changed) {
        if (auto* connack = std::get_if<core::Connack>(&*fate.changed); connack && !fate.properties.empty())
            connack->properties = fate.properties;
        std::string changed;
        if (core::encode(version_, *fate.changed, changed)) octets = std::move(changed);
    }
    std::string again;
    if (fate.twice) {
        again = octets;
        if (const auto* publish = std::get_if<core::Publish>(&packet); publish && publish->id != 0)
            again.front() = static_cast<char>(again.front() | 0x08);
    }
    if (capture_) {
        Captured entry{now_, connection_, other(side), version_, capture_->masked(version_, whole)};
        entry.note = fate.words;
        entry.later = fate.later;
        if (fate.gone || fate.overtaken)
            entry.arrived.emplace();
        else if (fate.cut)
            entry.arrived = capture_->masked(version_, octets).substr(0, *fate.cut);
        else if (fate.twice)
            entry.arrived = capture_->masked(version_, octets) + capture_->masked(version_, again);
        else if (fate.changed)
            entry.arrived = capture_->masked(version_, octets);
        capture_->add(std::move(entry));
    }
    if (fate.answer) answer(other(side), packet, *fate.answer);
    if (fate.gone) return;
    if (fate.cut) octets.resize(std::min(*fate.cut, octets.size()));
    Parcel parcel{.octets = std::move(octets), .due = now_ + fate.later, .singly = fate.singly, .then = fate.then};
    if (fate.overtaken) {
        lane.queued += parcel.octets.size();
        lane.held.push_back({core::type_of(packet), now_ + *fate.overtaken, std::move(parcel)});
        return;
    }
    put(lane, std::move(parcel));
    if (fate.twice) put(lane, {.octets = std::move(again), .due = now_ + fate.later, .singly = fate.singly});
}

/// What a version cannot refuse its brokers answer by closing the connection; and so do all after a refused CONNECT.
void FaultFilter::answer(Side side, const Packet& request, const Packet& refused) {
    const auto* publish = std::get_if<core::Publish>(&request);
    if (publish && publish->qos == QoS::at_most_once) return;
    Parcel parcel{.due = now_};
    const bool can_say = version_ == Version::v5 || !std::holds_alternative<core::Unsuback>(refused);
    const bool said = can_say && core::encode(version_, refused, parcel.octets);
    if (!said || std::holds_alternative<core::Connack>(refused)) parcel.then = End::finish;
    if (capture_ && said)
        capture_->add({.at = now_,
                       .connection = connection_,
                       .from = other(side),
                       .version = version_,
                       .packet = parcel.octets,
                       .made_here = true});
    put(to(side), std::move(parcel));
}

void FaultFilter::put(Lane& lane, Parcel parcel) {
    if (lane.gone || lane.closing) return;
    lane.closing = parcel.then != End::open;
    lane.queued += parcel.octets.size();
    lane.queue.push_back(std::move(parcel));
    settle(lane);
}

void FaultFilter::note(std::string what) {
    if (capture_) capture_->add({.at = now_, .connection = connection_, .version = version_, .note = std::move(what)});
}

} // namespace tortoise::testing
