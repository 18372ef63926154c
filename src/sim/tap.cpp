#include "sim/tap.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::sim {

using core::PacketType;
using Step = Outgoing::Step;

void Tap::fail(Side from, const std::string& what) {
    judge_.fail((from == Side::client ? "client " : "the broker, to client ") + std::to_string(client_) + ": " + what);
}

std::optional<Time> Tap::must_speak_by() const noexcept {
    if (!up_ || goodbye_ || keep_alive_ == 0) return std::nullopt;
    return last_spoken_ + std::chrono::seconds(keep_alive_) + held_;
}

// ---- Sending -------------------------------------------------------------------------------------------------------

void Tap::client_sends(Octets octets) {
    if (const auto by = must_speak_by(); by && judge_.now > *by)
        fail(Side::client, "[MQTT-3.1.2-20] silent for too long");
    last_spoken_ = judge_.now;
    sends(Side::client, octets);
}

void Tap::broker_sends(Octets octets) { sends(Side::broker, octets); }

void Tap::sends(Side from, Octets octets) {
    Stream& s = stream(from);
    s.reader.feed(octets);
    while (true) {
        auto frame = s.reader.next();
        if (!frame) return fail(from, "broke the framing: " + frame.error().describe());
        if (!*frame) break;
        auto decoded = core::decode(version_, **frame);
        if (!decoded) return fail(from, "sent what does not decode: " + decoded.error().describe());
        s.sent += (*frame)->whole.size();
        if (judge_.logs())
            judge_.line("client " + std::to_string(client_) + (from == Side::client ? " -> " : " <- ") +
                        core::print(*decoded));
        packet(from, *decoded, (*frame)->whole.size());
    }
    if (s.reader.pending() > 0) fail(from, "handed over a part of a packet");
}

void Tap::order_of_packets(Side from, PacketType type) {
    const bool first = stream(from).sent == 0;
    if (from == Side::client) {
        if (first != (type == PacketType::connect))
            fail(from, "[MQTT-3.1.0-1] CONNECT is the first packet, and only the first");
        if (goodbye_) fail(from, "[MQTT-3.14.4-1] sent a packet after DISCONNECT");
        if (!up_ && type != PacketType::connect && type != PacketType::disconnect && type != PacketType::auth)
            fail(from, "sent " + std::string(to_string(type)) + " before CONNACK");
        return;
    }
    if (first && type != PacketType::connack && type != PacketType::disconnect)
        fail(from, "[MQTT-3.2.0-1] the first packet is CONNACK");
    if (broker_goodbye_) fail(from, "[MQTT-3.14.4-1] sent a packet after DISCONNECT");
}

void Tap::packet(Side from, const core::Packet& p, std::size_t size) {
    Stream& s = stream(from);
    Passing passing;
    passing.type = core::type_of(p);
    passing.end = s.sent;
    s.sent -= size; // while this packet is judged, it was not sent yet
    order_of_packets(from, passing.type);
    s.sent += size;
    if (size > s.limits.packet_size) fail(from, "[MQTT-3.2.2-15] sent a packet above the Maximum Packet Size");

    if (const auto* pub = std::get_if<core::Publish>(&p)) {
        publish(from, *pub);
        passing.id = pub->id;
        passing.qos = pub->qos;
    } else if (const auto* a = std::get_if<core::Ack>(&p)) {
        ack(from, *a);
        passing.id = a->id;
        passing.reason = a->reason;
    } else if (const auto* c = std::get_if<core::Connect>(&p)) {
        connect(*c);
    } else if (const auto* k = std::get_if<core::Connack>(&p)) {
        connack(*k);
        passing.reason = k->reason;
        passing.session_present = k->session_present;
    } else if (const auto* sa = std::get_if<core::Suback>(&p)) {
        suback(*sa);
        passing.id = sa->id;
    } else if (const auto* ua = std::get_if<core::Unsuback>(&p)) {
        passing.id = ua->id;
    } else if (std::holds_alternative<core::Disconnect>(p)) {
        (from == Side::client ? goodbye_ : broker_goodbye_) = true;
    } else {
        request(p, passing);
    }
    s.passing.push_back(std::move(passing));
}

void Tap::request(const core::Packet& p, Passing& passing) {
    auto step = Step::subscribe;
    if (const auto* s = std::get_if<core::Subscribe>(&p)) {
        passing.id = s->id;
        for (const auto& e : s->entries) passing.filters.emplace_back(std::string(e.filter), e.options);
    } else if (const auto* u = std::get_if<core::Unsubscribe>(&p)) {
        step = Step::unsubscribe;
        passing.id = u->id;
        for (const auto f : u->filters) passing.filters.emplace_back(std::string(f));
    } else {
        return;
    }
    forget_given_up(passing.id, 0);
    // [MQTT-2.2.1-3]
    const auto [at, fresh] = session_.from_client.entries.try_emplace(passing.id, Outgoing::Entry{.step = step});
    if (!fresh) fail(Side::client, "packet identifier " + std::to_string(passing.id) + " is in use");
}

