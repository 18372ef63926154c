#pragma once
/// Faults on live connections, by rules in the words of MQTT: `drop PUBACK nth=3 on=a/#`.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/core/packet.hpp>
#include <tortoise/result.hpp>

namespace tortoise::testing {

/// The two ends of a connection.
enum class Side : std::uint8_t { client, broker };

/// One rule: what is done, and to which packets. docs/testing-your-app.md says what each action does.
struct Fault {
    enum class Action : std::uint8_t {
        drop,            ///< it never arrives
        delay,           ///< it arrives later by `time`, and so does what is behind it
        duplicate,       ///< it arrives twice; a PUBLISH of QoS 1 or 2 has DUP set the second time
        reorder,         ///< it arrives behind the next one of its type; if there is none, after `time`
        change_id,       ///< its packet identifier becomes `number`
        refuse,          ///< a request never arrives, and is refused with `reason` in the broker's place
        cut,             ///< `number` octets of it arrive (otherwise half of it), then both connections are closed
        stall,           ///< from it on nothing arrives on either side, for `time`; both connections stay open
        byte_by_byte,    ///< it arrives in single octets
        reset,           ///< instead of it both sides see the connection reset
        half_open,       ///< from it on nothing arrives on that side, for ever; the other direction works
        session_present, ///< CONNACK says `number`: 0 or 1
        receive_maximum, ///< CONNACK says `number` (MQTT 5)
    };
    Action action = Action::drop;
    Duration time = {};  ///< of stall: 0 is for ever; of reorder: 0 is a second
    std::optional<std::uint32_t> number = {};
    Reason reason = Reason::unspecified_error;

    // Which packets; what has no value does not matter.
    std::optional<core::PacketType> packet = {};
    std::optional<Side> to = {};     ///< packets on their way to that side
    /// A filter that the topic matches, or one of the filters equals. An acknowledgement has the topic of what it answers,
    /// if that passed on the same connection.
    std::string on = {};
    std::optional<QoS> qos = {};     ///< of the PUBLISH, or of the one that is acknowledged
    std::string client = {};         ///< a client identifier
    std::uint32_t connection = 0;    ///< the Nth that was accepted; 0: any

    // How many of those; they are counted from 1 over all connections.
    std::uint64_t nth = 0;           ///< that one only; 0: as the fields below say
    std::uint64_t every = 1;         ///< each Nth
    std::uint64_t first = 0;         ///< the first N; 0: all
    std::uint64_t from = 1;          ///< the Nth and later ones
    double chance = 1;               ///< each with that probability, …
    std::uint64_t seed = 1;          ///< … the same ones each time
};

/// `ACTION [PACKET] [TIME] [NAME=VALUE…]`, e.g. `delay PUBLISH 200ms to=client every=2`. Errc::invalid_option: the text names
/// the word that is wrong, and what is allowed there.
Result<Fault> parse_fault(std::string_view words);
/// The rule in those words.
std::string to_string(const Fault&);

/// The rules of a Broker or a Proxy, and how often each applied. Each rule sees each packet, in their order; what one of them
/// took away the later ones do not see. Copies share them. Every function may be called from any thread, at any time: rules
/// hold for the packets that arrive from then on.
class Faults {
public:
    Faults();
    /// See ok().
    Faults(std::initializer_list<std::string_view> rules);

    /// The first rule that made no sense. A Broker or Proxy with it does not start, and says the same.
    Result<Done> ok() const;
    /// Errc::invalid_option; otherwise its number: 0, 1, …
    Result<std::size_t> add(std::string_view rule);
    Result<std::size_t> add(const Fault&);
    /// The rules that are there apply no more. What is stalled or half-open stays so.
    void clear();

    /// How often the rule of that number applied.
    std::uint64_t applied(std::size_t rule = 0) const;
    /// Blocks until it applied that often; false after that time. Not for callbacks.
    bool wait(std::size_t rule, std::uint64_t times, Duration at_most) const;
    /// A line for each rule: how many packets it is about, and to how many of them it applied.
    std::string report() const;

    struct State;

private:
    friend class FaultFilter;
    std::shared_ptr<State> state_;
};

} // namespace tortoise::testing
