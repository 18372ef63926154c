#pragma once
/// What was asked for and what became of it: every publish from the call to the subscribers, every other operation to
/// its end. The promises of the library are checked here as things happen.

#include "sim/judge.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tortoise/core/engine.hpp>
#include <unordered_map>
#include <vector>

namespace tortoise::sim {

constexpr std::size_t most_clients = 32; // as many as there are bits

/// A message and its fate.
struct Post {
    std::uint32_t client = 0, life = 0; // who published it, in which life of the client
    std::uint32_t topic = 0;            // index into the ledger's topics
    QoS qos = QoS::at_most_once;
    bool retain = false;
    bool denied = false;     // the broker does not let anybody publish it
    bool will = false;       // published by the broker, as often as the client is lost
    bool own_order = false;  // the client has a work list of its own: what it sends first comes first
    std::uint64_t place = 0; // in the order that has to be kept: of publishing, or else of sending, in its session
    std::uint64_t place_routed = 0; // … when the broker passed it on for the first time
    std::uint32_t size = 0;         // of the payload
    Time made = {};
    std::optional<Time> expires = {};
    Duration ttl = {};        // if it expires
    core::WallTime wall = {}; // when time began, by the clock of the day on which it was written down

    enum class End : std::uint8_t { open, delivered, undelivered };
    End end = End::open;
    std::error_code why = {};
    bool cancel_asked = false;
    bool accepted = false; // the client's disk has it
    Duration slack = {};   // how long its octets may wait for the disk, once it was sent as far as the engine can tell
    bool survived = false; // the life of the client that published it, on its disk: its end may not be told

    std::uint32_t sent = 0;                                   // PUBLISH packets on the wire
    bool over_on_wire = false;                                // it must not be sent any more
    std::uint32_t routed = 0;                                 // how often the broker passed it on
    std::uint32_t routed_epoch = 0;                           // of the publisher's session, when it was routed last
    std::array<std::uint8_t, most_clients> exactly_once = {}; // how often it arrived at QoS 2
    std::uint32_t arrived = 0;                                // bits: clients it arrived at
    std::uint32_t expected = 0;                               // bits: clients it has to arrive at
};

/// A message's payload: its token, then filling. Nothing else is needed to recognise it anywhere.
std::string make_payload(core::Token, std::size_t size);
core::Token token_of(Octets payload) noexcept; // 0 if it is not ours

/// Other operations have tokens of their own.
constexpr core::Token first_operation = core::Token{1} << 40;
std::string name_of(core::Token operation);

class Ledger {
public:
    explicit Ledger(Judge& judge) : judge_(judge) {}

    // ---- The user's side
    core::Token open_post(Post, std::string_view topic);
    /// A subscribe, unsubscribe or ping.
    core::Token open_operation(std::uint32_t client, std::size_t results);
    void delivered(core::Token);
    void undelivered(core::Token, const Error&, const Message&);
    void operation_over(core::Token, std::size_t results);
    void ping_over(core::Token);
    /// A message arrived at a handler.
    void received(std::uint32_t client, std::uint32_t life, const MessageView&);
    /// The handler refused it, which ends its flow: should it come again, it is another message.
    void refused(std::uint32_t client, Octets payload);

    // ---- The wire's side
    /// A PUBLISH went out, as new or as a repetition.
    void sent(core::Token, bool repetition);
    /// The broker passed a message on to its subscribers.
    void routed(core::Token, std::uint32_t publisher_epoch);

    /// A client crashed: nobody waits for its operations any more. The messages that its disk has go on.
    /// Null: it has no disk.
    void crashed(std::uint32_t client, const std::vector<core::Token>* kept = nullptr);
    /// Everything that this client began has ended.
    void check_nothing_open(std::uint32_t client);

    Post* find(core::Token t) noexcept { return t == 0 || t > posts_.size() ? nullptr : &posts_[t - 1]; }
    std::size_t posts() const noexcept { return posts_.size(); }
    const std::string& topic(std::uint32_t index) const { return topics_[index]; }
    std::uint32_t topic_index(std::string_view);
    std::size_t open_operations() const noexcept { return operations_.size(); }
    /// One that this client began.
    std::optional<core::Token> open_operation_of(std::uint32_t client) const;
    std::uint64_t arrivals() const noexcept { return arrivals_; }
    std::string describe(core::Token) const;

private:
    struct Operation {
        std::uint32_t client;
        std::size_t results;
    };
    void check_message(core::Token, const Post&, const MessageView&);
    void check_end(core::Token, const Post&, const Error&);
    /// The last one of a stream of messages, and its place when it was that.
    struct Last {
        core::Token token = 0;
        std::uint64_t place = 0;
    };
    void check_order(Last&, core::Token, std::uint64_t place, const char* how);

    Judge& judge_;
    std::vector<Post> posts_; // by token - 1
    std::vector<std::string> topics_;
    std::map<std::string, std::uint32_t, std::less<>> indices_; // of the topics
    std::unordered_map<core::Token, Operation> operations_;
    core::Token next_operation_ = first_operation;
    std::uint64_t next_place_ = 1; // of those with an order of their own
    std::unordered_map<std::uint64_t, Last> last_routed_, last_read_;
    std::array<Last, most_clients> last_sent_ = {};
    std::uint64_t arrivals_ = 0;
};

} // namespace tortoise::sim
