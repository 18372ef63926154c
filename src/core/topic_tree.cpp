#include "core/topic_tree.hpp"
#include "core/give_back.hpp"

#include <algorithm>
#include <functional>
#include <tortoise/topic.hpp>
#include <utility>

namespace tortoise::core {

TopicTree::TopicTree() : nodes_(1) {}

// ---- Children by their names ---------------------------------------------------------------------------------------

std::uint32_t TopicTree::hash_of(Index parent, std::string_view level) noexcept {
    constexpr std::uint64_t mixer = 0x9E3779B97F4A7C15u;
    return static_cast<std::uint32_t>(((std::hash<std::string_view>{}(level) ^ parent * mixer) * mixer) >> 32);
}

/// Where it is, or where it would have to be. Precondition: there are slots.
std::size_t TopicTree::slot_of(Index parent, std::string_view level, std::uint32_t hash) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
        const Slot& slot = slots_[i];
        if (slot.child == none) return i;
        if (slot.hash != hash) continue;
        const Node& node = nodes_[slot.child];
        if (node.parent == parent && node.level == level) return i;
    }
}

TopicTree::Index TopicTree::named_child(Index parent, std::string_view level) const noexcept {
    return slots_.empty() ? none : slots_[slot_of(parent, level, hash_of(parent, level))].child;
}

void TopicTree::add_edge(Index child) {
    if (4 * (edges_ + 1) > 3 * slots_.size()) rehash(std::max<std::size_t>(8, 2 * slots_.size()));
    const Node& node = nodes_[child];
    const auto hash = hash_of(node.parent, node.level);
    slots_[slot_of(node.parent, node.level, hash)] = {hash, child};
    ++edges_;
}

// What stands behind it moves up, unless it would then stand before its place.
void TopicTree::remove_edge(Index child) {
    const Node& node = nodes_[child];
    const std::size_t mask = slots_.size() - 1;
    std::size_t hole = slot_of(node.parent, node.level, hash_of(node.parent, node.level));
    for (std::size_t i = (hole + 1) & mask; slots_[i].child != none; i = (i + 1) & mask) {
        const std::size_t place = slots_[i].hash & mask;
        if (((i - place) & mask) < ((i - hole) & mask)) continue;
        slots_[hole] = slots_[i];
        hole = i;
    }
    slots_[hole] = {};
    --edges_;
    if (slots_.size() > 64 && 8 * edges_ < slots_.size()) rehash(slots_.size() / 4);
}

void TopicTree::rehash(std::size_t count) {
    const auto old = std::exchange(slots_, std::vector<Slot>(count));
    for (const Slot& slot : old) {
        if (slot.child == none) continue;
        std::size_t i = slot.hash & (count - 1);
        while (slots_[i].child != none) i = (i + 1) & (count - 1);
        slots_[i] = slot;
    }
}

// ---- The tree ------------------------------------------------------------------------------------------------------

TopicTree::Index TopicTree::child(Index parent, std::string_view level) const {
    if (level == "+") return nodes_[parent].plus;
    if (level == "#") return nodes_[parent].hash;
    return named_child(parent, level);
}

TopicTree::Index TopicTree::add_child(Index parent, std::string_view level) {
    Index index;
    if (free_.empty()) {
        index = static_cast<Index>(nodes_.size());
        nodes_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    Node& node = nodes_[index];
    node.level = level;
    node.parent = parent;
    ++nodes_[parent].children;
    if (level == "+")
        nodes_[parent].plus = index;
    else if (level == "#")
        nodes_[parent].hash = index;
    else
        add_edge(index);
    return index;
}

bool TopicTree::insert(std::string_view filter, Value value) {
    Index at = root;
    for (const auto level : Levels(filter)) {
        const Index below = child(at, level);
        at = below == none ? add_child(at, level) : below;
    }
    auto& values = nodes_[at].values;
    if (std::find(values.begin(), values.end(), value) != values.end()) return false;
    values.push_back(value);
    ++size_;
    return true;
}

TopicTree::Index TopicTree::find(std::string_view filter) const {
    Index at = root;
    for (const auto level : Levels(filter)) {
        at = child(at, level);
        if (at == none) break;
    }
    return at;
}

bool TopicTree::erase(std::string_view filter, Value value) {
    const Index at = find(filter);
    if (at == none) return false;
    if (std::erase(nodes_[at].values, value) == 0) return false;
    if (--size_ == 0)
        *this = TopicTree(); // with all its memory
    else
        prune(at);
    return true;
}

void TopicTree::prune(Index at) {
    while (at != root && nodes_[at].values.empty() && nodes_[at].children == 0) {
        const Node& node = nodes_[at];
        const Index parent = node.parent;
        if (node.level == "+")
            nodes_[parent].plus = none;
        else if (node.level == "#")
            nodes_[parent].hash = none;
        else
            remove_edge(at);
        give_back(nodes_[at]);
        free_.push_back(at);
        --nodes_[parent].children;
        at = parent;
    }
}

// Level by level with the set of nodes reached so far: no recursion, whose depth a peer could choose.
void TopicTree::match(std::string_view topic, std::vector<Value>& into) const {
    if (size_ == 0) return;
    const auto add = [&](Index index) {
        const auto& values = nodes_[index].values;
        into.insert(into.end(), values.begin(), values.end());
    };
    bool wildcards = !topic.starts_with('$');
    here_.assign(1, root);
    for (const auto level : Levels(topic)) {
        next_.clear();
        for (const Index index : here_) {
            const Node& node = nodes_[index];
            if (wildcards && node.hash != none) add(node.hash);
            if (wildcards && node.plus != none) next_.push_back(node.plus);
            if (const Index named = named_child(index, level); named != none) next_.push_back(named);
        }
        wildcards = true;
        here_.swap(next_);
        if (here_.empty()) return;
    }
    for (const Index index : here_) {
        add(index);
        if (nodes_[index].hash != none) add(nodes_[index].hash);
    }
}

} // namespace tortoise::core
