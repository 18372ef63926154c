#pragma once
/// Which of many topic filters match a topic: a tree of levels, so that the cost is the topic's depth, not their number.

#include <cstdint>
#include <string>
#include <string_view>
#include <tortoise/fn.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

/// A set of (filter, value) pairs. Filters must be valid and not shared (strip `$share/GROUP/` first).
class TopicTree {
public:
    using Value = std::uint64_t;

    TopicTree();
    /// False if the pair was there already.
    bool insert(std::string_view filter, Value);
    /// False if it was not there.
    bool erase(std::string_view filter, Value);
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// Appends the value of every pair whose filter matches the topic: `+` one level, `#` the parent level and all below,
    /// neither of them a first level that begins with `$`. [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1]
    void match(std::string_view topic, std::vector<Value>& into) const;

private:
    struct Node {
        std::vector<Value> values;       // of the filter that ends here
        std::uint32_t parent = 0;
        std::uint32_t children = 0;      // how many, to know when it can go
        std::string level;
    };
    struct EdgeKey {
        std::uint32_t parent;
        std::string_view level;          // points into the child's Node::level, which is stable on the heap
        friend bool operator==(const EdgeKey&, const EdgeKey&) = default;
    };
    struct EdgeHash {
        std::size_t operator()(const EdgeKey&) const noexcept;
    };

    std::uint32_t find(std::uint32_t parent, std::string_view level) const;
    std::uint32_t find_or_add(std::uint32_t parent, std::string_view level);

    std::vector<Node*> nodes_;           // by index; 0 is the root; null: free
    std::vector<std::uint32_t> free_;
    std::unordered_map<EdgeKey, std::uint32_t, EdgeHash> edges_;
    std::size_t size_ = 0;
};

} // namespace tortoise::core
