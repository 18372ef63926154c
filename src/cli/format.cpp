#include "format.hpp"
#include "json.hpp"
#include <fmt/format.h>

namespace cli {

using tortoise::Errc;
using tortoise::make_error;
using tortoise::MessageView;
using tortoise::Octets;
using tortoise::PropertyId;
using tortoise::PropertyKey;
using tortoise::Result;
namespace property = tortoise::property;

namespace {

constexpr std::size_t greatest_width = 10'000;

tortoise::Error wrong(std::string text) { return make_error(Errc::invalid_option, "-F: " + std::move(text)); }

/// Reads a number off the front; nothing if it is too great.
std::optional<std::size_t> take_number(std::string_view& rest) {
    std::size_t number = 0;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
        number = number * 10 + static_cast<std::size_t>(rest.front() - '0');
        if (number > greatest_width) return std::nullopt;
        rest.remove_prefix(1);
    }
    return number;
}

std::string number_of(const MessageView& m, PropertyKey<std::uint32_t> key) {
    const auto value = m.properties.get(key);
    return value ? std::to_string(*value) : std::string();
}

Octets octets_of(const MessageView& m, PropertyKey<Octets> key) { return m.properties.get(key).value_or(Octets{}); }

std::string hexadecimal(Octets octets, const char* digits) {
    std::string out;
    out.reserve(octets.size() * 2);
    for (const unsigned char c : octets) {
        out += digits[c >> 4];
        out += digits[c & 15];
    }
    return out;
}

std::string user_properties(const MessageView& m) {
    std::string out;
    for (const auto& p : m.properties) {
        if (p.id != PropertyId::user_property) continue;
        if (!out.empty()) out += ' ';
        out.append(p.name).append(":").append(p.value);
    }
    return out;
}

} // namespace

std::string format_time(const std::timespec& at, const char* format) {
    std::tm local = {};
    ::localtime_r(&at.tv_sec, &local);
    char text[256];
    return {text, std::strftime(text, sizeof text, format, &local)};
}

Result<Format> Format::parse(std::string_view text) {
    Format format;
    while (!text.empty()) {
        const char first = text.front();
        text.remove_prefix(1);
        if (first == '%') {
            auto piece = parse_field(text);
            if (!piece) return piece.error();
            format.pieces_.push_back(*std::move(piece));
        } else if (first == '@') {
            if (text.empty()) return wrong("ends behind an @: a literal @ is @@");
            format.pieces_.push_back({.kind = Piece::Kind::time, .code = text.front()});
            text.remove_prefix(1);
        } else if (first == '\\') {
            const auto escaped = parse_escape(text);
            if (!escaped) return escaped.error();
            format.add_literal(*escaped);
        } else {
            format.add_literal(first);
        }
    }
    return format;
}

void Format::add_literal(char c) {
    if (pieces_.empty() || pieces_.back().kind != Piece::Kind::literal) pieces_.emplace_back();
    pieces_.back().text += c;
}

Result<Format::Piece> Format::parse_field(std::string_view& rest) {
    Piece piece{.kind = Piece::Kind::field};
    if (rest.starts_with('-')) {
        piece.left = true;
        rest.remove_prefix(1);
    }
    if (rest.starts_with('0')) {
        piece.zero = !piece.left;
        rest.remove_prefix(1);
    }
    auto number = take_number(rest);
    if (number && rest.starts_with('.')) {
        piece.width = *number;
        rest.remove_prefix(1);
        number = take_number(rest);
        if (number) piece.precision = *number;
    } else if (number) {
        piece.width = *number;
    }
    if (!number) return wrong(fmt::format("a width is at most {}", greatest_width));
    if (rest.empty()) return wrong("ends behind a %: a literal % is %%");
    piece.code = rest.front();
    rest.remove_prefix(1);
    if (std::string_view("%ACDEFIJPRSUXjlmpqrtx").find(piece.code) == std::string_view::npos)
        return wrong(fmt::format("there is no code %{}; see --help", piece.code));
    return piece;
}

Result<char> Format::parse_escape(std::string_view& rest) {
    if (rest.empty()) return wrong("ends behind a \\: a literal \\ is \\\\");
    const char c = rest.front();
    rest.remove_prefix(1);
    switch (c) {
    case '\\': return '\\';
    case '0': return '\0';
    case 'a': return '\a';
    case 'e': return '\033';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return wrong(fmt::format("there is no escape \\{}; see --help", c));
    }
}

bool Format::print(const Arrival& arrival, bool pretty, std::string& out) const {
    bool good = true;
    for (const auto& piece : pieces_) {
        switch (piece.kind) {
        case Piece::Kind::literal: out += piece.text; break;
        case Piece::Kind::field: good = print_field(piece, arrival, pretty, out) && good; break;
        case Piece::Kind::time:
            if (piece.code == '@')
                out += '@';
            else if (piece.code == 'N')
                out += fmt::format("{:09}", arrival.at.tv_nsec);
            else
                out += format_time(arrival.at, (std::string("%") + piece.code).c_str());
            break;
        }
    }
    return good;
}

bool Format::print_field(const Piece& piece, const Arrival& arrival, bool pretty, std::string& out) {
    const auto& m = arrival.message;
    const auto pad = [&](std::string_view text, bool zero) {
        const auto fill = piece.width > text.size() ? piece.width - text.size() : 0;
        if (!piece.left) out.append(fill, zero && piece.zero ? '0' : ' ');
        out += text;
        if (piece.left) out.append(fill, ' ');
    };
    const auto number = [&](const std::string& text) { pad(text, true); };
    const auto text = [&](std::string_view whole) { pad(whole.substr(0, piece.precision), false); };
    switch (piece.code) {
    case '%': out += '%'; break;
    case 'A': number(number_of(m, property::topic_alias)); break;
    case 'C': text(octets_of(m, property::content_type)); break;
    case 'D': out += octets_of(m, property::correlation_data); break;
    case 'E': number(number_of(m, property::message_expiry_interval)); break;
    case 'F': number(number_of(m, property::payload_format_indicator)); break;
    case 'I': text(format_time(arrival.at, "%Y-%m-%dT%H:%M:%S%z")); break;
    case 'j': out += mosquitto_json(arrival, PayloadAs::text, pretty).value_or(""); break;
    case 'J': {
        const auto json = mosquitto_json(arrival, PayloadAs::json, pretty);
        out += json.value_or("");
        return json.has_value();
    }
    case 'l': number(std::to_string(m.payload.size())); break;
    case 'm': number(std::to_string(m.packet_id)); break;
    case 'P': out += user_properties(m); break;
    case 'p': pad(m.payload, true); break;
    case 'q': out += static_cast<char>('0' + static_cast<int>(m.qos)); break;
    case 'R': // without one mosquitto_sub does not pad either
        if (m.properties.get(property::response_topic)) text(octets_of(m, property::response_topic));
        break;
    case 'r': out += m.retain ? '1' : '0'; break;
    case 'S': number(number_of(m, property::subscription_identifier)); break;
    case 't': text(m.topic); break;
    case 'U': out += fmt::format("{}.{:09}", arrival.at.tv_sec, arrival.at.tv_nsec); break;
    case 'X': pad(hexadecimal(m.payload, "0123456789ABCDEF"), true); break;
    case 'x': pad(hexadecimal(m.payload, "0123456789abcdef"), true); break;
    default: break; // parse_field lets no other pass
    }
    return true;
}

} // namespace cli
