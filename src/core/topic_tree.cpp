#include "core/topic_tree.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::core {

TopicTree::TopicTree() { nodes_.push_back(std::make_unique<Node>()); }

TopicTree::Index TopicTree::child(Index parent, std::string_view level) const {
    if (level == "+") return nodes_[parent]->plus;
    if (level == "#") return nodes_[parent]->hash;
    const auto found = edges_.find(Edge{parent, level});
    return found == edges_.end() ? none : found->second;
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
    nodes_[index] = std::make_unique<Node>();
    Node& node = *nodes_[index];
    node.level = level;
    node.parent = parent;
    ++nodes_[parent]->children;
    if (level == "+")
        nodes_[parent]->plus = index;
    else if (level == "#")
        nodes_[parent]->hash = index;
    else
        edges_.emplace(Edge{parent, node.level}, index);
    return index;
}

bool TopicTree::insert(std::string_view filter, Value value) {
    Index at = root;
    for (const auto level : Levels(filter)) {
        const Index below = child(at, level);
        at = below == none ? add_child(at, level) : below;
    }
    auto& values = nodes_[at]->values;
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
    if (std::erase(nodes_[at]->values, value) == 0) return false;
    --size_;
    prune(at);
    return true;
}

void TopicTree::prune(Index at) {
    while (at != root && nodes_[at]->values.empty() && nodes_[at]->children == 0) {
        Node& node = *nodes_[at];
        const Index parent = node.parent;
        if (node.level == "+")
            nodes_[parent]->plus = none;
        else if (node.level == "#")
            nodes_[parent]->hash = none;
        else
            edges_.erase(Edge{parent, node.level});
        nodes_[at].reset();
        free_.push_back(at);
        --nodes_[parent]->children;
        at = parent;
    }
}

// Level by level with the set of nodes reached so far: no recursion, whose depth a peer could choose.
void TopicTree::match(std::string_view topic, std::vector<Value>& into) const {
    if (size_ == 0) return;
    const auto add = [&](Index index) {
        const auto& values = nodes_[index]->values;
        into.insert(into.end(), values.begin(), values.end());
    };
    bool wildcards = !topic.starts_with('$');
    here_.assign(1, root);
    for (const auto level : Levels(topic)) {
        next_.clear();
        for (const Index index : here_) {
            const Node& node = *nodes_[index];
            if (wildcards && node.hash != none) add(node.hash);
            if (wildcards && node.plus != none) next_.push_back(node.plus);
            const auto found = edges_.find(Edge{index, level});
            if (found != edges_.end()) next_.push_back(found->second);
        }
        wildcards = true;
        here_.swap(next_);
        if (here_.empty()) return;
    }
    for (const Index index : here_) {
        add(index);
        if (nodes_[index]->hash != none) add(nodes_[index]->hash);
    }
}

} // namespace tortoise::core
