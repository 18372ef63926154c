#pragma once
/// Answers that say why.

#include "broker/connection.hpp"

namespace tortoise::broker {

/// Sends the packet with the text as its Reason String if the client takes it [MQTT-3.1.2-29] [MQTT-3.14.2-3],
/// otherwise without; false if not even that was possible. `always`: also to a client that did not ask for problem
/// information.
template <class T> bool send_with_reason(Connection& connection, T packet, std::string_view text, bool always) {
    if (connection.version == Version::v5 && !text.empty() && (always || connection.client.problem_information)) {
        const auto properties = Properties{}.set(property::reason_string, text);
        packet.properties = properties;
        if (connection.send(core::Packet(packet))) return true;
    }
    packet.properties = {};
    return connection.send(core::Packet(packet));
}

} // namespace tortoise::broker