// ---- PUBLISH -------------------------------------------------------------------------------------------------------

void Tap::publish(Side from, const core::Publish& p) {
    Stream& s = stream(from);
    std::string_view topic = p.topic;
    if (const auto alias = p.properties.get(property::topic_alias)) {
        // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
        if (*alias == 0 || *alias > s.limits.topic_aliases)
            fail(from, "topic alias " + std::to_string(*alias) + " is not allowed");
        if (!topic.empty())
            s.aliases[*alias] = topic;
        else if (s.aliases.count(*alias) == 0)
            fail(from, "topic alias " + std::to_string(*alias) + " means nothing");
        topic = s.aliases[*alias];
    } else if (topic.empty()) {
        fail(from, "PUBLISH without a topic");
    }
    if (static_cast<std::uint32_t>(p.qos) > s.limits.maximum_qos) fail(from, "[MQTT-3.2.2-11] above the Maximum QoS");
    if (p.retain && !s.limits.retain) fail(from, "[MQTT-3.2.2-14] retain is not available");
    if (p.qos == QoS::at_most_once && p.duplicate) fail(from, "[MQTT-3.3.1-2] DUP at QoS 0");

    const core::Token token = token_of(p.payload);
    bool repetition = false;
    if (p.qos != QoS::at_most_once) {
        identifier(from, p, token, repetition);
        if (s.quota == 0)
            fail(from, "[MQTT-4.9.0-2] Receive Maximum exceeded");
        else
            --s.quota;
    }
    const Post* post = ledger_.find(token);
    if (post && topic != ledger_.topic(post->topic)) fail(from, "sent under another topic: " + ledger_.describe(token));
    if (from == Side::client) publish_from_client(p, repetition);
}

// Of a client: it is not sent again, because the broker does not allow it any more. Its user was told why, if it was
// not cancelled before.
bool Tap::given_up(const Outgoing::Entry& entry) {
    const Post* post = entry.resend_due && entry.step == Step::published ? ledger_.find(entry.token) : nullptr;
    return post && post->end == Post::End::undelivered && (post->over_on_wire || entry.barred || !allowed_now(*post));
}

// May be allowed, where the size of its packet decides.
bool Tap::allowed_now(const Post& post) {
    const Limits& limits = stream(Side::client).limits;
    constexpr std::uint32_t most_around_it = 256; // the octets of a PUBLISH that are not payload
    return (limits.retain || !post.retain) && static_cast<std::uint32_t>(post.qos) <= limits.maximum_qos &&
           post.size + most_around_it <= limits.packet_size;
}

// … and if it is of QoS 1, its identifier is free for anything else.
void Tap::forget_given_up(PacketId id, core::Token user) {
    Outgoing& out = session_.from_client;
    const auto found = out.entries.find(id);
    if (found == out.entries.end() || found->second.token == user) return;
    if (found->second.qos != QoS::at_least_once || !given_up(found->second)) return;
    out.settled(found->second);
    out.entries.erase(found);
}

void Tap::identifier(Side from, const core::Publish& p, core::Token token, bool& repetition) {
    Outgoing& out = outgoing(from);
    if (from == Side::client) forget_given_up(p.id, token);
    const auto found = out.entries.find(p.id);
    const std::string name = "packet identifier " + std::to_string(p.id);
    if (found == out.entries.end()) {
        if (p.duplicate) fail(from, "DUP at the first attempt, " + name);
        out.entries.emplace(p.id, Outgoing::Entry{Step::published, p.qos, token, out.next_order++, false});
        if (from == Side::client) session_.most_in_flight = std::max(session_.most_in_flight, out.entries.size());
        const auto due = [&](const auto& e) {
            return e.second.resend_due && e.second.step == Step::published &&
                   (from == Side::broker || !given_up(e.second));
        };
        if (out.resends_due > 0 && std::any_of(out.entries.begin(), out.entries.end(), due))
            fail(from, "[MQTT-4.6.0-1] a new message overtakes one that is to be sent again, " + name);
        return;
    }
    Outgoing::Entry& entry = found->second;
    if (!entry.resend_due || entry.step != Step::published || entry.token != token || entry.qos != p.qos)
        return fail(from, "[MQTT-2.2.1-3] " + name + " is in use");
    if (!p.duplicate) fail(from, "[MQTT-3.3.1-1] sent again without DUP, " + name);
    if (entry.order < stream(from).last_resent) fail(from, "[MQTT-4.6.0-1] sent again out of order, " + name);
    stream(from).last_resent = entry.order;
    out.settled(entry);
    repetition = true;
}

