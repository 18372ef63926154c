#include "core/subscriptions.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::core {

namespace {

std::string reason_text(PropertiesView properties) {
    return std::string(properties.get(property::reason_string).value_or(Octets{}));
}

constexpr unsigned most_unanswered = 8; // requests for a filter without a reply before the broker is given up

// What may get better by itself, or with an administrator's help, is asked again.
bool is_passing(Reason reason) noexcept {
    switch (reason) {
    case Reason::unspecified_error:
    case Reason::implementation_specific_error:
    case Reason::packet_identifier_in_use:
    case Reason::quota_exceeded: return true;
    default: return false;
    }
}

std::string_view routed(std::string_view filter) noexcept {
    const auto shared = parse_shared(filter);
    return shared ? shared->filter : filter;
}

// Fixed header, packet identifier, a subscription identifier with its Property Length.
constexpr std::size_t request_overhead = 5 + 2 + 1 + 5;
std::size_t encoded_entry(std::string_view filter) noexcept { return 2 + filter.size() + 1; }

} // namespace

// ---- Operations ----------------------------------------------------------------------------------------------------

std::uint64_t Subscriptions::open(Token token, bool subscribe, std::size_t count, std::vector<Event>& events) {
    if (count == 0) {
        if (token != 0 && subscribe) events.push_back(Subscribed{token, {}});
        if (token != 0 && !subscribe) events.push_back(Unsubscribed{token, {}});
        return 0;
    }
    operations_[next_operation_] = {token, subscribe, count, std::vector<std::optional<Result<Grant>>>(count)};
    return next_operation_++;
}

void Subscriptions::answer(const Waiter& waiter, const Result<Grant>& result, std::vector<Event>& events) {
    const auto found = operations_.find(waiter.operation);
    if (found == operations_.end() || found->second.results[waiter.index]) return;
    Operation& operation = found->second;
    operation.results[waiter.index] = result;
    if (--operation.open > 0) return;
    if (operation.token != 0 && operation.subscribe) {
        Subscribed done{operation.token, {}};
        for (auto& r : operation.results) done.results.push_back(std::move(*r));
        events.push_back(std::move(done));
    } else if (operation.token != 0) {
        Unsubscribed done{operation.token, {}};
        for (auto& r : operation.results)
            done.results.push_back(*r ? Result<Done>(Done{}) : Result<Done>(std::move(*r).error()));
        events.push_back(std::move(done));
    }
    operations_.erase(found);
}

void Subscriptions::answer(std::vector<Waiter>& waiters, const Result<Grant>& result, std::vector<Event>& events) {
    for (const auto& waiter : std::exchange(waiters, {})) answer(waiter, result, events);
}

// ---- What the user wants -------------------------------------------------------------------------------------------

void Subscriptions::subscribe(std::vector<TopicFilter> filters, Route route, Token token, std::vector<Event>& events) {
    const auto operation = open(token, true, filters.size(), events);
    const auto& limits = options_.limits;
    const auto too_many = limits.split_subscribes ? std::nullopt : excess_of_filters(limits, filters.size());
    for (std::size_t i = 0; i < filters.size(); ++i) {
        if (too_many)
            reject(filters[i].filter, {operation, i}, too_many->error(), events);
        else
            want(std::move(filters[i]), route, {operation, i}, events);
    }
}

// What was never asked for is not wanted either; a subscription that is there stays as it is.
void Subscriptions::reject(const std::string& filter, const Waiter& waiter, const Error& why,
                           std::vector<Event>& events) {
    if (!filters_.contains(filter)) events.push_back(FilterChanged{filter, Result<Grant>(why), false});
    answer(waiter, why, events);
}

std::optional<Excess> Subscriptions::too_much(const TopicFilter& wanted) const {
    const auto& limits = options_.limits;
    if (const auto found = excess(limits, wanted)) return found;
    if (!limits.check || filters_.size() < limits.subscriptions || filters_.contains(wanted.filter))
        return std::nullopt;
    return Excess{Limit::subscriptions, filters_.size() + 1, limits.subscriptions};
}

