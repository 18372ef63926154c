/// The client engine: the life of the connection, and the public face. Parts and state: engine_impl.hpp.
#include "core/engine_impl.hpp"

#include <algorithm>

namespace tortoise::core {

std::string_view to_string(Timer timer) noexcept {
    constexpr std::string_view names[] = {"connect", "backoff", "stable", "ping",  "ping_response", "reply",
                                          "retry",   "expiry",  "pace",   "renew", "authenticate",  "drain"};
    return names[static_cast<std::size_t>(timer)];
}

namespace {
constexpr std::chrono::seconds renewal_grace{5};
}

Engine::Impl::Impl(EngineOptions o, std::uint64_t seed, std::unique_ptr<WorkList> list)
    : options(std::move(o)), rules(PublishRules::of(options)), client_id(options.client_id),
      lifecycle(options.backoff, options.endpoints, seed), keep_alive(options.keep_alive_timeout),
      outbox(list ? std::move(list) : make_work_list(options.queue)), journal(options.persistent),
      // A 3.1.1 broker is not told of a Receive Maximum, and cannot be held to one.
      inbox(options.version == Version::v5 ? options.receive_maximum : std::uint16_t{65'535}), subscriptions(options),
      reader(options.maximum_packet_size) {
    if (const auto& known = options.limits; known.check) {
        pace.publishes = Pace(known.publishes);
        pace.octets = Pace(known.octets);
        pace.subscribes = Pace(known.subscribes);
        pace.connects = Pace(known.connects);
    }
    options.keep_alive = clamp_keep_alive(options.limits, options.keep_alive);
    subscriptions.subscribe(std::move(options.subscriptions), 0, 0, events);
}

// What was in flight is on no wire now: it is sent again once a broker says that the session is there.
Result<Done> Engine::Impl::restore(Time now, WallTime wall, std::span<const Record> records) {
    journal.set_wall_clock(now, wall);
    auto session = journal.restore(now, records);
    if (!session) return std::move(session).error();
    had_session = session->accepted;
    unsure = true;                            // a CONNACK may have been lost with the program
    if (options.version == Version::v3_1_1) { // an earlier life spoke MQTT 5
        for (auto& message : session->in_flight) message.item.message.properties = {};
        for (auto& message : session->waiting) message.item.message.properties = {};
    }
    for (auto& message : session->in_flight) {
        ids.claim(message.id);
        message.item.attempts = 1;
        auto& entry = inflight.insert(message.id);
        entry.item = std::move(message.item);
        if (message.released) entry.step = Inflight::Step::released;
    }
    for (auto message = session->waiting.rbegin(); message != session->waiting.rend(); ++message)
        outbox->put_back(std::move(message->item));
    for (const PacketId id : session->handled) inbox.restore(id);
    return Done{};
}

// ---- Opening and closing -------------------------------------------------------------------------------------------

void Engine::Impl::open_now(Time now) {
    close_why.reset();
    dropped_by_user = false;
    was_up = false;
    reopen = false;
    if (const Time at = pace.connects.ready(now); at > now) {
        lifecycle.become(State::waiting);
        timers.set(Timer::backoff, at);
        return;
    }
    pace.connects.take(now);
    lifecycle.become(State::opening);
    timers.clear(Timer::backoff);
    timers.set(Timer::connect, now + options.connect_timeout);
    wish = Wish{Wish::open, lifecycle.endpoint()};
}

void Engine::Impl::close(Error why) {
    if (!close_why) close_why = std::move(why);
    lifecycle.become(State::closing);
    timers.clear(Timer::connect);
    timers.clear(Timer::stable);
    wish = Wish{Wish::close, 0};
}

void Engine::Impl::goodbye(Time now) {
    if (lifecycle.state() == State::up) say_goodbye(now);
    const bool never_opened = wish && wish->kind == Wish::open;
    close(stop_why);
    if (!never_opened) return;
    wish.reset(); // the shell has not heard of it, and has nothing to close
    closed(now, stop_why);
}

// An end that was not asked for is what wills are for; MQTT 3.1.1 has no word for that but silence.
void Engine::Impl::say_goodbye(Time now) {
    const bool asked_for = stop_why.code == Errc::stopped;
    auto words = asked_for ? farewell.take().value_or(DisconnectOptions()) : DisconnectOptions();
    if (!asked_for) words.reason = Reason::disconnect_with_will;
    if (options.version == Version::v3_1_1) {
        if (words.reason == Reason::success) send_disconnect(now, words.reason);
        return;
    }
    if (asked_for && options.session.expiry > Duration::zero()) { // one that was 0 cannot be raised
        const bool end_session = options.session.clean_start && !journal.on();
        if (words.session_expiry)
            words.properties.set(property::session_expiry_interval, whole_seconds(*words.session_expiry));
        else if (end_session)
            words.properties.set(property::session_expiry_interval, 0);
    }
    send_disconnect(now, words.reason, words.properties);
}

// What belonged to the connection ends with it; what belongs to the session stays.
void Engine::Impl::connection_gone(Time, const Error& why) {
    const auto drain = timers.get(Timer::drain);
    timers.clear();
    if (drain) timers.set(Timer::drain, *drain);
    for (const auto& ping : keep_alive.end())
        if (ping.token != 0) events.push_back(PingFailed{ping.token, why});
    for (const PacketId id : subscriptions.disconnected(events)) ids.release(id);
    inbox.disconnected();
    for (PacketId id = inflight.first(); id != 0; id = inflight.next(id)) inflight.find(id)->on_wire = false;
    outstanding = 0;
    resend_next = 0;
    end_authentication(why);
    limits = Limits{};
    renewing = false;
    too_fast_until.reset();
    reader.reset();
    output.clear();
    unwritten = 0;
    wish.reset();
}

void Engine::Impl::closed(Time now, Error why) {
    const State state = lifecycle.state();
    if (state == State::idle || state == State::waiting || state == State::ended) return;
    if (auto ours = close_why.take()) why = *std::move(ours);
    connection_gone(now, why);
    Down down{why, was_up, 0, std::nullopt, std::exchange(close_properties, {})};
    const bool draining = timers.get(Timer::drain).has_value();
    if (stopping && !draining) {
        events.push_back(std::move(down));
        return end(stop_why);
    }
    if (reopen) {
        down.retry_in = pace.connects.ready(now) - now;
        events.push_back(std::move(down));
        return open_now(now);
    }
    const Retry retry = std::exchange(dropped_by_user, false) ? Retry::retry : options.classify(why);
    if (retry == Retry::fatal) {
        down.attempt = lifecycle.attempt() + 1;
        events.push_back(std::move(down));
        return end(why);
    }
    const Time next = pace.connects.ready(now + lifecycle.failed(retry));
    down.attempt = lifecycle.attempt();
    down.retry_in = next - now;
    events.push_back(std::move(down));
    lifecycle.become(State::waiting);
    timers.set(Timer::backoff, next);
    check_drained(now);
}

void Engine::Impl::end(const Error& why) {
    lifecycle.become(State::ended);
    timers.clear();
    stop_why = why;
    while (!inflight.empty()) {
        const PacketId id = inflight.first();
        auto entry = inflight.take(id);
        ids.release(id);
        if (!entry.answered) undelivered(std::move(entry.item), why);
    }
    while (!outbox->empty()) undelivered(outbox->pop(), why);
    inbox.session_lost();
    subscriptions.stop(why, events);
    events.push_back(Stopped{why});
}

void Engine::Impl::check_drained(Time now) {
    if (!stopping || !timers.get(Timer::drain)) return;
    if (!outbox->empty() || !inflight.empty()) return;
    const State state = lifecycle.state();
    timers.clear(Timer::drain);
    if (state == State::waiting)
        end(stop_why);
    else if (state != State::closing)
        goodbye(now);
}

void Engine::Impl::stop(Time now, Duration drain, Error why, DisconnectOptions words) {
    const State state = lifecycle.state();
    if (state == State::ended) return;
    if (!stopping) {
        stop_why = std::move(why);
        farewell = std::move(words);
    }
    stopping = true;
    reopen = false;
    if (drain > Duration::zero() && state != State::idle) {
        timers.set(Timer::drain, now + drain);
        return check_drained(now);
    }
    timers.clear(Timer::drain);
    if (state == State::idle || state == State::waiting)
        end(stop_why);
    else if (state != State::closing)
        goodbye(now);
}

void Engine::Impl::reconnect(Time now) {
    const State state = lifecycle.state();
    if (state == State::idle || state == State::ended || (stopping && !timers.get(Timer::drain))) return;
    lifecycle.stable();
    if (state == State::waiting) return open_now(now);
    if (wish && wish->kind == Wish::open) return; // it is about to
    reopen = true;
    if (state == State::closing) return;
    if (state == State::up) send_disconnect(now, Reason::success);
    close(make_error(Errc::cancelled, "a reconnect was asked for"));
}

void Engine::Impl::retry_now(Time now) {
    if (lifecycle.state() == State::waiting) open_now(now);
}

void Engine::Impl::drop_connection(Time now, Error why) {
    inbox.given_up();
    const State state = lifecycle.state();
    if (state != State::opening && state != State::greeting && state != State::up) return;
    if (state == State::up && options.version == Version::v5) send_disconnect(now, Reason::disconnect_with_will);
    const bool never_opened = wish && wish->kind == Wish::open;
    dropped_by_user = true;
    close(why);
    if (!never_opened) return;
    wish.reset(); // the shell has not heard of it, and has nothing to close
    closed(now, std::move(why));
}

// The credentials are about to end. What is in flight gets some time, and nothing new is sent meanwhile.
void Engine::Impl::renew(Time now) {
    if (lifecycle.state() != State::up || stopping || authentication.under_way()) return;
    if (authentication.step() == AuthenticationState::Step::done) return events.push_back(RenewalDue{});
    if (!renewing && !inflight.empty()) {
        renewing = true;
        timers.set(Timer::renew, now + renewal_grace);
        return;
    }
    reopen = true;
    send_disconnect(now, Reason::success);
    close(make_error(Errc::cancelled, "the credentials are renewed"));
}

// ---- Time ----------------------------------------------------------------------------------------------------------

void Engine::Impl::elapsed(Time now) {
    if (timers.take_due(Timer::connect, now)) {
        using Step = AuthenticationState::Step;
        const bool greeting = lifecycle.state() == State::greeting;
        const bool our_turn = authentication.step() == Step::answering || authentication.step() == Step::verifying;
        close(make_error(Errc::connect_timeout, our_turn   ? "the authentication was not answered in time"
                                                : greeting ? "connected, but the broker sent no CONNACK in time"
                                                           : "no connection in time"));
    }
    if (timers.take_due(Timer::backoff, now) && lifecycle.state() == State::waiting) open_now(now);
    if (timers.take_due(Timer::stable, now)) lifecycle.stable();
    if (timers.take_due(Timer::renew, now)) renew(now);
    if (timers.take_due(Timer::authenticate, now))
        fail_authentication(now, make_error(Errc::timeout, "the re-authentication did not come to an end in time"));
    if (timers.take_due(Timer::drain, now)) {
        if (lifecycle.state() == State::waiting) return end(stop_why);
        if (lifecycle.state() != State::closing) goodbye(now);
    }
    outbox->expire(now, dropped);
    drop(dropped);
    if (lifecycle.state() == State::up) {
        if (const auto dead = keep_alive.dead_at(); dead && *dead <= now)
            return close(make_error(Errc::keep_alive_timeout, "the broker did not answer a PINGREQ"));
        if (const auto ping = keep_alive.ping_due(); ping && *ping <= now) {
            keep_alive.pinged(now, 0);
            send(now, Pingreq{});
        }
        if (!subscriptions.elapsed(now, events))
            return close(make_error(Errc::timeout, "the broker does not answer SUBSCRIBE or UNSUBSCRIBE"));
    }
    pump(now);
    check_drained(now);
}

std::optional<Deadline> Engine::Impl::deadline() {
    auto soonest = timers.next();
    const auto consider = [&](std::optional<Time> at, Timer why) {
        if (at && (!soonest || *at < soonest->at)) soonest = Deadline{*at, why};
    };
    if (lifecycle.state() == State::ended) return std::nullopt;
    consider(outbox->next_expiry(), Timer::expiry);
    if (lifecycle.state() == State::up) {
        consider(keep_alive.ping_due(), Timer::ping);
        consider(keep_alive.dead_at(), Timer::ping_response);
        consider(subscriptions.reply_due(), Timer::reply);
        consider(subscriptions.retry_due(), Timer::retry);
        consider(too_fast_until, Timer::pace);
    }
    return soonest;
}

// ---- The public face -----------------------------------------------------------------------------------------------

Engine::Engine(EngineOptions options, std::uint64_t seed, std::unique_ptr<WorkList> list)
    : impl_(std::make_unique<Impl>(std::move(options), seed, std::move(list))) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Done> Engine::restore(Time now, WallTime wall, std::span<const Record> records) {
    return impl_->restore(now, wall, records);
}
void Engine::set_wall_clock(Time now, WallTime wall) noexcept { impl_->journal.set_wall_clock(now, wall); }

void Engine::opened(Time now) {
    if (impl_->lifecycle.state() != State::opening) return;
    impl_->lifecycle.become(State::greeting);
    impl_->send_connect(now);
}

void Engine::received(Time now, Octets octets) { impl_->received(now, octets); }

void Engine::wrote(Time now, std::size_t octets) {
    impl_->unwritten -= std::min(octets, impl_->unwritten);
    impl_->pump(now);
    impl_->check_drained(now);
}

void Engine::closed(Time now, Error why) { impl_->closed(now, std::move(why)); }
void Engine::elapsed(Time now) { impl_->elapsed(now); }

void Engine::start(Time now) {
    if (impl_->lifecycle.state() != State::idle) return;
    const Duration delay = impl_->lifecycle.first_delay(impl_->options.first_connect_delay);
    if (delay == Duration::zero()) return impl_->open_now(now);
    impl_->lifecycle.become(State::waiting);
    impl_->timers.set(Timer::backoff, now + delay);
}

void Engine::stop(Time now, Duration drain, Error why, DisconnectOptions words) {
    impl_->stop(now, drain, std::move(why), std::move(words));
}
void Engine::retry_now(Time now) { impl_->retry_now(now); }
void Engine::reconnect(Time now) { impl_->reconnect(now); }
void Engine::drop(Time now, Error why) { impl_->drop_connection(now, std::move(why)); }
void Engine::publish(Time now, const PublishRequest& request) { impl_->publish(now, request); }
bool Engine::pass(Time now, const PublishRun& run) { return impl_->pass(now, run); }

void Engine::subscribe(Time now, std::vector<TopicFilter> filters, Route route, Token token) {
    impl_->subscriptions.subscribe(std::move(filters), route, token, impl_->events);
    if (impl_->lifecycle.state() == State::ended) impl_->subscriptions.stop(impl_->stop_why, impl_->events);
    impl_->pump(now);
}

void Engine::unsubscribe(Time now, std::vector<std::string> filters, Token token) {
    impl_->subscriptions.unsubscribe(std::move(filters), token, impl_->events);
    if (impl_->lifecycle.state() == State::ended) impl_->subscriptions.stop(impl_->stop_why, impl_->events);
    impl_->pump(now);
}

void Engine::acknowledge(Time now, InboundId id, Reason reason) {
    if (id == 0) return;
    if (const PacketId handled = impl_->inbox.acknowledge(id, reason)) impl_->journal.handled(handled);
    impl_->flush_acks(now);
}

void Engine::cancel(Time, Token token) {
    if (token == 0) return;
    const auto cancelled = make_error(Errc::cancelled);
    if (auto item = impl_->outbox->remove(token)) {
        impl_->journal.ended(*item);
        return impl_->undelivered(std::move(*item), cancelled);
    }
    Inflight& inflight = impl_->inflight;
    for (PacketId id = inflight.first(); id != 0; id = inflight.next(id)) {
        auto& entry = *inflight.find(id);
        if (entry.item.token != token || entry.answered) continue;
        entry.answered = true;
        impl_->events.push_back(Undelivered{token, entry.item.message, cancelled});
    }
}

void Engine::ping(Time now, Token token) {
    if (impl_->lifecycle.state() != State::up) {
        if (token != 0) impl_->events.push_back(PingFailed{token, make_error(Errc::connection_lost, "not connected")});
        return;
    }
    impl_->keep_alive.pinged(now, token);
    impl_->send(now, Pingreq{});
}

void Engine::set_credentials(Credentials credentials, std::optional<Time> renew_at) {
    impl_->credentials.reset();
    if (credentials.user_name || credentials.password) impl_->credentials = std::move(credentials);
    impl_->renew_at = renew_at;
}
void Engine::set_will(std::optional<Will> will) { impl_->will = std::move(will); }

void Engine::set_authentication(std::optional<Authentication> with) { impl_->authenticate_with = std::move(with); }
void Engine::continue_authentication(Time now, Octets data) { impl_->continue_authentication(now, data); }
void Engine::accept_authentication(Time now, std::optional<Time> renew_at) {
    impl_->accept_authentication(now, renew_at);
}
void Engine::fail_authentication(Time now, Error why) { impl_->fail_authentication(now, std::move(why)); }
void Engine::reauthenticate(Time now, Authentication with) { impl_->reauthenticate(now, std::move(with)); }

bool Engine::take_changes(std::vector<RecordChange>& into) { return impl_->journal.take(into); }
bool Engine::has_changes() const noexcept { return impl_->journal.has_changes(); }

void Engine::take_events(std::vector<Event>& into) {
    if (into.empty()) return into.swap(impl_->events);
    into.insert(into.end(), std::make_move_iterator(impl_->events.begin()),
                std::make_move_iterator(impl_->events.end()));
    impl_->events.clear();
}

std::span<const Route> Engine::routes(const Received& received) const noexcept {
    if (received.first_route + received.route_count > impl_->routes.size()) return {};
    return {impl_->routes.data() + received.first_route, received.route_count};
}

void Engine::take_output(std::string& into) {
    impl_->unwritten += impl_->output.size();
    if (into.empty()) return into.swap(impl_->output);
    into += impl_->output;
    impl_->output.clear();
}

bool Engine::has_output() const noexcept { return !impl_->output.empty(); }
Wish Engine::take_wish() { return std::exchange(impl_->wish, std::nullopt).value_or(Wish{}); }

void Engine::hold_input(Time now, bool held) {
    if (held == impl_->input_held) return;
    impl_->input_held = held;
    impl_->keep_alive.hold(now, held);
    impl_->subscriptions.hold(now, held);
}
bool Engine::wants_input() const noexcept {
    if ((impl_->input_held && is_up()) || impl_->verifying()) return false;
    return impl_->output.size() + impl_->unwritten < 4 * impl_->options.output_high_water;
}

std::optional<Deadline> Engine::deadline() const { return impl_->deadline(); }
const Counters& Engine::counters() const noexcept { return impl_->counters; }
Levels Engine::levels() const noexcept {
    return {impl_->outbox->count(), impl_->outbox->bytes(), impl_->inflight.size()};
}
bool Engine::is_up() const noexcept { return impl_->lifecycle.state() == State::up; }

std::vector<TopicFilter> Engine::subscriptions() const {
    std::vector<TopicFilter> wanted;
    for (auto& filter : impl_->subscriptions.list()) wanted.push_back(std::move(filter.filter));
    return wanted;
}

Snapshot Engine::snapshot() const {
    const Impl& i = *impl_;
    Snapshot s;
    s.state = to_string(i.lifecycle.state());
    s.authentication = to_string(i.authentication.step());
    s.queued = i.outbox->count();
    s.queued_bytes = i.outbox->bytes();
    for (PacketId id = i.inflight.first(); id != 0; id = i.inflight.next(id)) {
        const auto& entry = i.inflight.at(id);
        s.in_flight.push_back({id, entry.step == Inflight::Step::released, entry.item.message});
    }
    s.inbound_qos2 = i.inbox.seen();
    s.unacknowledged = i.inbox.unacknowledged();
    s.subscriptions = i.subscriptions.list();
    s.send_quota = static_cast<std::uint16_t>(i.limits.receive_maximum -
                                              std::min<std::size_t>(i.outstanding, i.limits.receive_maximum));
    return s;
}

} // namespace tortoise::core
