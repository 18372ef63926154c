#include "core/engine/peer.hpp"

#include <algorithm>

namespace tortoise::core::testing {

EngineOptions plain(Version version) {
    EngineOptions options;
    options.version = version;
    options.client_id = "test";
    options.session.clean_start = false;
    options.backoff = {.min = 1s, .max = 1s, .stable_after = 30s};
    options.topic_aliases = TopicAliases::off;
    return options;
}

Peer::Peer(EngineOptions o, std::uint64_t seed) : engine(o, seed), options(std::move(o)) {
    engine.set_wall_clock(now, WallTime(wall_ahead_));
}

// ---- The user ------------------------------------------------------------------------------------------------------

void Peer::start() {
    started_ = true;
    engine.start(now);
    drain();
}

void Peer::stop(Duration drain_time, Error why) {
    engine.stop(now, drain_time, std::move(why));
    drain();
}

void Peer::reconnect() {
    engine.reconnect(now);
    drain();
}

void Peer::drop(Error why) {
    engine.drop(now, std::move(why));
    drain();
}

Token Peer::publish(PublishRequest request) {
    request.token = next_token_++;
    engine.publish(now, request);
    drain();
    return request.token;
}

Token Peer::publish(std::string topic, QoS qos, std::string payload, std::optional<Duration> ttl) {
    return publish({.topic = topic, .payload = payload, .qos = qos, .ttl = ttl});
}

Token Peer::subscribe(std::vector<TopicFilter> filters, Route route) {
    engine.subscribe(now, std::move(filters), route, next_token_);
    drain();
    return next_token_++;
}

Token Peer::unsubscribe(std::vector<std::string> filters) {
    engine.unsubscribe(now, std::move(filters), next_token_);
    drain();
    return next_token_++;
}

void Peer::acknowledge(InboundId id, Reason reason) {
    engine.acknowledge(now, id, reason);
    drain();
}

void Peer::cancel(Token token) {
    engine.cancel(now, token);
    drain();
}

Token Peer::ping() {
    engine.ping(now, next_token_);
    drain();
    return next_token_++;
}

void Peer::continue_authentication(Octets data) {
    engine.continue_authentication(now, data);
    drain();
}

void Peer::accept_authentication(std::optional<Time> renew_at) {
    engine.accept_authentication(now, renew_at);
    drain();
}

void Peer::fail_authentication(Error why) {
    engine.fail_authentication(now, std::move(why));
    drain();
}

void Peer::reauthenticate(Authentication with) {
    engine.reauthenticate(now, std::move(with));
    drain();
}

// ---- The shell -----------------------------------------------------------------------------------------------------

void Peer::keep() {
    std::vector<RecordChange> changes;
    engine.take_changes(changes);
    for (auto& [action, record] : changes) {
        const auto same = [&r = record](const Record& kept) { return kept.kind == r.kind && kept.key == r.key; };
        const auto at = std::find_if(records.begin(), records.end(), same);
        if (action == RecordChange::Action::mark && at != records.end()) at->mark = record.mark;
        if (action == RecordChange::Action::mark) continue;
        if (at != records.end()) records.erase(at);
        if (action == RecordChange::Action::put) records.push_back(std::move(record));
    }
}

void Peer::restart(Duration wall_later) {
    wall_ahead_ += std::chrono::floor<std::chrono::milliseconds>(wall_later);
    engine = Engine(options, 1);
    const WallTime wall(std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()) + wall_ahead_);
    const auto restored = engine.restore(now, wall, records);
    EXPECT_TRUE(restored) << restored.error().describe();
    reader_.reset();
    packets_.clear();
    events_.clear();
    wish = {};
    started_ = false;
}

void Peer::drain() {
    while (true) {
        keep();
        std::vector<Event> events;
        engine.take_events(events);
        for (auto& event : events) {
            if (auto* received = std::get_if<Received>(&event)) {
                const auto routes = engine.routes(*received);
                routes_of_last.assign(routes.begin(), routes.end());
                messages_.emplace_back(received->message);
                received->message = messages_.back();
            }
            events_.push_back(std::move(event));
        }
        if (!engine.has_output()) break;
        engine.take_output(sent_.emplace_back());
        reader_.feed(sent_.back());
        while (true) {
            const auto frame = reader_.next();
            if (!frame || !*frame) break;
            auto packet = decode(options.version, **frame);
            if (packet)
                packets_.push_back(std::move(*packet));
            else
                ADD_FAILURE() << "the engine sent what does not decode: " << packet.error().describe();
        }
        EXPECT_EQ(reader_.pending(), 0u) << "the engine handed over a part of a packet";
        if (!writes_hang) engine.wrote(now, sent_.back().size());
    }
    if (const Wish w = engine.take_wish(); w.kind != Wish::nothing) wish = w;
}

void Peer::open() {
    EXPECT_EQ(wish.kind, Wish::open);
    wish = {};
    engine.opened(now);
    drain();
}

void Peer::close(Error why) {
    wish = {};
    reader_.reset();
    engine.closed(now, std::move(why));
    drain();
}

void Peer::wrote(std::size_t octets) {
    engine.wrote(now, octets);
    drain();
}

void Peer::pass(Duration duration) {
    const Time until = now + duration;
    for (int i = 0; i < 10'000; ++i) {
        const auto deadline = engine.deadline();
        if (!deadline || deadline->at > until) {
            now = until;
            return;
        }
        now = std::max(now, deadline->at);
        engine.elapsed(now);
        drain();
    }
    ADD_FAILURE() << "a timer does not advance";
}

// ---- The broker ----------------------------------------------------------------------------------------------------

void Peer::send(const Packet& packet) {
    std::string octets;
    const auto encoded = encode(options.version, packet, octets);
    EXPECT_TRUE(encoded) << encoded.error().describe();
    send_octets(octets);
}

void Peer::send_octets(Octets octets) {
    engine.received(now, received_.emplace_back(octets));
    drain();
}

void Peer::message(std::string_view topic, QoS qos, PacketId id, std::string_view payload, bool duplicate) {
    send(Publish{.id = id, .topic = topic, .payload = payload, .qos = qos, .duplicate = duplicate});
}

Connect Peer::connect(bool session_present, Properties connack) {
    if (!started_) start();
    open();
    Connect c = sent<Connect>();
    send(Connack{session_present, Reason::success, connack});
    const Up up = event<Up>();
    EXPECT_EQ(up.info.session_present, session_present);
    return c;
}

void Peer::become_uncertain() {
    lose_connection();
    open();
    sent<Connect>();
    close();
    event<Down>();
    pass(std::chrono::seconds(1));
}

void Peer::lose_connection() {
    close();
    EXPECT_TRUE(event<Down>().was_up);
    while (wish.kind != Wish::open && engine.deadline()) pass(engine.deadline()->at - now);
}

Ack Peer::sent_ack(PacketType type) {
    const Ack a = sent<Ack>();
    EXPECT_EQ(a.type, type) << to_string(a.type);
    return a;
}

std::string Peer::rest() const {
    std::string all;
    for (const auto& packet : packets_) all += print(packet) + "\n";
    return all;
}

} // namespace tortoise::core::testing
