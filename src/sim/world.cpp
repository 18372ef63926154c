#include "sim/world.hpp"

#include <algorithm>
#include <tortoise/topic.hpp>

namespace tortoise::sim {

World::World(std::uint64_t seed, testing::BrokerOptions options, Judge& j)
    : judge(j), rng(seed), network(schedule, rng, *this), ledger(j) {
    add_broker(std::move(options));
}

World::~World() = default;

// ---- Who is there --------------------------------------------------------------------------------------------------

std::size_t World::add_broker(testing::BrokerOptions options) {
    auto& host = hosts_.emplace_back(hosts_.size(), std::move(options));
    host.engine.observe([this, &host](Octets payload) { passes_on(host, payload); });
    return host.which;
}

std::uint32_t World::add_client(ClientPlan plan) {
    auto client = std::make_unique<Client>();
    client->index = clients();
    client->plan = std::move(plan);
    clients_.push_back(std::move(client));
    begin_life(*clients_.back());
    return clients() - 1;
}

std::unique_ptr<core::WorkList> World::work_list(const Client& c) const noexcept {
    return std::unique_ptr<core::WorkList>(c.plan.work_list ? c.plan.work_list() : nullptr);
}

void World::begin_life(Client& c) {
    c.engine.emplace(c.plan.engine, rng.next(), work_list(c));
    c.engine->set_wall_clock(Time{}, wall_epoch_);
    c.deadline.reset();
    c.link.reset();
    c.session.from_client = {};
    if (!c.plan.engine.persistent || c.life == 0) c.session.unheard = c.session.doubtful = false;
    c.connacks = 0;
    c.stopping = c.stopped = c.disk_failed = c.dying = false;
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
    if (goes_on && keeps_stale_identifiers(c)) c.session.doubtful = true;
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
    post.own_order = static_cast<bool>(c.plan.work_list);
    post.size = static_cast<std::uint32_t>(std::max(plan.size, sizeof(core::Token)));
    post.made = now();
    if (c.plan.engine.persistent) post.slack = c.plan.slack();
    post.wall = wall_epoch_;
    if (plan.ttl) {
        post.ttl = *plan.ttl;
        post.expires = now() + *plan.ttl;
    }
    largest_ = std::max(largest_, plan.size);
    const core::Token token = ledger.open_post(post, plan.topic);
    Properties properties;
    if (plan.properties && c.plan.engine.version == Version::v5)
        properties.set(property::content_type, "text/plain").add_user("sensor", std::to_string(client));
    const std::string payload = make_payload(token, plan.size);
    const core::PublishRequest request{.topic = plan.topic,
                                       .payload = payload,
                                       .qos = plan.qos,
                                       .retain = plan.retain,
                                       .priority = plan.priority,
                                       .ttl = plan.ttl,
                                       .properties = properties,
                                       .token = token};
    if (pass(c, request))
        ledger.delivered(token);
    else
        c.engine->publish(now(), request);
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
        if (!check_filter(f.filter)) continue; // the engine refuses it
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

// ---- The network's calls -------------------------------------------------------------------------------------------

void World::accepted(LinkId id) {
    ++broker_call_;
    auto& host = host_of(id);
    host.engine.connected(now(), broker_id(id));
    drain_broker(host);
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
        auto& host = host_of(id);
        if (host.engine.wants_close(broker_id(id))) return;
        ++broker_call_;
        tap.broker_gets(octets.size());
        host.engine.received(now(), broker_id(id), octets);
        return drain_broker(host);
    }
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.wanted_changed = false;
    tap.client_gets(octets.size());
    c.engine->received(now(), octets);
    drain(c);
    if (c.link == id && !c.stopping && !c.dying && network.is_open(id, Side::client) &&
        c.handled != tap.publishes_received())
        judge.fail("client " + std::to_string(c.index) + ": " + std::to_string(tap.publishes_received()) +
                   " messages came, " + std::to_string(c.handled) + " were handed over");
}

void World::wrote(LinkId id, Side side, std::size_t octets) {
    if (side == Side::broker) {
        auto& host = host_of(id);
        host.engine.wrote(now(), broker_id(id), octets);
        return drain_broker(host);
    }
    Client& c = *clients_[network.client_of(id)];
    if (c.link != id) return;
    c.unwritten -= octets;
    c.engine->wrote(now(), octets);
    drain(c);
}

void World::closed(LinkId id, Side side, Error why) {
    if (judge.logs())
        judge.line((side == Side::client ? "client " : broker_name(host_of(id)) + " learns: client ") +
                   std::to_string(network.client_of(id)) + " connection closed: " + why.text);
    if (side == Side::broker) {
        ++broker_call_;
        auto& host = host_of(id);
        host.engine.closed(now(), broker_id(id));
        return drain_broker(host);
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
    Host* host = nullptr;
    for (auto& h : hosts_)
        if (h.deadline && (!host || *h.deadline < *host->deadline)) host = &h;
    const Time never = Time::max();
    const Time client_at = first ? std::max(first->deadline->at, now()) : never;
    const Time broker_at = host ? std::max(*host->deadline, now()) : never;
    const Time item_at = schedule.empty() ? never : schedule.top().at;
    const Time at = std::min({client_at, broker_at, item_at});
    if (at == never || at > until) return false;
    judge.now = at;
    judge.mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    if (client_at == at) {
        first->deadline->at = at;
        client_timer(*first);
    } else if (broker_at == at) {
        broker_timer(*host);
    } else {
        const Item item = schedule.pop();
        if (item.what < What::act)
            network.handle(item);
        else if (item.what == What::kept) {
            Client& c = *clients_[item.who];
            if (c.life == item.amount && !c.disk_failed) write_kept(c);
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
