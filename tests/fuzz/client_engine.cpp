/// The client engine, fed by a broker that says what the input says, while operations of every kind are under way.
/// Input: two octets of options, then steps, each an octet and what it needs.

#include <algorithm>
#include <map>
#include <set>
#include <tortoise/core/codec.hpp>
#include <tortoise/core/engine.hpp>
#include <utility>

#include "fuzz/input.hpp"

namespace tortoise::fuzz {
namespace {

using namespace core;
using namespace std::chrono_literals;

constexpr std::size_t queue_bound = 6;
constexpr std::uint16_t own_receive_maximum = 3;
constexpr std::uint32_t own_packet_size = 400;

EngineOptions options_of(Input& input) {
    const auto first = input.octet();
    const auto second = input.octet();
    EngineOptions o;
    o.version = (first & 1) != 0 ? Version::v5 : Version::v3_1_1;
    o.client_id = "c";
    o.persistent = (first & 2) != 0;
    o.session.clean_start = (first & 4) != 0;
    o.queue = {.messages = queue_bound, .bytes = 10'000, .overflow = static_cast<Overflow>((first >> 3) % 5)};
    o.endpoints = 2;
    o.backoff = {.min = 1s, .max = 4s, .stable_after = 10s};
    o.max_in_flight = (second & 1) != 0 ? 2 : 0;
    o.receive_maximum = own_receive_maximum;
    o.maximum_packet_size = own_packet_size;
    o.topic_alias_maximum = 3;
    o.output_high_water = (second & 2) != 0 ? 64 : 256 * 1024;
    o.limits.check = (second & 4) == 0;
    if ((second & 8) != 0) o.limits.publishes = {.per_second = 2, .burst = 1};
    if ((second & 16) != 0) o.limits.filters_per_subscribe = 1;
    if ((second & 32) != 0) o.keep_alive = {};
    o.subscriptions = {{"s/1", QoS::exactly_once}};
    return o;
}

bool authenticates(const EngineOptions& o) { return o.version == Version::v5 && o.keep_alive == Duration(); }

/// The shell, the user and the broker around an engine.
class Play {
public:
    explicit Play(Input input) : input_(input), options_(options_of(input_)), engine_(options_, 1) {
        engine_.set_wall_clock(now_, wall());
        if (authenticates(options_)) engine_.set_authentication(Authentication{"M", "first"});
        engine_.start(now_);
        drain();
    }

    void run() {
        while (!input_.empty() && steps_++ < 2'000) {
            step(input_.octet() % 24);
            drain();
            check_bounds();
        }
        finish();
    }

private:
    void step(unsigned what) {
        switch (what) {
        case 0: return say(input_.piece());
        case 1: return say_packet();
        case 2: return say_ack();
        case 3: return say_connack();
        case 4: return publish();
        case 5: return subscribe();
        case 6: return engine_.unsubscribe(now_, {filter()}, token());
        case 7: return pass(std::chrono::milliseconds(1ll << input_.below(20)));
        case 8: return acknowledge(input_.flag() ? Reason::success : Reason::quota_exceeded);
        case 9: return engine_.cancel(now_, 1 + input_.octet());
        case 10: return engine_.ping(now_, token());
        case 11: return lose();
        case 12: return engine_.reconnect(now_);
        case 13: return engine_.drop(now_, make_error(Errc::handler_threw));
        case 14: return hold_writes(input_.flag());
        case 15: return engine_.stop(now_, std::chrono::seconds(1 + input_.below(8)));
        case 16: return restart(input_.octet());
        case 17: return engine_.set_credentials({.user_name = "u"}, now_ + std::chrono::seconds(input_.octet()));
        case 18: delays_ = input_.flag(); return;
        case 20: return engine_.reauthenticate(now_, {"M", "again"});
        case 21: return authenticate();
        case 22: return say_auth();
        case 23: return engine_.hold_input(now_, input_.flag());
        default: return say_publish();
        }
    }

    // ---- The broker

    void say(Octets octets) {
        if (!open_ || !engine_.wants_input()) return;
        const Exact exact(octets);
        engine_.received(now_, exact);
        drain(); // while the octets are there
    }

    void say(const Packet& packet) {
        std::string octets;
        if (encode(options_.version, packet, octets)) say(octets);
    }

    void say_auth() {
        Properties properties;
        properties.set(property::authentication_method, input_.flag() ? "M" : "N");
        if (input_.flag()) properties.set(property::authentication_data, "data");
        constexpr Reason reasons[] = {Reason::success, Reason::continue_authentication, Reason::reauthenticate};
        say(Auth{reasons[input_.below(3)], properties});
    }

    /// A packet of which the length is right, whatever is in it.
    void say_packet() {
        std::string octets(1, static_cast<char>(input_.octet()));
        const auto body = input_.piece();
        auto left = body.size();
        do {
            octets += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
            left >>= 7;
        } while (left > 0);
        octets += body;
        say(octets);
    }

    void say_ack() {
        const auto choice = input_.octet();
        const auto id = static_cast<PacketId>(1 + input_.below(12));
        const auto reason = (choice & 64) != 0 ? Reason::quota_exceeded : Reason::success;
        std::vector<Reason> reasons(1 + ((choice >> 3) & 3),
                                    (choice & 64) != 0 ? Reason::not_authorized : Reason::success);
        switch (choice % 6) {
        case 4: return say(Packet(Suback{id, reasons, {}}));
        case 5:
            if (options_.version == Version::v3_1_1) reasons.clear();
            return say(Packet(Unsuback{id, reasons, {}}));
        default: return say(Packet(Ack{static_cast<PacketType>(4 + choice % 6), id, reason, {}}));
        }
    }

    void say_connack() {
        const auto choice = input_.octet();
        Properties properties;
        if (options_.version == Version::v5) {
            if ((choice & 2) != 0) properties.set(property::receive_maximum, std::uint16_t{2});
            if ((choice & 4) != 0) properties.set(property::maximum_packet_size, 60u);
            if ((choice & 8) != 0) properties.set(property::topic_alias_maximum, std::uint16_t{2});
            if ((choice & 16) != 0) properties.set(property::server_keep_alive, std::uint16_t{3});
        }
        say(Packet(Connack{.session_present = (choice & 1) != 0, .properties = properties}));
    }

    void say_publish() {
        const auto choice = input_.octet();
        Publish p{.topic = (choice & 8) != 0 ? "s/1" : "s/2", .payload = "m", .qos = static_cast<QoS>(choice % 3)};
        p.duplicate = (choice & 4) != 0 && p.qos != QoS::at_most_once;
        if (p.qos != QoS::at_most_once) p.id = static_cast<PacketId>(1 + ((choice >> 4) & 7));
        say(Packet(p));
    }

    // ---- The user

    Token token() {
        open_tokens_.insert(++last_token_);
        return last_token_;
    }

    void publish() {
        const auto choice = input_.octet();
        PublishRequest request{.topic = (choice & 4) != 0 ? "t/1" : "t/2", .payload = "payload"};
        const std::string large(500, 'x');
        if ((choice & 8) != 0) request.payload = large;
        if ((choice & 16) != 0) request.ttl = 2s;
        if ((choice & 32) != 0) request.topic = "t/#";
        request.qos = static_cast<QoS>(choice % 3);
        request.priority = choice >> 6;
        request.token = token();
        engine_.publish(now_, request);
    }

    std::string filter() {
        constexpr const char* filters[] = {"s/1", "s/+", "s/#", "$share/g/s/1", "s/#/1", "s/2", "s/3", ""};
        return filters[input_.below(8)];
    }

    void subscribe() {
        std::vector<TopicFilter> filters;
        for (auto count = 1 + input_.below(3); count > 0; --count) filters.emplace_back(filter(), QoS::at_least_once);
        const auto route = input_.below(3);
        engine_.subscribe(now_, std::move(filters), route, token());
    }

    void acknowledge(Reason reason) {
        if (handed_out_.empty()) return;
        const auto at = handed_out_.begin() + static_cast<std::ptrdiff_t>(input_.below(handed_out_.size()));
        engine_.acknowledge(now_, *at, reason);
        handed_out_.erase(at);
    }

    /// Whether it was asked for or not.
    void authenticate() {
        switch (input_.below(3)) {
        case 0: return engine_.continue_authentication(now_, "more");
        case 1: return engine_.accept_authentication(now_, now_ + std::chrono::seconds(input_.octet()));
        default: return engine_.fail_authentication(now_, make_error(Errc::cancelled));
        }
    }

    // ---- The shell

    WallTime wall() const {
        return WallTime(std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()) +
                        std::chrono::hours(480'000));
    }

    void pass(Duration duration) {
        const Time until = now_ + duration;
        for (int fired = 0;; ++fired) {
            const auto deadline = engine_.deadline();
            if (!deadline || deadline->at > until) break;
            require(fired < 10'000, "timers advance");
            now_ = std::max(now_, deadline->at);
            engine_.elapsed(now_);
            drain();
        }
        now_ = until;
    }

    void hold_writes(bool hold) {
        held_ = hold;
        if (hold) return;
        engine_.wrote(now_, std::exchange(unwritten_, 0));
    }

    void lose() {
        if (open_) gone(make_error(Errc::connection_lost));
    }

    void gone(Error why) {
        open_ = closing_ = said_goodbye_ = false;
        unwritten_ = 0;
        sent_.reset();
        engine_.closed(now_, std::move(why));
        drain();
    }

    /// The program ends and another begins with what was kept, perhaps damaged.
    void restart(std::uint8_t choice) {
        if (!options_.persistent) return;
        std::vector<Record> records;
        for (const auto& [key, record] : kept_) records.push_back(record);
        bool damaged = false;
        if (choice > 0 && !records.empty()) {
            auto& value = records[choice % records.size()].value;
            const auto at = input_.octet();
            if (!value.empty()) value[at % value.size()] = static_cast<char>(input_.octet());
            damaged = true;
        }
        engine_ = Engine(options_, choice);
        const auto restored = engine_.restore(now_, wall(), records);
        require(restored || damaged, "what was kept can be read again");
        if (!restored) {
            engine_ = Engine(options_, choice);
            kept_.clear();
        }
        forget();
        engine_.set_wall_clock(now_, wall());
        engine_.start(now_);
    }

    void forget() {
        open_ = closing_ = said_goodbye_ = held_ = stopped_ = false;
        unwritten_ = 0;
        open_tokens_.clear();
        handed_out_.clear();
        sent_.reset();
    }

    void drain() {
        for (int turns = 0; turns < 100; ++turns) {
            keep();
            std::vector<Event> events;
            engine_.take_events(events);
            for (const auto& event : events) std::visit([this](const auto& e) { on(e); }, event);
            take_output();
            const auto wish = engine_.take_wish();
            if (wish.kind == Wish::nothing && events.empty() && !engine_.has_output()) return;
            follow(wish);
        }
        require(false, "the engine comes to rest");
    }

    void keep() {
        std::vector<RecordChange> changes;
        engine_.take_changes(changes);
        for (auto& [action, record] : changes) {
            const auto key = std::pair(record.kind, record.key);
            if (action == RecordChange::Action::put) kept_[key] = record;
            if (action == RecordChange::Action::erase) kept_.erase(key);
            if (const auto at = kept_.find(key); action == RecordChange::Action::mark && at != kept_.end())
                at->second.mark = record.mark;
        }
    }

    void follow(const Wish& wish) {
        if (wish.kind == Wish::close) {
            require(open_, "only what was opened is closed");
            closing_ = true;
            if (!delays_) gone(make_error(Errc::connection_lost));
        } else if (wish.kind == Wish::open) {
            require(!open_, "one connection at a time");
            require(wish.endpoint < options_.endpoints, "only places there are");
            open_ = true;
            ++connections_;
            engine_.opened(now_);
        }
    }

    /// Everything that it says is a packet of its version, and nothing follows a DISCONNECT. [MQTT5-3.14.4-2]
    void take_output() {
        std::string output;
        engine_.take_output(output);
        if (output.empty()) return;
        require(open_, "nothing is said without a connection");
        require(output.size() + unwritten_ < 4 * options_.output_high_water + 8'000, "unwritten output is bounded");
        if (held_)
            unwritten_ += output.size();
        else
            engine_.wrote(now_, output.size());
        sent_.feed(output);
        while (true) {
            const auto frame = sent_.next();
            require(bool(frame), "what it says can be framed");
            if (!*frame) break;
            const auto packet = decode(options_.version, **frame);
            require(bool(packet), "what it says can be decoded");
            require(!said_goodbye_, "DISCONNECT is the last packet");
            said_goodbye_ = std::holds_alternative<Disconnect>(*packet);
        }
        require(sent_.pending() == 0, "it says whole packets");
    }

    void ended(Token token) {
        if (token == 0) return;
        require(open_tokens_.erase(token) == 1, "an operation ends once");
    }
    void on(const Delivered& e) { ended(e.token); }
    void on(const Undelivered& e) { ended(e.token); }
    void on(const Subscribed& e) { ended(e.token); }
    void on(const Unsubscribed& e) { ended(e.token); }
    void on(const Pong& e) { ended(e.token); }
    void on(const PingFailed& e) { ended(e.token); }
    void on(const Stopped&) {
        require(!stopped_, "it stops once");
        stopped_ = true;
    }
    void on(const Received& e) {
        require(!closing_, "nothing is handled behind a violation");
        std::size_t looked_at = e.message.topic.size();
        for (const char c : e.message.payload) looked_at += static_cast<unsigned char>(c);
        for (const auto route : engine_.routes(e)) looked_at += route;
        require(looked_at > 0, "a message has a topic");
        if (e.id != 0) handed_out_.push_back(e.id);
        if (handed_out_.size() > 20) handed_out_.erase(handed_out_.begin());
    }
    void on(const Up&) { handed_out_.clear(); }
    void on(const Down&) {}
    void on(const Accepted&) { require(options_.persistent, "only what is kept is accepted"); }
    void on(const FilterChanged&) {}
    void on(const AuthenticationContinued&) {}
    void on(const AuthenticationSucceeded&) {}
    void on(const Reauthenticated&) {}
    void on(const RenewalDue&) {}

    void check_bounds() {
        const auto levels = engine_.levels();
        const auto s = engine_.snapshot();
        require(s.in_flight.size() == levels.in_flight && s.queued == levels.queued,
                "levels are those of the snapshot");
        std::set<PacketId> ids;
        for (const auto& entry : s.in_flight) require(ids.insert(entry.id).second, "an identifier is in use once");
        require(levels.queued + levels.in_flight <= queue_bound + 400, "what waits is bounded");
        if (options_.version == Version::v5) {
            // What the session holds may grow by as much with each connection, up to all identifiers.
            const auto most = own_receive_maximum * (connections_ + 1);
            require(s.unacknowledged <= most, "no more is unacknowledged than we allow");
            require(s.inbound_qos2.size() <= most, "no more QoS 2 is open than we allow");
        }
        require(s.subscriptions.size() <= 9, "a filter is there once");
    }

    void finish() {
        delays_ = false;
        if (closing_) gone(make_error(Errc::connection_lost));
        hold_writes(false);
        engine_.stop(now_);
        drain();
        pass(std::chrono::hours(24));
        require(stopped_, "it stops when told to");
        require(open_tokens_.empty(), "every operation has ended");
        require(!engine_.deadline(), "nothing happens any more");
        const auto s = engine_.snapshot();
        require(s.queued == 0 && s.in_flight.empty() && s.unacknowledged == 0, "nothing is left");
    }

    Input input_;
    const EngineOptions options_;
    Engine engine_;
    Time now_{};
    FrameReader sent_;
    std::map<std::pair<RecordKind, std::uint64_t>, Record> kept_;
    std::set<Token> open_tokens_;
    std::vector<InboundId> handed_out_;
    Token last_token_ = 0;
    std::size_t unwritten_ = 0;
    std::size_t connections_ = 0;
    int steps_ = 0;
    bool open_ = false;    // the transport
    bool closing_ = false; // as wished, and not yet done
    bool delays_ = false;  // closing takes a while
    bool held_ = false;    // output is taken, and not written
    bool said_goodbye_ = false;
    bool stopped_ = false;
};

} // namespace
} // namespace tortoise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    tortoise::fuzz::Play({data, size}).run();
    return 0;
}
