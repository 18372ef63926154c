#pragma once
/// A message, borrowed or owned.

#include <string>
#include <string_view>
#include <tortoise/properties.hpp>
#include <tortoise/topic.hpp>
#include <tortoise/topic_template.hpp>
#include <tortoise/types.hpp>

namespace tortoise {

/// Names a received message that wants an acknowledgement, see Connection::acknowledge; 0: it wants none.
using AckId = std::uint64_t;

/// A borrowed message. What a handler gets is valid until the handler returns; make a `Message` of it to keep it.
struct MessageView {
    std::string_view topic = {};
    Octets payload = {};
    QoS qos = QoS::at_most_once;
    bool retain = false;     ///< sent because of the subscription, not because it was just published [MQTT-3.3.1.3]
    bool duplicate = false;  ///< DUP: the sender tried before [MQTT-3.3.1.1]
    PropertiesView properties = {};
    std::uint16_t packet_id = 0;  ///< of a received message of QoS 1 or 2: the identifier that the broker gave it
    AckId ack_id = 0;             ///< of a received message of QoS 1 or 2 on a connection with Acknowledge::manual

    std::string_view text() const noexcept { return payload; }
    Levels levels() const noexcept { return Levels(topic); }
    bool matches(std::string_view filter) const noexcept { return tortoise::matches(filter, topic); }
    /// `if (const auto room = m.match("rooms/{room}/temp")) use((*room)["room"]);`
    std::optional<TopicMatch> match(TopicTemplate t) const noexcept { return t.match(topic); }
};

/// An owned message.
struct Message {
    std::string topic = {};
    std::string payload = {};
    QoS qos = QoS::at_most_once;
    bool retain = false;
    bool duplicate = false;
    Properties properties = {};
    AckId ack_id = 0;  ///< as of the MessageView that it was made of

    Message() = default;
    Message(std::string topic_name, std::string body, QoS quality = QoS::at_most_once, bool keep = false)
        : topic(std::move(topic_name)), payload(std::move(body)), qos(quality), retain(keep) {}
    explicit Message(const MessageView& m)
        : topic(m.topic), payload(m.payload), qos(m.qos), retain(m.retain), duplicate(m.duplicate),
          properties(m.properties), ack_id(m.ack_id) {}

    MessageView view() const noexcept { return {topic, payload, qos, retain, duplicate, properties, 0, ack_id}; }
    operator MessageView() const noexcept { return view(); }
};

} // namespace tortoise
