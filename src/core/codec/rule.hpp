#pragma once
/// Statements of the two specifications, by number, and the errors that name them.

#include <optional>
#include <string>
#include <string_view>
#include <tortoise/core/packet.hpp>
#include <tortoise/error.hpp>

namespace tortoise::core {

/// The numbers of one rule in MQTT 5 and in 3.1.1; empty where the text states it without a number, or not at all.
struct Rule {
    std::string_view v5 = {};
    std::string_view v3_1_1 = {};
    constexpr std::string_view number(Version v) const noexcept { return v == Version::v5 ? v5 : v3_1_1; }
};

/// Nothing: no rule is broken.
using Fail = std::optional<Error>;

/// "[MQTT-3.3.1-4] PUBLISH with QoS 3"
Error broken(Version, Rule, Reason, std::string_view subject, std::string_view text);
inline Error broken(Version v, Rule rule, Reason reason, PacketType type, std::string_view text) {
    return broken(v, rule, reason, to_string(type), text);
}

/// What is wrong with a topic name or a filter; of static storage.
struct TopicFault {
    Rule rule;
    bool malformed = false; // not even a UTF-8 Encoded String
    std::string_view text;
};
/// Null: it is a topic name.
const TopicFault* topic_fault(std::string_view topic) noexcept;
/// Null: it is a topic filter. The rules of `$share` are those of MQTT 5 only.
const TopicFault* filter_fault(std::string_view filter, bool shared_rules) noexcept;

namespace rule {
inline constexpr Rule utf8{"MQTT-1.5.4-1", "MQTT-1.5.3-1"};
inline constexpr Rule utf8_null{"MQTT-1.5.4-2", "MQTT-1.5.3-2"};
inline constexpr Rule varint{"MQTT-1.5.5-1", ""};
inline constexpr Rule string_pair{"MQTT-1.5.7-1", ""};
inline constexpr Rule fixed_flags{"MQTT-2.1.3-1", "MQTT-2.2.2-2"};
inline constexpr Rule packet_id{"MQTT-2.2.1-3", "MQTT-2.3.1-1"};
inline constexpr Rule no_packet_id{"MQTT-2.2.1-2", "MQTT-2.3.1-5"};
inline constexpr Rule protocol_name{"MQTT-3.1.2-1", "MQTT-3.1.2-1"};
inline constexpr Rule protocol_version{"MQTT-3.1.2-2", "MQTT-3.1.2-2"};
inline constexpr Rule connect_reserved{"MQTT-3.1.2-3", "MQTT-3.1.2-3"};
inline constexpr Rule no_will_qos{"MQTT-3.1.2-11", "MQTT-3.1.2-13"};
inline constexpr Rule will_qos{"MQTT-3.1.2-12", "MQTT-3.1.2-14"};
inline constexpr Rule no_will_retain{"MQTT-3.1.2-13", "MQTT-3.1.2-15"};
inline constexpr Rule password_alone{"", "MQTT-3.1.2-22"};
inline constexpr Rule client_id{"MQTT-3.1.3-4", "MQTT-3.1.3-4"};
inline constexpr Rule will_topic{"MQTT-3.1.3-11", "MQTT-3.1.3-10"};
inline constexpr Rule user_name{"MQTT-3.1.3-12", "MQTT-3.1.3-11"};
inline constexpr Rule connack_flags{"MQTT-3.2.2-1", ""};
inline constexpr Rule refused_session{"MQTT-3.2.2-6", "MQTT-3.2.2-4"};
inline constexpr Rule connack_reason{"MQTT-3.2.2-8", ""};
inline constexpr Rule duplicate{"MQTT-3.3.1-2", "MQTT-3.3.1-2"};
inline constexpr Rule publish_qos{"MQTT-3.3.1-4", "MQTT-3.3.1-4"};
inline constexpr Rule publish_topic{"MQTT-3.3.2-1", "MQTT-3.3.2-1"};
inline constexpr Rule publish_wildcard{"MQTT-3.3.2-2", "MQTT-3.3.2-2"};
inline constexpr Rule topic_alias{"MQTT-3.3.2-8", ""};
inline constexpr Rule response_topic{"MQTT-3.3.2-13", ""};
inline constexpr Rule response_wildcard{"MQTT-3.3.2-14", ""};
inline constexpr Rule content_type{"MQTT-3.3.2-19", ""};
inline constexpr Rule puback_reason{"MQTT-3.4.2-1", ""};
inline constexpr Rule pubrec_reason{"MQTT-3.5.2-1", ""};
inline constexpr Rule pubrel_flags{"MQTT-3.6.1-1", "MQTT-3.6.1-1"};
inline constexpr Rule pubrel_reason{"MQTT-3.6.2-1", ""};
inline constexpr Rule pubcomp_reason{"MQTT-3.7.2-1", ""};
inline constexpr Rule subscribe_flags{"MQTT-3.8.1-1", "MQTT-3.8.1-1"};
inline constexpr Rule subscribe_filter{"MQTT-3.8.3-1", "MQTT-3.8.3-1"};
inline constexpr Rule subscribe_empty{"MQTT-3.8.3-2", "MQTT-3.8.3-3"};
inline constexpr Rule no_local_shared{"MQTT-3.8.3-4", ""};
inline constexpr Rule subscribe_qos{"", "MQTT-3.8.3-4"};
inline constexpr Rule subscribe_reserved{"MQTT-3.8.3-5", "MQTT-3.8.3-4"};
inline constexpr Rule suback_reason{"MQTT-3.9.3-2", "MQTT-3.9.3-2"};
inline constexpr Rule unsubscribe_flags{"MQTT-3.10.1-1", "MQTT-3.10.1-1"};
inline constexpr Rule unsubscribe_filter{"MQTT-3.10.3-1", "MQTT-3.10.3-1"};
inline constexpr Rule unsubscribe_empty{"MQTT-3.10.3-2", "MQTT-3.10.3-2"};
inline constexpr Rule unsuback_reason{"MQTT-3.11.3-2", ""};
inline constexpr Rule disconnect_flags{"MQTT-3.14.1-1", "MQTT-3.14.1-1"};
inline constexpr Rule disconnect_reason{"MQTT-3.14.2-1", ""};
inline constexpr Rule auth_flags{"MQTT-3.15.1-1", ""};
inline constexpr Rule auth_reason{"MQTT-3.15.2-1", ""};
inline constexpr Rule wildcard_in_topic{"MQTT-4.7.0-1", "MQTT-4.7.1-1"};
inline constexpr Rule hash{"MQTT-4.7.1-1", "MQTT-4.7.1-2"};
inline constexpr Rule plus{"MQTT-4.7.1-2", "MQTT-4.7.1-3"};
inline constexpr Rule topic_empty{"MQTT-4.7.3-1", "MQTT-4.7.3-1"};
inline constexpr Rule topic_null{"MQTT-4.7.3-2", "MQTT-4.7.3-2"};
inline constexpr Rule topic_long{"MQTT-4.7.3-3", "MQTT-4.7.3-3"};
inline constexpr Rule share_name{"MQTT-4.8.2-1", ""};
inline constexpr Rule share_characters{"MQTT-4.8.2-2", ""};
} // namespace rule

} // namespace tortoise::core
