#pragma once
/// Which of many topic filters match a topic: a tree of levels, so that the cost is the topic's depth, not their
/// number.

#include <cstdint>
#include <string>
#include <string_view>
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
    /// Of the table that finds the child of a node by its level: open addressing, without gaps from where a search begins.
    /// Most of what a large tree costs is waiting for memory: a search looks at one slot and one node.
    struct Slot {
        std::uint32_t hash = 0;
        Index child = none;
    };

    static std::uint32_t hash_of(Index parent, std::string_view level) noexcept;
    std::size_t slot_of(Index parent, std::string_view level, std::uint32_t hash) const noexcept;
    Index named_child(Index parent, std::string_view level) const noexcept;
    void add_edge(Index child);
    void remove_edge(Index child);
    void rehash(std::size_t slots);

    Index child(Index parent, std::string_view level) const;
    Index add_child(Index parent, std::string_view level);
    Index find(std::string_view filter) const;
    void prune(Index);

    std::vector<Node> nodes_;
    std::vector<Index> free_;
    std::vector<Slot> slots_; // a power of two, or none
    std::size_t edges_ = 0;
    std::size_t size_ = 0;
    mutable std::vector<Index> here_, next_; // of match(): kept for their capacity
};

} // namespace tortoise::core
