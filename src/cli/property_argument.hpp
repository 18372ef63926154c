#pragma once
// -D: MQTT 5 properties from the command line.

#include <string>
#include <string_view>
#include <tortoise/properties.hpp>
#include <tortoise/result.hpp>
#include <vector>

namespace cli {

/// Packets that properties can be given for.
enum class PropertyOf { connect, publish, will };

/// The words of one -D: packet, property, value; for a user property packet, property, name, value.
/// The property is added to the list of that packet. An error says which words are not understood.
struct PropertyLists {
    tortoise::Properties connect = {}, publish = {}, will = {};
};
tortoise::Result<tortoise::Done> add_property(PropertyLists&, const std::vector<std::string>& words);

/// How many words a -D takes that begins so; 0 if there are too few to tell.
std::size_t property_words(std::string_view packet, std::string_view property);

/// The words of all -D as one argument each, joined by NUL, which no argument can hold.
std::string join_words(const std::vector<std::string>& words);
std::vector<std::string> split_words(std::string_view joined);

/// For the end of --help. sub publishes nothing.
inline constexpr const char* property_help_connect =
    "Properties (-D PACKET PROPERTY VALUE, or -D PACKET user-property NAME VALUE), MQTT 5 only:\n"
    "  connect   authentication-data  authentication-method  maximum-packet-size  receive-maximum\n"
    "            request-problem-information  request-response-information  session-expiry-interval  user-property\n"
    "  will      content-type  correlation-data  message-expiry-interval  payload-format-indicator\n"
    "            response-topic  will-delay-interval  user-property\n";
inline constexpr const char* property_help_publish =
    "  publish   content-type  correlation-data  message-expiry-interval  payload-format-indicator\n"
    "            response-topic  user-property\n";

} // namespace cli
