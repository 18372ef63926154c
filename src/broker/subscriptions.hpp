#pragma once
/// Who gets a message: every subscription of every session, and the groups of shared ones.

#include "broker/session.hpp"
#include "core/topic_tree.hpp"

namespace tortoise::broker {

struct Subscription {
    Session* session = nullptr; // null: a free slot
    std::string filter = {};    // whole, `$share/…` included
    SubscribeOptions options = {};
    std::uint32_t id = 0;    // subscription identifier; 0: none
    std::uint64_t group = 0; // 0: not shared
    std::size_t place = 0;   // in the group's members
};

/// A subscriber that a message goes to, and how.
struct Target {
    Session* session = nullptr;
    Grant grant = {};
};

class Subscriptions {
public:
    /// `parent_matches_hash`: "a/#" matches "a", as it should.
    Subscriptions(bool one_copy_per_subscription, bool parent_matches_hash)
        : copy_each_(one_copy_per_subscription), parent_matches_hash_(parent_matches_hash) {}

    /// Subscribes, in place of an earlier subscription of the same filter; false if there was one. [MQTT-3.8.4-3]
    bool add(Session&, std::string_view filter, const SubscribeOptions&, std::uint32_t id);
    /// False if there was none.
    bool remove(Session&, std::string_view filter);
    void remove_all(Session&);
    /// The session got a network connection, or lost it: shared messages go to those that have one.
    void set_connected(Session&, bool);

    /// Appends who gets the message. One target per session, unless each subscription is to have its copy, and one more
    /// for each shared subscription.
    void match(const Letter&, std::vector<Target>& into);
    /// The member of a shared subscription whose turn it is; nothing if the subscription is gone.
    std::optional<Target> choose(std::uint64_t group, const Letter&);

    const Subscription& at(std::uint32_t index) const { return slots_[index]; }

private:
    struct Group {
        std::string name;                   // GROUP/FILTER
        std::string filter;                 // the inner one
        std::vector<std::uint32_t> members; // those with a network connection first
        std::size_t connected = 0;
        std::size_t turn = 0;
    };

    std::uint32_t take_slot();
    void join(std::uint32_t index, std::string_view filter);
    void leave(std::uint32_t index);
    void move_member(Group&, std::size_t from, std::size_t to);
    void set_member_connected(std::uint32_t index, bool);
    void erase(std::uint32_t index);
    void add_target(const Subscription&, const Letter&, std::vector<Target>& into);
    std::uint32_t next_member(Group&, QoS);

    bool only_as_parent(core::TopicTree::Value, std::string_view topic) const;

    const bool copy_each_;
    const bool parent_matches_hash_;
    core::TopicTree tree_; // indices of subscriptions; of groups, marked
    std::vector<Subscription> slots_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::string, std::uint64_t> group_names_; // GROUP/FILTER
    std::unordered_map<std::uint64_t, Group> groups_;
    std::uint64_t last_group_ = 0;
    std::uint64_t route_ = 0;
    std::vector<core::TopicTree::Value> found_;
};

} // namespace tortoise::broker
