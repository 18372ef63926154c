#pragma once
/// Clients (core::Engine) and brokers (broker::Engine), each with the shell that its contract asks for, on a simulated
/// network and virtual time. The same seed and the same calls give the same world.

#include "broker/covers.hpp"
#include "broker/engine.hpp"
#include "sim/disk.hpp"
#include "sim/ledger.hpp"
#include "sim/network.hpp"
#include "sim/tap.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace tortoise::sim {

/// A client program: the engine's options and the habits of its user.
struct ClientPlan {
    core::EngineOptions engine = {};
    SharedFn<core::WorkList*()> work_list = {}; ///< made by new, and does not throw; none: that of engine.queue
    std::size_t broker = 0; ///< all endpoints lead there, in every life: one session is known by one broker
    unsigned late_ack = 0;  ///< per mille of the messages that are acknowledged some time after the handler
    unsigned refuse = 0;    ///< per mille of the messages that are acknowledged with a refusal
    Duration late_by = std::chrono::seconds(3); ///< at most
    /// A new life of the program takes up the session of the earlier one, of whose filters it knows nothing. If it is
    /// not persistent, it may not publish at QoS 2: what the broker remembers of the earlier identifiers would swallow
    /// its messages.
    bool rejoins = false;
    /// Of a persistent engine: how long a write takes to be kept.
    Duration disk_takes = std::chrono::milliseconds(1);

    /// How long octets may wait for the disk; on which times have milliseconds.
    Duration slack() const noexcept { return 2 * disk_takes + std::chrono::milliseconds(1); }
};

struct PublishPlan {
    std::string topic = {};
    QoS qos = QoS::at_most_once;
    bool retain = false;
    std::optional<Duration> ttl = {};
    int priority = 0;
    std::size_t size = 8;
    bool denied = false;     ///< the broker is set up to refuse it
    bool properties = false; ///< some user properties and a content type
};

class World final : private Programs {
public:
    World(std::uint64_t seed, testing::BrokerOptions, Judge&);
    ~World();

    // ---- Who is there
    /// Another one than the constructor's, which is the first.
    std::size_t add_broker(testing::BrokerOptions);
    std::size_t brokers() const noexcept { return hosts_.size(); }
    std::uint32_t add_client(ClientPlan);
    /// The program dies without a word; another one of the same name begins. If both are persistent, it goes on with
    /// what was kept; else it knows nothing. Not from `on_event`.
    void crash_and_restart(std::uint32_t client, ClientPlan);
    /// From `on_event`: it does nothing more. crash_and_restart() has to follow.
    void die(std::uint32_t client) { clients_[client]->dying = true; }
    bool is_dying(std::uint32_t client) const { return clients_[client]->dying; }
    std::uint32_t clients() const noexcept { return static_cast<std::uint32_t>(clients_.size()); }
    const ClientPlan& plan(std::uint32_t client) const { return clients_[client]->plan; }
    core::Engine& engine(std::uint32_t client) { return *clients_[client]->engine; }
    broker::Engine& broker(std::size_t which = 0) { return hosts_[which].engine; }
    SessionModel& session(std::uint32_t client) { return clients_[client]->session; }
    bool stopped(std::uint32_t client) const { return clients_[client]->stopped; }
    const std::vector<core::Record>& kept(std::uint32_t client) const { return clients_[client]->disk.records(); }

    // ---- What a user does
    void start(std::uint32_t client);
    void stop(std::uint32_t client, Duration drain = {});
    void reconnect(std::uint32_t client);
    core::Token publish(std::uint32_t client, const PublishPlan&);
    core::Token subscribe(std::uint32_t client, std::vector<TopicFilter>);
    core::Token unsubscribe(std::uint32_t client, std::vector<std::string>);
    core::Token ping(std::uint32_t client);
    void cancel(std::uint32_t client, core::Token);
    void acknowledge(std::uint32_t client, core::InboundId, Reason = Reason::success);
    void acknowledge_everything(std::uint32_t client);
    void set_will(std::uint32_t client, std::string topic, QoS, Duration delay);
    void elapse_early(std::uint32_t client); ///< the shell's timer fires too early

    // ---- What breaks
    std::optional<LinkId> link(std::uint32_t client) const;
    void stop_broker(Duration clients_learn = {}, std::size_t which = 0);
    /// With other options, if there are any.
    void start_broker(bool forget_sessions, const testing::BrokerOptions* options = nullptr, std::size_t which = 0);
    /// The client's disk takes nothing any more; what it did not keep is lost. The program stops.
    void fail_disk(std::uint32_t client);
    void jump_wall_clock(std::chrono::milliseconds by);
    /// Another program connects with the same identifier, gets what is there for it, and says nothing more.
    void take_over(std::uint32_t client);
    bool broker_runs(std::size_t which = 0) const noexcept { return hosts_[which].runs; }

    // ---- Time
    Time now() const noexcept { return judge.now; }
    /// The next thing happens; false if nothing will before that time.
    bool step(Time until = Time::max());
    void run_for(Duration);

