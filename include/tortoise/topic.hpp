#pragma once
/// Topic names and topic filters [MQTT-4.7]: checking, matching, splitting into levels.

#include <cstddef>
#include <optional>
#include <string_view>
#include <tortoise/result.hpp>

namespace tortoise {

/// Is it a topic name: 1 to 65,535 bytes of UTF-8 without U+0000 and without wildcards? The error names the rule.
Result<Done> check_topic(std::string_view topic);

/// Is it a topic filter, `$share/GROUP/FILTER` included? The error names the rule.
Result<Done> check_filter(std::string_view filter);

/// Does the filter match the topic? Wildcards at the first level do not match `$` topics [MQTT-4.7.2-1]; of a shared
/// filter its inner filter counts. Both must be valid.
bool matches(std::string_view filter, std::string_view topic) noexcept;

/// `$share/GROUP/FILTER` taken apart. [MQTT-4.8.2]
struct SharedFilter {
    std::string_view group;
    std::string_view filter;
};
/// Nothing if the filter is not shared.
std::optional<SharedFilter> parse_shared(std::string_view filter) noexcept;

/// The levels of a topic: "rooms/hall/temp" as rooms, hall, temp. A view; no copies.
class Levels {
public:
    explicit Levels(std::string_view topic) noexcept : topic_(topic) {}

    class iterator {
    public:
        explicit iterator(std::string_view rest, bool end) noexcept : rest_(rest), end_(end) {}
        std::string_view operator*() const noexcept { return rest_.substr(0, rest_.find('/')); }
        iterator& operator++() noexcept {
            const auto slash = rest_.find('/');
            end_ = slash == std::string_view::npos;
            rest_ = end_ ? std::string_view{} : rest_.substr(slash + 1);
            return *this;
        }
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.end_ == b.end_ && a.rest_.size() == b.rest_.size();
        }

    private:
        std::string_view rest_;
        bool end_;
    };
    iterator begin() const noexcept { return iterator(topic_, false); }
    iterator end() const noexcept { return iterator({}, true); }

    std::size_t size() const noexcept;
    /// The level at an index; empty beyond the end.
    std::string_view operator[](std::size_t index) const noexcept;

private:
    std::string_view topic_;
};

} // namespace tortoise
