#include <tortoise/topic.hpp>

#include <cstdint>
#include <cstring>

#include "core/codec/plain_topic.hpp"
#include "core/codec/rule.hpp"
#include "core/codec/utf8.hpp"

namespace tortoise {
namespace core {
namespace {

constexpr std::string_view share = "$share/";

// One fault each, in the order in which they are looked for.
constexpr TopicFault too_long{rule::topic_long, true, "is longer than 65,535 octets"};
constexpr TopicFault not_utf8{rule::utf8, true, "is not well-formed UTF-8"};
constexpr TopicFault has_null{rule::topic_null, true, "contains U+0000"};
constexpr TopicFault empty{rule::topic_empty, false, "is empty"};
constexpr TopicFault wildcard{rule::wildcard_in_topic, false, "contains a wildcard"};
constexpr TopicFault bad_hash{rule::hash, false, "has a # that is not a whole level at the end"};
constexpr TopicFault bad_plus{rule::plus, false, "has a + that is not a whole level"};
constexpr TopicFault no_share_name{rule::share_name, false, "is not $share/NAME/FILTER"};
constexpr TopicFault share_wildcard{rule::share_characters, false, "has a wildcard in its share name"};

const TopicFault* string_fault(std::string_view text) noexcept {
    switch (utf8_fault(text)) {
    case Utf8Fault::none: return text.empty() ? &empty : nullptr;
    case Utf8Fault::too_long: return &too_long;
    case Utf8Fault::null: return &has_null;
    case Utf8Fault::ill_formed: break;
    }
    return &not_utf8;
}

/// Octet by octet where needed, eight at a time where possible: every PUBLISH comes along here. `#` and `+` differ in
/// one bit, so that with that bit set both are found by one comparison.
bool has_wildcard(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    constexpr std::uint64_t bit = '#' ^ '+', either = '#' | '+';
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, 8);
        eight = (eight | bit * ones) ^ either * ones;
        if (((eight - ones) & ~eight & highs) != 0) return true;
    }
    for (; left > 0; ++at, --left)
        if (*at == '#' || *at == '+') return true;
    return false;
}

const TopicFault* share_fault(std::string_view filter) noexcept {
    if (!filter.starts_with(share)) return nullptr;
    const auto rest = filter.substr(share.size());
    const auto slash = rest.find('/');
    if (has_wildcard(rest.substr(0, slash))) return &share_wildcard;
    const bool whole = slash != std::string_view::npos && slash > 0 && slash + 1 < rest.size();
    return whole ? nullptr : &no_share_name;
}

} // namespace

const TopicFault* topic_fault(std::string_view topic) noexcept {
    if (is_plain_topic(topic)) return nullptr;
    if (const auto* fault = string_fault(topic)) return fault;
    return has_wildcard(topic) ? &wildcard : nullptr;
}

const TopicFault* filter_fault(std::string_view filter, bool shared_rules) noexcept {
    if (const auto* fault = string_fault(filter)) return fault;
    if (shared_rules)
        if (const auto* fault = share_fault(filter)) return fault;
    for (std::size_t at = 0; at < filter.size(); ++at) {
        const bool begins = at == 0 || filter[at - 1] == '/';
        const bool last = at + 1 == filter.size();
        if (filter[at] == '#' && !(begins && last)) return &bad_hash;
        if (filter[at] == '+' && !(begins && (last || filter[at + 1] == '/'))) return &bad_plus;
    }
    return nullptr;
}

} // namespace core

namespace {

Result<Done> outcome(Errc code, const core::TopicFault* fault, std::string_view subject) {
    if (!fault) return Done{};
    return make_error(code, core::broken(Version::v5, fault->rule, {}, subject, fault->text).text);
}

} // namespace

Result<Done> check_topic(std::string_view topic) {
    return outcome(Errc::invalid_topic, core::topic_fault(topic), "the topic name");
}

Result<Done> check_filter(std::string_view filter) {
    return outcome(Errc::invalid_filter, core::filter_fault(filter, true), "the topic filter");
}

std::optional<SharedFilter> parse_shared(std::string_view filter) noexcept {
    if (!filter.starts_with(core::share) || core::share_fault(filter)) return std::nullopt;
    filter.remove_prefix(core::share.size());
    const auto slash = filter.find('/');
    return SharedFilter{filter.substr(0, slash), filter.substr(slash + 1)};
}

bool matches(std::string_view filter, std::string_view topic) noexcept {
    if (const auto shared = parse_shared(filter)) filter = shared->filter;
    if (filter.empty() || topic.empty()) return false;
    // [MQTT-4.7.2-1]
    if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
    const Levels wanted(filter), given(topic);
    auto have = given.begin();
    for (const auto level : wanted) {
        if (level == "#") return true; // also of the parent level, which is at its end here
        if (have == given.end() || (level != "+" && level != *have)) return false;
        ++have;
    }
    return have == given.end();
}

std::size_t Levels::size() const noexcept {
    std::size_t count = 1;
    for (const char c : topic_) count += c == '/';
    return count;
}

std::string_view Levels::operator[](std::size_t index) const noexcept {
    for (const auto level : *this)
        if (index-- == 0) return level;
    return {};
}

} // namespace tortoise
