#include <tortoise/topic_template.hpp>

#include "core/codec/rule.hpp"
#include <tortoise/topic.hpp>

namespace tortoise {

namespace {

constexpr std::string_view tail_mark = "...";

/// Takes one level off the front. False: there is no more.
class Rest {
public:
    explicit Rest(std::string_view text) noexcept : text_(text) {}
    bool more() const noexcept { return more_; }
    std::string_view text() const noexcept { return text_; }
    std::string_view front() const noexcept { return text_.substr(0, text_.find('/')); }
    void pop() noexcept {
        const auto slash = text_.find('/');
        more_ = slash != std::string_view::npos;
        text_ = more_ ? text_.substr(slash + 1) : std::string_view();
    }

private:
    std::string_view text_;
    bool more_ = true;
};

/// Walks both, and tells each name with what stands there; `tell` says whether to go on. False: the topic differs.
template <class Tell> bool walk(std::string_view pattern, std::string_view topic, Tell tell) noexcept {
    Rest wanted(pattern), given(topic);
    for (; wanted.more(); wanted.pop()) {
        const auto level = wanted.front();
        const auto name = detail::name_of_level(level);
        if (name.ends_with(tail_mark)) {
            tell(name.substr(0, name.size() - tail_mark.size()), given.text());
            return true;
        }
        if (!given.more() || (name.empty() && level != given.front())) return false;
        if (!name.empty() && !tell(name, given.front())) return true;
        given.pop();
    }
    return !given.more();
}

Error wrong_value(const TopicValue& value, std::string_view why) {
    std::string text = "the value of {";
    text.append(value.name).append("}, '").append(value.value).append("', ").append(why);
    return make_error(Errc::invalid_topic, std::move(text));
}

Error wrong_name(std::string_view before, std::string_view name, std::string_view after, std::string_view text) {
    std::string what(before);
    what.append("{").append(name).append("}").append(after).append(" '").append(text).append("'");
    return make_error(Errc::invalid_topic, std::move(what));
}

/// What is wrong with a value at this place.
std::optional<Error> value_fault(const TopicValue& value, bool tail, bool first) {
    if (const auto* fault = core::topic_fault(value.value)) {
        // What is not even text is not shown.
        if (fault->malformed) return wrong_value({value.name, "?"}, fault->text);
        return wrong_value(value, fault->text);
    }
    if (!tail && value.value.find('/') != value.value.npos) return wrong_value(value, "contains a /");
    // [MQTT-4.7.2-1] no wildcard matches it, so nobody who subscribed to this template would get it
    if (first && value.value.starts_with('$')) return wrong_value(value, "begins with a $ at the first level");
    return std::nullopt;
}

} // namespace

std::string_view TopicMatch::operator[](std::string_view name) const noexcept {
    std::string_view found;
    walk(pattern_, topic_, [&](std::string_view at, std::string_view value) {
        if (at != name) return true;
        found = value;
        return false;
    });
    return found;
}

Result<TopicTemplate> TopicTemplate::parse(std::string_view text) {
    if (const auto* fault = detail::template_fault(text))
        return make_error(Errc::invalid_filter, "the topic template '" + std::string(text) + "' " + fault);
    const TopicTemplate parsed(Checked{}, text);
    if (auto ok = check_filter(parsed.filter()); !ok) return std::move(ok).error();
    return parsed;
}

std::string TopicTemplate::filter() const {
    const auto pattern = detail::without_share(text_);
    std::string filter(text_.substr(0, text_.size() - pattern.size()));
    for (Rest rest(pattern); rest.more(); rest.pop()) {
        if (rest.text().data() != pattern.data()) filter += '/';
        const auto name = detail::name_of_level(rest.front());
        filter.append(name.empty() ? rest.front() : name.ends_with(tail_mark) ? "#" : "+");
    }
    return filter;
}

std::optional<TopicMatch> TopicTemplate::match(std::string_view topic) const noexcept {
    const auto pattern = detail::without_share(text_);
    // [MQTT-4.7.2-1]
    if (topic.empty() || (topic.front() == '$' && pattern.front() == '{')) return std::nullopt;
    if (!walk(pattern, topic, [](std::string_view, std::string_view) { return true; })) return std::nullopt;
    return TopicMatch(pattern, topic);
}

Result<std::string> TopicTemplate::topic(std::initializer_list<TopicValue> values) const {
    const auto pattern = detail::without_share(text_);
    std::string topic;
    std::size_t used = 0;
    for (Rest rest(pattern); rest.more(); rest.pop()) {
        const bool first = rest.text().data() == pattern.data();
        if (!first) topic += '/';
        auto name = detail::name_of_level(rest.front());
        if (name.empty()) {
            topic.append(rest.front());
            continue;
        }
        const bool tail = name.ends_with(tail_mark);
        if (tail) name.remove_suffix(tail_mark.size());
        const auto* value = values.begin();
        while (value != values.end() && value->name != name) ++value;
        if (value == values.end()) return wrong_name("there is no value for ", name, " of", text_);
        if (auto fault = value_fault(*value, tail, first)) return std::move(*fault);
        topic.append(value->value);
        ++used;
    }
    if (used < values.size()) {
        for (const auto* value = values.begin(); value != values.end(); ++value) {
            const auto again = [&](const TopicValue* v) { return v->name == value->name; };
            for (const auto* before = values.begin(); before != value; ++before)
                if (again(before)) return wrong_name("there are two values for ", value->name, " of", text_);
            bool known = false;
            walk(pattern, topic, [&](std::string_view at, std::string_view) { return !(known = at == value->name); });
            if (!known) return wrong_name("there is no ", value->name, " in", text_);
        }
    }
    if (auto ok = check_topic(topic); !ok) return std::move(ok).error(); // the whole may be too long
    return topic;
}

} // namespace tortoise