void Subscriptions::want(TopicFilter wanted, Route route, Waiter waiter, std::vector<Event>& events) {
    if (auto valid = check_filter(wanted.filter); !valid) return answer(waiter, valid.error(), events);
    if (wanted.options.qos > QoS::exactly_once)
        return answer(waiter, make_error(Errc::invalid_qos, "QoS is 0, 1 or 2"), events);
    const SubscribeOptions plain{.qos = wanted.options.qos};
    if (options_.version == Version::v3_1_1 && wanted.options != plain)
        return answer(waiter, make_error(Errc::not_supported, "MQTT 3.1.1 has no subscription options but the QoS"),
                      events);
    if (wanted.options.no_local && parse_shared(wanted.filter))
        return answer(waiter, make_error(Errc::invalid_option, "[MQTT-3.8.3-4] no_local on a shared subscription"),
                      events);
    if (const auto found = too_much(wanted)) return reject(wanted.filter, waiter, found->error(), events);

    // Wanted again: an UNSUBSCRIBE that was not sent need not be, and one that was must not be repeated.
    if (const auto going = leaving_.find(wanted.filter); going != leaving_.end()) {
        answer(going->second.waiters, Grant{}, events);
        leaving_.erase(going);
    }
    const auto [at, fresh] = filters_.try_emplace(wanted.filter);
    Wanted& filter = at->second;
    filter.generation = next_generation_++;
    if (fresh) filter.order = filter.generation;
    if (!fresh) router_->remove(routed(wanted.filter), filter.route);
    router_.get().add(routed(wanted.filter), route);
    filter.options = wanted.options;
    filter.route = route;
    filter.state = State::wanted;
    filter.confirm = false;
    filter.retry_at.reset();
    filter.waiters.push_back(waiter);
    todo_.push_back({true, std::move(wanted.filter)});
}

void Subscriptions::unsubscribe(std::vector<std::string> filters, Token token, std::vector<Event>& events) {
    const auto operation = open(token, false, filters.size(), events);
    for (std::size_t i = 0; i < filters.size(); ++i) leave(std::move(filters[i]), {operation, i}, events);
}

void Subscriptions::leave(std::string filter, Waiter waiter, std::vector<Event>& events) {
    if (auto valid = check_filter(filter); !valid) return answer(waiter, valid.error(), events);
    if (const auto wanted = filters_.find(filter); wanted != filters_.end()) {
        answer(wanted->second.waiters, make_error(Errc::cancelled, "unsubscribed before it was granted"), events);
        router_->remove(routed(filter), wanted->second.route);
        filters_.erase(wanted);
    }
    Leaving& leaving = leaving_[filter];
    leaving.waiters.push_back(waiter);
    leaving.asked = false;
    leaving.generation = next_generation_++;
    todo_.push_back({false, std::move(filter)});
}

// ---- The connection ------------------------------------------------------------------------------------------------

void Subscriptions::connected(bool session_present, bool same_session, std::vector<Event>& events) {
    todo_.clear();
    retries_.clear();
    if (!session_present) {
        for (auto& [filter, leaving] : leaving_) {
            answer(leaving.waiters, Grant{}, events);
            events.push_back(FilterChanged{filter, std::nullopt, false});
        }
        leaving_.clear();
    }
    for (const auto& [filter, leaving] : leaving_) todo_.push_back({false, filter});

    std::vector<std::pair<std::uint64_t, const std::string*>> missing;
    for (auto& [filter, wanted] : filters_) {
        // Brokers have been seen to keep a session without its subscriptions. To ask again costs a packet; not to ask,
        // every message that would have come.
        wanted.confirm = session_present && same_session && (wanted.confirm || wanted.state == State::granted);
        wanted.state = State::wanted;
        wanted.retry_at.reset();
        missing.emplace_back(wanted.order, &filter);
    }
    std::sort(missing.begin(), missing.end());
    for (const auto& [order, filter] : missing) todo_.push_back({true, *filter});
}

