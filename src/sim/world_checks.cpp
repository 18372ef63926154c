// What the world checks from time to time, and when everything has come to rest.
#include "sim/world.hpp"

#include <algorithm>

namespace tortoise::sim {

void World::check_bounds() {
    for (auto& client : clients_) {
        Client& c = *client;
        if (c.stopped) continue;
        const core::Snapshot s = c.engine->snapshot();
        const std::string who = "client " + std::to_string(c.index) + ": ";
        // What was sent and must be sent anew goes back into the queue, beyond its bound: as much as was in flight.
        const std::size_t window = 65'535;
        if (s.in_flight.size() > window) judge.fail(who + "more in flight than there are identifiers");
        const std::uint64_t requeued = std::max<std::uint64_t>(c.requeued, c.session.most_in_flight);
        const bool bounded = !c.plan.work_list; // else by rules that are not known here
        if (bounded && s.queued > c.plan.engine.queue.messages + requeued)
            judge.fail(who + std::to_string(s.queued) + " messages are queued");
        if (bounded && s.queued_bytes > c.plan.engine.queue.bytes + requeued * (4096 + largest_))
            judge.fail(who + std::to_string(s.queued_bytes) + " octets are queued");
        if (c.plan.engine.version == Version::v3_1_1) continue;      // which has no Receive Maximum
        const bool went_on = c.plan.engine.persistent && c.life > 0; // and was offered more in an earlier life
        if (!c.session.doubtful && !went_on && s.inbound_qos2.size() > c.plan.engine.receive_maximum)
            judge.fail(who + std::to_string(s.inbound_qos2.size()) + " inbound identifiers");
        // What the user has of a session that is gone counts no more against the one that took its place.
        if (!c.session.doubtful && s.unacknowledged > c.plan.engine.receive_maximum)
            judge.fail(who + std::to_string(s.unacknowledged) + " unacknowledged messages");
    }
}

void World::check_restorable() {
    for (const auto& c : clients_)
        if (c->plan.engine.persistent && !c->stopped && !c->disk_failed) check_restorable(*c);
}

namespace {

// What is published in its order; what is released, and will never be published again, in any.
std::string flows(const core::Snapshot& snapshot) {
    std::string text;
    std::set<std::uint16_t> released;
    for (const auto& o : snapshot.in_flight) {
        if (o.released)
            released.insert(o.id);
        else
            text += " " + std::to_string(o.id) + " message " + std::to_string(token_of(o.message.payload));
    }
    for (const auto id : released) text += " " + std::to_string(id) + " released";
    return text;
}

} // namespace

void World::check_restorable(const Client& c) {
    const auto fail = [&](const std::string& what) {
        judge.fail("client " + std::to_string(c.index) + " restored from its records: " + what);
    };
    core::Engine twin(c.plan.engine, 1, work_list(c));
    const auto wall = wall_epoch_ + std::chrono::floor<std::chrono::milliseconds>(now().time_since_epoch());
    if (auto restored = twin.restore(now(), wall, c.disk.records_to_be()); !restored)
        return fail(restored.error().describe());
    const core::Snapshot own = c.engine->snapshot(), other = twin.snapshot();
    if (own.queued != other.queued)
        fail(std::to_string(other.queued) + " messages are queued instead of " + std::to_string(own.queued));
    if (flows(own) != flows(other)) fail("in flight are" + flows(other) + " instead of" + flows(own));
    // Those that the user has not handled yet, or refused, are not written down.
    if (!std::ranges::includes(own.inbound_qos2, other.inbound_qos2)) fail("inbound identifiers that are not there");
    if (own.unacknowledged == 0 && c.plan.refuse == 0 && other.inbound_qos2.size() != own.inbound_qos2.size())
        fail("inbound identifiers are lost");
}

std::string World::unsettled(Client& c) {
    const std::string who = "client " + std::to_string(c.index) + ": ";
    if (c.stopped) return {};
    if (!c.engine->is_up()) return who + "not up";
    const core::Snapshot s = c.engine->snapshot();
    if (s.queued > 0) return who + std::to_string(s.queued) + " messages are still queued";
    if (!s.in_flight.empty())
        return who + "identifier " + std::to_string(s.in_flight.front().id) + " is still in flight";
    if (!s.inbound_qos2.empty() && !c.session.doubtful) // else some may be of the session that is gone
        return who + "inbound identifier " + std::to_string(s.inbound_qos2.front()) + " was not released";
    if (s.unacknowledged > 0) return who + "messages are not acknowledged";
    if (c.engine->has_output() || c.unwritten > 0) return who + "output is not written";
    if (const auto token = ledger.open_operation_of(c.index))
        return who + "operation " + name_of(*token) + " has not ended";
    for (const auto& f : s.subscriptions)
        if (!f.granted && !host_of(c).denies(f.filter.filter)) return who + "not granted: " + f.filter.filter;
    for (const auto token : c.session.expected)
        if (const Post* post = ledger.find(token); (post->expected & ~post->arrived) & (1u << c.index)) {
            // In a session that may be another one, what comes with DUP the first time looks like a repetition.
            if (c.session.doubtful && post->qos == QoS::exactly_once) continue;
            return who + "never arrived: " + ledger.describe(token);
        }
    return {};
}

bool World::is_stopped(const Host& host, std::string_view client_id) const {
    return std::ranges::any_of(clients_, [&](const auto& c) {
        return c->stopped && c->plan.broker == host.which && c->plan.engine.client_id == client_id;
    });
}

std::string World::unsettled() {
    for (auto& c : clients_)
        if (auto what = unsettled(*c); !what.empty()) return what;
    for (const auto& host : hosts_)
        for (const auto& session : host.engine.snapshot().sessions)
            if (session.connected && !is_stopped(host, session.client_id) &&
                (session.queued > 0 || session.in_flight > 0))
                return broker_name(host) + " still has messages for " + session.client_id;
    return {};
}

void World::check_subscriptions(Client& c, const broker::Snapshot& at_broker) {
    const std::string who = "client " + std::to_string(c.index) + ": ";
    std::map<std::string, SubscribeOptions> engine, broker;
    for (const auto& f : c.engine->subscriptions())
        if (!host_of(c).denies(f.filter))
            engine[f.filter] = f.options; // a 3.1.1 broker does not say why: it is asked for ever
    for (const auto& session : at_broker.sessions)
        if (session.client_id == c.plan.engine.client_id)
            for (const auto& f : session.subscriptions) broker[f.filter] = f.options;
    std::erase_if(c.wanted, [&](const auto& wanted) { return host_of(c).denies(wanted.first); });
    if (engine.size() != c.wanted.size()) judge.fail(who + "the engine wants other filters than its user");
    for (const auto& [filter, options] : broker)
        if (c.wanted.count(filter) == 0 && !c.plan.rejoins) // else of an earlier life
            judge.fail(who + "the broker has a filter that the user does not want: " + filter);
    for (const auto& [filter, wanted] : c.wanted) {
        if (engine.count(filter) == 0 || !(engine[filter] == wanted.options))
            judge.fail(who + "the engine does not want " + filter);
        if (broker.count(filter) == 0) judge.fail(who + "the broker does not have " + filter);
    }
}

void World::check_settled() {
    if (auto what = unsettled(); !what.empty()) return judge.fail("not at rest: " + what);
    for (const auto& host : hosts_) {
        const broker::Snapshot at_broker = host.engine.snapshot();
        for (auto& c : clients_)
            if (!c->stopped && c->plan.broker == host.which) check_subscriptions(*c, at_broker);
    }
    for (const auto& c : clients_)
        if (!c->stopped) ledger.check_nothing_open(c->index);
}

std::string describe(const core::Event& event) {
    struct Words {
        std::string operator()(const core::Up& e) const {
            return e.info.session_present ? "up, session resumed" : "up";
        }
        std::string operator()(const core::Down& e) const {
            return (e.was_up ? "down: " : "no connection: ") + e.why.describe();
        }
        std::string operator()(const core::Stopped& e) const { return "stopped: " + e.why.describe(); }
        std::string operator()(const core::Received& e) const {
            return "received " + std::string(e.message.topic) + " q" + std::to_string(static_cast<int>(e.message.qos)) +
                   " message " + std::to_string(token_of(e.message.payload)) + (e.message.retain ? " retained" : "");
        }
        std::string operator()(const core::Accepted& e) const { return "accepted " + std::to_string(e.token); }
        std::string operator()(const core::Delivered& e) const { return "delivered " + std::to_string(e.token); }
        std::string operator()(const core::Undelivered& e) const {
            return "undelivered " + std::to_string(e.token) + ": " + e.why.describe();
        }
        std::string operator()(const core::Subscribed& e) const {
            std::string text = "subscribed, operation " + name_of(e.token) + ":";
            for (const auto& r : e.results)
                text += r ? " q" + std::to_string(static_cast<int>(r->granted)) : " " + r.error().describe();
            return text;
        }
        std::string operator()(const core::Unsubscribed& e) const {
            std::string text = "unsubscribed, operation " + name_of(e.token) + ":";
            for (const auto& r : e.results) text += r ? " ok" : " " + r.error().describe();
            return text;
        }
        std::string operator()(const core::FilterChanged& e) const {
            if (!e.grant) return "filter " + e.filter + " let go";
            return "filter " + e.filter + (*e.grant ? " granted" : " refused: " + e.grant->error().describe());
        }
        std::string operator()(const core::Pong& e) const { return e.token ? "pong" : "pong of the keep-alive"; }
        std::string operator()(const core::PingFailed& e) const { return "ping failed: " + e.why.describe(); }
        std::string operator()(const core::AuthenticationContinued&) const { return "authentication goes on"; }
        std::string operator()(const core::AuthenticationSucceeded&) const { return "authentication succeeded"; }
        std::string operator()(const core::Reauthenticated&) const { return "re-authenticated"; }
        std::string operator()(const core::RenewalDue&) const { return "renewal due"; }
    };
    return std::visit(Words{}, event);
}

} // namespace tortoise::sim
