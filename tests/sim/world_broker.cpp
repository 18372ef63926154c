// The broker's shell, and the witness that sees each message at the moment at which the broker passes it on.
#include "sim/world.hpp"

#include <tortoise/topic.hpp>

namespace tortoise::sim {

// ---- The broker's shell --------------------------------------------------------------------------------------------

void World::drain_broker() {
    while (true) {
        touched_.clear();
        broker_.touched(touched_);
        if (touched_.empty()) break;
        for (const auto id : touched_) {
            scratch_.clear();
            broker_.take_output(id, scratch_);
            if (id >= first_stranger) {
                stranger_hears(id, scratch_);
                continue;
            }
            if (id >= first_witness) {
                if (id != witness_) continue;
                if (!scratch_.empty()) broker_.wrote(now(), id, scratch_.size());
                witness_reads(scratch_);
                if (broker_.wants_close(id)) judge.fail("the broker throws the witness out");
                continue;
            }
            const auto link = static_cast<LinkId>(id - 1);
            for (const char octet : scratch_) judge.mix(static_cast<unsigned char>(octet));
            if (!scratch_.empty()) taps_[link]->broker_sends(scratch_);
            const std::size_t out = network.send(now(), link, Side::broker, scratch_);
            if (out > 0) broker_.wrote(now(), id, out);
            if (broker_.wants_close(id)) network.close_when_written(now(), link, Side::broker);
        }
    }
    broker_deadline_ = broker_.deadline();
    for (const auto token : std::exchange(routed_now_, {})) expect(token);
}

// Who has a subscription that matches, and had it before this call, must get the message.
void World::expect(core::Token token) {
    Post* post = ledger.find(token);
    if (!post || post->qos == QoS::at_most_once || post->expires || post->will) return;
    const std::string& topic = ledger.topic(post->topic);
    for (const auto& c : clients_) {
        const std::uint32_t bit = 1u << c->index;
        if ((post->arrived | post->expected) & bit) continue;
        const auto owed = [&](const SessionModel::Filter& f) {
            return f.granted != QoS::at_most_once && f.since < broker_call_ &&
                   !(f.filter.options.no_local && post->client == c->index) && matches(f.filter.filter, topic);
        };
        if (std::none_of(c->session.filters.begin(), c->session.filters.end(), owed)) continue;
        post->expected |= bit;
        c->session.expected.push_back(token);
    }
}

void World::stop_broker(Duration clients_learn) {
    if (judge.logs()) judge.line("the broker stops");
    network.listening = false;
    for (const LinkId id : std::vector<LinkId>(network.live())) {
        if (!network.is_open(id, Side::broker)) continue;
        network.abort(now(), id, Side::broker, rng.up_to(clients_learn));
        ++broker_call_;
        broker_.closed(now(), broker_id(id));
        drain_broker();
    }
    for (const auto& [id, stranger] : std::exchange(strangers_, {})) broker_.closed(now(), id);
    broker_.closed(now(), witness_);
    witness_connected_ = false;
    drain_broker();
}

void World::start_broker(bool forget_sessions, const testing::BrokerOptions* options) {
    if (judge.logs())
        judge.line(forget_sessions ? "the broker starts, and has forgotten everything" : "the broker starts");
    if (forget_sessions) broker_.forget_sessions();
    if (options) broker_.set_options(*options);
    network.listening = true;
    ++witness_;
    witness_connects();
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
    const auto id = next_stranger_++;
    Stranger& stranger = strangers_[id];
    stranger.tap = std::make_unique<Tap>(judge, ledger, c.session, options, client, broker_call_, stranger.connacks);
    ++broker_call_;
    broker_.connected(now(), id);
    stranger.tap->client_sends(octets);
    stranger.tap->broker_gets(octets.size());
    broker_.received(now(), id, octets);
    drain_broker();
}

void World::stranger_hears(broker::ClientId id, Octets octets) {
    const auto stranger = strangers_.find(id);
    if (stranger == strangers_.end()) return;
    if (!octets.empty()) {
        stranger->second.tap->broker_sends(octets);
        broker_.wrote(now(), id, octets.size());
    }
    if (!broker_.wants_close(id)) return;
    broker_.closed(now(), id);
    strangers_.erase(stranger);
}

// ---- The witness ---------------------------------------------------------------------------------------------------

void World::witness_connects() {
    witness_reader_.reset();
    broker_.connected(now(), witness_);
    std::string octets;
    core::Connect connect{.client_id = "the witness"};
    core::Subscribe subscribe{.id = 1, .entries = {{"#", {.retain_handling = RetainHandling::do_not_send}}}};
    if (!core::encode(Version::v5, core::Packet(connect), octets) ||
        !core::encode(Version::v5, core::Packet(subscribe), octets))
        judge.fail("the codec refuses the witness");
    broker_.received(now(), witness_, octets);
    witness_connected_ = true;
    drain_broker();
}

void World::witness_reads(Octets octets) {
    witness_reader_.feed(octets);
    while (true) {
        const auto frame = witness_reader_.next();
        if (!frame || !*frame) return;
        const auto packet = core::decode(Version::v5, **frame);
        if (!packet) return judge.fail("the broker to the witness: " + packet.error().describe());
        const auto* publish = std::get_if<core::Publish>(&*packet);
        if (!publish) continue;
        const core::Token token = token_of(publish->payload);
        const Post* post = ledger.find(token);
        if (judge.logs()) judge.line("the broker passes on " + ledger.describe(token));
        ledger.routed(token, post ? clients_[post->client]->session.epoch : 0);
        routed_now_.push_back(token);
    }
}

} // namespace tortoise::sim
