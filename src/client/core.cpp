// The part of a connection that any thread may call.
#include "client/core.hpp"
#include "client/pipe.hpp"
#include "client/registry.hpp"
#include <algorithm>
#include <chrono>
#include <tortoise/core/codec.hpp>
#include <tortoise/topic.hpp>

namespace tortoise {

namespace {

// Besides the queue's bounds: what is asked for in a rush has to get there.
constexpr std::size_t least_mailbox = 1024 * 1024, least_publishes = 10'000;
constexpr std::size_t request_cost = 64;                   // of each filter, besides its length
constexpr Duration longest = std::chrono::hours(24 * 365); // as good as for ever, and far from overflow

template <class T> Pending<T> failed(Error error) { return Pending<T>(Result<T>(std::move(error))); }
Delivery undeliverable(Error error) { return Delivery(Result<Receipt>(std::move(error))); }

/// QoS 0 is done when it is taken: always the same answer, which nobody has to count.
const Delivery& taken() {
    static const auto& delivery = *[] {
        auto* const d = new Delivery(Result<Receipt>(Receipt{}));
        d->state()->make_immortal();
        return d;
    }();
    return delivery;
}

/// A queue that lets others give way has to see everything; one that refuses may do so from afar.
std::size_t most_publishes(const Queue& queue, bool refuses) {
    return refuses ? std::max(queue.messages, least_publishes) : io::Mailbox::no_limit;
}

} // namespace

Connection::Core::Core(const core::EngineOptions& options, Acknowledge acknowledge, bool own_work_list,
                       const Runtime& runtime)
    : client_id_(options.client_id), loops_(detail::Ref<io::Loops>::share(&runtime.loops())), loop_(loops_->next()),
      queue_refuses_(options.queue.overflow == Overflow::reject && !own_work_list),
      mailbox_(options.version, std::max(options.queue.bytes, least_mailbox),
               most_publishes(options.queue, queue_refuses_)),
      version_(options.version), rules_(core::PublishRules::of(options)), persistent_(options.persistent),
      acknowledge_(acknowledge), listeners_(registry().listeners), latch_(std::make_shared<io::Latch>()),
      stopped_(detail::Ref<detail::PendingResult<Done>>::adopt(new detail::PendingResult<Done>)),
      self_(detail::Ref<Core>(), detail::Ref<Owner>()), queue_(options.queue) {}

Connection::Core::~Core() = default;

detail::Ref<Connection::Core> Connection::Core::make(ConnectionOptions options, const Runtime& runtime, Gone gone) {
    core::EngineOptions invalid;
    invalid.client_id = options.client_id.empty() ? made_up_client_id() : options.client_id;
    const auto acknowledge = options.acknowledge;
    const bool own_work_list = static_cast<bool>(options.work_list);
    auto settings = settings_from(std::move(options));
    auto core =
        detail::Ref<Core>::adopt(new Core(settings ? settings->engine : invalid, acknowledge, own_work_list, runtime));
    core->gone_ = std::move(gone);
    if (settings && !registry().connections.add(*core)) {
        settings =
            make_error(Errc::duplicate_client_id, "a connection '" + core->client_id_ + "' is running in this process");
    }
    if (settings)
        core->start(std::move(*settings));
    else
        core->stop_from_the_start(std::move(settings).error());
    return core;
}

void Connection::Core::start(Settings settings) {
    wanted_.subscribe(settings.engine.subscriptions, nullptr, [] { return true; });
    loop_.hold(); // until finish()
    loop_.post([core = detail::Ref<Core>::share(this), settings = std::move(settings)]() mutable {
        core->begin(std::move(settings));
    });
}

void Connection::Core::stop_from_the_start(Error why) {
    refused_ = true;
    error_ = std::move(why);
    status_ = Status::stopped;
    mailbox_.close();
    stopped_->answer(Done{});
    latch_->set();
}

Error Connection::Core::error() const {
    std::lock_guard lock(mutex_);
    return error_;
}

Error Connection::Core::stopped_error() const {
    const auto why = error();
    return make_error(Errc::stopped, why.code == Errc::stopped ? why.text : why.describe());
}

std::optional<Error> Connection::Core::posted(io::Mailbox::Put put) {
    using Put = io::Mailbox::Put;
    switch (put) {
    case Put::taken: return std::nullopt;
    case Put::taken_by_sleeper: wake(); return std::nullopt;
    case Put::full: return make_error(Errc::queue_full, "more was asked for than the connection could take up so far");
    case Put::closed: return stopped_error();
    }
    return std::nullopt;
}

void Connection::Core::wake() {
    loop_.post([core = detail::Ref<Core>::share(this)] { core->turn(); });
}

Pending<SessionInfo> Connection::Core::ready() {
    std::lock_guard lock(mutex_);
    if (status() == Status::up) return Pending<SessionInfo>(Result<SessionInfo>(session_));
    if (status() == Status::stopped) return failed<SessionInfo>(error_);
    if (!ready_) {
        ready_ = detail::Ref<detail::PendingResult<SessionInfo>>::adopt(new detail::PendingResult<SessionInfo>);
    }
    return Pending<SessionInfo>(ready_);
}

Pending<Done> Connection::Core::lost() {
    std::lock_guard lock(mutex_);
    if (status() != Status::up) return Pending<Done>(Result<Done>(Done{}));
    if (!lost_) lost_ = detail::Ref<detail::PendingResult<Done>>::adopt(new detail::PendingResult<Done>);
    return Pending<Done>(lost_);
}

Result<SessionInfo> Connection::Core::wait_until_up(Duration at_most) {
    auto result = ready().wait(at_most);
    if (result || result.error().code != Errc::timeout) return result;
    auto last = error();
    return last.code ? Result<SessionInfo>(std::move(last)) : result;
}

core::PublishRequest Connection::Core::request_for(std::string_view topic, Octets payload,
                                                   const PublishOptions& options) const {
    core::PublishRequest request{.topic = topic,
                                 .payload = payload,
                                 .qos = options.qos,
                                 .retain = options.retain,
                                 .priority = options.priority,
                                 .properties = options.properties};
    if (options.ttl) request.ttl = std::clamp(*options.ttl, Duration(0), longest);
    return request;
}

std::optional<Error> Connection::Core::check(core::PublishRequest& request) const {
    auto wrong = core::check_publish(rules_, request);
    request.checked = !wrong;
    return wrong;
}

std::optional<Error> Connection::Core::post_publish(const core::PublishRequest& request) {
    return posted(mailbox_.put(request, request.ttl ? io::Loop::now() : io::Time{}));
}

std::optional<Error> Connection::Core::publish(Pipe::Core& pipe, std::string_view topic, Octets payload,
                                               const PublishOptions& options) {
    auto request = request_for(topic, payload, options);
    if (auto wrong = check(request)) return wrong;
    request.token = pipe.token();
    return post_publish(request);
}

std::optional<Error> Connection::Core::in_turn(Fn<void()> call) {
    return posted(mailbox_.put([call = std::move(call)](const Error*) mutable { call(); }));
}

Delivery Connection::Core::publish(std::string_view topic, Octets payload, const PublishOptions& options) {
    const auto turned_away = [this](Error why) {
        meters_.turned_away.fetch_add(1, std::memory_order_relaxed);
        return undeliverable(std::move(why));
    };
    auto request = request_for(topic, payload, options);
    if (auto wrong = check(request)) return turned_away(std::move(*wrong));
    if (options.qos == QoS::at_most_once && !persistent_) {
        if (auto error = post_publish(request)) return turned_away(std::move(*error));
        return taken();
    }
    auto publishing = detail::Ref<Publishing>::adopt(new Publishing(!persistent_, this));
    publishing->retain(); // for the token, until the event that ends it
    request.token = reinterpret_cast<core::Token>(publishing.get());
    if (auto error = post_publish(request)) {
        publishing->release();
        return turned_away(std::move(*error));
    }
    return Delivery(std::move(publishing));
}

Fn<void()> Connection::Core::withdrawal(Publishing& publishing) {
    return [core = detail::Ref<Core>::share(this), p = detail::Ref<Publishing>::share(&publishing)] {
        core->cancel(p.get());
    };
}

// The engine may not know it yet: then its turn to be published finds it answered.
void Connection::Core::cancel(Publishing* publishing) {
    posted(mailbox_.put_urgent([this, p = detail::Ref<Publishing>::share(publishing)](const Error* ended) {
        if (ended || p->done()) return;
        engine().cancel(now(), reinterpret_cast<core::Token>(p.get()));
        withdrawn_ = true;
        answering([&] { p->answer(Errc::cancelled); });
    }));
}

void Connection::Core::subscribe(std::vector<TopicFilter> filters, std::optional<Routes::Taker> taker,
                                 std::unique_ptr<Request<Grant>> request, WantedFilters::Owner owner) {
    std::vector<TopicFilter> valid;
    std::vector<std::string> names;
    std::size_t cost = 0;
    for (const auto& f : filters) {
        cost += request_cost + f.filter.size();
        if (!check_subscription(f, version_)) continue;
        valid.push_back(f);
        names.push_back(f.filter);
    }
    const auto stream = taker && taker->index() == 1 ? std::get<1>(*taker) : detail::Ref<Stream::Core>();
    auto* const to = request.get();
    io::Mailbox::Call call = [this, filters = std::move(filters), names = std::move(names), taker = std::move(taker),
                              to](const Error* ended) mutable {
        if (!ended) return subscribe_now(std::move(filters), names, std::move(taker), to);
        if (taker) answering([&] { Routes::end(*taker, *ended); });
        if (to) answering([&] { to->fail(*ended); });
        delete to;
    };
    std::optional<Error> error;
    wanted_.subscribe(valid, stream ? stream.get() : owner, [&] {
        error = posted(mailbox_.put(std::move(call), cost));
        return !error;
    });
    if (!error) {
        static_cast<void>(request.release());
        return;
    }
    if (stream) stream->end(*error);
    if (request) request->fail(*error);
}

Pending<std::vector<Result<Grant>>> Connection::Core::subscribe(std::vector<TopicFilter> filters,
                                                                std::optional<Routes::Taker> taker) {
    using Grants = detail::PendingResult<std::vector<Result<Grant>>>;
    auto pending = detail::Ref<Grants>::adopt(new Grants);
    const auto count = filters.size();
    subscribe(std::move(filters), std::move(taker), std::make_unique<ListRequest<Grant>>(count, pending));
    return Pending<std::vector<Result<Grant>>>(std::move(pending));
}

io::Mailbox::Call Connection::Core::unsubscribing(std::vector<std::string> filters, std::vector<std::string> valid,
                                                  Request<Done>* to) {
    return [this, filters = std::move(filters), valid = std::move(valid), to](const Error* ended) mutable {
        if (!ended) {
            for (const auto& f : valid) answering([&] { routes_.erase(f); });
            engine().unsubscribe(now(), std::move(filters), to ? to->token() : 0);
            return wanted_.arrived(valid);
        }
        if (to) answering([&] { to->fail(*ended); });
        delete to;
    };
}

void Connection::Core::unsubscribe(std::vector<std::string> filters, std::unique_ptr<Request<Done>> request) {
    std::vector<std::string> valid;
    std::size_t cost = 0;
    for (const auto& f : filters) {
        cost += request_cost + f.size();
        if (check_filter(f)) valid.push_back(f);
    }
    auto call = unsubscribing(std::move(filters), valid, request.get());
    std::optional<Error> error;
    wanted_.unsubscribe(valid, [&] {
        error = posted(mailbox_.put(std::move(call), cost));
        return !error;
    });
    if (!error)
        static_cast<void>(request.release());
    else if (request)
        request->fail(*error);
}

void Connection::Core::unsubscribe_owned(const std::vector<TopicFilter>& filters, WantedFilters::Owner owner) {
    wanted_.unsubscribe_owned(filters, owner, [&](const std::vector<std::string>& names) {
        return !posted(mailbox_.put(unsubscribing(names, names, nullptr)));
    });
}

Pending<Duration> Connection::Core::ping() {
    auto pinging = detail::Ref<Pinging>::adopt(new Pinging);
    io::Mailbox::Call call = [this, p = pinging](const Error* ended) mutable {
        if (ended) return answering([&] { p->answer(*ended); });
        engine().ping(now(), reinterpret_cast<core::Token>(p.detach()));
    };
    if (auto error = posted(mailbox_.put(std::move(call), request_cost))) return failed<Duration>(std::move(*error));
    return Pending<Duration>(std::move(pinging));
}

void Connection::Core::reconnect() {
    posted(mailbox_.put_urgent([this](const Error* ended) {
        if (!ended) engine().reconnect(now());
    }));
}

Pending<Done> Connection::Core::stop(Duration drain, DisconnectOptions options) {
    if (auto ok = check_disconnect(options, version_); !ok) return Pending<Done>(Result<Done>(std::move(ok).error()));
    const auto until = io::Loop::now() + std::clamp(drain, Duration(0), longest);
    // What was published before goes first. If the peer does not take it, that is waited for no longer than this.
    posted(mailbox_.put_urgent([this, until](const Error* ended) {
        if (!ended) be_patient_until(until);
    }));
    posted(mailbox_.put([this, until, options = std::move(options)](const Error* ended) mutable {
        if (ended) return;
        const auto at = now();
        engine().stop(at, std::max(until - at, Duration(0)), make_error(Errc::stopped), std::move(options));
    }));
    return Pending<Done>(stopped_);
}

void Connection::Core::end() {
    stop({});
    if (loops_->may_be_awaited()) latch_->wait();
}

} // namespace tortoise
