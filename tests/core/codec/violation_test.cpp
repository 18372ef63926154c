/// Every rule that octets can break, by an example: what decode makes of it, and which statement it names.

#include <gtest/gtest.h>

#include <set>
#include <span>
#include <tortoise/core/codec.hpp>

#include "core/codec/octets.hpp"
#include "core/codec/violations.hpp"

namespace tortoise::core {
namespace {

constexpr auto malformed = Reason::malformed_packet;
constexpr auto protocol = Reason::protocol_error;
constexpr auto bad_topic = Reason::topic_name_invalid;
constexpr auto bad_filter = Reason::topic_filter_invalid;
constexpr auto bad_version = Reason::unsupported_protocol_version;

using enum RowVersions;

// Where both versions are meant, the body is that of 3.1.1, and `~` stands for the Property Length 0 of MQTT 5.
const ViolationRow rows[] = {
    // ---- fixed header
    {"type 0", both, "00", "", malformed, ""},
    {"AUTH in 3.1.1", v3, "F0", "", malformed, ""},
    {"CONNECT flags", both, "11", "0004 'MQTT' 04 02 0000 0000", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"CONNACK flags", both, "22", "00 00 ~", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"PUBACK flags", both, "42", "0001", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"PUBREC flags", both, "51", "0001", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"PUBREL flags 0", both, "60", "0001", malformed, "[MQTT5-3.6.1-1]", "[MQTT3-3.6.1-1]"},
    {"PUBREL flags 3", both, "63", "0001", malformed, "[MQTT5-3.6.1-1]", "[MQTT3-3.6.1-1]"},
    {"PUBCOMP flags", both, "72", "0001", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"SUBSCRIBE flags", both, "80", "0001 ~ 0001 'a' 00", malformed, "[MQTT5-3.8.1-1]", "[MQTT3-3.8.1-1]"},
    {"SUBACK flags", both, "92", "0001 ~ 00", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"UNSUBSCRIBE flags", both, "A0", "0001 ~ 0001 'a'", malformed, "[MQTT5-3.10.1-1]", "[MQTT3-3.10.1-1]"},
    {"UNSUBACK flags", both, "B2", "0001", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"PINGREQ flags", both, "C1", "", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"PINGRESP flags", both, "D8", "", malformed, "[MQTT5-2.1.3-1]", "[MQTT3-2.2.2-2]"},
    {"DISCONNECT flags", both, "E1", "", malformed, "[MQTT5-3.14.1-1]", "[MQTT3-3.14.1-1]"},
    {"AUTH flags", v5, "F2", "", malformed, "[MQTT5-3.15.1-1]"},

    // ---- octets too few and too many
    {"PINGREQ with a body", both, "C0", "00", malformed, ""},
    {"PINGRESP with a body", both, "D0", "00", malformed, ""},
    {"DISCONNECT with a body in 3.1.1", v3, "E0", "00", malformed, ""},
    {"PUBACK with a reason in 3.1.1", v3, "40", "0001 00", malformed, ""},
    {"PUBACK without an identifier", both, "40", "", malformed, ""},
    {"PUBACK of one octet", both, "40", "00", malformed, ""},
    {"UNSUBACK with a reason in 3.1.1", v3, "B0", "0001 00", malformed, ""},
    {"CONNACK of one octet", both, "20", "00", malformed, ""},
    {"CONNACK without a Property Length", v5, "20", "00 00", malformed, ""},
    {"CONNACK with more behind it", both, "20", "00 00 ~ 00", malformed, ""},
    {"CONNECT with more behind it", v3, "10", "0004 'MQTT' 04 02 0000 0000 00", malformed, ""},
    {"CONNECT with a user name but no flag", v5, "10", "0004 'MQTT' 05 02 0000 00 0000 0001 'u'", malformed, ""},
    {"CONNECT with the flag but no user name", v3, "10", "0004 'MQTT' 04 82 0000 0000", malformed, ""},
    {"CONNECT with the flag but no password", v5, "10", "0004 'MQTT' 05 42 0000 00 0000", malformed, ""},
    {"CONNECT with the flag but no will", v3, "10", "0004 'MQTT' 04 06 0000 0000", malformed, ""},
    {"CONNECT without a client identifier", v3, "10", "0004 'MQTT' 04 02 0000", malformed, ""},
    {"PUBLISH without a topic", both, "30", "00", malformed, ""},
    {"PUBLISH with half a topic", both, "30", "0003 'a/'", malformed, ""},
    {"PUBLISH without an identifier", both, "32", "0001 'a'", malformed, ""},
    {"PUBLISH without a Property Length", v5, "30", "0001 'a'", malformed, ""},
    {"PUBLISH with too few properties", v5, "30", "0001 'a' 02 01", malformed, ""},
    {"PUBLISH with an endless Property Length", v5, "30", "0001 'a' FFFFFFFF01", malformed, "[MQTT5-1.5.5-1]"},
    {"PUBLISH with a padded Property Length", v5, "30", "0001 'a' 8000", malformed, "[MQTT5-1.5.5-1]"},
    {"SUBSCRIBE without options", both, "82", "0001 ~ 0001 'a'", malformed, ""},
    {"SUBSCRIBE with half a filter", both, "82", "0001 ~ 0002 'a'", malformed, ""},
    {"UNSUBSCRIBE with half a filter", both, "A2", "0001 ~ 0002 'a'", malformed, ""},
    {"PUBACK with more behind its properties", v5, "40", "0001 00 00 00", malformed, ""},
    {"DISCONNECT with more behind its properties", v5, "E0", "00 00 00", malformed, ""},
    {"AUTH with a reason alone", v5, "F0", "18", malformed, ""},

    // ---- Packet Identifier
    {"PUBLISH 0", both, "32", "0001 'a' 0000 ~", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"PUBLISH of QoS 2, 0", both, "34", "0001 'a' 0000 ~", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"PUBACK 0", both, "40", "0000", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"PUBREC 0", both, "50", "0000", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"PUBREL 0", both, "62", "0000", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"PUBCOMP 0", both, "70", "0000", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"SUBSCRIBE 0", both, "82", "0000 ~ 0001 'a' 00", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"SUBACK 0", both, "90", "0000 ~ 00", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"UNSUBSCRIBE 0", both, "A2", "0000 ~ 0001 'a'", protocol, "[MQTT5-2.2.1-3]", "[MQTT3-2.3.1-1]"},
    {"UNSUBACK 0", v3, "B0", "0000", protocol, "", "[MQTT3-2.3.1-1]"},
    {"UNSUBACK 0", v5, "B0", "0000 00 00", protocol, "[MQTT5-2.2.1-3]"},

    // ---- CONNECT
    {"MQIsdp", v3, "10", "0006 'MQIsdp' 03 02 0000 0000", bad_version, "[MQTT5-3.1.2-1]", "[MQTT3-3.1.2-1]"},
    {"another protocol", both, "10", "0004 'AMQP' 04 02 0000 0000", protocol, "[MQTT5-3.1.2-1]", "[MQTT3-3.1.2-1]"},
    {"protocol in lower case", both, "10", "0004 'mqtt' 04 02 0000 0000", protocol, "[MQTT5-3.1.2-1]",
     "[MQTT3-3.1.2-1]"},
    {"no protocol", both, "10", "0000 04 02 0000 0000", protocol, "[MQTT5-3.1.2-1]", "[MQTT3-3.1.2-1]"},
    {"level 3", both, "10", "0004 'MQTT' 03 02 0000 0000", bad_version, "[MQTT5-3.1.2-2]", "[MQTT3-3.1.2-2]"},
    {"level 6", both, "10", "0004 'MQTT' 06 02 0000 0000", bad_version, "[MQTT5-3.1.2-2]", "[MQTT3-3.1.2-2]"},
    {"bridge level", both, "10", "0004 'MQTT' 84 02 0000 0000", bad_version, "[MQTT5-3.1.2-2]", "[MQTT3-3.1.2-2]"},
    {"reserved flag", v3, "10", "0004 'MQTT' 04 03 0000 0000", malformed, "", "[MQTT3-3.1.2-3]"},
    {"reserved flag", v5, "10", "0004 'MQTT' 05 03 0000 00 0000", malformed, "[MQTT5-3.1.2-3]"},
    {"Will QoS without will", v3, "10", "0004 'MQTT' 04 0A 0000 0000", malformed, "", "[MQTT3-3.1.2-13]"},
    {"Will QoS without will", v5, "10", "0004 'MQTT' 05 12 0000 00 0000", malformed, "[MQTT5-3.1.2-11]"},
    {"Will Retain without will", v3, "10", "0004 'MQTT' 04 22 0000 0000", malformed, "", "[MQTT3-3.1.2-15]"},
    {"Will Retain without will", v5, "10", "0004 'MQTT' 05 22 0000 00 0000", malformed, "[MQTT5-3.1.2-13]"},
    {"Will QoS 3", v3, "10", "0004 'MQTT' 04 1E 0000 0000 0001 'w' 0000", malformed, "", "[MQTT3-3.1.2-14]"},
    {"Will QoS 3", v5, "10", "0004 'MQTT' 05 1E 0000 00 0000 00 0001 'w' 0000", malformed, "[MQTT5-3.1.2-12]"},
    {"password alone", v3, "10", "0004 'MQTT' 04 42 0000 0000 0001 'p'", malformed, "", "[MQTT3-3.1.2-22]"},
    {"client identifier", v3, "10", "0004 'MQTT' 04 02 0000 0001 FF", malformed, "", "[MQTT3-3.1.3-4]"},
    {"client identifier", v5, "10", "0004 'MQTT' 05 02 0000 00 0002 C080", malformed, "[MQTT5-3.1.3-4]"},
    {"client identifier with null", v3, "10", "0004 'MQTT' 04 02 0000 0001 00", malformed, "", "[MQTT3-1.5.3-2]"},
    {"client identifier with null", v5, "10", "0004 'MQTT' 05 02 0000 00 0001 00", malformed, "[MQTT5-1.5.4-2]"},
    {"will topic", v3, "10", "0004 'MQTT' 04 06 0000 0000 0001 80 0000", malformed, "", "[MQTT3-3.1.3-10]"},
    {"will topic", v5, "10", "0004 'MQTT' 05 06 0000 00 0000 00 0001 80 0000", malformed, "[MQTT5-3.1.3-11]"},
    {"empty will topic", v3, "10", "0004 'MQTT' 04 06 0000 0000 0000 0000", bad_topic, "", "[MQTT3-4.7.3-1]"},
    {"empty will topic", v5, "10", "0004 'MQTT' 05 06 0000 00 0000 00 0000 0000", bad_topic, "[MQTT5-4.7.3-1]"},
    {"wildcard in will topic", v3, "10", "0004 'MQTT' 04 06 0000 0000 0001 '#' 0000", bad_topic, "", "[MQTT3-4.7.1-1]"},
    {"wildcard in will topic", v5, "10", "0004 'MQTT' 05 06 0000 00 0000 00 0001 '+' 0000", bad_topic,
     "[MQTT5-4.7.0-1]"},
    {"user name", v3, "10", "0004 'MQTT' 04 82 0000 0000 0001 C0", malformed, "", "[MQTT3-3.1.3-11]"},
    {"user name", v5, "10", "0004 'MQTT' 05 82 0000 00 0000 0001 C0", malformed, "[MQTT5-3.1.3-12]"},
    {"user name with null", v5, "10", "0004 'MQTT' 05 82 0000 00 0000 0001 00", malformed, "[MQTT5-1.5.4-2]"},
    {"will property in CONNECT", v5, "10", "0004 'MQTT' 05 02 0000 05 18 00000000 0000", malformed, ""},
    {"CONNECT property in will", v5, "10", "0004 'MQTT' 05 06 0000 00 0000 05 11 00000000 0001 'w' 0000", malformed,
     ""},
    {"two Session Expiry Intervals", v5, "10", "0004 'MQTT' 05 02 0000 0A 11 00000000 11 00000000 0000", protocol, ""},
    {"Receive Maximum 0", v5, "10", "0004 'MQTT' 05 02 0000 03 21 0000 0000", protocol, ""},
    {"Maximum Packet Size 0", v5, "10", "0004 'MQTT' 05 02 0000 05 27 00000000 0000", protocol, ""},
    {"Request Problem Information 2", v5, "10", "0004 'MQTT' 05 02 0000 02 17 02 0000", protocol, ""},
    {"Request Response Information 2", v5, "10", "0004 'MQTT' 05 02 0000 02 19 02 0000", protocol, ""},
    {"Authentication Data without Method", v5, "10", "0004 'MQTT' 05 02 0000 03 16 0000 0000", protocol, ""},
    {"Authentication Method", v5, "10", "0004 'MQTT' 05 02 0000 04 15 0001 FF 0000", malformed, "[MQTT5-1.5.4-1]"},

    // ---- CONNACK
    {"reserved flags", both, "20", "02 00 ~", malformed, "[MQTT5-3.2.2-1]", ""},
    {"Session Present with a refusal", v3, "20", "01 05", protocol, "", "[MQTT3-3.2.2-4]"},
    {"Session Present with a refusal", v5, "20", "01 87 00", protocol, "[MQTT5-3.2.2-6]"},
    {"return code 6", v3, "20", "00 06", protocol, ""},
    {"return code of MQTT 5", v3, "20", "00 87", protocol, ""},
    {"reason 1", v5, "20", "00 01 00", protocol, "[MQTT5-3.2.2-8]"},
    {"reason of DISCONNECT", v5, "20", "00 8E 00", protocol, "[MQTT5-3.2.2-8]"},
    {"reason that does not exist", v5, "20", "00 FF 00", protocol, "[MQTT5-3.2.2-8]"},
    {"Maximum QoS 2", v5, "20", "00 00 02 24 02", protocol, ""},
    {"Retain Available 2", v5, "20", "00 00 02 25 02", protocol, ""},
    {"Wildcard Subscription Available 2", v5, "20", "00 00 02 28 02", protocol, ""},
    {"Subscription Identifiers Available 2", v5, "20", "00 00 02 29 02", protocol, ""},
    {"Shared Subscription Available 2", v5, "20", "00 00 02 2A 02", protocol, ""},
    {"Receive Maximum 0", v5, "20", "00 00 03 21 0000", protocol, ""},
    {"Maximum Packet Size 0", v5, "20", "00 00 05 27 00000000", protocol, ""},
    {"two Server Keep Alives", v5, "20", "00 00 06 13 0001 13 0001", protocol, ""},
    {"Topic Alias", v5, "20", "00 00 03 23 0001", malformed, ""},
    {"Assigned Client Identifier", v5, "20", "00 00 04 12 0001 80", malformed, "[MQTT5-1.5.4-1]"},
    {"Response Information", v5, "20", "00 00 04 1A 0001 80", malformed, "[MQTT5-1.5.4-1]"},
    {"Server Reference", v5, "20", "00 00 04 1C 0001 80", malformed, "[MQTT5-1.5.4-1]"},

    // ---- PUBLISH
    {"QoS 3", both, "36", "0001 'a' 0001 ~", malformed, "[MQTT5-3.3.1-4]", "[MQTT3-3.3.1-4]"},
    {"QoS 3, DUP, retain", both, "3F", "0001 'a' 0001 ~", malformed, "[MQTT5-3.3.1-4]", "[MQTT3-3.3.1-4]"},
    {"DUP with QoS 0", both, "38", "0001 'a' ~", malformed, "[MQTT5-3.3.1-2]", "[MQTT3-3.3.1-2]"},
    {"empty topic", v3, "30", "0000 'x'", bad_topic, "", "[MQTT3-4.7.3-1]"},
    {"empty topic without alias", v5, "30", "0000 00 'x'", protocol, ""},
    {"# in the topic", both, "30", "0003 'a/#' ~", bad_topic, "[MQTT5-3.3.2-2]", "[MQTT3-3.3.2-2]"},
    {"+ in the topic", both, "30", "0003 'a+b' ~", bad_topic, "[MQTT5-3.3.2-2]", "[MQTT3-3.3.2-2]"},
    {"topic with null", both, "30", "0003 'a' 00 'b' ~", malformed, "[MQTT5-4.7.3-2]", "[MQTT3-4.7.3-2]"},
    {"topic with a surrogate", both, "30", "0003 EDA080 ~", malformed, "[MQTT5-3.3.2-1]", "[MQTT3-3.3.2-1]"},
    {"topic with an overlong form", both, "30", "0002 C1BF ~", malformed, "[MQTT5-3.3.2-1]", "[MQTT3-3.3.2-1]"},
    {"topic with half a character", both, "30", "0002 'a' C3 ~", malformed, "[MQTT5-3.3.2-1]", "[MQTT3-3.3.2-1]"},
    {"topic above U+10FFFF", both, "30", "0004 F4908080 ~", malformed, "[MQTT5-3.3.2-1]", "[MQTT3-3.3.2-1]"},
    {"property that does not exist", v5, "30", "0001 'a' 02 04 00", malformed, ""},
    {"property 0", v5, "30", "0001 'a' 02 00 00", malformed, ""},
    {"property 0x2B", v5, "30", "0001 'a' 02 2B 00", malformed, ""},
    {"property of two octets", v5, "30", "0001 'a' 03 8101 00", malformed, ""},
    {"property with a padded identifier", v5, "30", "0001 'a' 03 8100 00", malformed, "[MQTT5-1.5.5-1]"},
    {"property of another packet", v5, "30", "0001 'a' 03 13 0001", malformed, ""},
    {"Will Delay Interval", v5, "30", "0001 'a' 05 18 00000001", malformed, ""},
    {"Payload Format Indicator 2", v5, "30", "0001 'a' 02 01 02", protocol, ""},
    {"two Payload Format Indicators", v5, "30", "0001 'a' 04 01 01 01 01", protocol, ""},
    {"Payload Format Indicator cut off", v5, "30", "0001 'a' 01 01", malformed, ""},
    {"two Message Expiry Intervals", v5, "30", "0001 'a' 0A 02 00000001 02 00000001", protocol, ""},
    {"Message Expiry Interval cut off", v5, "30", "0001 'a' 04 02 000000", malformed, ""},
    {"two Content Types", v5, "30", "0001 'a' 06 03 0000 03 0000", protocol, ""},
    {"Content Type", v5, "30", "0001 'a' 04 03 0001 FE", malformed, "[MQTT5-3.3.2-19]"},
    {"Content Type with null", v5, "30", "0001 'a' 04 03 0001 00", malformed, "[MQTT5-1.5.4-2]"},
    {"Content Type cut off", v5, "30", "0001 'a' 04 03 0002 'x'", malformed, ""},
    {"Content Type without its length", v5, "30", "0001 'a' 02 03 00", malformed, ""},
    {"Response Topic with +", v5, "30", "0001 'a' 04 08 0001 '+'", protocol, "[MQTT5-3.3.2-14]"},
    {"Response Topic with #", v5, "30", "0001 'a' 06 08 0003 'r/#'", protocol, "[MQTT5-3.3.2-14]"},
    {"Response Topic", v5, "30", "0001 'a' 04 08 0001 FF", malformed, "[MQTT5-3.3.2-13]"},
    {"empty Response Topic", v5, "30", "0001 'a' 03 08 0000", protocol, "[MQTT5-4.7.3-1]"},
    {"two Response Topics", v5, "30", "0001 'a' 08 08 0001 'r' 08 0001 'r'", protocol, ""},
    {"two Correlation Data", v5, "30", "0001 'a' 06 09 0000 09 0000", protocol, ""},
    {"Topic Alias 0", v5, "30", "0001 'a' 03 23 0000", Reason::topic_alias_invalid, "[MQTT5-3.3.2-8]"},
    {"two Topic Aliases", v5, "30", "0001 'a' 06 23 0001 23 0002", protocol, ""},
    {"Subscription Identifier 0", v5, "30", "0001 'a' 02 0B 00", protocol, ""},
    {"Subscription Identifier too long", v5, "30", "0001 'a' 06 0B FFFFFFFF01", malformed, "[MQTT5-1.5.5-1]"},
    {"Subscription Identifier padded", v5, "30", "0001 'a' 03 0B 8100", malformed, "[MQTT5-1.5.5-1]"},
    {"User Property's name", v5, "30", "0001 'a' 06 26 0001 FF 0000", malformed, "[MQTT5-1.5.7-1]"},
    {"User Property's value", v5, "30", "0001 'a' 06 26 0000 0001 FF", malformed, "[MQTT5-1.5.7-1]"},
    {"User Property without value", v5, "30", "0001 'a' 04 26 0001 'k'", malformed, ""},

    // ---- acknowledgements
    {"PUBACK reason", v5, "40", "0001 92", protocol, "[MQTT5-3.4.2-1]"},
    {"PUBACK reason 1", v5, "40", "0001 01", protocol, "[MQTT5-3.4.2-1]"},
    {"PUBREC reason", v5, "50", "0001 92", protocol, "[MQTT5-3.5.2-1]"},
    {"PUBREL reason", v5, "62", "0001 10", protocol, "[MQTT5-3.6.2-1]"},
    {"PUBREL refusal", v5, "62", "0001 80", protocol, "[MQTT5-3.6.2-1]"},
    {"PUBCOMP reason", v5, "70", "0001 97", protocol, "[MQTT5-3.7.2-1]"},
    {"PUBACK with two Reason Strings", v5, "40", "0001 00 06 1F 0000 1F 0000", protocol, ""},
    {"PUBACK with a Content Type", v5, "40", "0001 00 03 03 0000", malformed, ""},
    {"PUBACK with a bad Reason String", v5, "40", "0001 00 04 1F 0001 FF", malformed, "[MQTT5-1.5.4-1]"},
    {"PUBREL with a padded Property Length", v5, "62", "0001 00 8000", malformed, "[MQTT5-1.5.5-1]"},

    // ---- SUBSCRIBE
    {"SUBSCRIBE without a filter", both, "82", "0001 ~", protocol, "[MQTT5-3.8.3-2]", "[MQTT3-3.8.3-3]"},
    {"SUBSCRIBE filter", both, "82", "0001 ~ 0001 FF 00", malformed, "[MQTT5-3.8.3-1]", "[MQTT3-3.8.3-1]"},
    {"SUBSCRIBE filter with null", both, "82", "0001 ~ 0001 00 00", malformed, "[MQTT5-4.7.3-2]", "[MQTT3-4.7.3-2]"},
    {"SUBSCRIBE empty filter", both, "82", "0001 ~ 0000 00", bad_filter, "[MQTT5-4.7.3-1]", "[MQTT3-4.7.3-1]"},
    {"SUBSCRIBE a#", both, "82", "0001 ~ 0002 'a#' 00", bad_filter, "[MQTT5-4.7.1-1]", "[MQTT3-4.7.1-2]"},
    {"SUBSCRIBE a/#/b", both, "82", "0001 ~ 0005 'a/#/b' 00", bad_filter, "[MQTT5-4.7.1-1]", "[MQTT3-4.7.1-2]"},
    {"SUBSCRIBE ##", both, "82", "0001 ~ 0002 '##' 00", bad_filter, "[MQTT5-4.7.1-1]", "[MQTT3-4.7.1-2]"},
    {"SUBSCRIBE a+", both, "82", "0001 ~ 0002 'a+' 00", bad_filter, "[MQTT5-4.7.1-2]", "[MQTT3-4.7.1-3]"},
    {"SUBSCRIBE +a", both, "82", "0001 ~ 0002 '+a' 00", bad_filter, "[MQTT5-4.7.1-2]", "[MQTT3-4.7.1-3]"},
    {"SUBSCRIBE a/++/b", both, "82", "0001 ~ 0006 'a/++/b' 00", bad_filter, "[MQTT5-4.7.1-2]", "[MQTT3-4.7.1-3]"},
    {"the second filter is wrong", both, "82", "0001 ~ 0001 'a' 00 0002 'b#' 00", bad_filter, "[MQTT5-4.7.1-1]",
     "[MQTT3-4.7.1-2]"},
    {"SUBSCRIBE QoS 3", both, "82", "0001 ~ 0001 'a' 03", malformed, "", "[MQTT3-3.8.3-4]"},
    {"SUBSCRIBE bit 2", v3, "82", "0001 0001 'a' 04", malformed, "", "[MQTT3-3.8.3-4]"},
    {"SUBSCRIBE bit 4", v3, "82", "0001 0001 'a' 10", malformed, "", "[MQTT3-3.8.3-4]"},
    {"SUBSCRIBE bit 7", both, "82", "0001 ~ 0001 'a' 80", malformed, "[MQTT5-3.8.3-5]", "[MQTT3-3.8.3-4]"},
    {"SUBSCRIBE bit 6", both, "82", "0001 ~ 0001 'a' 40", malformed, "[MQTT5-3.8.3-5]", "[MQTT3-3.8.3-4]"},
    {"Retain Handling 3", v5, "82", "0001 00 0001 'a' 30", protocol, ""},
    {"No Local on a shared subscription", v5, "82", "0001 00 000A '$share/g/a' 04", protocol, "[MQTT5-3.8.3-4]"},
    {"shared without name", v5, "82", "0001 00 0009 '$share//a' 00", bad_filter, "[MQTT5-4.8.2-1]"},
    {"shared without filter", v5, "82", "0001 00 0009 '$share/g/' 00", bad_filter, "[MQTT5-4.8.2-1]"},
    {"shared with a name alone", v5, "82", "0001 00 0008 '$share/g' 00", bad_filter, "[MQTT5-4.8.2-1]"},
    {"shared with nothing", v5, "82", "0001 00 0007 '$share/' 00", bad_filter, "[MQTT5-4.8.2-1]"},
    {"shared name with +", v5, "82", "0001 00 000B '$share/+g/a' 00", bad_filter, "[MQTT5-4.8.2-2]"},
    {"shared name #", v5, "82", "0001 00 000A '$share/#/a' 00", bad_filter, "[MQTT5-4.8.2-2]"},
    {"shared filter a#", v5, "82", "0001 00 000B '$share/g/a#' 00", bad_filter, "[MQTT5-4.7.1-1]"},
    {"two Subscription Identifiers", v5, "82", "0001 04 0B 01 0B 02 0001 'a' 00", protocol, ""},
    {"Subscription Identifier 0", v5, "82", "0001 02 0B 00 0001 'a' 00", protocol, ""},
    {"Reason String in SUBSCRIBE", v5, "82", "0001 03 1F 0000 0001 'a' 00", malformed, ""},

    // ---- SUBACK, UNSUBSCRIBE, UNSUBACK
    {"SUBACK without a reason", both, "90", "0001 ~", protocol, ""},
    {"SUBACK 3", both, "90", "0001 ~ 03", protocol, "[MQTT5-3.9.3-2]", "[MQTT3-3.9.3-2]"},
    {"SUBACK of MQTT 5 in 3.1.1", v3, "90", "0001 87", protocol, "", "[MQTT3-3.9.3-2]"},
    {"SUBACK 0x11", v5, "90", "0001 00 00 11", protocol, "[MQTT5-3.9.3-2]"},
    {"UNSUBSCRIBE without a filter", both, "A2", "0001 ~", protocol, "[MQTT5-3.10.3-2]", "[MQTT3-3.10.3-2]"},
    {"UNSUBSCRIBE filter", both, "A2", "0001 ~ 0001 FF", malformed, "[MQTT5-3.10.3-1]", "[MQTT3-3.10.3-1]"},
    {"UNSUBSCRIBE empty filter", both, "A2", "0001 ~ 0000", bad_filter, "[MQTT5-4.7.3-1]", "[MQTT3-4.7.3-1]"},
    {"UNSUBSCRIBE a#", both, "A2", "0001 ~ 0002 'a#'", bad_filter, "[MQTT5-4.7.1-1]", "[MQTT3-4.7.1-2]"},
    {"UNSUBSCRIBE shared without name", v5, "A2", "0001 00 0009 '$share//a'", bad_filter, "[MQTT5-4.8.2-1]"},
    {"Subscription Identifier in UNSUBSCRIBE", v5, "A2", "0001 02 0B 01 0001 'a'", malformed, ""},
    {"UNSUBACK without a reason", v5, "B0", "0001 00", protocol, ""},
    {"UNSUBACK 1", v5, "B0", "0001 00 01", protocol, "[MQTT5-3.11.3-2]"},
    {"UNSUBACK 0x9E", v5, "B0", "0001 00 00 9E", protocol, "[MQTT5-3.11.3-2]"},

    // ---- DISCONNECT, AUTH
    {"DISCONNECT reason 1", v5, "E0", "01", protocol, "[MQTT5-3.14.2-1]"},
    {"DISCONNECT reason of CONNACK", v5, "E0", "85", protocol, "[MQTT5-3.14.2-1]"},
    {"DISCONNECT with a Receive Maximum", v5, "E0", "00 03 21 0001", malformed, ""},
    {"DISCONNECT with two Server References", v5, "E0", "9C 06 1C 0000 1C 0000", protocol, ""},
    {"AUTH reason", v5, "F0", "87 04 15 0001 'm'", protocol, "[MQTT5-3.15.2-1]"},
    {"AUTH without a method", v5, "F0", "18 00", protocol, ""},
    {"AUTH that succeeds without a method", v5, "F0", "00 03 1F 0000", protocol, ""},
    {"AUTH with data alone", v5, "F0", "18 03 16 0000", protocol, ""},
    {"AUTH with two methods", v5, "F0", "18 08 15 0001 'm' 15 0001 'm'", protocol, ""},
};

void expect_refused(const ViolationRow& row, Version version) {
    const auto wire = row.octets(version);
    SCOPED_TRACE(std::string(row.what) + " in MQTT " + std::string(to_string(version)) + ":" + hex(wire));
    const auto packet = decode(version, wire);
    ASSERT_FALSE(packet) << print(*packet, {true});
    EXPECT_EQ(packet.error().code, row.reason) << packet.error().describe();
    const std::string number = version == Version::v5 ? row.rule5 : row.rule3;
    const std::string& text = packet.error().text;
    const std::string bracketed = number.empty() ? "" : "[MQTT" + number.substr(6); // without the version
    EXPECT_EQ(text.starts_with("[") ? text.substr(0, text.find(']') + 1) : "", bracketed) << text;
    EXPECT_GT(text.size(), number.size() + 8);
}

TEST(Violation, DecodeRefusesItAndNamesTheStatement) {
    std::size_t tried = 0;
    for (const auto& row : rows) {
        if (row.versions != v5) ++tried, expect_refused(row, Version::v3_1_1);
        if (row.versions != v3) ++tried, expect_refused(row, Version::v5);
    }
    RecordProperty("rows", static_cast<int>(std::size(rows)));
    RecordProperty("packets", static_cast<int>(tried));
}

// What an octet says in a place may be fine in another: the same packet with the wrong octet made right is decoded, so
// that a row does not pass for a reason of its own.
TEST(Violation, TheRowsFailForNothingElse) {
    const std::pair<const char*, const char*> right[] = {
        {"10", "0004 'MQTT' 05 02 0000 00 0000"},
        {"10", "0004 'MQTT' 05 06 0000 00 0000 00 0001 'w' 0000"},
        {"20", "00 00 03 21 0001"},
        {"20", "00 9F 00"},
        {"30", "0001 'a' 02 01 01"},
        {"30", "0001 'a' 03 23 0001"},
        {"30", "0000 03 23 0001"},
        {"30", "0001 'a' 05 0B FFFFFF7F"},
        {"30", "0001 'a' 04 08 0001 'r'"},
        {"32", "0001 'a' 0001 00"},
        {"40", "0001 99"},
        {"82", "0001 00 000A '$share/g/a' 2A"},
        {"82", "0001 02 0B 01 0001 'a' 00"},
        {"90", "0001 00 A2"},
        {"A2", "0001 00 000A '$share/g/a'"},
        {"B0", "0001 00 11"},
        {"E0", "8C"},
        {"F0", "00 04 15 0001 'm'"},
    };
    for (const auto& [first, body] : right) {
        const auto packet = decode(Version::v5, packet_octets(first, body));
        EXPECT_TRUE(packet) << body << ": " << packet.error().describe();
    }
}

// A shared subscription is an ordinary filter before MQTT 5.
TEST(Violation, Version311KnowsNoSharedSubscriptions) {
    EXPECT_TRUE(decode(Version::v3_1_1, packet_octets("82", "0001 0009 '$share//a' 00")));
}

// The server answers this one with return code 2, so it must get to see it.
TEST(Violation, AnEmptyClientIdentifierWithoutCleanSessionIsForTheServerToRefuse) {
    EXPECT_TRUE(decode(Version::v3_1_1, packet_octets("10", "0004 'MQTT' 04 00 0000 0000")));
}

TEST(Violation, ReasonCodesAreJudgedPerPacket) {
    const struct {
        const char* first;
        const char* before;
        const char* after;
        std::set<unsigned> allowed;
    } packets[] = {
        {"20", "00", "00", {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
                            0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}},
        {"40", "0001", "", {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}},
        {"50", "0001", "", {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}},
        {"62", "0001", "", {0x00, 0x92}},
        {"70", "0001", "", {0x00, 0x92}},
        {"90", "0001 00", "", {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}},
        {"B0", "0001 00", "", {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}},
        {"E0", "", "", {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93,
                        0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2}},
        {"F0", "", "04 15 0001 'm'", {0x00, 0x18, 0x19}},
    };
    for (const auto& p : packets)
        for (unsigned code = 0; code < 256; ++code) {
            const auto wire = packet_octets(p.first, p.before + hex(std::string(1, static_cast<char>(code))) + p.after);
            EXPECT_EQ(decode(Version::v5, wire).has_value(), p.allowed.contains(code)) << hex(wire);
        }
}

} // namespace

std::span<const ViolationRow> violation_rows() { return rows; }

} // namespace tortoise::core
