// What a client's program keeps on its disk, what waits for that, and how the next life goes on with it.
#include "sim/world.hpp"

#include <algorithm>

namespace tortoise::sim {

namespace {

/// The message in a record, by its payload.
core::Token token_in(const core::Record& record) {
    constexpr std::size_t head = 13; // see Journal
    const auto packet = core::decode(Version::v5, Octets(record.value).substr(std::min(head, record.value.size())));
    const auto* publish = packet ? std::get_if<core::Publish>(&*packet) : nullptr;
    return publish ? token_of(publish->payload) : 0;
}

} // namespace

// Does the disk know identifiers of a session that is gone? The engine had forgotten them at its CONNACK, and died
// before that was kept. What a living session has released may be there as well: its PUBREL comes again.
bool World::keeps_stale_identifiers(const Client& c) {
    const auto known = c.engine->snapshot().inbound_qos2;
    const auto& open = c.session.from_broker.entries;
    return std::ranges::any_of(c.disk.records(), [&](const core::Record& record) {
        if (record.kind != core::RecordKind::inbound) return false;
        const auto id = static_cast<core::PacketId>(record.key);
        const auto entry = open.find(id);
        const bool released = entry != open.end() && entry->second.step == Outgoing::Step::released;
        return !released && std::ranges::find(known, id) == known.end();
    });
}

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
        post->slack = std::max(post->slack, c.plan.slack() + std::chrono::milliseconds(1)); // the new life's clock
        if (post->expires) post->expires = std::max(now(), post->made + post->ttl + (post->wall - wall_epoch_));
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
    const auto wall = wall_epoch_ + std::chrono::floor<std::chrono::milliseconds>(now().time_since_epoch());
    if (auto restored = c.engine->restore(now(), wall, c.disk.records()); !restored)
        judge.fail("client " + std::to_string(c.index) + " cannot go on: " + restored.error().describe());
    c.engine->set_wall_clock(Time{}, wall_epoch_); // to the nanosecond
    c.requeued = kept.size();
}

void World::keep_changes(Client& c) {
    if (!c.engine->has_changes()) return;
    std::vector<core::RecordChange> changes;
    const bool first = c.engine->take_changes(changes);
    if (c.disk_failed) return;
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
        const Outgoing::Entry entry{.qos = publish->qos, .token = token, .order = out.next_order};
        auto [known, fresh] = out.entries.try_emplace(publish->id, entry);
        if (known->second.token != token) { // one that was given up had the identifier
            const Post* before = ledger.find(known->second.token);
            if (!before || before->end != Post::End::undelivered || known->second.qos != QoS::at_least_once)
                judge.fail("client " + std::to_string(c.index) + ": packet identifier " + std::to_string(publish->id) +
                           " is in use");
            out.settled(known->second);
            known->second = entry;
            fresh = true;
        }
        if (fresh) ++out.next_order;
        c.session.most_in_flight = std::max(c.session.most_in_flight, out.entries.size());
        ledger.sent(token, !fresh);
    }
}

void World::fail_disk(std::uint32_t client) {
    Client& c = *clients_[client];
    if (judge.logs()) judge.line("the disk of client " + std::to_string(client) + " fails");
    const auto why = make_error(Errc::store_failed, "the simulated disk failed");
    c.disk_failed = c.stopping = true;
    if (c.link) {
        network.abort(now(), *c.link, Side::client, rng.up_to(std::chrono::seconds(2)));
        c.link.reset();
        drop_held(c);
        c.engine->closed(now(), why);
    }
    c.disk.crash();
    c.accepted.clear();
    c.engine->stop(now(), {}, why);
    drain(c);
}

void World::jump_wall_clock(std::chrono::milliseconds by) {
    if (judge.logs()) judge.line("the wall clock jumps by " + std::to_string(by.count()) + " ms");
    wall_epoch_ += by;
    for (auto& c : clients_) c->engine->set_wall_clock(Time{}, wall_epoch_);
}

} // namespace tortoise::sim
