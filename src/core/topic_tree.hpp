#pragma once
/// Which of many topic filters match a topic: a tree of levels, so that the cost is the topic's depth, not their
/// number.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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

    /// Appends the value of every pair whose filter matches the topic: `+` one level, `#` the parent level and all
    /// below, neither of them a first level that begins with `$`. [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1]
    void match(std::string_view topic, std::vector<Value>& into) const;

private:
    using Index = std::uint32_t;
    static constexpr Index root = 0, none = ~Index{0};

    struct Node {
        std::string level;
        Index parent = none;
        Index children = 0;             // how many, to know when it can go
        Index plus = none, hash = none; // the wildcard children: looked up for every topic
        std::vector<Value> values;      // of the filter that ends here
    };
    struct Edge {
        Index parent;
        std::string_view level; // of the child's Node, which stays where it is
        friend bool operator==(const Edge&, const Edge&) = default;
    };
    struct EdgeHash {
        std::size_t operator()(const Edge& edge) const noexcept {
            return std::hash<std::string_view>{}(edge.level) ^ (std::size_t{edge.parent} * 0x9E3779B97F4A7C15u);
        }
    };

    Index child(Index parent, std::string_view level) const;
    Index add_child(Index parent, std::string_view level);
    Index find(std::string_view filter) const;
    void prune(Index);

    std::vector<std::unique_ptr<Node>> nodes_; // null: free
    std::vector<Index> free_;
    std::unordered_map<Edge, Index, EdgeHash> edges_;
    std::size_t size_ = 0;
    mutable std::vector<Index> here_, next_; // of match(): kept for their capacity
};

} // namespace tortoise::core
