#include <string>
#include <tortoise/core/codec.hpp>

#include "core/codec/property.hpp"
#include "core/codec/utf8.hpp"

namespace tortoise::core {
namespace {

/// Builds the line. Fields are set apart by a blank.
class Line {
public:
    explicit Line(PrintOptions options) : options_(options) {}

    Line& word(std::string_view text) {
        if (!line_.empty()) line_.push_back(' ');
        line_.append(text);
        return *this;
    }
    Line& flag(bool is_set, std::string_view name) { return is_set ? word(name) : *this; }
    Line& number(std::string_view name, std::size_t value) { return word(name).raw("=").raw(std::to_string(value)); }
    Line& text(std::string_view name, std::string_view value) { return word(name).raw("=").quoted(value); }
    /// Its size, or, if that was asked for, what it says.
    Line& data(std::string_view name, Octets value) { return word(name).raw("=").data(value); }
    Line& reason(Reason reason) { return text("reason", to_string(reason)); }
    Line& properties(PropertiesView);

    Line& raw(std::string_view text) {
        line_.append(text);
        return *this;
    }
    Line& quoted(std::string_view);
    Line& data(Octets value) {
        if (options_.payloads) return quoted(value);
        return raw(std::to_string(value.size())).raw(value.size() == 1 ? " byte" : " bytes");
    }
    std::string take() { return std::move(line_); }

private:
    Line& value(const Property&, WireType);

    PrintOptions options_;
    std::string line_;
};

/// One line stays one line: what is not printable is escaped; UTF-8 is left as it is.
Line& Line::quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const bool utf8 = utf8_fault(text.substr(0, 65'535)) == Utf8Fault::none && text.size() <= 65'535;
    line_.push_back('"');
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            line_.append({'\\', c});
        else if (octet < 0x20 || octet == 0x7F || (octet >= 0x80 && !utf8))
            line_.append({'\\', 'x', digits[octet >> 4], digits[octet & 0xF]});
        else
            line_.push_back(c);
    }
    line_.push_back('"');
    return *this;
}

Line& Line::value(const Property& p, WireType type) {
    switch (type) {
    case WireType::pair: return quoted(p.name).raw("=").quoted(p.value);
    case WireType::string: return quoted(p.value);
    case WireType::binary: return data(p.value);
    default: return raw(std::to_string(p.number));
    }
}

Line& Line::properties(PropertiesView list) {
    if (list.empty()) return *this;
    word("{");
    bool first = true;
    for (const auto& property : list) {
        raw(first ? "" : ", ").raw(to_string(property.id)).raw(": ");
        value(property, property_spec(static_cast<std::uint32_t>(property.id))->type);
        first = false;
    }
    return raw("}");
}

void show(Line& line, const Connect& p) {
    line.text("client_id", p.client_id).word("version=").raw(to_string(p.version));
    line.flag(p.clean_start, "clean_start").number("keep_alive", p.keep_alive);
    if (p.user_name) line.text("user_name", *p.user_name);
    line.flag(p.password.has_value(), "password=(hidden)").properties(p.properties);
    if (!p.will) return;
    line.word("will=(qos=").raw(std::to_string(static_cast<unsigned>(p.will->qos))).flag(p.will->retain, "retain");
    line.text("topic", p.will->topic).data("payload", p.will->payload).properties(p.will->properties).raw(")");
}

void show(Line& line, const Connack& p) {
    line.reason(p.reason).flag(p.session_present, "session_present").properties(p.properties);
}

void show(Line& line, const Publish& p) {
    if (p.id != 0) line.number("id", p.id);
    line.number("qos", static_cast<unsigned>(p.qos)).flag(p.duplicate, "dup").flag(p.retain, "retain");
    line.text("topic", p.topic).data("payload", p.payload).properties(p.properties);
}

void show(Line& line, const Ack& p) { line.number("id", p.id).reason(p.reason).properties(p.properties); }

void show(Line& line, const Subscribe& p) {
    line.number("id", p.id);
    for (const auto& [filter, o] : p.entries) {
        line.text("filter", filter).number("qos", static_cast<unsigned>(o.qos));
        line.flag(o.no_local, "no_local").flag(o.retain_as_published, "retain_as_published");
        if (o.retain_handling != RetainHandling::send)
            line.number("retain_handling", static_cast<unsigned>(o.retain_handling));
    }
    line.properties(p.properties);
}

void show(Line& line, const Suback& p) {
    line.number("id", p.id);
    for (const auto reason : p.reasons) {
        if (reason == Reason::success)
            line.text("reason", "granted QoS 0");
        else
            line.reason(reason);
    }
    line.properties(p.properties);
}

void show(Line& line, const Unsuback& p) {
    line.number("id", p.id);
    for (const auto reason : p.reasons) line.reason(reason);
    line.properties(p.properties);
}

void show(Line& line, const Unsubscribe& p) {
    line.number("id", p.id);
    for (const auto filter : p.filters) line.text("filter", filter);
    line.properties(p.properties);
}

void show(Line&, const Pingreq&) {}
void show(Line&, const Pingresp&) {}
void show(Line& line, const Disconnect& p) {
    if (p.reason == Reason::success)
        line.text("reason", "normal disconnection");
    else
        line.reason(p.reason);
    line.properties(p.properties);
}
void show(Line& line, const Auth& p) { line.reason(p.reason).properties(p.properties); }

} // namespace

std::string print(const Packet& packet, PrintOptions options) {
    Line line(options);
    line.word(to_string(type_of(packet)));
    std::visit([&](const auto& p) { show(line, p); }, packet);
    return line.take();
}

} // namespace tortoise::core
