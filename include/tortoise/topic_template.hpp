#pragma once
/// Topics with names in the place of levels: `rooms/{room}/temp`, to subscribe, to match and to publish.

#include <initializer_list>
#include <string>
#include <string_view>
#include <tortoise/result.hpp>

namespace tortoise {

/// What stood in the place of the names. A view of the template's text and of the topic.
class TopicMatch {
public:
    /// What stood in the place of {name}; empty if the template has no such name.
    std::string_view operator[](std::string_view name) const noexcept;

private:
    friend class TopicTemplate;
    TopicMatch(std::string_view pattern, std::string_view topic) noexcept : pattern_(pattern), topic_(topic) {}
    std::string_view pattern_, topic_;
};

/// What is to stand in the place of {name}.
struct TopicValue {
    std::string_view name;
    std::string_view value;
};

/// A checked view of a text such as `rooms/{room}/temp`. `{room}` is one whole level, which may be empty in topics that
/// match; `{rest...}`, at the end only, is all that follows: any number of levels, none included. Each name stands
/// there once; braces are for nothing else, and wildcards have no place. `$share/GROUP/` may stand before it: that
/// matters to filter() alone.
class TopicTemplate {
public:
    static constexpr int most_names = 32;

    /// A literal. The compiler checks it: what is not a template does not compile.
    consteval TopicTemplate(const char* literal);
    /// A text that is known when the program runs, and lives longer than this. Errc::invalid_filter says what is wrong.
    static Result<TopicTemplate> parse(std::string_view text);
    template <class Temporary>
    requires std::is_same_v<Temporary, std::string>
    static Result<TopicTemplate> parse(Temporary&& text) = delete;

    constexpr std::string_view text() const noexcept { return text_; }
    /// What to subscribe to: `rooms/+/temp`, `rooms/#`.
    std::string filter() const;
    /// Nothing if the topic does not match. Takes no memory. [MQTT-4.7]
    std::optional<TopicMatch> match(std::string_view topic) const noexcept;
    /// The topic with these values, one for each name; it matches the template, with these values. A value is not empty
    /// and has no wildcards, and no `/` but for {rest...}; Errc::invalid_topic names the one that is not allowed.
    Result<std::string> topic(std::initializer_list<TopicValue> values) const;

private:
    struct Checked {};
    constexpr TopicTemplate(Checked, std::string_view text) noexcept : text_(text) {}
    std::string_view text_;
};

namespace detail {

void not_a_topic_template(const char* why);  // not constexpr: so the compiler stops here, and shows the reason

/// `{room}`: room; `{rest...}`: rest...; otherwise empty.
constexpr std::string_view name_of_level(std::string_view level) noexcept {
    const bool named = level.size() > 2 && level.front() == '{' && level.back() == '}';
    return named ? level.substr(1, level.size() - 2) : std::string_view();
}

/// What is wrong with one level; null: nothing.
constexpr const char* level_fault(std::string_view level, bool last) noexcept {
    if (level.find_first_of("+#") != level.npos) return "has a wildcard; say {name} or {name...}";
    if (level.find_first_of("{}") == level.npos) return nullptr;
    auto name = name_of_level(level);
    if (name.ends_with("...")) {
        if (!last) return "has a {name...} before its end";
        name.remove_suffix(3);
    }
    if (name.empty() || name.find_first_of("{}") != name.npos) return "has braces that are not {name}, a whole level";
    return nullptr;
}

/// Behind `$share/GROUP/`.
constexpr std::string_view without_share(std::string_view text) noexcept {
    if (!text.starts_with("$share/")) return text;
    const auto slash = text.find('/', 7);
    return slash == text.npos ? std::string_view() : text.substr(slash + 1);
}

/// What makes a text no template; null: nothing, so far as topics in general are not concerned.
constexpr const char* template_fault(std::string_view text) noexcept {
    const auto pattern = without_share(text);
    if (pattern.empty()) return "is empty";
    std::string_view names[TopicTemplate::most_names];
    int count = 0;
    for (std::size_t at = 0; at <= pattern.size();) {
        const auto slash = pattern.find('/', at);
        const bool last = slash == pattern.npos;
        const auto level = pattern.substr(at, slash - at);
        if (const auto* fault = level_fault(level, last)) return fault;
        if (auto name = name_of_level(level); !name.empty()) {
            if (name.ends_with("...")) name.remove_suffix(3);
            for (int i = 0; i < count; ++i)
                if (names[i] == name) return "has a name twice";
            if (count == TopicTemplate::most_names) return "has more than 32 names";
            names[count++] = name;
        }
        at += level.size() + 1;
    }
    return nullptr;
}

} // namespace detail

consteval TopicTemplate::TopicTemplate(const char* literal) : text_(literal) {
    if (const char* why = detail::template_fault(text_)) detail::not_a_topic_template(why);
}

} // namespace tortoise
