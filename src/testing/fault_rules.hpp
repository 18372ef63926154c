#pragma once
/// Which rules apply to a packet, and how often they did.

#include "core/random.hpp"
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <tortoise/testing/faults.hpp>
#include <vector>

namespace tortoise::testing {

/// What rules want to know about a packet.
struct Traits {
    const core::Packet* packet = nullptr;
    Side to = Side::broker;
    Version version = Version::v5;
    const std::vector<std::string>* topics = nullptr; // of it, or of what it answers; null: unknown
    std::optional<QoS> qos = {};
    std::uint32_t connection = 0;
    std::string_view client = {};
    bool overtakes = false; // a packet of its type is held back, to go behind it
};

/// A rule that applies.
struct Hit {
    Fault fault;
    std::string words;
};

struct Faults::State {
    Result<std::size_t> add(const Fault&);
    /// The number of a new connection.
    std::uint32_t accepted();
    /// Those that apply, in order; none behind one that takes the packet away.
    std::vector<Hit> match(const Traits&);

    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    struct Rule {
        Fault fault;
        core::Random random;
        std::uint64_t seen = 0, applied = 0;
    };
    std::deque<Rule> rules;  // guarded by mutex, as what follows
    std::size_t cleared = 0; // that many rules do not apply any more
    std::uint32_t connections = 0;
    Result<Done> ok = Done{};
};

} // namespace tortoise::testing
