#pragma once
/// What happens to the packets of one connection: octets of both sides in, octets for both sides and their ends out. No
/// sockets, no clock. After each call the shell writes what output() has, for both sides, follows end(), reads who
/// wants_input(), and sets its timer to deadline().

#include "testing/capture_state.hpp"
#include "testing/fault_rules.hpp"
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/time.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::testing {

class FaultFilter {
public:
    using Time = core::Time;

    /// `client` is its address, for the capture.
    FaultFilter(Time, const Faults&, const std::optional<Capture>&, std::size_t maximum_packet_size,
                const std::string& client);

    void received(Time, Side from, Octets);
    /// It sends no more, and takes no more.
    void closed(Time, Side);
    void elapsed(Time);

    struct Output {
        Octets octets = {};
        bool singly = false; // one octet at a time
    };
    /// What is to be written now; wrote() has to follow.
    Output output(Side to) const;
    void wrote(Side to, std::size_t octets);
    /// False: it is to wait, with what it still has to say.
    bool wants_input(Side from) const;
    enum class End : std::uint8_t { open, finish, reset };
    /// What becomes of the connection to that side.
    End end(Side) const;
    std::optional<Time> deadline() const;

private:
    struct Parcel {
        std::string octets;
        Time due = {};
        bool singly = false;
        End then = End::open; // both connections end so when it was written
    };
    struct Held {
        core::PacketType type;
        Time until;
        Parcel parcel;
    };
    /// Names for numbers, as far as they are not too much.
    class Names {
    public:
        void learn(std::uint16_t number, std::vector<std::string> names);
        const std::vector<std::string>* find(std::uint16_t number) const;
        void forget(std::uint16_t number);

    private:
        std::unordered_map<std::uint16_t, std::vector<std::string>> names_;
        std::size_t octets_ = 0;
    };
    /// The way to one side.
    struct Lane {
        core::FrameReader reader; // of what the other side sends
        std::deque<Parcel> queue;
        std::size_t written = 0; // of the first of them
        std::size_t queued = 0;  // octets of queue and held
        std::vector<Held> held;  // for the next packet of the type to overtake
        Time stalled_until = {};
        bool black_hole = false;         // what comes from now on is thrown away
        bool closing = false;            // what ends the connections is in the queue
        bool complete = false;           // the other side has closed
        bool gone = false;               // this side has closed
        Names aliases, requests;         // what was published by alias, and asked for by packet identifier
        std::set<std::uint16_t> unheard; // aliases whose topic did not arrive
    };
    /// What the rules make of a packet.
    struct Fate {
        bool gone = false, twice = false, singly = false;
        std::optional<Duration> overtaken; // held back for so long
        Duration later = {};
        std::optional<std::size_t> cut;
        End then = End::open;
        std::optional<core::Packet> changed, answer;
        Properties properties; // of `changed`
        std::string words;
    };

    Lane& to(Side side) noexcept { return lanes_[static_cast<std::size_t>(side)]; }
    const Lane& to(Side side) const noexcept { return lanes_[static_cast<std::size_t>(side)]; }
    void pass(Side from, const core::Frame&);
    void learn(Lane&, const core::Packet&);
    const std::vector<std::string>* topics_of(Side to, const core::Packet&);
    Fate fate_of(const std::vector<Hit>&, Side to, const core::Packet&, std::size_t size);
    void apply(const Fault&, Side to, const core::Packet&, std::size_t size, Fate&);
    void restore_topic(Lane&, const core::Packet&, Fate&);
    void carry_out(Side to, const core::Packet&, Octets whole, Fate);
    void answer(Side to, const core::Packet& request, const core::Packet& refusal);
    void put(Lane&, Parcel);
    /// Lets go what is held back and meets the condition.
    template <class Condition> void release(Lane&, Condition);
    void settle(Lane&);
    void note(std::string what);

    const std::shared_ptr<Faults::State> rules_;
    const std::shared_ptr<Capture::State> capture_;
    const std::uint32_t connection_;
    Time now_;
    Version version_ = Version::v5;
    std::string client_;
    std::array<Lane, 2> lanes_;      // by the side that they lead to
    std::vector<std::string> topic_; // what topics_of() gives of a PUBLISH
    End ended_ = End::open;
};

} // namespace tortoise::testing