void Subscriptions::ask_again(Asked& asked, std::vector<Event>& events) {
    for (auto& entry : asked.entries) {
        if (asked.subscribe) {
            const auto wanted = filters_.find(entry.filter);
            if (wanted == filters_.end()) continue;
            if (wanted->second.state == State::granted) { // by the late reply to an earlier request
                answer(entry.waiters, wanted->second.grant, events);
                continue;
            }
            auto& waiters = wanted->second.waiters;
            waiters.insert(waiters.begin(), entry.waiters.begin(), entry.waiters.end());
            if (wanted->second.state == State::asked) wanted->second.state = State::wanted;
        } else {
            const auto leaving = leaving_.find(entry.filter);
            if (leaving == leaving_.end()) continue;
            auto& waiters = leaving->second.waiters;
            waiters.insert(waiters.begin(), entry.waiters.begin(), entry.waiters.end());
            leaving->second.asked = false;
        }
        entry.waiters.clear();
        todo_.push_back({asked.subscribe, entry.filter});
    }
    asked.reply_by.reset();
}

/// One more time without a reply; false if that is once too often.
bool Subscriptions::count_unanswered(const Asked& asked) {
    bool patient = true;
    for (const auto& entry : asked.entries) {
        if (const auto wanted = filters_.find(entry.filter); asked.subscribe && wanted != filters_.end())
            patient &= ++wanted->second.unanswered <= most_unanswered;
        if (const auto leaving = leaving_.find(entry.filter); !asked.subscribe && leaving != leaving_.end())
            patient &= ++leaving->second.unanswered <= most_unanswered;
    }
    return patient;
}

std::vector<PacketId> Subscriptions::disconnected(std::vector<Event>& events) {
    std::vector<PacketId> unanswered;
    for (auto& [id, asked] : asked_) {
        unanswered.push_back(id);
        ask_again(asked, events);
        for (auto& entry : asked.entries) // those that nobody wants asked again
            answer(entry.waiters, make_error(Errc::cancelled, "withdrawn before the broker replied"), events);
    }
    asked_.clear();
    for (auto& [filter, wanted] : filters_) wanted.unanswered = 0;
    for (auto& [filter, leaving] : leaving_) leaving.unanswered = 0;
    return unanswered;
}

void Subscriptions::stop(const Error& why, std::vector<Event>& events) {
    asked_.clear();
    todo_.clear();
    leaving_.clear();
    for (auto& [filter, wanted] : filters_) wanted.waiters.clear();
    while (!operations_.empty()) {
        const auto [number, operation] = *operations_.begin();
        for (std::size_t i = 0; i < operation.results.size(); ++i) answer(Waiter{number, i}, why, events);
    }
}

// ---- Asking --------------------------------------------------------------------------------------------------------

bool Subscriptions::still_to_do(const Todo& todo) const {
    if (!todo.subscribe) {
        const auto leaving = leaving_.find(todo.filter);
        return leaving != leaving_.end() && !leaving->second.asked;
    }
    const auto wanted = filters_.find(todo.filter);
    return wanted != filters_.end() && wanted->second.state == State::wanted && !wanted->second.retry_at;
}

std::optional<Error> Subscriptions::refused_here(const Todo& todo, const Limits& limits) {
    if (request_overhead + encoded_entry(todo.filter) > limits.packet_size)
        return make_error(Errc::packet_too_large,
                          "the broker takes packets of at most " + std::to_string(limits.packet_size) + " bytes");
    if (!todo.subscribe) return std::nullopt;
    if (!limits.shared && parse_shared(todo.filter)) return make_error(Reason::shared_subscriptions_not_supported);
    if (!limits.wildcards && routed(todo.filter).find_first_of("+#") != std::string_view::npos)
        return make_error(Reason::wildcard_subscriptions_not_supported);
    return std::nullopt;
}

void Subscriptions::refuse(const std::string& filter, Wanted& wanted, Error why, std::vector<Event>& events) {
    events.push_back(FilterChanged{filter, Result<Grant>(why), false});
    answer(wanted.waiters, std::move(why), events);
    router_->remove(routed(filter), wanted.route);
    filters_.erase(filter);
}

