#pragma once
/// How clouds deviate from a plain broker: their limits, and what they do about clients that go beyond them.

#include "core/limits.hpp"
#include "core/pace.hpp"

#include <array>
#include <map>
#include <string>
#include <tortoise/testing/broker.hpp>

namespace tortoise::broker {

using core::Time;

/// What is done about a packet beyond a limit.
enum class Penalty : std::uint8_t {
    none,       ///< it is taken all the same
    refuse,     ///< an answer that says so; where there is none to give (QoS 0), nothing. On MQTT 3.1.1 it reads like
                ///< success
    ignore,     ///< no answer at all
    disconnect, ///< the end of the connection
};

struct Penalties {
    Penalty v3_1_1 = Penalty::disconnect;
    Penalty v5 = Penalty::disconnect;
    Reason reason = Reason::unspecified_error;
};

/// A cloud, as data.
struct Rules {
    std::string_view name = {};
    PeerLimits limits = {};
    std::array<Penalties, core::limit_count> penalties = {};
    std::uint16_t receive_maximum = 65'535;
    std::uint16_t topic_alias_maximum = 65'535;
    std::optional<std::chrono::seconds> longest_session = {};
    std::size_t queue_limit = SIZE_MAX;
    bool v5 = true;        ///< MQTT 5 is spoken
    bool anonymous = true; ///< who has neither name nor certificate may connect
    bool assigns_client_ids = true;
    bool subscription_identifiers = true;
    bool grants_less = true; ///< a subscription beyond the maximum QoS is granted with that; otherwise no answer
    bool parent_matches_hash = true;    ///< "a/#" matches "a"
    bool retained_for_wildcards = true; ///< new subscriptions with wildcards get retained messages
    bool retains_reserved = true;       ///< topics that begin with $ may be retained
    bool takes_refusals = true;         ///< a client may refuse a message by its PUBACK

    const Penalties& penalties_for(core::Limit limit) const { return penalties[static_cast<std::size_t>(limit)]; }
};

/// Null: no such profile. Without a name: the rules of no cloud.
const Rules* rules_named(std::string_view);

/// The options with what the rules say about them; the stricter holds.
testing::BrokerOptions with_rules(testing::BrokerOptions, const Rules&);

/// A broken rule and what follows.
struct Breach {
    Penalty penalty = Penalty::none;
    Reason reason = Reason::unspecified_error;
    std::string text = {};
};

/// How fast one connection is.
struct Paces {
    explicit Paces(const PeerLimits& limits)
        : publishes(limits.publishes), octets(limits.octets), subscribes(limits.subscribes) {}
    core::Pace publishes, octets, subscribes;
};

/// Looks at packets with the eyes of a cloud.
class Judge {
public:
    explicit Judge(const Rules& rules) : rules_(rules) {}

    std::optional<Breach> connect(Time now, const core::Connect&);
    std::optional<Breach> publish(Time now, Paces&, Version, const MessageView&) const;
    std::optional<Breach> subscribe(Time now, Paces&, Version, const core::Subscribe&) const;
    /// One more subscription of a session that has so many.
    std::optional<Breach> subscription(Version, std::size_t have) const;

    const Rules& rules() const noexcept { return rules_; }

private:
    std::optional<Breach> breach(Version, const std::optional<core::Excess>&) const;

    const Rules& rules_;
    std::map<std::string, core::Pace, std::less<>> connects_; // by client identifier; those that rest are forgotten
};

} // namespace tortoise::broker