    // ---- Looking
    /// Called for each event of a client's engine, before the world acts on it; it may call the functions above, and
    /// not throw.
    std::function<void(std::uint32_t client, const core::Event&)> on_event;
    /// Called when a write of that number was kept, before anything that depends on it is sent.
    std::function<void(std::uint32_t client, std::uint64_t write)> on_kept;
    /// Called with what a client's engine wants to have written; may change octets of it: a defect on purpose.
    std::function<void(std::string&)> meddle;
    bool prompt = false; ///< every message is acknowledged at once
    /// Called for act, chaos and broker_start.
    std::function<void(const Item&)> on_item;
    void check_bounds();
    /// What is not settled, in words; empty if everything is.
    std::string unsettled();
    void check_settled();
    /// What a persistent client's disk will have, once everything is kept, makes an engine like the one that runs.
    void check_restorable();

    Judge& judge;
    Rng rng;
    Schedule schedule;
    Network network;
    Ledger ledger;

private:
    struct Client {
        std::uint32_t index = 0, life = 0;
        ClientPlan plan;
        std::optional<core::Engine> engine;
        std::optional<core::Deadline> deadline;
        std::optional<LinkId> link;
        SessionModel session;
        std::uint32_t connacks = 0; // in this life
        std::vector<core::Event> events;
        bool draining = false, stopping = false, stopped = false;
        bool dying = false; // at a word of its user: it does nothing more, until it is started anew
        std::size_t unwritten = 0;
        Disk disk;
        bool disk_failed = false;
        std::deque<std::pair<std::uint64_t, core::Token>> accepted; // once that write is kept
        std::uint64_t handled = 0;                                  // messages of QoS 0 and 1 on this link
        std::uint64_t requeued = 0; // how many a life began with, whatever its queue's bound
        std::vector<core::InboundId> late;
        struct Wanted {
            SubscribeOptions options;
            core::Route route;
        };
        std::map<std::string, Wanted> wanted;
        std::set<std::string, std::less<>> ever_wanted;
        bool wanted_changed = false; // since the engine was fed
        core::Route next_route = 1;
        std::optional<core::Token> will;
        Time last_timer = {};
        unsigned timers_at_once = 0;
    };

    // One who took a client's place, until it takes it back.
    struct Stranger {
        static constexpr broker::ClientId first = broker::ClientId{1} << 40;
        std::unique_ptr<Tap> tap;
        std::uint32_t connacks = 0;
    };
    struct Host { // where a broker runs
        Host(std::size_t w, testing::BrokerOptions options)
            : which(w), denied_filters(options.deny_subscribe), wildcards(options.wildcard_subscriptions),
              shared(options.shared_subscriptions), engine(std::move(options)) {}
        bool denies(const std::string& filter) const;

        const std::size_t which;
        const std::vector<std::string> denied_filters;
        const bool wildcards, shared; // subscriptions that are allowed
        broker::Engine engine;
        std::optional<Time> deadline;
        bool runs = true;
        std::map<broker::ClientId, Stranger> strangers;
    };

    static broker::ClientId broker_id(LinkId link) noexcept { return link + 1; }
    Host& host_of(const Client& c) { return hosts_[c.plan.broker]; }
    Host& host_of(LinkId link) { return host_of(*clients_[network.client_of(link)]); }
    void begin_life(Client&);
    void go_on(Client&);
    static bool keeps_stale_identifiers(const Client&);
    void keep_changes(Client&);
    void write_kept(Client&);
    void drop_held(Client&);
    std::size_t send(Client&, Octets);
    void drain(Client&);
    bool pass(Client&, const core::PublishRequest&);
    bool drain_output(Client&);
    void drain_wish(Client&);
    void handle(Client&, const core::Event&);
    void handle_message(Client&, const core::Received&);
    void check_down(const Client&, const core::Down&);
    void check_routes(Client&, const core::Received&);
    std::unique_ptr<core::WorkList> work_list(const Client&) const noexcept;
    std::string broker_name(const Host&) const;
    void drain_broker(Host&);
    void broker_timer(Host&);
    void passes_on(const Host&, Octets payload);
    void expect(const Host&, core::Token);
    void client_timer(Client&);
    void stranger_hears(Host&, broker::ClientId, Octets);
    std::string unsettled(Client&);
    void check_restorable(const Client&);
    bool is_stopped(const Host&, std::string_view client_id) const;
    void check_subscriptions(Client&, const broker::Snapshot&);

    // Programs
    void accepted(LinkId) override;
    void opened(LinkId) override;
    void received(LinkId, Side, Octets) override;
    void wrote(LinkId, Side, std::size_t) override;
    void closed(LinkId, Side, Error) override;
    bool wants_input(LinkId, Side) override;
    bool listens(LinkId id) override { return host_of(id).runs; }

    std::deque<Host> hosts_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Tap>> taps_; // by link
    std::uint64_t broker_call_ = 1;
    core::WallTime wall_epoch_{std::chrono::hours(24 * 20'000)}; // when time began
    std::vector<broker::ClientId> touched_;
    std::string scratch_;
    std::vector<core::Token> routed_now_;
    broker::ClientId next_stranger_ = Stranger::first;
    std::size_t largest_ = 0; // payload that was published
};

/// An event in a few words, for lists and logs.
std::string describe(const core::Event&);

} // namespace tortoise::sim
