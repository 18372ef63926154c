#include "property_argument.hpp"
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace cli {

using tortoise::Done;
using tortoise::Errc;
using tortoise::make_error;
using tortoise::Octets;
using tortoise::Properties;
using tortoise::PropertyId;
using tortoise::PropertyKey;
using tortoise::Result;

namespace {

enum class Kind { number, octets, pair };

struct Known {
    std::string_view name;
    PropertyId id;
    Kind kind;
    std::uint32_t greatest; // of numbers
    bool connect, publish, will;
};

constexpr std::uint32_t two_bytes = 65'535;
constexpr std::uint32_t four_bytes = std::numeric_limits<std::uint32_t>::max();

constexpr std::array known = {
    Known{"authentication-data", PropertyId::authentication_data, Kind::octets, 0, true, false, false},
    Known{"authentication-method", PropertyId::authentication_method, Kind::octets, 0, true, false, false},
    Known{"content-type", PropertyId::content_type, Kind::octets, 0, false, true, true},
    Known{"correlation-data", PropertyId::correlation_data, Kind::octets, 0, false, true, true},
    Known{"maximum-packet-size", PropertyId::maximum_packet_size, Kind::number, four_bytes, true, false, false},
    Known{"message-expiry-interval", PropertyId::message_expiry_interval, Kind::number, four_bytes, false, true, true},
    Known{"payload-format-indicator", PropertyId::payload_format_indicator, Kind::number, 1, false, true, true},
    Known{"receive-maximum", PropertyId::receive_maximum, Kind::number, two_bytes, true, false, false},
    Known{"request-problem-information", PropertyId::request_problem_information, Kind::number, 1, true, false, false},
    Known{"request-response-information", PropertyId::request_response_information, Kind::number, 1, true, false,
          false},
    Known{"response-topic", PropertyId::response_topic, Kind::octets, 0, false, true, true},
    Known{"session-expiry-interval", PropertyId::session_expiry_interval, Kind::number, four_bytes, true, false, false},
    Known{"user-property", PropertyId::user_property, Kind::pair, 0, true, true, true},
    Known{"will-delay-interval", PropertyId::will_delay_interval, Kind::number, four_bytes, false, false, true},
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    return out;
}

tortoise::Error wrong(std::string text) { return make_error(Errc::invalid_option, std::move(text)); }

Result<PropertyOf> packet_of(std::string_view word) {
    const auto name = lower(word);
    if (name == "connect") return PropertyOf::connect;
    if (name == "publish") return PropertyOf::publish;
    if (name == "will") return PropertyOf::will;
    return wrong(fmt::format("-D {}: properties can be given for connect, publish and will", word));
}

bool allowed(const Known& property, PropertyOf packet) {
    switch (packet) {
    case PropertyOf::connect: return property.connect;
    case PropertyOf::publish: return property.publish;
    case PropertyOf::will: return property.will;
    }
    return false;
}

} // namespace

Result<Done> add_property(PropertyLists& lists, const std::vector<std::string>& words) {
    if (words.size() < 3)
        return wrong("-D takes a packet, a property and a value, e.g. -D publish content-type text/plain; "
                     "a user property takes a name and a value");
    const auto packet = packet_of(words[0]);
    if (!packet) return packet.error();
    const auto found = std::ranges::find(known, lower(words[1]), &Known::name);
    if (found == known.end()) return wrong(fmt::format("-D {} {}: no such property; see --help", words[0], words[1]));
    if (!allowed(*found, *packet))
        return wrong(fmt::format("-D {} {}: {} has no such property here; see --help", words[0], words[1], words[0]));

    Properties& list = *packet == PropertyOf::connect   ? lists.connect
                       : *packet == PropertyOf::publish ? lists.publish
                                                        : lists.will;
    if (found->kind == Kind::pair) {
        if (words.size() < 4) return wrong(fmt::format("-D {} user-property takes a name and a value", words[0]));
        list.add_user(words[2], words[3]);
        return Done{};
    }
    if (found->kind == Kind::octets) {
        list.set(PropertyKey<Octets>{found->id}, words[2]);
        return Done{};
    }
    std::uint32_t number = 0;
    const auto& text = words[2];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > found->greatest)
        return wrong(
            fmt::format("-D {} {}: takes a number from 0 to {}, not '{}'", words[0], words[1], found->greatest, text));
    list.set(PropertyKey<std::uint32_t>{found->id}, number);
    return Done{};
}

std::size_t property_words(std::string_view, std::string_view property) {
    return lower(property) == "user-property" ? 4 : 3;
}

std::string join_words(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) {
        if (!out.empty()) out += '\0';
        out += word;
    }
    return out;
}

std::vector<std::string> split_words(std::string_view joined) {
    std::vector<std::string> words;
    while (true) {
        const auto end = joined.find('\0');
        words.emplace_back(joined.substr(0, end));
        if (end == std::string_view::npos) return words;
        joined.remove_prefix(end + 1);
    }
}

} // namespace cli