/// A SUBSCRIBE has one for all its filters.
Router::Identifier Subscriptions::identifier_of(const Todo& todo, const Limits& limits) const {
    if (!todo.subscribe || options_.version != Version::v5 || !limits.subscription_identifiers) return 0;
    return router_->identifier(filters_.find(todo.filter)->second.route);
}

std::optional<Subscriptions::Request> Subscriptions::next(const Limits& limits, std::vector<Event>& events) {
    asking_.clear();
    Request request;
    std::size_t size = request_overhead + options_.subscribe_properties.view().octets().size();
    while (!todo_.empty()) {
        Todo& todo = todo_.front();
        if (!still_to_do(todo)) {
            todo_.pop_front();
            continue;
        }
        if (auto error = refused_here(todo, limits)) {
            const Todo refused = std::move(todo);
            todo_.pop_front();
            if (refused.subscribe) {
                refuse(refused.filter, filters_.find(refused.filter)->second, std::move(*error), events);
            } else {
                answer(leaving_.find(refused.filter)->second.waiters, *error, events);
                leaving_.erase(refused.filter);
            }
            continue;
        }
        const auto identifier = identifier_of(todo, limits);
        if (!asking_.empty() && (todo.subscribe != asking_subscribe_ || identifier != request.identifier)) break;
        if (asking_.size() >= limits.filters_per_request) break;
        if (!asking_.empty() && size + encoded_entry(todo.filter) > limits.packet_size) break;
        size += encoded_entry(todo.filter);
        asking_subscribe_ = todo.subscribe;
        request.identifier = identifier;
        AskedEntry entry;
        entry.filter = std::move(todo.filter);
        SubscribeOptions options;
        todo_.pop_front();
        if (asking_subscribe_) {
            Wanted& wanted = filters_.find(entry.filter)->second;
            wanted.state = State::asked;
            entry.requested = wanted.options.qos;
            entry.generation = wanted.generation;
            options = wanted.options;
            // What was retained came when it was granted first, and should come again only if the broker forgot that.
            const bool once = wanted.confirm && options_.version == Version::v5;
            if (once && options.retain_handling == RetainHandling::send)
                options.retain_handling = RetainHandling::send_if_new;
            entry.waiters = std::exchange(wanted.waiters, {});
        } else {
            Leaving& leaving = leaving_.find(entry.filter)->second;
            leaving.asked = true;
            entry.generation = leaving.generation;
            entry.waiters = std::exchange(leaving.waiters, {});
        }
        asking_.push_back(std::move(entry));
        request.entries.push_back({{}, options});
    }
    if (asking_.empty()) return std::nullopt;
    request.subscribe = asking_subscribe_;
    for (std::size_t i = 0; i < asking_.size(); ++i) request.entries[i].filter = asking_[i].filter;
    return request;
}

void Subscriptions::asked(Time now, PacketId id) {
    asked_[id] = {asking_subscribe_, now + options_.reply_timeout, std::move(asking_)};
    asking_.clear();
}

// ---- The broker's reply --------------------------------------------------------------------------------------------

bool Subscriptions::awaits(PacketId id, bool subscribe) const {
    const auto found = asked_.find(id);
    return found != asked_.end() && found->second.subscribe == subscribe;
}

bool Subscriptions::replied(Time now, PacketId id, bool subscribe, const std::vector<Reason>& reasons,
                            PropertiesView properties, std::vector<Event>& events) {
    const auto found = asked_.find(id);
    const bool reasons_expected = subscribe || options_.version == Version::v5;
    if (reasons_expected && reasons.size() != found->second.entries.size()) return false;
    Asked asked = std::move(found->second);
    asked_.erase(found);
    for (std::size_t i = 0; i < asked.entries.size(); ++i) {
        if (subscribe)
            granted(now, asked.entries[i], reasons[i], properties, events);
        else
            left(asked.entries[i], i < reasons.size() ? reasons[i] : Reason::success, properties, events);
    }
    return true;
}

