#include "broker/connection.hpp"

#include <algorithm>

namespace tortoise::broker {

namespace {

/// What is left of a message's life, in whole seconds, rounded so that less than a second of waiting takes nothing off.
/// [MQTT-3.3.2-6]
std::uint32_t seconds_left(Time now, Time expires) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(expires - now).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, 0xFFFF'FFFF));
}

} // namespace

Connection::Connection(Context& context, ClientId client_id, Time now)
    : id(client_id), reader(context.options.maximum_packet_size), opened(now), last_packet(now),
      paces(context.rules.limits), context_(context) {}

template <class P> bool Connection::answer(const P& packet) {
    const auto before = out_.size();
    if (closing_ || !core::encode(version, packet, out_)) return false;
    if (out_.size() - before > client.maximum_packet_size) {
        out_.resize(before);
        return false;
    }
    if (blocked()) unread_answers_ += out_.size() - before;
    appended(out_.size() - before);
    return true;
}

bool Connection::send(const core::Packet& packet) { return answer(packet); }
bool Connection::send(const core::Ack& ack) { return answer(ack); }

Connection::Outcome Connection::publish(Time now, const Letter& letter, const Grant& grant, bool duplicate,
                                        core::PacketId packet_id) {
    const core::Publish publish{.id = packet_id,
                                .topic = letter.topic,
                                .payload = letter.payload,
                                .qos = grant.qos,
                                .retain = grant.retain,
                                .duplicate = duplicate};
    Properties own;
    const auto alias = alias_for(letter.topic);
    if (append(publish, properties_for(now, letter, grant, alias.alias, own), alias.known)) {
        if (alias.alias != 0 && !alias.known) learn_alias(letter.topic, alias.alias);
    } else if (alias.known || alias.alias == 0 || !append(publish, properties_for(now, letter, grant, 0, own), false)) {
        // A new alias costs octets, and even without it the message does not fit.
        return Outcome::too_large;
    }
    ++context_.publishes_sent;
    return Outcome::sent;
}

/// False if the client does not take a packet of that size.
bool Connection::append(core::Publish publish, PropertiesView properties, bool alias_known) {
    if (alias_known) publish.topic = {};
    publish.properties = properties;
    const auto before = out_.size();
    if (core::encoded_size(version, publish) > client.maximum_packet_size || !core::encode(version, publish, out_))
        return false;
    appended(out_.size() - before);
    return true;
}

/// Those of the message, or a copy in `own` with what this client gets in addition.
PropertiesView Connection::properties_for(Time now, const Letter& letter, const Grant& grant, std::uint32_t alias,
                                          Properties& own) const {
    if (version != Version::v5) return {};
    if (alias == 0 && !letter.expires && grant.ids.empty()) return letter.properties;
    own = Properties(letter.properties);
    if (alias != 0) own.set(property::topic_alias, alias);
    if (letter.expires) own.set(property::message_expiry_interval, seconds_left(now, *letter.expires));
    for (const auto subscription : grant.ids) own.add(property::subscription_identifier, subscription);
    return own;
}

Connection::AliasOut Connection::alias_for(std::string_view topic) const {
    const auto most = std::min(client.topic_alias_maximum, limits::aliases_out);
    if (most == 0) return {};
    if (const auto found = aliases_out_.find(topic); found != aliases_out_.end()) return {found->second, true};
    return {static_cast<std::uint32_t>(next_alias_ % most) + 1, false};
}

void Connection::learn_alias(std::string_view topic, std::uint32_t alias) {
    if (alias_topics_.size() < alias) alias_topics_.resize(alias);
    auto& held = alias_topics_[alias - 1];
    aliases_out_.erase(held);
    held = topic;
    aliases_out_.emplace(topic, alias);
    next_alias_ = alias;
}

Result<std::string_view> Connection::resolve_topic(std::string_view topic, std::optional<std::uint32_t> alias) {
    if (!alias) return topic;
    if (*alias == 0 || *alias > context_.options.topic_alias_maximum)
        return make_error(Reason::topic_alias_invalid, "the Topic Alias is 0 or above the Topic Alias Maximum");
    if (!topic.empty()) {
        aliases_in_[*alias] = topic;
        return topic;
    }
    const auto known = aliases_in_.find(*alias);
    if (known == aliases_in_.end()) return make_error(Reason::protocol_error, "the Topic Alias was never set");
    return std::string_view(known->second);
}

void Connection::wrote(std::size_t octets) noexcept {
    unwritten_ -= std::min(octets, unwritten_);
    if (!blocked()) unread_answers_ = 0;
}

void Connection::take_output(std::string& into) {
    if (into.empty())
        into.swap(out_);
    else
        into += out_;
    out_.clear();
}

void Connection::close() {
    closing_ = true;
    touch();
}

void Connection::appended(std::size_t octets) {
    unwritten_ += octets;
    touch();
}

void Connection::touch() {
    if (marked_touched) return;
    marked_touched = true;
    context_.touched.push_back(id);
}

} // namespace tortoise::broker