void Tap::publish_from_client(const core::Publish& p, bool repetition) {
    const core::Token token = token_of(p.payload);
    ledger_.sent(token, repetition);
    const Post* post = ledger_.find(token);
    if (!post || version_ != Version::v5) return;
    const auto expiry = p.properties.get(property::message_expiry_interval);
    if (expiry.has_value() != post->expires.has_value())
        return fail(Side::client, "Message Expiry Interval and time to live do not agree: " + ledger_.describe(token));
    if (!expiry || repetition) return;
    const auto left = std::chrono::duration<double>(*post->expires - judge_.now).count();
    const double late = 1 + std::chrono::duration<double>(post->slack).count();
    if (*expiry > left + late || *expiry + 1 < left)
        fail(Side::client,
             "Message Expiry Interval is " + std::to_string(*expiry) + ", but " + std::to_string(left) + " s are left");
}

// ---- Acknowledgements ----------------------------------------------------------------------------------------------

namespace {
bool take_front(std::deque<PacketId>& due, PacketId id) {
    if (due.empty() || due.front() != id) return false;
    due.pop_front();
    return true;
}
} // namespace

void Tap::ack(Side from, const core::Ack& a) {
    Stream& s = stream(from);
    const std::string name = std::string(to_string(a.type)) + " " + std::to_string(a.id);
    if (a.type == PacketType::puback) {
        if (!take_front(s.puback_due, a.id)) fail(from, "[MQTT-4.6.0-2] it was not the turn of " + name);
    } else if (a.type == PacketType::pubrec) {
        if (!take_front(s.pubrec_due, a.id)) fail(from, "[MQTT-4.6.0-3] it was not the turn of " + name);
    } else if (a.type == PacketType::pubcomp) {
        const auto at = std::find(s.pubcomp_due.begin(), s.pubcomp_due.end(), a.id);
        if (at == s.pubcomp_due.end())
            fail(from, "nobody asked for " + name);
        else
            s.pubcomp_due.erase(at);
    } else {
        auto& entries = outgoing(from).entries;
        const auto entry = entries.find(a.id);
        const bool again = entry != entries.end() && entry->second.resend_due && entry->second.step == Step::released;
        if (again)
            outgoing(from).settled(entry->second);
        else if (!take_front(s.pubrel_due, a.id))
            fail(from, "[MQTT-4.6.0-4] it was not the turn of " + name);
    }
}

// An acknowledgement reached the sender of a PUBLISH.
void Tap::acknowledged(Side sender, const Passing& p) {
    auto& entries = outgoing(sender).entries;
    Stream& s = stream(sender);
    const auto found = entries.find(p.id);
    const bool known = found != entries.end() && found->second.step <= Step::released;
    if (p.type == PacketType::pubrec && !is_refusal(p.reason)) {
        s.pubrel_due.push_back(p.id);
        if (!known) return;
        outgoing(sender).settled(found->second);
        found->second.step = Step::released;
        // [MQTT-4.3.3-6]
        if (Post* post = sender == Side::client ? ledger_.find(found->second.token) : nullptr)
            post->over_on_wire = true;
        return;
    }
    if (!known) return;
    if (s.quota < s.limits.receive_maximum) ++s.quota;
    // [MQTT-4.4.0-2]
    if (Post* post = sender == Side::client ? ledger_.find(found->second.token) : nullptr) post->over_on_wire = true;
    outgoing(sender).settled(found->second);
    entries.erase(found);
}

// ---- Connecting ----------------------------------------------------------------------------------------------------