void Subscriptions::granted(Time now, AskedEntry& entry, Reason reason, PropertiesView properties,
                            std::vector<Event>& events) {
    const auto found = filters_.find(entry.filter);
    Wanted* wanted = found == filters_.end() || found->second.generation != entry.generation ? nullptr : &found->second;
    if (wanted) wanted->unanswered = 0;
    if (!is_refusal(reason)) {
        const Grant grant{entry.requested, static_cast<QoS>(reason), Properties(properties)};
        answer(entry.waiters, grant, events);
        if (!wanted) return;
        const bool as_before = std::exchange(wanted->confirm, false) && wanted->grant == grant;
        wanted->state = State::granted;
        wanted->grant = grant;
        wanted->refusals = 0;
        answer(wanted->waiters, grant, events);
        if (as_before) return;
        events.push_back(FilterChanged{entry.filter, Result<Grant>(grant), true});
        return;
    }
    Error error = make_error(reason, reason_text(properties));
    answer(entry.waiters, error, events);
    if (!wanted) return;
    answer(wanted->waiters, error, events);
    if (!is_passing(reason)) return refuse(entry.filter, *wanted, std::move(error), events);
    Duration span = options_.backoff.min;
    for (unsigned i = 0; i < wanted->refusals && span < options_.backoff.max; ++i) span *= 2;
    ++wanted->refusals;
    wanted->state = State::wanted;
    wanted->confirm = false;
    wanted->retry_at = now + std::min(span, options_.backoff.max);
    retries_.emplace(*wanted->retry_at, entry.filter);
    events.push_back(FilterChanged{entry.filter, Result<Grant>(std::move(error)), true});
}

// The filter is not wanted any more, whatever UNSUBACK says of it. A refusal is told to those who asked.
void Subscriptions::left(AskedEntry& entry, Reason reason, PropertiesView properties, std::vector<Event>& events) {
    const Result<Grant> result =
        is_refusal(reason) ? Result<Grant>(make_error(reason, reason_text(properties))) : Result<Grant>(Grant{});
    answer(entry.waiters, result, events);
    const auto leaving = leaving_.find(entry.filter);
    if (leaving == leaving_.end() || leaving->second.generation != entry.generation) return;
    answer(leaving->second.waiters, result, events);
    leaving_.erase(leaving);
    if (filters_.find(entry.filter) == filters_.end())
        events.push_back(FilterChanged{std::move(entry.filter), std::nullopt, false});
}

// ---- Time ----------------------------------------------------------------------------------------------------------

void Subscriptions::hold(Time now, bool held) {
    held_ = held;
    for (auto& [id, asked] : asked_)
        if (asked.reply_by) asked.reply_by = now + options_.reply_timeout;
}

std::optional<Time> Subscriptions::reply_due() const {
    if (held_) return std::nullopt;
    std::optional<Time> soonest;
    for (const auto& [id, asked] : asked_)
        if (asked.reply_by && (!soonest || *asked.reply_by < *soonest)) soonest = asked.reply_by;
    return soonest;
}

std::optional<Time> Subscriptions::retry_due() const {
    return retries_.empty() ? std::nullopt : std::optional(retries_.begin()->first);
}

bool Subscriptions::elapsed(Time now, std::vector<Event>& events) {
    bool patient = true;
    for (auto& [id, asked] : asked_) {
        if (held_ || !asked.reply_by || *asked.reply_by > now) continue;
        ask_again(asked, events);
        patient &= count_unanswered(asked);
    }
    while (!retries_.empty() && retries_.begin()->first <= now) {
        const auto due = retries_.extract(retries_.begin());
        const auto wanted = filters_.find(due.mapped());
        if (wanted == filters_.end() || wanted->second.retry_at != due.key()) continue;
        wanted->second.retry_at.reset();
        todo_.push_back({true, due.mapped()});
    }
    return patient;
}

std::vector<Snapshot::Filter> Subscriptions::list() const {
    std::vector<Snapshot::Filter> all;
    all.reserve(filters_.size());
    for (const auto& [filter, wanted] : filters_) {
        const bool granted = wanted.state == State::granted || wanted.confirm;
        all.push_back({{filter, wanted.options}, granted ? std::optional(wanted.grant) : std::nullopt});
    }
    return all;
}

} // namespace tortoise::core
