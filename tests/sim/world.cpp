#include "sim/world.hpp"

#include <algorithm>
#include <set>
#include <tortoise/topic.hpp>

namespace tortoise::sim {

namespace {
constexpr core::WallTime wall_epoch{std::chrono::hours(24 * 20'000)}; // when time began
} // namespace

World::World(std::uint64_t seed, testing::BrokerOptions options, Judge& j)
    : judge(j), rng(seed), network(schedule, rng, *this), ledger(j), denied_filters_(options.deny_subscribe),
      broker_(std::move(options)) {
    witness_connects();
}

World::~World() = default;

// ---- Who is there --------------------------------------------------------------------------------------------------

std::uint32_t World::add_client(ClientPlan plan) {
    auto client = std::make_unique<Client>();
    client->index = clients();
    client->plan = std::move(plan);
    clients_.push_back(std::move(client));
    begin_life(*clients_.back());
    return clients() - 1;
}

void World::begin_life(Client& c) {
    c.engine.emplace(c.plan.engine, rng.next());
    c.engine->set_wall_clock(Time{}, wall_epoch);
    c.deadline.reset();
    c.link.reset();
    c.session.from_client = {};
    if (!c.plan.engine.persistent || c.life == 0) c.session.unheard = c.session.doubtful = false;
    c.connacks = 0;
    c.stopping = c.stopped = false;
    c.unwritten = c.handled = c.requeued = 0;
    c.accepted.clear();
    c.late.clear();
    c.wanted.clear();
    for (const auto& f : c.plan.engine.subscriptions) {
        c.wanted[f.filter] = {f.options, 0};
        c.ever_wanted.insert(f.filter);
    }
}

void World::crash_and_restart(std::uint32_t client, ClientPlan plan) {
    Client& c = *clients_[client];
    if (judge.logs()) judge.line("client " + std::to_string(client) + " dies and is started anew");
    if (c.link) network.abort(now(), *c.link, Side::client, rng.up_to(std::chrono::seconds(2)));
    const bool goes_on = c.plan.engine.persistent && plan.engine.persistent;
    c.disk.crash();
    if (!goes_on) {
        c.disk = Disk();
        ledger.crashed(client);
    }
    ++c.life;
    c.plan = std::move(plan);
    begin_life(c);
    if (goes_on) go_on(c);
    start(client);
}

namespace {

// How long octets may wait for the disk; on which times have milliseconds.
Duration slack(const ClientPlan& plan) { return 2 * plan.disk_takes + std::chrono::milliseconds(1); }

/// The message in a record, by its payload.
core::Token token_in(const core::Record& record) {
    constexpr std::size_t head = 13; // see Journal
    const auto packet = core::decode(Version::v5, Octets(record.value).substr(std::min(head, record.value.size())));
    const auto* publish = packet ? std::get_if<core::Publish>(&*packet) : nullptr;
    return publish ? token_of(publish->payload) : 0;
}

} // namespace

// The next life knows what the disk knows, and so must we: also what had ended, if that was not kept.
void World::go_on(Client& c) {
    std::vector<core::Token> kept;
    std::map<std::uint64_t, std::pair<core::PacketId, Outgoing::Entry>> flying; // in the order of sending
    for (const auto& record : c.disk.records()) {
        if (record.kind == core::RecordKind::session) c.connacks = 1;
        if (record.kind != core::RecordKind::message) continue;
        const core::Token token = token_in(record);
        Post* post = ledger.find(token);
        if (!post) return judge.fail("a record of a message that nobody published");
        kept.push_back(token);
        post->slack = std::max(post->slack, slack(c.plan));
        if (record.mark == 0) continue;
        const auto step = (record.mark & 0x10000) != 0 ? Outgoing::Step::released : Outgoing::Step::published;
        flying[record.mark >> 17] = {static_cast<core::PacketId>(record.mark),
                                     {.step = step, .qos = post->qos, .token = token}};
    }
    Outgoing& out = c.session.from_client;
    for (auto& [number, entry] : flying) {
        entry.second.order = out.next_order++;
        out.entries.insert(entry);
    }
    ledger.crashed(c.index, &kept);
    const auto wall = wall_epoch + std::chrono::floor<std::chrono::milliseconds>(now().time_since_epoch());
    if (auto restored = c.engine->restore(now(), wall, c.disk.records()); !restored)
        judge.fail("client " + std::to_string(c.index) + " cannot go on: " + restored.error().describe());
    c.engine->set_wall_clock(Time{}, wall_epoch); // to the nanosecond
    c.requeued = kept.size();
}

std::optional<LinkId> World::link(std::uint32_t client) const { return clients_[client]->link; }

// ---- What a user does ----------------------------------------------------------------------------------------------

void World::start(std::uint32_t client) {
    clients_[client]->engine->start(now());
    drain(*clients_[client]);
}

void World::stop(std::uint32_t client, Duration drain_time) {
    Client& c = *clients_[client];
    if (judge.logs()) judge.line("client " + std::to_string(client) + " calls stop");
    c.stopping = true;
    c.engine->stop(now(), drain_time);
    drain(c);
}

void World::reconnect(std::uint32_t client) {
    if (judge.logs()) judge.line("client " + std::to_string(client) + " calls reconnect");
    clients_[client]->engine->reconnect(now());
    drain(*clients_[client]);
}

core::Token World::publish(std::uint32_t client, const PublishPlan& plan) {
    Client& c = *clients_[client];
    Post post;
    post.client = client;
    post.life = c.life;
    post.qos = plan.qos;
    post.retain = plan.retain;
    post.denied = plan.denied;
    post.size = static_cast<std::uint32_t>(std::max(plan.size, sizeof(core::Token)));
    post.made = now();
    if (c.plan.engine.persistent) post.slack = slack(c.plan);
    if (plan.ttl) post.expires = now() + *plan.ttl;
    const core::Token token = ledger.open_post(post, plan.topic);
    Properties properties;
    if (plan.properties && c.plan.engine.version == Version::v5)
        properties.set(property::content_type, "text/plain").add_user("sensor", std::to_string(client));
    const std::string payload = make_payload(token, plan.size);
    c.engine->publish(now(), {.topic = plan.topic,
                              .payload = payload,
                              .qos = plan.qos,
                              .retain = plan.retain,
                              .priority = plan.priority,
                              .ttl = plan.ttl,
                              .properties = properties,
                              .token = token});
    drain(c);
    return token;
}

core::Token World::subscribe(std::uint32_t client, std::vector<TopicFilter> filters) {
    Client& c = *clients_[client];
    const core::Token token = ledger.open_operation(client, filters.size());
    const core::Route route = c.next_route++;
    if (judge.logs()) {
        std::string names;
        for (const auto& f : filters) names += " " + f.filter;
        judge.line("client " + std::to_string(client) + " calls subscribe, operation " + name_of(token) + ":" + names);
    }
    for (const auto& f : filters) {
        c.wanted[f.filter] = {f.options, route};
        c.ever_wanted.insert(f.filter);
    }
    c.wanted_changed = true;
    c.engine->subscribe(now(), std::move(filters), route, token);
    drain(c);
    return token;
}

core::Token World::unsubscribe(std::uint32_t client, std::vector<std::string> filters) {
    Client& c = *clients_[client];
    const core::Token token = ledger.open_operation(client, filters.size());
    for (const auto& f : filters) {
        c.wanted.erase(f);
        if (judge.logs())
            judge.line("client " + std::to_string(client) + " calls unsubscribe, operation " + name_of(token) + ": " +
                       f);
    }
    c.wanted_changed = true;
    c.engine->unsubscribe(now(), std::move(filters), token);
    drain(c);
    return token;
}

core::Token World::ping(std::uint32_t client) {
    const core::Token token = ledger.open_operation(client, 1);
    if (judge.logs()) judge.line("client " + std::to_string(client) + " calls ping, operation " + name_of(token));
    clients_[client]->engine->ping(now(), token);
    drain(*clients_[client]);
    return token;
}

void World::cancel(std::uint32_t client, core::Token token) {
    if (Post* post = ledger.find(token); post && post->end == Post::End::open) post->cancel_asked = true;
    clients_[client]->engine->cancel(now(), token);
    drain(*clients_[client]);
}

void World::acknowledge(std::uint32_t client, core::InboundId id, Reason reason) {
    clients_[client]->engine->acknowledge(now(), id, reason);
    drain(*clients_[client]);
}

void World::acknowledge_everything(std::uint32_t client) {
    Client& c = *clients_[client];
    for (const auto id : std::exchange(c.late, {})) c.engine->acknowledge(now(), id);
    drain(c);
}

void World::set_will(std::uint32_t client, std::string topic, QoS qos, Duration delay) {
    Client& c = *clients_[client];
    Post post;
    post.client = client;
    post.life = c.life;
    post.qos = qos;
    post.will = true;
    post.size = sizeof(core::Token);
    post.end = Post::End::delivered;
    const core::Token token = ledger.open_post(post, topic);
    c.engine->set_will(Will{.topic = std::move(topic), .payload = make_payload(token, 0), .qos = qos, .delay = delay});
}

void World::elapse_early(std::uint32_t client) {
    Client& c = *clients_[client];
    if (c.deadline && c.deadline->at <= now()) return;
    c.engine->elapsed(now());
    drain(c);
}

// ---- The client's shell --------------------------------------------------------------------------------------------

void World::drain(Client& c) {
    if (c.draining) return; // called from a handler: the loop below goes on
    c.draining = true;
    for (int round = 0; !judge.failed(); ++round) {
        if (round > 10'000) judge.fail("client " + std::to_string(c.index) + ": draining never ends");
        keep_changes(c);
        c.events.clear();
        c.engine->take_events(c.events);
        for (const auto& event : c.events) handle(c, event);
        if (!c.events.empty()) continue;
        if (drain_output(c)) continue;
        drain_wish(c);
        break;
    }
    c.deadline = c.engine->deadline();
    c.draining = false;
    if (c.link && c.engine->wants_input()) network.read_on(now(), *c.link, Side::client);
}

void World::keep_changes(Client& c) {
    if (!c.engine->has_changes()) return;
    std::vector<core::RecordChange> changes;
    const bool first = c.engine->take_changes(changes);
    c.disk.write(std::move(changes), first);
    schedule.add(c.disk.busy_until(now(), c.plan.disk_takes), What::kept, c.index, Side::client, c.life);
}

void World::write_kept(Client& c) {
    c.disk.keep_one();
    for (; !c.accepted.empty() && c.accepted.front().first <= c.disk.kept(); c.accepted.pop_front())
        if (Post* post = ledger.find(c.accepted.front().second)) post->accepted = true;
    if (judge.logs())
        judge.line("client " + std::to_string(c.index) + " write " + std::to_string(c.disk.kept()) + " is kept");
    if (on_kept) on_kept(c.index, c.disk.kept());
    drain(c);
}

// What never went out was sent all the same, as far as the engine can tell: it will be repeated.
void World::drop_held(Client& c) {
    const auto octets = c.disk.drop_held();
    core::FrameReader reader;
    reader.feed(octets);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
        const auto packet = core::decode(c.plan.engine.version, **frame);
        const auto* publish = packet ? std::get_if<core::Publish>(&*packet) : nullptr;
        if (!publish || publish->qos == QoS::at_most_once) continue;
        Outgoing& out = c.session.from_client;
        const core::Token token = token_of(publish->payload);
        const bool fresh =
            out.entries.try_emplace(publish->id, Outgoing::Entry{.qos = publish->qos, .token = token}).second;
        if (fresh) out.entries[publish->id].order = out.next_order++;
        ledger.sent(token, !fresh);
    }
}

// True if something went out at once, so that there may be more to do.
bool World::drain_output(Client& c) {
    if (c.engine->has_output()) {
        scratch_.clear();
        c.engine->take_output(scratch_);
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
    if (c.unwritten > c.plan.engine.output_high_water + 128 * 1024)
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
    if (c.stopped) judge.fail("client " + std::to_string(c.index) + ": an event after the end: " + describe(event));
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
    if (m.id == 0) return;
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

// ---- The network's calls -------------------------------------------------------------------------------------------

void World::accepted(LinkId id) {
    ++broker_call_;
    broker_.connected(now(), broker_id(id));
    drain_broker();
}

void World::opened(LinkId id) {
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.engine->opened(now());
    drain(c);
}

void World::received(LinkId id, Side side, Octets octets) {
    judge.mix(octets.size());
    Tap& tap = *taps_[id];
    if (side == Side::broker) {
        if (broker_.wants_close(broker_id(id))) return;
        ++broker_call_;
        tap.broker_gets(octets.size());
        broker_.received(now(), broker_id(id), octets);
        return drain_broker();
    }
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.wanted_changed = false;
    tap.client_gets(octets.size());
    c.engine->received(now(), octets);
    drain(c);
    if (c.link == id && !c.stopping && network.is_open(id, Side::client) && c.handled != tap.publishes_received())
        judge.fail("client " + std::to_string(c.index) + ": " + std::to_string(tap.publishes_received()) +
                   " messages came, " + std::to_string(c.handled) + " were handed over");
}

void World::wrote(LinkId id, Side side, std::size_t octets) {
    if (side == Side::broker) {
        broker_.wrote(now(), broker_id(id), octets);
        return drain_broker();
    }
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.unwritten -= octets;
    c.engine->wrote(now(), octets);
    drain(c);
}

void World::closed(LinkId id, Side side, Error why) {
    if (judge.logs())
        judge.line(std::string(side == Side::client ? "client " : "the broker learns: client ") +
                   std::to_string(network.client_of(id)) + " connection closed: " + why.text);
    if (side == Side::broker) {
        ++broker_call_;
        broker_.closed(now(), broker_id(id));
        return drain_broker();
    }
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.link.reset();
    drop_held(c);
    c.engine->closed(now(), std::move(why));
    drain(c);
}

bool World::wants_input(LinkId id, Side side) {
    if (side == Side::broker) return true;
    const Client& c = *clients_[network.client_of(id)];
    return c.link != id || c.engine->wants_input();
}

// ---- Time ----------------------------------------------------------------------------------------------------------

bool World::step(Time until) {
    Client* first = nullptr;
    for (auto& c : clients_)
        if (c->deadline && (!first || c->deadline->at < first->deadline->at)) first = c.get();
    const Time never = Time::max();
    const Time client_at = first ? std::max(first->deadline->at, now()) : never;
    const Time broker_at = broker_deadline_ ? std::max(*broker_deadline_, now()) : never;
    const Time item_at = schedule.empty() ? never : schedule.top().at;
    const Time at = std::min({client_at, broker_at, item_at});
    if (at == never || at > until) return false;
    judge.now = at;
    judge.mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    if (client_at == at) {
        first->deadline->at = at;
        client_timer(*first);
    } else if (broker_at == at) {
        ++broker_call_;
        constexpr char pingreq[] = {'\xC0', 0}; // the broker may ask everybody for a keep-alive
        if (witness_connected_) broker_.received(at, witness_, Octets(pingreq, sizeof pingreq));
        broker_.elapsed(at);
        drain_broker();
        if (broker_deadline_ && *broker_deadline_ <= at) judge.fail("the broker's deadline does not advance");
    } else {
        const Item item = schedule.pop();
        if (item.what < What::act)
            network.handle(item);
        else if (item.what == What::kept) {
            Client& c = *clients_[item.who];
            if (c.life == item.amount) write_kept(c);
        } else if (item.what == What::acknowledge) {
            Client& c = *clients_[item.who];
            if (std::erase(c.late, item.amount) > 0) acknowledge(item.who, item.amount);
        } else if (on_item)
            on_item(item);
    }
    return true;
}

void World::run_for(Duration duration) {
    const Time until = now() + duration;
    while (!judge.failed() && step(until)) {
    }
    if (!judge.failed()) judge.now = until;
}

} // namespace tortoise::sim
