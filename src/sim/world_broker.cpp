// The brokers' shell, and those who take a client's place.
#include "sim/world.hpp"

#include <tortoise/topic.hpp>

namespace tortoise::sim {

std::string World::broker_name(const Host& host) const {
    return hosts_.size() == 1 ? "the broker" : "broker " + std::to_string(host.which);
}

bool World::Host::denies(const std::string& filter) const {
    const auto group = parse_shared(filter);
    if (group && !shared) return true;
    const std::string plain(group ? group->filter : filter);
    if (!wildcards && plain.find_first_of("+#") != std::string::npos) return true;
    return std::ranges::any_of(denied_filters, [&](const auto& wide) { return broker::covers(wide, plain); });
}

// ---- The broker's shell --------------------------------------------------------------------------------------------

void World::drain_broker(Host& host) {
    auto& broker = host.engine;
    while (true) {
        touched_.clear();
        broker.touched(touched_);
        if (touched_.empty()) break;
        for (const auto id : touched_) {
            scratch_.clear();
            broker.take_output(id, scratch_);
            if (id >= Stranger::first) {
                stranger_hears(host, id, scratch_);
                continue;
            }
            const auto link = static_cast<LinkId>(id - 1);
            for (const char octet : scratch_) judge.mix(static_cast<unsigned char>(octet));
            if (!scratch_.empty()) taps_[link]->broker_sends(scratch_);
            const std::size_t out = network.send(now(), link, Side::broker, scratch_);
            if (out > 0) broker.wrote(now(), id, out);
            if (broker.wants_close(id)) network.close_when_written(now(), link, Side::broker);
        }
    }
    host.deadline = broker.deadline();
    for (const auto token : std::exchange(routed_now_, {})) expect(host, token);
}

void World::broker_timer(Host& host) {
    ++broker_call_;
    host.engine.elapsed(now());
    drain_broker(host);
    if (host.deadline && *host.deadline <= now())
        judge.fail("the deadline of " + broker_name(host) + " does not advance");
}

// Who has a subscription that matches, and had it before this call, must get the message.
void World::expect(const Host& host, core::Token token) {
    Post* post = ledger.find(token);
    if (!post || post->qos == QoS::at_most_once || post->expires || post->will) return;
    const std::string& topic = ledger.topic(post->topic);
    const std::size_t largest_packet = post->size + topic.size() + 1024; // with what else may be in it
    for (const auto& c : clients_) {
        if (c->plan.broker != host.which || c->plan.engine.maximum_packet_size < largest_packet) continue;
        const std::uint32_t bit = 1u << c->index;
        if ((post->arrived | post->expected) & bit) continue;
        const auto owed = [&](const SessionModel::Filter& f) {
            return f.granted != QoS::at_most_once && f.since < broker_call_ && !parse_shared(f.filter.filter) &&
                   !(f.filter.options.no_local && post->client == c->index) && matches(f.filter.filter, topic);
        };
        if (std::none_of(c->session.filters.begin(), c->session.filters.end(), owed)) continue;
        post->expected |= bit;
        c->session.expected.push_back(token);
    }
}

void World::stop_broker(Duration clients_learn, std::size_t which) {
    auto& host = hosts_[which];
    if (judge.logs()) judge.line(broker_name(host) + " stops");
    host.runs = false;
    for (const LinkId id : std::vector<LinkId>(network.live())) {
        if (&host_of(id) != &host || !network.is_open(id, Side::broker)) continue;
        network.abort(now(), id, Side::broker, rng.up_to(clients_learn));
        ++broker_call_;
        host.engine.closed(now(), broker_id(id));
        drain_broker(host);
    }
    for (const auto& [id, stranger] : std::exchange(host.strangers, {})) host.engine.closed(now(), id);
    drain_broker(host);
}

void World::start_broker(bool forget_sessions, const testing::BrokerOptions* options, std::size_t which) {
    auto& host = hosts_[which];
    if (judge.logs())
        judge.line(broker_name(host) + (forget_sessions ? " starts, and has forgotten everything" : " starts"));
    if (forget_sessions) host.engine.forget_sessions();
    if (options) host.engine.set_options(*options);
    host.runs = true;
}

void World::take_over(std::uint32_t client) {
    Client& c = *clients_[client];
    if (judge.logs()) judge.line("somebody takes the place of client " + std::to_string(client));
    core::EngineOptions options = c.plan.engine;
    options.session.clean_start = false;
    Properties properties; // the same as the client's, or else its session would end with the stranger
    const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(options.session.expiry).count();
    if (options.version == Version::v5)
        properties.set(property::session_expiry_interval, static_cast<std::uint32_t>(expiry));
    const core::Connect connect{
        .version = options.version, .clean_start = false, .client_id = options.client_id, .properties = properties};
    std::string octets;
    if (!core::encode(options.version, core::Packet(connect), octets)) judge.fail("the codec refuses the stranger");
    auto& host = host_of(c);
    const auto id = next_stranger_++;
    Stranger& stranger = host.strangers[id];
    stranger.tap = std::make_unique<Tap>(judge, ledger, c.session, options, client, broker_call_, stranger.connacks);
    ++broker_call_;
    host.engine.connected(now(), id);
    stranger.tap->client_sends(octets);
    stranger.tap->broker_gets(octets.size());
    host.engine.received(now(), id, octets);
    drain_broker(host);
}

void World::stranger_hears(Host& host, broker::ClientId id, Octets octets) {
    const auto stranger = host.strangers.find(id);
    if (stranger == host.strangers.end()) return;
    if (!octets.empty()) {
        stranger->second.tap->broker_sends(octets);
        host.engine.wrote(now(), id, octets.size());
    }
    if (!host.engine.wants_close(id)) return;
    host.engine.closed(now(), id);
    host.strangers.erase(stranger);
}

// ---- What it passes on ---------------------------------------------------------------------------------------------

void World::passes_on(const Host& host, Octets payload) {
    const core::Token token = token_of(payload);
    const Post* post = ledger.find(token);
    if (judge.logs()) judge.line(broker_name(host) + " passes on " + ledger.describe(token));
    ledger.routed(token, post ? clients_[post->client]->session.epoch : 0);
    routed_now_.push_back(token);
}

} // namespace tortoise::sim