void Tap::connect(const core::Connect& c) {
    if (c.client_id != client_id_) fail(Side::client, "CONNECT with another client identifier");
    if (c.version != version_) fail(Side::client, "CONNECT of another version");
    const bool clean = clean_start_ && (c.version == Version::v3_1_1 || life_connacks_ == 0);
    if (c.clean_start != clean)
        fail(Side::client, clean ? "CONNECT without a clean start" : "CONNECT with a clean start");
    keep_alive_ = c.keep_alive;
    Limits& limits = stream(Side::broker).limits;
    limits.receive_maximum = c.properties.get(property::receive_maximum).value_or(65'535);
    limits.packet_size = c.properties.get(property::maximum_packet_size).value_or(core::largest_packet);
    limits.topic_aliases = c.properties.get(property::topic_alias_maximum).value_or(0);
    stream(Side::broker).quota = limits.receive_maximum;
}

void Tap::connack(const core::Connack& k) {
    if (accepted_) fail(Side::broker, "a second CONNACK");
    if (is_refusal(k.reason)) return;
    accepted_ = true;
    Stream& client = stream(Side::client); // the client says nothing before it gets this
    client.limits.receive_maximum = k.properties.get(property::receive_maximum).value_or(65'535);
    client.limits.packet_size = k.properties.get(property::maximum_packet_size).value_or(core::largest_packet);
    client.limits.topic_aliases = k.properties.get(property::topic_alias_maximum).value_or(0);
    client.limits.maximum_qos = k.properties.get(property::maximum_qos).value_or(2);
    client.limits.retain = k.properties.get(property::retain_available).value_or(1) != 0;
    client.quota = client.limits.receive_maximum;
    server_keep_alive_ = k.properties.get(property::server_keep_alive);
    for (auto& [id, entry] : session_.from_client.entries)
        if (const Post* post = ledger_.find(entry.token)) entry.barred |= !allowed_now(*post);
    if (k.session_present) return session_.from_broker.resumed();
    session_.from_broker = {};
    session_.filters.clear();
    ++session_.epoch;
    session_.unheard = true;
    for (const auto token : session_.expected)
        if (Post* post = ledger_.find(token)) post->expected &= ~(1u << client_);
    session_.expected.clear();
}

void Tap::suback(const core::Suback& s) {
    const auto found = subscribing_.find(s.id);
    if (found == subscribing_.end()) return fail(Side::broker, "SUBACK that nobody asked for");
    const auto filters = std::move(found->second);
    subscribing_.erase(found);
    if (filters.size() != s.reasons.size())
        return fail(Side::broker, "[MQTT-3.8.4-6] SUBACK with another number of reasons");
    for (std::size_t i = 0; i < filters.size(); ++i) {
        if (is_refusal(s.reasons[i]) || filters[i].filter.empty()) continue;
        const auto granted = static_cast<QoS>(s.reasons[i]);
        if (auto* known = session_.find(filters[i].filter))
            *known = {filters[i], granted, broker_call_};
        else
            session_.filters.push_back({filters[i], granted, broker_call_});
    }
}

// ---- Arriving ------------------------------------------------------------------------------------------------------

void Tap::client_gets(std::size_t octets) {
    Stream& s = stream(Side::broker);
    s.delivered += octets;
    while (!s.passing.empty() && s.passing.front().end <= s.delivered) {
        arrived(Side::client, s.passing.front());
        s.passing.pop_front();
    }
}

void Tap::broker_gets(std::size_t octets) {
    Stream& s = stream(Side::client);
    s.delivered += octets;
    while (!s.passing.empty() && s.passing.front().end <= s.delivered) {
        arrived(Side::broker, s.passing.front());
        s.passing.pop_front();
    }
}

void Tap::connack_arrived(const Passing& p) {
    if (is_refusal(p.reason)) return;
    up_ = true;
    ++life_connacks_;
    if (server_keep_alive_) keep_alive_ = *server_keep_alive_; // [MQTT-3.1.2-21]
    last_spoken_ = judge_.now;
    if (!p.session_present) {
        session_.from_client = {};
        session_.unheard = session_.doubtful = false;
        return;
    }
    session_.doubtful = session_.doubtful || session_.unheard;
    session_.from_client.resumed();
}

void Tap::unsubscribed(const Passing& p) {
    for (const auto& gone : p.filters) {
        std::erase_if(session_.filters, [&](const auto& f) { return f.filter.filter == gone.filter; });
        for (auto& [id, pending] : subscribing_) // subscribed in the same breath
            for (auto& f : pending)
                if (f.filter == gone.filter) f.filter.clear();
        std::erase_if(session_.expected, [&](core::Token token) {
            Post* post = ledger_.find(token);
            if (!matches(gone.filter, ledger_.topic(post->topic))) return false;
            post->expected &= ~(1u << client_);
            return true;
        });
    }
}

void Tap::arrived(Side to, const Passing& p) {
    Stream& answers = stream(to); // what this side will send
    switch (p.type) {
    case PacketType::connack: connack_arrived(p); break;
    case PacketType::publish:
        if (p.qos == QoS::at_least_once) answers.puback_due.push_back(p.id);
        if (p.qos == QoS::exactly_once)
            answers.pubrec_due.push_back(p.id);
        else if (to == Side::client)
            ++publishes_received_;
        break;
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubcomp: acknowledged(to, p); break;
    case PacketType::pubrel: answers.pubcomp_due.push_back(p.id); break;
    case PacketType::subscribe: subscribing_[p.id] = p.filters; break;
    case PacketType::unsubscribe: unsubscribed(p); break;
    case PacketType::suback:
    case PacketType::unsuback: {
        const auto found = session_.from_client.entries.find(p.id);
        if (found != session_.from_client.entries.end() && found->second.step >= Step::subscribe)
            session_.from_client.entries.erase(found);
        break;
    }
    default: break;
    }
}

} // namespace tortoise::sim
