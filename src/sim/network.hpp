#pragma once
/// A simulated network: ordered streams of octets with latency, deliveries in pieces, slow writes, and every way to
/// break.

#include "sim/rng.hpp"
#include "sim/schedule.hpp"

#include <deque>
#include <optional>
#include <string>
#include <tortoise/error.hpp>
#include <tortoise/types.hpp>

namespace tortoise::sim {

using LinkId = std::uint32_t;

/// How the network behaves at present.
struct Conditions {
    Duration latency_min = std::chrono::milliseconds(1), latency_max = std::chrono::milliseconds(1);
    unsigned pieces = 0;     ///< per mille of the arrivals that are read in several pieces
    unsigned slow_write = 0; ///< per mille of the writes that wait, and go out in parts
    Duration slow_write_max = std::chrono::milliseconds(300);
    std::size_t bandwidth = 0; ///< octets a second in each direction of a connection; 0: no limit
    unsigned reset = 0;        ///< per mille of the closes that lose what is on its way
};

/// The programs at the two ends. Octets are valid during the call.
class Programs {
public:
    virtual void accepted(LinkId) = 0;
    virtual void opened(LinkId) = 0;
    virtual void received(LinkId, Side, Octets) = 0;
    virtual void wrote(LinkId, Side, std::size_t octets) = 0;
    virtual void closed(LinkId, Side, Error) = 0;
    virtual bool wants_input(LinkId, Side) = 0;
    virtual bool listens(LinkId) = 0; ///< does somebody accept the connection?

protected:
    ~Programs() = default;
};

/// How a connection breaks: when each side learns of it (nothing: not by the network), and what happens until then.
struct Cut {
    std::optional<Duration> client_learns = Duration{};
    std::optional<Duration> broker_learns = Duration{};
    std::optional<Side> only = {}; ///< half-open: only what that side says is lost
    bool stuck = false;            ///< writes into the void hang, instead of going out
    bool deliver_some = true;      ///< a part of what is on its way still arrives; otherwise nothing does
};

class Network {
public:
    Network(Schedule& schedule, Rng& rng, Programs& programs) : schedule_(schedule), rng_(rng), programs_(programs) {}

    Conditions conditions;
    bool black_hole = false; ///< attempts to connect are never answered

    /// Answered by opened() or closed(), unless it is closed before.
    LinkId connect(Time, std::uint32_t client);
    std::uint32_t client_of(LinkId id) const { return links_[id].client; }

    /// Hands over octets; returns how many went out at once. wrote() tells of the others.
    std::size_t send(Time, LinkId, Side, Octets);
    /// What was handed over and did not go out.
    std::size_t unsent(LinkId id, Side from) const { return half(id, from).unsent.size(); }
    /// Writes what goes without waiting, and closes; answered by closed().
    void close(Time, LinkId, Side);
    /// The same when everything is written.
    void close_when_written(Time, LinkId, Side);
    void cut(Time, LinkId, Cut);
    /// Breaks when that many further octets have gone out from a side: they arrive, and nothing else does, either way.
    void cut_after(LinkId id, Side from, std::size_t octets) { half(id, from).cut_after = octets; }
    bool was_cut(LinkId id) const { return half(id, Side::client).dead; }
    /// The program at that side is gone; it is told nothing. The other side learns of it after a while.
    void abort(Time, LinkId, Side, Duration other_learns);
    /// Every broken connection is noticed now.
    void notice_everything(Time);
    /// Octets that a side may read now, because it wants input again.
    void read_on(Time, LinkId, Side);

    /// Links of which an end is open, oldest first.
    const std::vector<LinkId>& live() const noexcept { return live_; }
    bool is_open(LinkId id, Side side) const { return end(id, side).state == State::open; }
    void handle(const Item&);

private:
    enum class State : std::uint8_t { none, opening, open, closing, closed };
    struct End {
        State state = State::none;
        bool close_when_written = false;
    };
    struct Half {            // one direction
        std::string unsent;  // handed over, not gone out
        std::string wire;    // on its way
        std::string arrived; // not yet read
        Time last = {};      // when the last of it arrives
        Time departed = {};  // when the last of it is gone out, by the bandwidth
        bool writing = false, reading = false;
        bool dead = false;  // what goes out now reaches nobody
        bool stuck = false; // and does not even go out
        std::optional<std::size_t> cut_after = {};
    };
    struct Link {
        std::uint32_t client = 0;
        Half halves[2];
        End ends[2];
    };

    Half& half(LinkId id, Side from) { return links_[id].halves[static_cast<int>(from)]; }
    const Half& half(LinkId id, Side from) const { return links_[id].halves[static_cast<int>(from)]; }
    End& end(LinkId id, Side side) { return links_[id].ends[static_cast<int>(side)]; }
    const End& end(LinkId id, Side side) const { return links_[id].ends[static_cast<int>(side)]; }
    Duration latency() { return rng_.between(conditions.latency_min, conditions.latency_max); }

    void put_on_wire(Time, LinkId, Side from, Octets);
    void go_on_writing(Time, LinkId, Side from);
    void write(Time, LinkId, Side from);
    void arrive(Time, LinkId, Side from, std::size_t);
    void read(Time, LinkId, Side reader, bool all);
    void end_of_stream(Time, LinkId, Side);
    void forget_if_over(LinkId);

    Schedule& schedule_;
    Rng& rng_;
    Programs& programs_;
    std::deque<Link> links_;
    std::vector<LinkId> live_;
};

} // namespace tortoise::sim
