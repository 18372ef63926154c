#include "broker/subscriptions.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::broker {

namespace {

constexpr core::TopicTree::Value group_mark = core::TopicTree::Value{1} << 63;
constexpr std::string_view share_prefix = "$share/";

} // namespace

bool Subscriptions::add(Session& session, std::string_view filter, const SubscribeOptions& options, std::uint32_t id) {
    const auto known = session.subscriptions.find(filter);
    if (known != session.subscriptions.end()) {
        slots_[known->second].options = options;
        slots_[known->second].id = id;
        return false;
    }
    const auto index = take_slot();
    slots_[index] = {.session = &session, .filter = std::string(filter), .options = options, .id = id};
    session.subscriptions.emplace(filter, index);
    if (parse_shared(filter))
        join(index, filter);
    else
        tree_.insert(filter, index);
    return true;
}

bool Subscriptions::remove(Session& session, std::string_view filter) {
    const auto known = session.subscriptions.find(filter);
    if (known == session.subscriptions.end()) return false;
    erase(known->second);
    session.subscriptions.erase(known);
    return true;
}

void Subscriptions::remove_all(Session& session) {
    for (const auto& [filter, index] : session.subscriptions) erase(index);
    session.subscriptions.clear();
}

void Subscriptions::set_connected(Session& session, bool connected) {
    // Shared filters are neighbours in the session's map.
    for (auto at = session.subscriptions.lower_bound(share_prefix); at != session.subscriptions.end(); ++at) {
        if (!at->first.starts_with(share_prefix)) break;
        if (slots_[at->second].group != 0) set_member_connected(at->second, connected);
    }
}

std::uint32_t Subscriptions::take_slot() {
    if (free_.empty()) {
        slots_.emplace_back();
        return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const auto index = free_.back();
    free_.pop_back();
    return index;
}

void Subscriptions::erase(std::uint32_t index) {
    if (slots_[index].group != 0)
        leave(index);
    else
        tree_.erase(slots_[index].filter, index);
    slots_[index] = {};
    free_.push_back(index);
}

void Subscriptions::join(std::uint32_t index, std::string_view filter) {
    auto& member = slots_[index];
    const auto [named, fresh] =
        group_names_.try_emplace(std::string(filter.substr(share_prefix.size())), last_group_ + 1);
    auto& group = groups_[named->second];
    if (fresh) {
        ++last_group_;
        group.name = named->first;
        group.filter = parse_shared(filter)->filter;
        tree_.insert(group.filter, named->second | group_mark);
    }
    member.group = named->second;
    member.place = group.members.size();
    group.members.push_back(index);
    if (member.session->connection()) set_member_connected(index, true);
}

void Subscriptions::leave(std::uint32_t index) {
    const auto found = groups_.find(slots_[index].group);
    auto& group = found->second;
    if (slots_[index].place < group.connected) set_member_connected(index, false);
    move_member(group, slots_[index].place, group.members.size() - 1);
    group.members.pop_back();
    if (!group.members.empty()) return;
    tree_.erase(group.filter, found->first | group_mark);
    group_names_.erase(group.name);
    groups_.erase(found);
}

void Subscriptions::set_member_connected(std::uint32_t index, bool connected) {
    auto& group = groups_.find(slots_[index].group)->second;
    if (connected)
        move_member(group, slots_[index].place, group.connected++);
    else
        move_member(group, slots_[index].place, --group.connected);
}

/// Two members change places.
void Subscriptions::move_member(Group& group, std::size_t from, std::size_t to) {
    std::swap(group.members[from], group.members[to]);
    slots_[group.members[from]].place = from;
    slots_[group.members[to]].place = to;
}

void Subscriptions::match(const Letter& letter, std::vector<Target>& into) {
    ++route_;
    found_.clear();
    tree_.match(letter.topic, found_);
    for (const auto value : found_) {
        if (!parent_matches_hash_ && only_as_parent(value, letter.topic)) continue;
        if ((value & group_mark) == 0) {
            add_target(slots_[value], letter, into);
        } else if (auto target = choose(value & ~group_mark, letter)) {
            into.push_back(std::move(*target));
        }
    }
}

/// Does the filter, which matches, match by its "/#" being the topic's end?
bool Subscriptions::only_as_parent(core::TopicTree::Value value, std::string_view topic) const {
    const bool group = (value & group_mark) != 0;
    const auto& filter = group ? groups_.find(value & ~group_mark)->second.filter : slots_[value].filter;
    return filter.ends_with("/#") && Levels(filter).size() > Levels(topic).size();
}

/// Overlapping filters of one session: one copy, with the highest QoS and every identifier. [MQTT-3.3.4-2]
/// [MQTT-3.3.4-4]
void Subscriptions::add_target(const Subscription& subscription, const Letter& letter, std::vector<Target>& into) {
    const auto& options = subscription.options;
    auto& session = *subscription.session;
    if (options.no_local && session.publisher == letter.publisher) return;
    if (copy_each_ || session.route_mark != route_) {
        session.route_mark = route_;
        session.route_target = into.size();
        into.push_back({&session, {}});
    }
    auto& grant = into[session.route_target].grant;
    grant.qos = std::max(grant.qos, std::min(options.qos, letter.qos));
    grant.retain = grant.retain || (options.retain_as_published && letter.retain);
    if (subscription.id != 0) grant.ids.push_back(subscription.id);
}

std::optional<Target> Subscriptions::choose(std::uint64_t number, const Letter& letter) {
    const auto found = groups_.find(number);
    if (found == groups_.end()) return std::nullopt;
    const auto& member = slots_[next_member(found->second, letter.qos)];
    Target target{member.session,
                  {.qos = std::min(member.options.qos, letter.qos),
                   .retain = member.options.retain_as_published && letter.retain,
                   .group = number}};
    if (member.id != 0) target.grant.ids.push_back(member.id);
    return target;
}

/// In turn among those with a network connection; without any, among those for whom a message is kept.
std::uint32_t Subscriptions::next_member(Group& group, QoS qos) {
    if (group.connected > 0) return group.members[group.turn++ % group.connected];
    const auto count = group.members.size();
    for (std::size_t tried = 0; tried < count && qos != QoS::at_most_once; ++tried) {
        const auto index = group.members[group.turn++ % count];
        if (slots_[index].options.qos != QoS::at_most_once) return index;
    }
    return group.members[0];
}

} // namespace tortoise::broker
