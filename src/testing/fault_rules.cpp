#include "testing/fault_rules.hpp"
#include "testing/fault_words.hpp"
#include "testing/kept_packet.hpp"
#include <algorithm>
#include <chrono>
#include <tortoise/topic.hpp>

namespace tortoise::testing {

namespace {

using core::PacketType;
using Action = Fault::Action;

bool is_about(const std::string& filter, const std::vector<std::string>& topics) {
    return std::ranges::any_of(topics, [&](const std::string& topic) {
        return topic == filter || (check_topic(topic) && matches(filter, topic));
    });
}

/// Can the action be done to this packet at all?
bool can_suffer(const Fault& fault, const Traits& traits) {
    const auto* connack = std::get_if<core::Connack>(traits.packet);
    switch (fault.action) {
    case Action::change_id: return id_of(*traits.packet) != 0;
    case Action::session_present: return connack && connack->reason == Reason::success;
    case Action::receive_maximum: return connack && connack->reason == Reason::success && traits.version == Version::v5;
    default: return true;
    }
}

bool is_meant(const Fault& fault, const Traits& traits) {
    if (fault.packet && *fault.packet != core::type_of(*traits.packet)) return false;
    if (fault.to && *fault.to != traits.to) return false;
    if (fault.connection != 0 && fault.connection != traits.connection) return false;
    if (!fault.client.empty() && fault.client != traits.client) return false;
    if (fault.qos && fault.qos != traits.qos) return false;
    if (!fault.on.empty() && !(traits.topics && is_about(fault.on, *traits.topics))) return false;
    return can_suffer(fault, traits);
}

/// Is it the turn of the packet of that number?
bool is_due(const Fault& fault, std::uint64_t number) {
    if (fault.nth != 0) return number == fault.nth;
    if (number < fault.from || (number - fault.from) % fault.every != fault.every - 1) return false;
    return fault.first == 0 || number < fault.from + fault.first;
}

/// From 0 to below 1.
double draw(core::Random& random) { return static_cast<double>(random.next() >> 11) / 9007199254740992.0; }

bool takes_away(const Fault& fault) {
    switch (fault.action) {
    case Action::drop:
    case Action::refuse:
    case Action::reset:
    case Action::half_open:
    case Action::cut: return true;
    case Action::stall: return fault.time == Duration::zero();
    default: return false;
    }
}

} // namespace

Result<std::size_t> Faults::State::add(const Fault& fault) {
    auto whole = complete(fault);
    if (!whole) return whole.error();
    std::lock_guard lock(mutex);
    rules.push_back({*whole, core::Random(whole->seed)});
    return rules.size() - 1;
}

std::uint32_t Faults::State::accepted() {
    std::lock_guard lock(mutex);
    return ++connections;
}

std::vector<Hit> Faults::State::match(const Traits& traits) {
    std::vector<Hit> hits;
    std::lock_guard lock(mutex);
    for (std::size_t i = cleared; i < rules.size(); ++i) {
        auto& rule = rules[i];
        if (!is_meant(rule.fault, traits)) continue;
        if (!is_due(rule.fault, ++rule.seen)) continue;
        if (rule.fault.action == Action::reorder && traits.overtakes) continue;
        if (rule.fault.chance < 1 && draw(rule.random) >= rule.fault.chance) continue;
        ++rule.applied;
        hits.push_back({rule.fault, to_string(rule.fault)});
        if (takes_away(rule.fault)) break;
    }
    if (!hits.empty()) changed.notify_all();
    return hits;
}

// ---- What users hold -----------------------------------------------------------------------------------------------

Faults::Faults() : state_(std::make_shared<State>()) {}

Faults::Faults(std::initializer_list<std::string_view> rules) : Faults() {
    for (const auto rule : rules) static_cast<void>(add(rule));
}

Result<Done> Faults::ok() const {
    std::lock_guard lock(state_->mutex);
    return state_->ok;
}

Result<std::size_t> Faults::add(std::string_view rule) {
    const auto fault = parse_fault(rule);
    if (fault) return state_->add(*fault);
    std::lock_guard lock(state_->mutex);
    if (state_->ok) state_->ok = fault.error();
    return fault.error();
}

Result<std::size_t> Faults::add(const Fault& fault) { return state_->add(fault); }

void Faults::clear() {
    std::lock_guard lock(state_->mutex);
    state_->cleared = state_->rules.size();
}

std::uint64_t Faults::applied(std::size_t rule) const {
    std::lock_guard lock(state_->mutex);
    return rule < state_->rules.size() ? state_->rules[rule].applied : 0;
}

bool Faults::wait(std::size_t rule, std::uint64_t times, Duration at_most) const {
    std::unique_lock lock(state_->mutex);
    const auto countable = std::min<Duration>(at_most, std::chrono::hours(24));
    return state_->changed.wait_for(
        lock, countable, [&] { return rule < state_->rules.size() && state_->rules[rule].applied >= times; });
}

std::string Faults::report() const {
    std::lock_guard lock(state_->mutex);
    std::string text;
    for (const auto& rule : state_->rules)
        text += to_string(rule.fault) + ": applied to " + std::to_string(rule.applied) + " of " +
                std::to_string(rule.seen) + "\n";
    return text;
}

} // namespace tortoise::testing
