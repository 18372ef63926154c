// The client's shell: it drains the engine, and judges what the engine says.
#include "core/publish_run.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <set>
#include <tortoise/topic.hpp>

namespace tortoise::sim {

void World::drain(Client& c) {
    if (c.draining) return; // called from a handler: the loop below goes on
    c.draining = true;
    for (int round = 0; !judge.failed() && !c.dying; ++round) {
        if (round > 10'000) judge.fail("client " + std::to_string(c.index) + ": draining never ends");
        keep_changes(c);
        c.events.clear();
        c.engine->take_events(c.events);
        for (std::size_t i = 0; i < c.events.size() && !c.dying; ++i) handle(c, c.events[i]);
        if (!c.events.empty()) continue;
        if (drain_output(c)) continue;
        drain_wish(c);
        break;
    }
    c.draining = false;
    if (c.dying) return c.deadline.reset();
    c.deadline = c.engine->deadline();
    if (c.link && c.engine->wants_input()) network.read_on(now(), *c.link, Side::client);
}

// As a packet that is ready, if it can be one.
bool World::pass(Client& c, const core::PublishRequest& request) {
    if (!core::fits_a_run(request)) return false;
    const auto version = c.plan.engine.version;
    std::string octets(core::run_size(version, request), '\0');
    core::write_to_run(version, request, octets.data());
    const auto size = static_cast<std::uint32_t>(octets.size());
    if (!c.engine->pass(now(), {.octets = octets, .count = 1, .largest = size, .retained = request.retain}))
        return false;
    if (meddle) meddle(octets);
    c.unwritten += octets.size();
    c.disk.hold(std::move(octets));
    return true;
}

// True if something went out at once, so that there may be more to do.
bool World::drain_output(Client& c) {
    if (c.engine->has_output()) {
        scratch_.clear();
        c.engine->take_output(scratch_);
        if (meddle) meddle(scratch_);
        if (!c.link) {
            judge.fail("client " + std::to_string(c.index) + ": output without a connection");
            return false;
        }
        c.unwritten += scratch_.size();
        c.disk.hold(scratch_);
    }
    std::size_t out = 0;
    for (auto octets = c.disk.release(); !octets.empty(); octets = c.disk.release()) out += send(c, octets);
    if (out == 0) return false;
    c.engine->wrote(now(), out);
    return true;
}

// How much went out at once.
std::size_t World::send(Client& c, Octets octets) {
    for (const char octet : octets) judge.mix(static_cast<unsigned char>(octet));
    taps_[*c.link]->client_sends(octets);
    // A message may exceed the high-water mark by itself, and acknowledgements do not wait for it.
    if (c.unwritten > c.plan.engine.output_high_water + 128 * 1024 + largest_)
        judge.fail("client " + std::to_string(c.index) + ": " + std::to_string(c.unwritten) +
                   " octets of output are unwritten");
    const std::size_t out = network.send(now(), *c.link, Side::client, octets);
    c.unwritten -= out;
    return out;
}

void World::drain_wish(Client& c) {
    const core::Wish wish = c.engine->take_wish();
    const std::string who = "client " + std::to_string(c.index);
    if (wish.kind == core::Wish::open) {
        if (c.link) return judge.fail(who + " wishes to open a second connection");
        if (wish.endpoint >= c.plan.engine.endpoints)
            return judge.fail(who + " wishes for an endpoint that is not there");
        c.link = network.connect(now(), c.index);
        c.unwritten = c.handled = 0;
        taps_.resize(*c.link + 1);
        const Duration held = c.plan.engine.persistent ? 2 * c.plan.disk_takes : Duration{};
        taps_[*c.link] =
            std::make_unique<Tap>(judge, ledger, c.session, c.plan.engine, c.index, broker_call_, c.connacks, held);
    } else if (wish.kind == core::Wish::close) {
        if (!c.link) return judge.fail(who + " wishes to close what is not open");
        drop_held(c);
        network.close(now(), *c.link, Side::client);
    }
}

void World::handle(Client& c, const core::Event& event) {
    if (judge.logs()) judge.line("client " + std::to_string(c.index) + " has " + describe(event));
    judge.mix(event.index());
    const bool answer = std::holds_alternative<core::Undelivered>(event) ||
                        std::holds_alternative<core::Subscribed>(event) ||
                        std::holds_alternative<core::Unsubscribed>(event) ||
                        std::holds_alternative<core::PingFailed>(event); // to what was asked after the end
    if (c.stopped && !answer)
        judge.fail("client " + std::to_string(c.index) + ": an event after the end: " + describe(event));
    if (const auto* m = std::get_if<core::Received>(&event)) {
        handle_message(c, *m);
        return;
    }
    if (on_event) on_event(c.index, event);
    if (const auto* d = std::get_if<core::Delivered>(&event))
        ledger.delivered(d->token);
    else if (const auto* a = std::get_if<core::Accepted>(&event))
        c.accepted.emplace_back(c.disk.needed(), a->token);
    else if (const auto* u = std::get_if<core::Undelivered>(&event))
        ledger.undelivered(u->token, u->why, u->message);
    else if (const auto* down = std::get_if<core::Down>(&event))
        check_down(c, *down);
    else if (const auto* s = std::get_if<core::Subscribed>(&event))
        ledger.operation_over(s->token, s->results.size());
    else if (const auto* n = std::get_if<core::Unsubscribed>(&event))
        ledger.operation_over(n->token, n->results.size());
    else if (const auto* p = std::get_if<core::Pong>(&event)) {
        if (p->token != 0) ledger.ping_over(p->token);
    } else if (const auto* f = std::get_if<core::PingFailed>(&event)) {
        if (f->token != 0) ledger.ping_over(f->token);
    } else if (const auto* g = std::get_if<core::FilterChanged>(&event)) {
        if (g->grant && !*g->grant && g->grant->error().code == Reason::not_authorized) c.wanted.erase(g->filter);
    } else if (std::holds_alternative<core::Stopped>(event)) {
        c.stopped = true;
        if (!c.stopping) judge.fail("client " + std::to_string(c.index) + " stopped by itself: " + describe(event));
        ledger.check_nothing_open(c.index);
    }
}

// Both sides keep to the protocol, so neither has anything to reproach the other with.
void World::check_down(const Client& c, const core::Down& down) {
    constexpr Reason reproaches[] = {
        Reason::malformed_packet,   Reason::protocol_error,           Reason::topic_filter_invalid,
        Reason::topic_name_invalid, Reason::receive_maximum_exceeded, Reason::topic_alias_invalid,
        Reason::packet_too_large,   Reason::qos_not_supported,        Reason::retain_not_supported};
    for (const Reason reason : reproaches)
        if (down.why.code == reason)
            judge.fail("client " + std::to_string(c.index) + ": somebody broke the protocol: " + down.why.describe());
}

void World::handle_message(Client& c, const core::Received& m) {
    ledger.received(c.index, c.life, m.message);
    const auto fits = [&](const std::string& filter) { return matches(filter, m.message.topic); };
    if (std::none_of(c.ever_wanted.begin(), c.ever_wanted.end(), fits))
        judge.fail("client " + std::to_string(c.index) +
                   " got a message that it never asked for: " + std::string(m.message.topic));
    check_routes(c, m);
    if (m.message.qos != QoS::exactly_once) ++c.handled;
    if ((m.id == 0) != (m.message.qos == QoS::at_most_once))
        judge.fail("a message without an identifier to acknowledge it by");
    if (on_event) on_event(c.index, m);
    if (m.id == 0 || c.dying) return;
    if (!prompt && rng.chance(c.plan.late_ack)) {
        c.late.push_back(m.id);
        schedule.add(now() + rng.up_to(c.plan.late_by), What::acknowledge, c.index, Side::client, m.id);
        return;
    }
    const bool refuse = rng.chance(c.plan.refuse) && c.plan.engine.version == Version::v5;
    if (refuse) ledger.refused(c.index, m.message.payload);
    c.engine->acknowledge(now(), m.id, refuse ? Reason::quota_exceeded : Reason::success);
}

/// A copy with subscription identifiers is for the routes that they name; without, for all that match.
void World::check_routes(Client& c, const core::Received& m) {
    if (c.wanted_changed) return;
    const auto routes = c.engine->routes(m);
    const std::set<core::Route> got(routes.begin(), routes.end());
    std::set<core::Route> known, matching;
    bool plain = false; // a filter without a route
    for (const auto& [filter, wanted] : c.wanted) {
        if (wanted.route != 0) known.insert(wanted.route);
        if (!matches(filter, m.message.topic)) continue;
        plain |= wanted.route == 0;
        if (wanted.route != 0) matching.insert(wanted.route);
    }
    const bool identified = m.message.properties.get(property::subscription_identifier).has_value();
    const bool right = identified ? std::ranges::includes(known, got) && (!got.empty() || plain || matching.empty())
                                  : got == matching || (got.empty() && plain && c.plan.engine.version == Version::v5);
    if (!right || got.size() != routes.size())
        judge.fail("client " + std::to_string(c.index) + ": wrong routes for " + std::string(m.message.topic));
}

void World::client_timer(Client& c) {
    const Time at = c.deadline->at;
    c.timers_at_once = c.last_timer == at ? c.timers_at_once + 1 : 0;
    c.last_timer = at;
    if (c.timers_at_once > 100)
        judge.fail("client " + std::to_string(c.index) + ": the timer " + std::string(to_string(c.deadline->why)) +
                   " does not advance");
    judge.mix(static_cast<std::uint64_t>(c.deadline->why));
    if (judge.logs())
        judge.line("client " + std::to_string(c.index) + " timer " + std::string(to_string(c.deadline->why)));
    c.engine->elapsed(now());
    drain(c);
}

} // namespace tortoise::sim
