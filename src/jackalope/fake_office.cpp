#include "jackalope/fake_office.hpp"
#include "jackalope/adapter.hpp"
#include "jackalope/settings.hpp"
#include <algorithm>
#include <tortoise/topic.hpp>

namespace jackalope::testing {

using tortoise::Delivery;
using tortoise::Done;
using tortoise::Errc;
using tortoise::Error;
using tortoise::FilterStatus;
using tortoise::Grant;
using tortoise::Pending;
using tortoise::Promise;
using tortoise::QoS;
using tortoise::Receipt;
using tortoise::Result;
using tortoise::SessionInfo;
using tortoise::detail::Ref;

namespace {

constexpr tortoise::Duration longest = std::chrono::hours(24 * 365); // as good as for ever, and far from overflow

bool keeps(const SessionOptions& o) { return o.store || o.work_list.store; }

} // namespace

FakeSession::Office::Office(SessionOptions o)
    : client_id_(o.client_id), version_(o.connection.version), keeps_(keeps(o)) {
    if (auto valid = connection_options(o); !valid) {
        error_ = std::move(valid).error();
        return;
    }
    handler_.reset(make_one(o.handler));
    list_ = o.work_list.make ? std::unique_ptr<WorkList>(o.work_list.make())
                             : tortoise::core::make_work_list(o.work_list.bounds);
    for (auto& filter : o.initial_topics) filters_.push_back({std::move(filter)});
    self_.emplace(session(Ref<Session::Office>::share(this)));
}

void FakeSession::Office::run() {
    if (running_) return;
    struct Running {
        explicit Running(bool& f) : flag(f) { flag = true; }
        ~Running() { flag = false; }
        bool& flag;
    } const running(running_);
    while (!calls_.empty()) {
        auto call = std::move(calls_.front());
        calls_.pop_front();
        call();
    }
}

// ---- Publishing ----------------------------------------------------------------------------------------------------

Error FakeSession::Office::stopped() const {
    return make_error(Errc::stopped, error_.code == Errc::stopped ? error_.text : error_.describe());
}

std::optional<Error> FakeSession::Office::refusal(std::string_view topic, const PublishOptions& options) const {
    if (ended()) return stopped();
    if (auto valid = tortoise::check_topic(topic); !valid) return std::move(valid).error();
    return refusal_of(options);
}

Delivery FakeSession::Office::publish(std::string_view topic, tortoise::Octets payload, PublishOptions options) {
    tortoise::Message message{std::string(topic), std::string(payload), options.qos, options.retain};
    message.properties = options.properties;
    published_.push_back({message, options});
    ++statistics_.published;
    if (auto why = refusal(topic, options)) {
        ++statistics_.undelivered;
        return Delivery(Result<Receipt>(std::move(*why)));
    }
    WorkItem item;
    item.message = std::move(message);
    item.key = ++last_key_;
    item.priority = options.priority;
    item.accepted = now_;
    item.expires = now_ + std::min(options.ttl, longest);
    // QoS 0 is done when it is taken, unless it is kept until it is sent.
    const bool tracked = options.qos != QoS::at_most_once || keeps_;
    const auto publishing = Ref<Publishing>::adopt(new Publishing(true));
    if (tracked) {
        item.token = item.key;
        open_.emplace(item.token, publishing);
        publishing->set_canceller([office = Ref<Office>::share(this), token = item.token] { office->cancel(token); });
    } else {
        publishing->answer(Receipt{});
    }
    take(std::move(item));
    run();
    return Delivery(publishing);
}

void FakeSession::Office::take(WorkItem item) {
    const bool at_once = status_ == ConnectionStatus::online && list_->empty() && item.expires > now_;
    if (at_once) return send(std::move(item));
    list_->push(std::move(item), dropped_);
    list_->expire(now_, dropped_);
    drop();
    flush();
}

void FakeSession::Office::send(WorkItem item) {
    ++item.attempts;
    if (holds_ && item.message.qos != QoS::at_most_once)
        in_flight_.push_back(std::move(item));
    else
        delivered(std::move(item));
}

void FakeSession::Office::flush() {
    while (status_ == ConnectionStatus::online && !list_->empty()) send(list_->pop());
}

void FakeSession::Office::drop() {
    for (auto& [item, why] : dropped_) undelivered(std::move(item), make_error(why));
    dropped_.clear();
}

Ref<tortoise::detail::Publishing> FakeSession::Office::publishing_of(const WorkItem& item) {
    const auto found = open_.extract(item.token);
    return found ? found.mapped() : Ref<Publishing>();
}

void FakeSession::Office::delivered(WorkItem item) {
    ++statistics_.delivered;
    if (auto publishing = publishing_of(item)) {
        later([publishing, item = std::move(item), took = now_ - item.accepted] {
            publishing->answer(Receipt{item.message.qos, tortoise::Reason::success, item.attempts, took, {}});
        });
    }
}

void FakeSession::Office::undelivered(WorkItem item, Error why) {
    ++statistics_.undelivered;
    if (why.code == Errc::expired) ++statistics_.expired;
    if (why.code == Errc::displaced) ++statistics_.displaced;
    if (why.code.category() == tortoise::reason_category()) ++statistics_.refused;
    later([this, publishing = publishing_of(item), item = std::move(item), why = std::move(why)] {
        if (publishing) publishing->answer(why);
        handler_->error(*self_, {item.message.view(), why});
    });
}

void FakeSession::Office::cancel(std::uint64_t token) {
    if (ended()) return;
    auto item = list_->remove(token);
    const auto flying =
        std::find_if(in_flight_.begin(), in_flight_.end(), [&](const WorkItem& i) { return i.token == token; });
    if (flying != in_flight_.end()) {
        item = std::move(*flying);
        in_flight_.erase(flying);
    }
    if (item) undelivered(std::move(*item), make_error(Errc::cancelled));
    run();
}

bool FakeSession::Office::end_next(std::optional<Error> why) {
    if (in_flight_.empty()) return false;
    auto item = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (why)
        undelivered(std::move(item), std::move(*why));
    else
        delivered(std::move(item));
    run();
    return true;
}

void FakeSession::Office::pass(tortoise::Duration d) {
    now_ += d;
    if (ended()) return;
    list_->expire(now_, dropped_);
    drop();
    run();
}

// ---- The connection ------------------------------------------------------------------------------------------------

Pending<SessionInfo> FakeSession::Office::online() {
    if (ended()) return Pending<SessionInfo>(error_);
    if (status_ == ConnectionStatus::online) return Pending<SessionInfo>(info_);
    return waiting_.emplace_back().pending();
}

void FakeSession::Office::go_online(bool session_present) {
    if (ended() || status_ == ConnectionStatus::online) return;
    status_ = ConnectionStatus::online;
    ++statistics_.connects;
    info_ = {.session_present = session_present, .client_id = client_id_, .version = version_};
    later([this] { handler_->connection(*self_, ConnectionStatus::online, {}); });
    for (auto& promise : std::exchange(waiting_, {})) later([promise, info = info_] { promise.answer(info); });
    for (auto& promise : std::exchange(unsubscribing_, {})) later([promise] { promise.answer(Done{}); });
    for (auto& filter : filters_) {
        if (!session_present) filter.granted.reset();
        if (!filter.granted) ask(filter);
    }
    std::erase_if(filters_, [](const Filter& f) { return !f.granted; });
    if (!session_present) {
        for (; !in_flight_.empty(); in_flight_.pop_back()) list_->put_back(std::move(in_flight_.back()));
        list_->expire(now_, dropped_);
        drop();
    }
    flush();
    run();
}

void FakeSession::Office::go_offline(Error why) {
    if (ended()) return;
    (status_ == ConnectionStatus::online ? statistics_.drops : statistics_.failures) += 1;
    status_ = ConnectionStatus::offline;
    error_ = why;
    later([this, why = std::move(why)] { handler_->connection(*self_, ConnectionStatus::offline, why); });
    run();
}

Pending<Done> FakeSession::Office::stop(tortoise::Duration) {
    if (!ended()) end(make_error(Errc::stopped));
    run();
    return Pending<Done>(Result<Done>(Done{}));
}

void FakeSession::Office::end(const Error& why) {
    status_ = ConnectionStatus::offline;
    error_ = why;
    for (auto& item : std::exchange(in_flight_, {})) undelivered(std::move(item), why);
    while (!list_->empty()) undelivered(list_->pop(), why);
    list_.reset();
    for (auto& filter : filters_)
        for (auto& promise : filter.asked) later([promise, why] { promise.answer(why); });
    filters_.clear();
    for (auto& promise : std::exchange(unsubscribing_, {})) later([promise, why] { promise.answer(why); });
    for (auto& promise : std::exchange(waiting_, {})) later([promise, why] { promise.answer(why); });
    later([this, why] { handler_->connection(*self_, ConnectionStatus::offline, why); });
}

void FakeSession::Office::let_go() {
    calls_.clear();
    handler_.reset();
    self_.reset();
}

// ---- Subscriptions -------------------------------------------------------------------------------------------------

Pending<Grant> FakeSession::Office::subscribe(tortoise::TopicFilter filter) {
    if (ended()) return Pending<Grant>(stopped());
    if (auto valid = tortoise::check_filter(filter.filter); !valid) return Pending<Grant>(std::move(valid).error());
    auto entry = std::find_if(filters_.begin(), filters_.end(),
                              [&](const Filter& f) { return f.filter.filter == filter.filter; });
    if (entry == filters_.end()) entry = filters_.insert(entry, Filter{});
    entry->filter = std::move(filter);
    entry->granted.reset();
    auto pending = entry->asked.emplace_back().pending();
    if (status_ == ConnectionStatus::online) {
        ask(*entry);
        if (!entry->granted) filters_.erase(entry);
    }
    run();
    return pending;
}

/// The broker answers.
void FakeSession::Office::ask(Filter& f) {
    Result<Grant> result = Grant{f.filter.options.qos, f.filter.options.qos};
    FilterStatus status{.kind = FilterStatus::Kind::up, .grant = *result};
    if (!refusals_.empty()) {
        result = std::move(refusals_.front());
        refusals_.pop_front();
        status = {.kind = FilterStatus::Kind::refused, .reason = result.error()};
    } else {
        f.granted = result->granted;
    }
    for (auto& promise : std::exchange(f.asked, {})) later([promise, result] { promise.answer(result); });
    tell_filter(f.filter.filter, std::move(status));
}

void FakeSession::Office::tell_filter(std::string filter, FilterStatus status) {
    later([this, filter = std::move(filter), status = std::move(status)]() mutable {
        status.filter = filter;
        handler_->subscription(*self_, status);
    });
}

Pending<Done> FakeSession::Office::unsubscribe(std::string filter) {
    if (ended()) return Pending<Done>(stopped());
    const auto entry =
        std::find_if(filters_.begin(), filters_.end(), [&](const Filter& f) { return f.filter.filter == filter; });
    if (entry != filters_.end()) {
        for (auto& promise : entry->asked) later([promise] { promise.answer(Errc::cancelled); });
        filters_.erase(entry);
        tell_filter(std::move(filter), {.kind = FilterStatus::Kind::down});
    }
    Promise<Done> promise;
    if (status_ == ConnectionStatus::online)
        later([promise] { promise.answer(Done{}); });
    else
        unsubscribing_.push_back(promise);
    run();
    return promise.pending();
}

std::vector<tortoise::TopicFilter> FakeSession::Office::subscriptions() const {
    std::vector<tortoise::TopicFilter> wanted;
    for (const auto& f : filters_) wanted.push_back(f.filter);
    return wanted;
}

bool FakeSession::Office::receive(std::string_view topic, tortoise::Octets payload, QoS qos) {
    if (ended() || status_ == ConnectionStatus::offline) return false;
    std::optional<QoS> granted;
    for (const auto& f : filters_)
        if (f.granted && tortoise::matches(f.filter.filter, topic)) granted = std::max(granted, f.granted);
    if (!granted) return false;
    ++statistics_.messages_received;
    tortoise::Message message{std::string(topic), std::string(payload), std::min(qos, *granted)};
    later([this, message = std::move(message)] { handler_->message(*self_, message.view()); });
    run();
    return true;
}

tortoise::Statistics FakeSession::Office::statistics() const {
    auto s = statistics_;
    s.queued_messages = list_ ? list_->count() : 0;
    s.queued_bytes = list_ ? list_->bytes() : 0;
    s.in_flight = in_flight_.size();
    return s;
}

} // namespace jackalope::testing
