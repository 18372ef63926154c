// The part of a connection that lives on its loop: what the engine says to the user, and the user to the engine.
#include "client/core.hpp"
#include "client/pipe.hpp"
#include "client/question.hpp"
#include "client/registry.hpp"
#include "core/publish_run.hpp"
#include "io/prefetch.hpp"
#include <algorithm>
#include <exception>
#include <variant>

namespace tortoise {

namespace {

// After so much the loop's other connections have their turn, and what piled up is written.
constexpr std::size_t slice_octets = 64 * 1024;
constexpr int slice_records = 1024;
constexpr int slices_per_turn = 16;
// Who publishes so many in so short a time at QoS 0, which waits for nothing, goes on with it: to look again soon costs
// less than to be woken again and again. So does a write of many than several of few.
constexpr std::size_t many = 64;
constexpr auto soon = std::chrono::microseconds(50);

/// None for the default one. What is wrong with the factory is the error.
Result<std::unique_ptr<core::WorkList>> work_list_of(const WorkListFactory& make) {
    std::unique_ptr<core::WorkList> list;
    if (!make) return list;
    try {
        list.reset(make());
    } catch (const std::exception& e) {
        return make_error(Errc::invalid_option, std::string("the work list's factory threw: ") + e.what());
    } catch (...) {
        return make_error(Errc::invalid_option, "the work list's factory threw");
    }
    if (!list) return make_error(Errc::invalid_option, "the work list's factory returned null");
    return list;
}

core::WallTime wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

} // namespace

void Connection::Core::crash(Error why) {
    if (std::exchange(crashed_, true) || ended_) return;
    if (handler_failure_ == HandlerFailure::end || why.code != Errc::handler_threw)
        return engine().stop(now(), {}, std::move(why));
    handler_failed_ = why;
    engine().drop(now(), std::move(why));
    // Not now: the handler may be at work. One that failed before it had begun is gone by then, and has its successor
    // at the next attempt to connect, lest they fail in a loop.
    loop_.post([core = detail::Ref<Core>::share(this)] {
        if (core->ended_ || !core->handler_) return;
        core->replace_handler();
        core->driver_->drain();
    });
}

void Connection::Core::let_handler_go() {
    if (!handler_failed_) return; // there is another one already
    if (handler_) handler_->terminate(*handler_failed_);
    handler_.reset();
}

// Messages for which no handler was called were not acknowledged: the broker sends them again.
void Connection::Core::replace_handler() {
    if (!handler_failed_) return;
    let_handler_go();
    handler_failed_.reset();
    crashed_ = false;
    make_handler();
}

// ---- Beginning and end ---------------------------------------------------------------------------------------------

void Connection::Core::begin(Settings settings) {
    self_ = Connection(detail::Ref<Core>::share(this), detail::Ref<Owner>());
    make_handler_ = std::move(settings.handler);
    handler_failure_ = settings.handler_failure;
    credentials_ = std::move(settings.credentials);
    ask_credentials_ = std::move(settings.ask_credentials);
    make_authenticator_ = std::move(settings.authenticator);
    redirects_ = settings.redirects;
    will_ = std::move(settings.will);
    std::vector<std::string> filters;
    for (const auto& f : settings.engine.subscriptions) filters.push_back(f.filter);
    kept_session_ = std::move(settings.kept);
    auto work_list = work_list_of(settings.work_list);
    driver_ = std::make_unique<io::Driver>(
        loop_, loops_->resolver(),
        core::Engine(std::move(settings.engine), random_seed(), work_list ? *std::move(work_list) : nullptr),
        std::move(settings.endpoints), std::move(settings.means), *this,
        io::Keeping{kept_session_ ? kept_session_.adaptor() : nullptr, kept_session_.name()});
    if (!work_list) engine().stop(now(), {}, work_list.error());
    restore();
    wanted_.arrived(filters);
    make_handler();
    for (const auto& text : settings.warnings) guarded([&] { handler_->warning(self_, text); });
    engine().start(now()); // to no avail if something stopped it already
    turn();
}

void Connection::Core::restore() {
    if (!kept_session_) return;
    auto restored = engine().restore(now(), wall_now(), kept_session_.records());
    kept_session_.forget_records();
    if (!restored) engine().stop(now(), {}, std::move(restored).error());
}

void Connection::Core::make_handler() {
    if (!make_handler_)
        handler_ = std::make_unique<Handler>();
    else
        answering([&] { handler_.reset(make_handler_.make()); });
    if (!handler_ && !crashed_) return crash(make_error(Errc::invalid_option, "the handler's factory returned null"));
    if (!guarded([&] { handler_->init(self_); })) let_handler_go();
}

void Connection::Core::on(core::Stopped& event) {
    {
        std::lock_guard lock(mutex_);
        error_ = event.why;
    }
    ended_ = true;
    registry().connections.remove(*this);
    close_question();
    authentication_failed(event.why);
    mailbox_.close();
    empty_mailbox(stopped_error());
    change_status({.status = Status::stopped, .reason = event.why});
    detail::Ref<detail::PendingResult<SessionInfo>> ready;
    {
        std::lock_guard lock(mutex_);
        ready = std::move(ready_);
    }
    if (ready) answering([&] { ready->answer(event.why); });
    if (!end_told_) tell_error(event.why);
    if (handler_) handler_->terminate(event.why);
    handler_.reset();
    const auto why = stopped_error();
    answering([&] { routes_.clear(why); });
    end_replies(why);
    finish_once_kept(event.why);
}

void Connection::Core::finish_once_kept(Error why) {
    // Not from in here: the driver is at work.
    loop_.post([core = detail::Ref<Core>::share(this), why = std::move(why)]() mutable {
        if (const auto* keeper = core->driver_->keeper(); keeper && !keeper->idle()) {
            core->finishing_ = std::move(why);
            static_cast<void>(core.detach()); // kept() takes it up
            return;
        }
        core->finish();
        const auto latch = core->latch_;
        auto gone = std::move(core->gone_);
        core = {};
        latch->set(); // last: now the runtime may go, and best on another thread
        if (gone) gone(why);
    });
}

void Connection::Core::empty_mailbox(const Error& why) {
    std::vector<io::Mailbox::Call> urgent;
    mailbox_.take_urgent(urgent);
    for (auto& call : urgent) call(&why);
    while (!batch_.empty() || mailbox_.take(batch_)) {
        const auto not_sent = [&](const core::PublishRequest& p, io::Time = {}) {
            undelivered(p.token, {p.topic, p.payload, p.qos, p.retain, false, p.properties}, why);
        };
        mailbox_.next(
            batch_, not_sent, [&](const core::PublishRun& run, core::Token token) { each_of(run, token, not_sent); },
            [&](io::Mailbox::Call call) { call(&why); });
    }
}

void Connection::Core::finish() {
    patience_.reset();
    reply_timer_.reset();
    soon_.reset();
    driver_.reset();
    kept_session_ = KeptSession();
    answering([&] { stopped_->answer(Done{}); });
    self_ = Connection(detail::Ref<Core>(), detail::Ref<Owner>());
    loop_.let_go();
}

// ---- From the user to the engine -----------------------------------------------------------------------------------

void Connection::Core::turn() {
    if (ended_) return;
    if (persistent_) engine().set_wall_clock(now(), wall_now());
    urgent_.clear();
    mailbox_.take_urgent(urgent_);
    for (auto& call : urgent_) call(nullptr);
    urgent_.clear();
    if (const auto at = now(); at - counting_since_ >= soon) {
        counting_since_ = at;
        at_most_once_ = 0;
    }
    for (int slice = 0; slice < slices_per_turn; ++slice) {
        driver_->drain();
        // Who is paused does not sleep: unblocked() goes on.
        if (ended_ || paused() || (batch_.empty() && !refill())) return;
        consume_slice();
        if (!batch_.empty()) mailbox_.give_back(batch_);
    }
    driver_->drain();
    if (!ended_) wake();
}

bool Connection::Core::refill() {
    if (at_most_once_ < many) {
        const bool any = mailbox_.take(batch_);
        withdrawn_ = withdrawn_ && any;
        return any;
    }
    if (mailbox_.take_if(slice_octets / 2, batch_)) return true;
    if (!soon_) soon_ = std::make_unique<io::Timer>(loop_, [this] { turn(); });
    soon_->arm(io::Loop::now() + soon);
    return false;
}

void Connection::Core::consume_slice() {
    const auto enough = batch_.consumed() + slice_octets;
    driver_->tick();
    for (int i = 0; i < slice_records && !batch_.empty() && batch_.consumed() < enough; ++i) {
        mailbox_.next(
            batch_, [&](const core::PublishRequest& request, io::Time at) { publish_now(request, at); },
            [&](const core::PublishRun& run, core::Token token) {
                at_most_once_ += run.count;
                publish_run(run, token);
            },
            [&](io::Mailbox::Call call) {
                call(nullptr);
                driver_->tick();
            });
    }
}

void Connection::Core::publish_run(const core::PublishRun& run, core::Token token) {
    auto* const pipe = Pipe::Core::of(token);
    if ((token != 0 && pipe == nullptr) || !driver_->pass(driver_->now(), run))
        return each_of(run, token, [this](const core::PublishRequest& request) { publish_now(request, {}); });
    if (pipe != nullptr) pipe->went(run.count);
}

template <class Publish>
void Connection::Core::each_of(const core::PublishRun& run, core::Token token, Publish publish) const {
    for (auto rest = run.octets; !rest.empty();) {
        auto request = core::take_from_run(version_, rest);
        request.token = token;
        publish(request);
    }
}

// While the peer does not read, publishes wait where their senders get to know that it is full, rather than overflow
// the queue. The other policies are about what is in the queue: there everything has to get.
bool Connection::Core::paused() const {
    if (driver_->keeper() && driver_->keeper()->busy()) return true; // kept() goes on
    return driver_->blocked() && queue_refuses_ && !impatient_;
}

void Connection::Core::unblocked() { wake(); }

void Connection::Core::kept() {
    const auto& keeper = *driver_->keeper();
    if (keeper.failure() && !ended_) {
        acceptances_.clear(); // they end with their deliveries
        driver_->abandon(*keeper.failure());
        engine().stop(now(), {}, *keeper.failure());
    }
    while (!acceptances_.empty() && acceptances_.front().write <= keeper.kept()) {
        const auto publishing = std::move(acceptances_.front().publishing);
        acceptances_.pop_front();
        answering([&] { publishing->accept(); });
    }
    if (ended_ && finishing_ && keeper.idle()) {
        const auto taken_up = detail::Ref<Core>::adopt(this);
        finish_once_kept(std::move(*finishing_));
        finishing_.reset();
    } else if (!ended_) {
        wake();
    }
}

void Connection::Core::on(core::Accepted& event) {
    if (Pipe::Core::of(event.token)) return;
    auto publishing = detail::Ref<Publishing>::share(reinterpret_cast<Publishing*>(event.token));
    const auto& keeper = *driver_->keeper();
    acceptances_.push_back({keeper.needed(), std::move(publishing)});
}

void Connection::Core::be_patient_until(io::Time at) {
    if (at <= io::Loop::now()) {
        impatient_ = true;
    } else if (!patient_until_ || at < *patient_until_) {
        patient_until_ = at;
        if (!patience_)
            patience_ = std::make_unique<io::Timer>(loop_, [this] {
                impatient_ = true;
                turn();
            });
        patience_->arm(at);
    }
}

void Connection::Core::publish_now(const core::PublishRequest& request, io::Time at) {
    if (request.token && !Pipe::Core::of(request.token)) {
        const auto* const publishing = reinterpret_cast<const Publishing*>(request.token);
        if (withdrawn_ && publishing->done())
            return undelivered(request.token,
                               {request.topic, request.payload, request.qos, request.retain, false, request.properties},
                               make_error(Errc::cancelled));
        io::fetch_all_to_write(publishing, sizeof(Publishing)); // for its end, which comes soon
    }
    if (!request.ttl) return engine().publish(driver_->now(), request);
    auto rest = request;
    rest.ttl = std::clamp(*request.ttl - (driver_->now() - at), Duration(0), *request.ttl);
    engine().publish(driver_->now(), rest);
}

void Connection::Core::subscribe_now(std::vector<TopicFilter> filters, std::span<const std::string> valid,
                                     std::optional<Routes::Taker> taker, Request<Grant>* request) {
    core::Route route = 0;
    answering([&] { route = routes_.set(valid, std::move(taker)); });
    engine().subscribe(now(), std::move(filters), route, request ? request->token() : 0);
    wanted_.arrived(valid);
}

void Connection::Core::before_open(std::size_t endpoint) {
    replace_handler();
    if (status() != Status::connecting) change_status({.status = Status::connecting});
    set_will();
    if (ask_credentials_) return ask_for_credentials();
    engine().set_credentials(endpoint < credentials_.size() ? credentials_[endpoint] : Credentials());
    begin_authentication();
}

void Connection::Core::set_will() {
    auto will = will_ ? std::optional(*will_) : std::nullopt;
    const bool asked = guarded([&] {
        if (auto other = handler_->last_will()) will = std::move(other);
    });
    if (!asked) return;
    if (will) {
        if (auto ok = check_will(*will, version_, rules_.limits ? *rules_.limits : PeerLimits()); !ok)
            return crash(std::move(ok).error());
    }
    engine().set_will(std::move(will));
}

} // namespace tortoise
