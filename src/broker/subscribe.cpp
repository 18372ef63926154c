/// SUBSCRIBE and UNSUBSCRIBE. [MQTT-3.8] [MQTT-3.10]

#include "broker/covers.hpp"
#include "broker/impl.hpp"
#include "broker/reply.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::broker {

namespace {

bool has_wildcard(std::string_view filter) { return filter.find_first_of("+#") != std::string_view::npos; }

} // namespace

/// What was told in CONNACK to be unavailable, and what can never be.
std::optional<Error> Engine::Impl::violation(const core::Subscribe& subscribe) const {
    const auto& options = context.options;
    if (!options.subscription_identifiers && subscribe.properties.get(property::subscription_identifier))
        return make_error(Reason::subscription_identifiers_not_supported);
    for (const auto& entry : subscribe.entries) {
        const auto shared = parse_shared(entry.filter);
        if (shared && !options.shared_subscriptions) return make_error(Reason::shared_subscriptions_not_supported);
        if (!options.wildcard_subscriptions && has_wildcard(shared ? shared->filter : entry.filter))
            return make_error(Reason::wildcard_subscriptions_not_supported);
    }
    return std::nullopt;
}

/// The answer to one filter.
Reason Engine::Impl::judgement(const Session& session, const core::Subscribe::Entry& entry) const {
    const auto shared = parse_shared(entry.filter);
    const auto filter = shared ? shared->filter : entry.filter;
    const auto& options = context.options;
    if ((shared && !options.shared_subscriptions) || (!options.wildcard_subscriptions && has_wildcard(filter)))
        return Reason::unspecified_error;
    const auto denied_by = [&](const std::string& wide) { return covers(wide, filter) || wide == entry.filter; };
    if (std::any_of(options.deny_subscribe.begin(), options.deny_subscribe.end(), denied_by))
        return Reason::not_authorized;
    if (session.subscriptions.size() >= limits::subscriptions_per_session &&
        !session.subscriptions.contains(entry.filter))
        return Reason::quota_exceeded;
    // [MQTT-3.2.2-10]
    return static_cast<Reason>(std::min(entry.options.qos, options.maximum_qos));
}

/// A packet that is refused is refused as a whole.
void Engine::Impl::punish(Time now, Connection& connection, const core::Subscribe& subscribe, const Breach& broken) {
    if (broken.penalty == Penalty::disconnect) return hang_up(now, connection, broken.reason, broken.text);
    if (broken.penalty != Penalty::refuse) return;
    const auto reason = connection.version == Version::v5 ? broken.reason : Reason::unspecified_error;
    core::Suback answer{.id = subscribe.id, .reasons = std::vector(subscribe.entries.size(), reason)};
    if (!send_with_reason(connection, std::move(answer), broken.text, false)) close(now, connection);
}

void Engine::Impl::on_subscribe(Time now, Connection& connection, const core::Subscribe& subscribe) {
    const bool v5 = connection.version == Version::v5;
    if (const auto broken = judge.subscribe(now, connection.paces, connection.version, subscribe))
        return punish(now, connection, subscribe, *broken);
    if (v5) {
        if (const auto error = violation(subscribe)) return hang_up(now, connection, *error);
    }
    auto& session = *connection.session;
    const auto id = subscribe.properties.get(property::subscription_identifier).value_or(0);
    core::Suback answer{.id = subscribe.id};
    std::vector<std::string_view> send_retained;
    for (const auto& entry : subscribe.entries) {
        auto reason = judgement(session, entry);
        if (!session.subscriptions.contains(entry.filter)) {
            const auto broken = judge.subscription(connection.version, session.subscriptions.size());
            if (broken && broken->penalty == Penalty::disconnect)
                return hang_up(now, connection, broken->reason, broken->text);
            if (broken) reason = broken->reason;
        }
        if (is_refusal(reason)) {
            answer.reasons.push_back(v5 ? reason : Reason::unspecified_error);
            continue;
        }
        auto options = entry.options;
        options.qos = static_cast<QoS>(reason);
        const bool fresh = sessions.subscriptions().add(session, entry.filter, options, id);
        answer.reasons.push_back(reason);
        const bool wanted = options.retain_handling == RetainHandling::send ||
                            (options.retain_handling == RetainHandling::send_if_new && fresh);
        const bool gets = context.rules.retained_for_wildcards || !has_wildcard(entry.filter);
        if (wanted && gets && !parse_shared(entry.filter)) send_retained.push_back(entry.filter);
    }
    const bool refused = std::any_of(answer.reasons.begin(), answer.reasons.end(), is_refusal);
    if (!send_with_reason(connection, std::move(answer), refused ? "a filter is not allowed" : "", false))
        return close(now, connection);
    for (const auto filter : send_retained) sessions.send_retained(now, session, filter);
}

void Engine::Impl::on_unsubscribe(Time now, Connection& connection, const core::Unsubscribe& unsubscribe) {
    core::Unsuback answer{.id = unsubscribe.id};
    for (const auto filter : unsubscribe.filters) {
        const bool known = sessions.subscriptions().remove(*connection.session, filter);
        if (connection.version == Version::v5)
            answer.reasons.push_back(known ? Reason::success : Reason::no_subscription_existed);
    }
    send_or_close(now, connection, answer);
}

} // namespace tortoise::broker
