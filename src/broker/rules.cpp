#include "broker/rules.hpp"

#include "core/clouds.hpp"

#include <algorithm>
#include <iterator>

namespace tortoise::broker {

using core::Limit;

namespace {

constexpr std::size_t most_connects = 10'000; // client identifiers whose pace is remembered

void set(Rules& rules, std::initializer_list<Limit> limits, const Penalties& penalties) {
    for (const auto limit : limits) rules.penalties[static_cast<std::size_t>(limit)] = penalties;
}

/// What most brokers do.
Rules usual(std::string_view name, PeerLimits limits) {
    Rules rules{.name = name, .limits = std::move(limits)};
    constexpr auto end = Penalty::disconnect, refuse = Penalty::refuse;
    set(rules, {Limit::qos}, {end, end, Reason::qos_not_supported});
    set(rules, {Limit::retain}, {end, end, Reason::retain_not_supported});
    set(rules, {Limit::shared}, {refuse, end, Reason::shared_subscriptions_not_supported});
    set(rules, {Limit::payload, Limit::packet, Limit::user_properties}, {end, end, Reason::packet_too_large});
    set(rules, {Limit::topic, Limit::topic_levels}, {end, end, Reason::topic_name_invalid});
    set(rules, {Limit::filter, Limit::filter_levels}, {refuse, refuse, Reason::topic_filter_invalid});
    set(rules, {Limit::request_user_properties}, {refuse, refuse, Reason::implementation_specific_error});
    set(rules, {Limit::client_id}, {refuse, refuse, Reason::client_identifier_not_valid});
    set(rules, {Limit::subscriptions, Limit::filters, Limit::subscribe_rate, Limit::publish_rate, Limit::octet_rate},
        {refuse, refuse, Reason::quota_exceeded});
    set(rules, {Limit::connect_rate}, {refuse, refuse, Reason::connection_rate_exceeded});
    return rules;
}

// A publish that comes too fast is lost without a word, and so are QoS 2 publishes and subscriptions on MQTT 3.1.1.
Rules aws() {
    auto rules = usual("aws", core::clouds::aws());
    constexpr auto end = Penalty::disconnect, ignore = Penalty::ignore;
    rules.limits.connects.burst = 2; // what left a second apart may arrive a little closer
    set(rules, {Limit::qos}, {ignore, end, Reason::qos_not_supported});
    set(rules, {Limit::filter, Limit::filter_levels}, {end, end, Reason::topic_filter_invalid});
    set(rules, {Limit::filters, Limit::subscriptions}, {end, end, Reason::quota_exceeded});
    set(rules, {Limit::publish_rate, Limit::octet_rate}, {ignore, ignore, Reason::quota_exceeded});
    rules.receive_maximum = core::clouds::aws_in_flight;
    rules.topic_alias_maximum = 8;
    rules.longest_session = std::chrono::hours(1);
    rules.subscription_identifiers = false;
    rules.grants_less = false;
    rules.parent_matches_hash = false;
    rules.retained_for_wildcards = false;
    rules.retains_reserved = false;
    return rules;
}

Rules azure_event_grid() {
    auto rules = usual("azure-event-grid", core::clouds::azure_event_grid());
    rules.limits.connects.burst = 2;
    set(rules, {Limit::publish_rate, Limit::octet_rate},
        {Penalty::disconnect, Penalty::refuse, Reason::quota_exceeded});
    rules.receive_maximum = core::clouds::azure_event_grid_in_flight;
    rules.topic_alias_maximum = 10;
    rules.longest_session = std::chrono::hours(8);
    rules.queue_limit = 100;
    rules.assigns_client_ids = false;
    rules.subscription_identifiers = false;
    rules.takes_refusals = false;
    return rules;
}

Rules azure_iot_hub() {
    auto rules = usual("azure-iot-hub", core::clouds::azure_iot_hub());
    rules.v5 = false;
    rules.anonymous = false;
    rules.assigns_client_ids = false;
    return rules;
}

Rules emqx_serverless() {
    auto rules = usual("emqx-serverless", core::clouds::emqx_serverless());
    rules.receive_maximum = core::clouds::emqx_in_flight;
    rules.longest_session = std::chrono::hours(2);
    rules.queue_limit = 1'000;
    rules.anonymous = false;
    return rules;
}

// One that refuses whatever one of the others would.
Rules portable() {
    auto rules = usual("portable", core::clouds::portable());
    rules.limits.connects.burst = 2;
    rules.receive_maximum = core::clouds::emqx_in_flight;
    rules.longest_session = std::chrono::hours(1);
    rules.queue_limit = 100;
    rules.assigns_client_ids = false;
    rules.subscription_identifiers = false;
    rules.parent_matches_hash = false;
    rules.retained_for_wildcards = false;
    rules.retains_reserved = false;
    rules.takes_refusals = false;
    return rules;
}

const std::vector<Rules>& all_rules() {
    static const std::vector<Rules> all{usual({}, {}),     aws(),     azure_event_grid(), azure_iot_hub(),
                                        emqx_serverless(), portable()};
    return all;
}

bool has_name(const core::Connect& connect) { return connect.user_name && !connect.user_name->empty(); }

} // namespace

const Rules* rules_named(std::string_view name) {
    const auto& all = all_rules();
    const auto found = std::ranges::find(all, name, &Rules::name);
    return found == all.end() ? nullptr : &*found;
}

testing::BrokerOptions with_rules(testing::BrokerOptions options, const Rules& rules) {
    const auto& limits = rules.limits;
    options.maximum_qos = std::min(options.maximum_qos, limits.maximum_qos);
    options.retain_available = options.retain_available && limits.retain;
    options.shared_subscriptions = options.shared_subscriptions && limits.shared_subscriptions;
    options.subscription_identifiers = options.subscription_identifiers && rules.subscription_identifiers;
    options.receive_maximum = std::min(options.receive_maximum, rules.receive_maximum);
    options.maximum_packet_size = std::min(options.maximum_packet_size, limits.packet_size);
    options.topic_alias_maximum = std::min(options.topic_alias_maximum, rules.topic_alias_maximum);
    options.queue_limit = std::min(options.queue_limit, rules.queue_limit);
    if (rules.longest_session && (!options.session_expiry_cap || *options.session_expiry_cap > *rules.longest_session))
        options.session_expiry_cap = rules.longest_session;
    return options;
}

std::optional<Breach> Judge::breach(Version version, const std::optional<core::Excess>& excess) const {
    if (!excess) return std::nullopt;
    const auto& penalties = rules_.penalties_for(excess->limit);
    const auto penalty = version == Version::v5 ? penalties.v5 : penalties.v3_1_1;
    if (penalty == Penalty::none) return std::nullopt;
    return Breach{penalty, penalties.reason, excess->error().text};
}

std::optional<Breach> Judge::connect(Time now, const core::Connect& connect) {
    const auto refuse = [](Reason reason, const char* text) { return Breach{Penalty::refuse, reason, text}; };
    if (connect.version == Version::v5 && !rules_.v5)
        return refuse(Reason::unsupported_protocol_version, "MQTT 5 is not spoken here");
    if (connect.client_id.empty() && !rules_.assigns_client_ids)
        return refuse(Reason::client_identifier_not_valid, "client identifiers are not assigned here");
    if (!has_name(connect) && !rules_.anonymous)
        return refuse(Reason::not_authorized, "anonymous clients are not let in");
    if (auto broken = breach(connect.version, core::excess(rules_.limits, connect))) {
        broken->penalty = Penalty::refuse; // whatever it is: there is no connection yet
        return broken;
    }
    const auto rate = rules_.limits.connects;
    if (rate.per_second == 0 || connect.client_id.empty()) return std::nullopt;
    if (connects_.size() >= most_connects)
        std::erase_if(connects_, [now](const auto& entry) { return entry.second.full(now); });
    auto& pace = connects_.try_emplace(std::string(connect.client_id), rate).first->second;
    if (pace.try_take(now)) return std::nullopt;
    return breach(connect.version, core::Excess{Limit::connect_rate, rate.per_second, rate.per_second});
}

std::optional<Breach> Judge::publish(Time now, Paces& paces, Version version, const MessageView& message) const {
    const auto& limits = rules_.limits;
    if (auto broken = breach(version, core::excess(limits, message))) return broken;
    if (message.retain && !rules_.retains_reserved && message.topic.starts_with('$'))
        return Breach{Penalty::disconnect, Reason::retain_not_supported, "reserved topics cannot be retained"};
    if (!paces.publishes.try_take(now))
        return breach(version,
                      core::Excess{Limit::publish_rate, limits.publishes.per_second, limits.publishes.per_second});
    const auto size = message.topic.size() + message.payload.size() + message.properties.octets().size();
    if (!paces.octets.try_take(now, size))
        return breach(version, core::Excess{Limit::octet_rate, limits.octets.per_second, limits.octets.per_second});
    return std::nullopt;
}

std::optional<Breach> Judge::subscribe(Time now, Paces& paces, Version version,
                                       const core::Subscribe& subscribe) const {
    const auto& limits = rules_.limits;
    if (!paces.subscribes.try_take(now))
        return breach(version,
                      core::Excess{Limit::subscribe_rate, limits.subscribes.per_second, limits.subscribes.per_second});
    if (auto broken = breach(version, core::excess_of_filters(limits, subscribe.entries.size()))) return broken;
    if (auto broken = breach(version, core::excess_of_request(limits, subscribe.properties))) return broken;
    for (const auto& entry : subscribe.entries) {
        TopicFilter filter(std::string(entry.filter), entry.options);
        if (rules_.grants_less || version == Version::v5)
            filter.options.qos = std::min(filter.options.qos, limits.maximum_qos);
        if (auto broken = breach(version, core::excess(limits, filter))) return broken;
    }
    return std::nullopt;
}

std::optional<Breach> Judge::subscription(Version version, std::size_t have) const {
    if (have < rules_.limits.subscriptions) return std::nullopt;
    return breach(version, core::Excess{Limit::subscriptions, have + 1, rules_.limits.subscriptions});
}

} // namespace tortoise::broker

namespace tortoise::testing {

std::span<const std::string_view> broker_profiles() noexcept {
    static const auto names = [] {
        std::vector<std::string_view> named;
        for (const auto& rules : broker::all_rules())
            if (!rules.name.empty()) named.push_back(rules.name);
        return named;
    }();
    return names;
}

} // namespace tortoise::testing
