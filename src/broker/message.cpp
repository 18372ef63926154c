#include "broker/message.hpp"

namespace tortoise::broker {

Letter::Letter(StoredRef stored)
    : topic(stored->topic()), payload(stored->payload()), properties(stored->properties()), qos(stored->qos),
      retain(stored->retain), expires(stored->expires), publisher(stored->publisher), stored_(std::move(stored)) {}

const StoredRef& Letter::stored() {
    if (!stored_) {
        auto copy = std::make_shared<Stored>();
        copy->octets.reserve(topic.size() + properties.octets().size() + payload.size());
        copy->octets.append(topic).append(properties.octets()).append(payload);
        copy->topic_size = static_cast<std::uint32_t>(topic.size());
        copy->properties_size = static_cast<std::uint32_t>(properties.octets().size());
        copy->qos = qos;
        copy->retain = retain;
        copy->expires = expires;
        copy->publisher = publisher;
        stored_ = std::move(copy);
    }
    return stored_;
}

Properties forwarded_properties(PropertiesView published) {
    Properties kept(published);
    kept.remove(PropertyId::topic_alias).remove(PropertyId::message_expiry_interval);
    kept.remove(PropertyId::will_delay_interval);
    return kept;
}

} // namespace tortoise::broker
