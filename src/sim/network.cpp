#include "sim/network.hpp"

#include <algorithm>

namespace tortoise::sim {

namespace {
constexpr std::size_t socket_buffer = 64 * 1024; // what the operating system takes without anybody reading it
}

LinkId Network::connect(Time now, std::uint32_t client) {
    const auto id = static_cast<LinkId>(links_.size());
    links_.emplace_back().client = client;
    end(id, Side::client).state = State::opening;
    live_.push_back(id);
    if (black_hole) return id;
    schedule_.add(now + latency(), What::accept, id);
    return id;
}

// ---- Writing -------------------------------------------------------------------------------------------------------

void Network::put_on_wire(Time now, LinkId id, Side from, Octets octets) {
    Half& h = half(id, from);
    if (h.dead || octets.empty()) return;
    if (h.cut_after && octets.size() > *h.cut_after) {
        octets = octets.substr(0, *h.cut_after);
        h.dead = half(id, other(from)).dead = true;
        if (octets.empty()) return;
    } else if (h.cut_after) {
        *h.cut_after -= octets.size();
    }
    h.wire.append(octets);
    h.departed = std::max(h.departed, now);
    if (conditions.bandwidth > 0)
        h.departed += std::chrono::nanoseconds(std::chrono::seconds(1)) * octets.size() / conditions.bandwidth;
    h.last = std::max(h.last, h.departed + latency());
    schedule_.add(h.last, What::arrive, id, from, octets.size());
}

std::size_t Network::send(Time now, LinkId id, Side from, Octets octets) {
    Half& h = half(id, from);
    if (end(id, from).state != State::open || octets.empty()) return 0;
    const bool room = end(id, other(from)).state == State::closed || h.arrived.size() + h.wire.size() < socket_buffer;
    if (h.unsent.empty() && !h.stuck && room && !rng_.chance(conditions.slow_write)) {
        put_on_wire(now, id, from, octets);
        return octets.size();
    }
    h.unsent.append(octets);
    go_on_writing(now, id, from);
    return 0;
}

void Network::go_on_writing(Time now, LinkId id, Side from) {
    Half& h = half(id, from);
    if (h.writing || h.unsent.empty() || h.stuck) return;
    h.writing = true;
    schedule_.add(now + rng_.up_to(conditions.slow_write_max), What::write, id, from);
}

void Network::write(Time now, LinkId id, Side from) {
    Half& h = half(id, from);
    h.writing = false;
    if (end(id, from).state != State::open || h.stuck || h.unsent.empty()) return;
    if (!h.dead && h.arrived.size() + h.wire.size() >= socket_buffer) return go_on_writing(now, id, from);
    const std::size_t n = rng_.chance(500) ? h.unsent.size() : 1 + rng_.below(h.unsent.size());
    put_on_wire(now, id, from, Octets(h.unsent).substr(0, n));
    h.unsent.erase(0, n);
    // The octets may arrive before the sender hears that they went out.
    schedule_.add(now + rng_.up_to(conditions.slow_write_max / 4), What::wrote, id, from, n);
    h.writing = true; // one write at a time: the next begins when this one is reported
}

// ---- Reading -------------------------------------------------------------------------------------------------------

void Network::arrive(Time now, LinkId id, Side from, std::size_t n) {
    Half& h = half(id, from);
    n = std::min(n, h.wire.size());
    h.arrived.append(h.wire, 0, n);
    h.wire.erase(0, n);
    if (end(id, other(from)).state != State::open) return h.arrived.clear();
    if (!h.reading) read(now, id, other(from), false);
}

void Network::read(Time now, LinkId id, Side reader, bool all) {
    Half& h = half(id, other(reader));
    h.reading = false;
    if (end(id, reader).state != State::open || h.arrived.empty() || !programs_.wants_input(id, reader)) return;
    std::size_t n = h.arrived.size();
    if (!all && n > 1 && rng_.chance(conditions.pieces)) n = 1 + rng_.below(n);
    std::string piece;
    if (n == h.arrived.size())
        piece.swap(h.arrived);
    else {
        piece = h.arrived.substr(0, n);
        h.arrived.erase(0, n);
        h.reading = true;
        schedule_.add(now + rng_.up_to(conditions.latency_max), What::read, id, reader);
    }
    programs_.received(id, reader, piece);
}

void Network::read_on(Time now, LinkId id, Side reader) {
    Half& h = half(id, other(reader));
    if (h.reading || h.arrived.empty() || end(id, reader).state != State::open) return;
    h.reading = true;
    schedule_.add(now, What::read, id, reader);
}

// ---- Ending --------------------------------------------------------------------------------------------------------

void Network::close_when_written(Time now, LinkId id, Side side) {
    End& e = end(id, side);
    if (e.state != State::open) return;
    e.close_when_written = true;
    if (half(id, side).unsent.empty() && !half(id, side).writing)
        close(now, id, side);
    else if (half(id, side).stuck)
        close(now, id, side);
}

void Network::close(Time now, LinkId id, Side side) {
    End& e = end(id, side);
    if (e.state != State::open && e.state != State::opening) return;
    Half& out = half(id, side);
    const bool was_open = e.state == State::open;
    if (was_open && !out.stuck) {
        const std::size_t n = rng_.chance(800) ? out.unsent.size() : rng_.below(out.unsent.size() + 1);
        put_on_wire(now, id, side, Octets(out.unsent).substr(0, n));
    }
    out.unsent.clear();
    e.state = State::closing;
    schedule_.add(now + rng_.up_to(conditions.latency_max), What::closed, id, side);
    half(id, other(side)).arrived.clear();
    if (out.dead) return;
    if (rng_.chance(conditions.reset)) out.wire.resize(rng_.below(out.wire.size() + 1));
    schedule_.add(std::max(out.last, now + latency()), What::end_of_stream, id, other(side));
}

void Network::cut(Time now, LinkId id, Cut how) {
    for (const Side from : {Side::client, Side::broker}) {
        if (how.only && *how.only != from) continue;
        Half& h = half(id, from);
        h.wire.resize(how.deliver_some ? rng_.below(h.wire.size() + 1) : 0);
        h.dead = true;
        h.stuck = how.stuck;
    }
    if (how.client_learns) schedule_.add(now + *how.client_learns, What::end_of_stream, id, Side::client);
    if (how.broker_learns) schedule_.add(now + *how.broker_learns, What::end_of_stream, id, Side::broker);
}

void Network::abort(Time now, LinkId id, Side side, Duration other_learns) {
    End& e = end(id, side);
    if (e.state == State::closed || e.state == State::none) return;
    e.state = State::closed;
    Half& out = half(id, side);
    out.wire.resize(rng_.below(out.wire.size() + 1));
    out.dead = half(id, other(side)).dead = true;
    schedule_.add(now + other_learns, What::end_of_stream, id, other(side));
    forget_if_over(id);
}

void Network::notice_everything(Time now) {
    for (const LinkId id : live_) {
        const bool client_there = end(id, Side::client).state == State::open;
        const bool broker_there = end(id, Side::broker).state == State::open;
        const bool broken = half(id, Side::client).dead || half(id, Side::broker).dead || client_there != broker_there;
        if (broken && client_there) schedule_.add(now, What::end_of_stream, id, Side::client);
        if (broken && broker_there && end(id, Side::client).state != State::opening)
            schedule_.add(now, What::end_of_stream, id, Side::broker);
    }
}

// The stream ends after everything that arrived, if the program still reads.
void Network::end_of_stream(Time now, LinkId id, Side side) {
    End& e = end(id, side);
    if (e.state == State::open) read(now, id, side, true);
    if (e.state != State::open && e.state != State::opening) return;
    e.state = State::closed;
    half(id, side).dead = true;
    half(id, side).unsent.clear();
    half(id, other(side)).dead = true; // what the other side still writes reaches nobody
    programs_.closed(id, side, make_error(Errc::connection_lost, "the simulated connection ended"));
    forget_if_over(id);
}

void Network::forget_if_over(LinkId id) {
    const auto over = [](State s) { return s == State::closed || s == State::none; };
    if (!over(end(id, Side::client).state) || !over(end(id, Side::broker).state)) return;
    for (const Side s : {Side::client, Side::broker}) {
        half(id, s).dead = true;
        half(id, s).wire = half(id, s).unsent = half(id, s).arrived = {};
    }
    std::erase(live_, id);
}

void Network::handle(const Item& item) {
    const LinkId id = item.who;
    const Time now = item.at;
    End& client = end(id, Side::client);
    End& broker = end(id, Side::broker);
    switch (item.what) {
    case What::accept:
        if (client.state != State::opening) break; // the client gave up
        if (!programs_.listens(id)) {
            schedule_.add(now + latency(), What::refused, id);
            break;
        }
        broker.state = State::open;
        programs_.accepted(id);
        schedule_.add(now + latency(), What::opened, id);
        break;
    case What::opened:
        if (client.state != State::opening) break;
        client.state = State::open;
        programs_.opened(id);
        break;
    case What::refused:
        if (client.state != State::opening) break;
        client.state = State::closed;
        programs_.closed(id, Side::client, make_error(Errc::connection_lost, "connection refused"));
        forget_if_over(id);
        break;
    case What::write: write(now, id, item.side); break;
    case What::wrote:
        half(id, item.side).writing = false;
        if (end(id, item.side).state != State::open) break;
        programs_.wrote(id, item.side, item.amount);
        if (end(id, item.side).state != State::open) break;
        go_on_writing(now, id, item.side);
        if (end(id, item.side).close_when_written && half(id, item.side).unsent.empty()) close(now, id, item.side);
        break;
    case What::arrive: arrive(now, id, item.side, item.amount); break;
    case What::read: read(now, id, item.side, false); break;
    case What::end_of_stream: end_of_stream(now, id, item.side); break;
    case What::closed:
        if (end(id, item.side).state != State::closing) break;
        end(id, item.side).state = State::closed;
        programs_.closed(id, item.side, make_error(Errc::connection_lost, "closed as wished"));
        forget_if_over(id);
        break;
    default: break;
    }
}

} // namespace tortoise::sim
