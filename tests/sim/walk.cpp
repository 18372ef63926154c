#include "sim/walk.hpp"

#include "sim/world.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace tortoise::sim {

using namespace std::chrono_literals;

namespace {

constexpr const char* topics[] = {
    "home/hall/temp", "home/hall/light",   "home/attic/temp", "garden/rain", "garden", "a",
    "denied/door",    "home/hall/temp/raw"};
constexpr const char* filters[] = {"home/#",   "home/+/temp", "home/hall/temp", "garden/#",
                                   "garden/+", "#",           "+/hall/+",       "a",
                                   "+",        "secret/#",    "home/hall/light"};

class Walk {
public:
    Walk(const WalkOptions& options, Judge& judge)
        : options_(options), dice_(options.seed ^ 0x5EED), broker_(broker_options()),
          world_(options.seed, broker_, judge), judge_(judge) {
        if (options.only) only_.emplace(options.only->begin(), options.only->end());
        world_.meddle = options.meddle;
        world_.on_item = [this](const Item& item) { happen(item); };
        world_.on_kept = [this](std::uint32_t client, std::uint64_t) { die_at_a_write(client); };
        world_.on_event = [this](std::uint32_t client, const core::Event& event) { react(client, event); };
    }
    WalkResult run();

private:
    testing::BrokerOptions broker_options();
    void set_limits(testing::BrokerOptions&);
    ClientPlan client_plan(std::uint32_t index, bool first_life);
    void set_pace();
    Conditions conditions();
    TopicFilter filter(Version);
    PublishPlan publish_plan(std::uint32_t client);

    void happen(const Item&);
    void react(std::uint32_t client, const core::Event&);
    void do_something(std::uint32_t client);
    void act(std::uint32_t client);
    void act_seldom(std::uint32_t client);
    void cut_somebody();
    void die_at_a_write(std::uint32_t client);
    void have_an_accident();
    void chaos();
    Duration think();
    void come_to_rest();
    void stop_everybody();

    /// The numbers of what follows are this decision's; false: it is to be left out.
    bool decides(const Decision& decision) {
        dice_ = dice_of(options_.seed, decision);
        return !only_ || only_->contains(decision);
    }
    void carried_out(const Decision& decision) { result_.decisions.push_back(decision); }

    const WalkOptions& options_;
    std::optional<std::set<Decision>> only_;
    std::vector<std::uint64_t> acts_, reactions_, deaths_, restarts_; // of each client, so far
    std::uint64_t accidents_ = 0;
    Rng dice_; // of the users and of the accidents; the world has its own
    bool all_v5_ = true, limits_ = false;
    std::size_t clients_ = 2;
    Duration pace_ = 10ms, chaos_pace_ = 1s;
    unsigned hostile_ = 0;      // per mille of the accidents that are severe
    unsigned die_at_write_ = 0; // per mille of the writes that a program does not survive
    bool quiet_ = false;
    testing::BrokerOptions broker_;
    World world_;
    Judge& judge_;
    WalkResult result_;
};

// ---- How the world is set up ---------------------------------------------------------------------------------------

testing::BrokerOptions Walk::broker_options() {
    all_v5_ = dice_.chance(400);
    limits_ = all_v5_ && dice_.chance(500); // a 3.1.1 client cannot know them
    clients_ = 2 + dice_.below(3);
    hostile_ = static_cast<unsigned>(dice_.below(1000));
    die_at_write_ = dice_.chance(300) ? 10 : 0;
    testing::BrokerOptions broker;
    broker.deny_publish = {"denied/#"};
    broker.deny_subscribe = {"secret/#"};
    set_limits(broker);
    return broker;
}

// What a broker may tell anew whenever it starts.
void Walk::set_limits(testing::BrokerOptions& broker) {
    constexpr std::uint16_t windows[] = {1, 2, 10, 65'535};
    constexpr std::uint16_t aliases[] = {0, 1, 5, 65'535};
    broker.receive_maximum = dice_.pick(windows);
    broker.topic_alias_maximum = dice_.pick(aliases);
    broker.server_keep_alive.reset();
    if (dice_.chance(200)) broker.server_keep_alive = std::chrono::seconds(2 + dice_.below(30));
    broker.session_expiry_cap.reset();
    if (dice_.chance(200)) broker.session_expiry_cap = std::chrono::seconds(1 + dice_.below(60));
    if (!limits_) return;
    broker.maximum_qos = dice_.chance(300) ? QoS::at_least_once : QoS::exactly_once;
    broker.retain_available = !dice_.chance(300);
    broker.maximum_packet_size = dice_.chance(500) ? 400 : 268'435'460;
}

ClientPlan Walk::client_plan(std::uint32_t index, bool first_life) {
    constexpr std::uint16_t windows[] = {1, 2, 10, 65'535};
    constexpr std::size_t queues[] = {1, 5, 50, 10'000};
    constexpr Overflow policies[] = {Overflow::reject, Overflow::drop_oldest, Overflow::drop_newest,
                                     Overflow::latest_per_topic, Overflow::by_priority};
    constexpr Duration keep_alives[] = {0s, 2s, 10s, 60s};
    constexpr Duration expiries[] = {0s, 3s, 1h, 1h};
    constexpr Duration disks[] = {0ms, 1ms, 30ms, 700ms};
    ClientPlan plan;
    core::EngineOptions& e = plan.engine;
    e.version = all_v5_ || dice_.chance(500) ? Version::v5 : Version::v3_1_1;
    e.client_id = "client " + std::to_string(index);
    e.session.clean_start = dice_.chance(500);
    e.persistent = first_life ? dice_.chance(300) : world_.plan(index).engine.persistent;
    if (!first_life && e.persistent) e.version = world_.plan(index).engine.version;
    plan.disk_takes = dice_.pick(disks);
    plan.rejoins = !first_life && (!e.session.clean_start || e.persistent);
    e.session.expiry = dice_.pick(expiries);
    e.endpoints = 1 + dice_.below(3);
    e.keep_alive = dice_.pick(keep_alives);
    e.first_connect_delay = dice_.chance(300) ? 2s : 0s;
    e.backoff = {.min = 50ms, .max = dice_.chance(500) ? Duration(1s) : Duration(30s), .stable_after = 5s};
    e.connect_timeout = dice_.chance(300) ? 2s : 10s;
    e.reply_timeout = dice_.chance(300) ? 1s : 20s;
    e.queue.messages = dice_.pick(queues);
    if (dice_.chance(250)) e.queue.bytes = 2'000;
    e.queue.overflow = dice_.pick(policies);
    e.topic_aliases = dice_.chance(700) ? TopicAliases::automatic : TopicAliases::off;
    e.receive_maximum = dice_.pick(windows);
    e.topic_alias_maximum = dice_.pick(windows);
    if (dice_.chance(200)) e.output_high_water = 500;
    if (dice_.chance(500))
        e.subscriptions = {{"home/#", {.qos = QoS::exactly_once}}, {"a", {.qos = QoS::at_least_once}}};
    plan.late_ack = dice_.chance(300) ? 400 : 0;
    plan.refuse = dice_.chance(200) ? 50 : 0;
    return plan;
}

Conditions Walk::conditions() {
    constexpr Duration latencies[] = {0ms, 1ms, 20ms, 300ms, 1500ms};
    Conditions c;
    c.latency_min = dice_.pick(latencies);
    c.latency_max = c.latency_min + dice_.pick(latencies);
    c.pieces = dice_.chance(600) ? static_cast<unsigned>(dice_.below(1000)) : 0;
    c.slow_write = dice_.chance(400) ? static_cast<unsigned>(dice_.below(600)) : 0;
    constexpr std::size_t bandwidths[] = {500, 5'000, 100'000};
    if (dice_.chance(250)) c.bandwidth = dice_.pick(bandwidths);
    c.reset = dice_.chance(500) ? 300 : 0;
    return c;
}

void Walk::set_pace() {
    constexpr Duration paces[] = {100us, 2ms, 30ms, 30ms, 500ms, 5s};
    pace_ = dice_.pick(paces);
    chaos_pace_ = pace_ * (20 + dice_.below(300));
}

Duration Walk::think() { return dice_.chance(100) ? dice_.up_to(pace_ * 40) : dice_.up_to(pace_ * 2); }

// ---- What users do -------------------------------------------------------------------------------------------------

TopicFilter Walk::filter(Version version) {
    TopicFilter f{dice_.pick(filters)};
    f.options.qos = static_cast<QoS>(dice_.below(3));
    if (version == Version::v5) {
        f.options.no_local = dice_.chance(150);
        f.options.retain_as_published = dice_.chance(150);
        f.options.retain_handling = static_cast<RetainHandling>(dice_.below(3));
    }
    return f;
}

PublishPlan Walk::publish_plan(std::uint32_t client) {
    constexpr Duration lives[] = {0ms, 1ms, 100ms, 1500ms, 10s, 120s};
    PublishPlan p;
    p.topic = dice_.pick(topics);
    p.denied = p.topic.starts_with("denied");
    p.qos = static_cast<QoS>(dice_.below(3));
    if (world_.plan(client).rejoins && !world_.plan(client).engine.persistent)
        p.qos = std::min(p.qos, QoS::at_least_once);
    p.retain = dice_.chance(60);
    if (dice_.chance(250)) p.ttl = dice_.pick(lives);
    p.priority = static_cast<int>(dice_.below(4));
    p.size = dice_.chance(900) ? 8 + dice_.below(40) : dice_.below(1500);
    p.properties = dice_.chance(100) && world_.plan(client).engine.version == Version::v5;
    return p;
}

// The next one comes when it would come if this one were left out.
void Walk::do_something(std::uint32_t client) {
    const Decision decision = sim::act(client, acts_[client]++);
    const bool wanted = decides(decision);
    world_.schedule.add(world_.now() + think(), What::act, client);
    if (!wanted || world_.stopped(client)) return;
    carried_out(decision);
    act(client);
}

void Walk::act(std::uint32_t client) {
    const auto roll = dice_.below(100);
    const Version version = world_.plan(client).engine.version;
    if (roll < 70) {
        const auto burst = dice_.chance(100) ? 1 + dice_.below(12) : 1;
        for (std::uint64_t i = 0; i < burst; ++i) world_.publish(client, publish_plan(client));
    } else if (roll < 80) {
        std::vector<TopicFilter> wanted;
        for (auto n = 1 + dice_.below(3); n > 0; --n) {
            auto f = filter(version);
            const auto same = [&](const TopicFilter& w) { return w.filter == f.filter; };
            if (std::none_of(wanted.begin(), wanted.end(), same)) wanted.push_back(std::move(f));
        }
        world_.subscribe(client, std::move(wanted));
    } else if (roll < 86) {
        std::vector<std::string> unwanted = {dice_.pick(filters)};
        if (dice_.chance(200)) unwanted.emplace_back("never/subscribed");
        world_.unsubscribe(client, std::move(unwanted));
    } else if (roll < 92) {
        if (world_.ledger.posts() > 0)
            world_.cancel(client,
                          world_.ledger.posts() - dice_.below(std::min<std::uint64_t>(20, world_.ledger.posts())));
    } else if (roll < 95) {
        world_.ping(client);
    } else if (roll < 98) {
        world_.elapse_early(client);
    } else {
        act_seldom(client);
    }
}

void Walk::act_seldom(std::uint32_t client) {
    const auto roll = dice_.below(100);
    if (roll < 30)
        world_.reconnect(client);
    else if (roll < 55)
        world_.set_will(client, "home/will", static_cast<QoS>(dice_.below(limits_ ? 2 : 3)),
                        dice_.chance(500) ? 0s : 5s);
    else if (roll < 75)
        world_.acknowledge_everything(client);
    else if (roll < 85)
        world_.acknowledge(client, 1 + dice_.below(1000)); // one that may not be there
    else if (roll < 93) {
        world_.crash_and_restart(client, client_plan(client, false));
        ++result_.lives;
    } else {
        world_.stop(client, dice_.chance(500) ? 0s : dice_.up_to(5s));
    }
}

// A handler does things too; and a program that has stopped is started anew.
void Walk::react(std::uint32_t client, const core::Event& event) {
    if (quiet_) return;
    const bool received = std::holds_alternative<core::Received>(event), up = std::holds_alternative<core::Up>(event),
               down = std::holds_alternative<core::Down>(event);
    const bool stopped = std::holds_alternative<core::Stopped>(event);
    if (!received && !up && !down && !stopped) return;
    const Decision decision = reaction(client, reactions_[client]++);
    const Rng others = dice_; // it may come in the midst of another decision
    const bool wanted = decides(decision);
    if (stopped) {
        world_.schedule.add(world_.now() + dice_.up_to(2s), What::act, client, Side::broker);
    } else if (wanted && dice_.chance(up ? 100 : 20)) {
        carried_out(decision);
        if (received)
            world_.publish(client, publish_plan(client));
        else if (up)
            world_.subscribe(client, {filter(world_.plan(client).engine.version)});
        else
            world_.reconnect(client);
    }
    dice_ = others;
}

// ---- What breaks ---------------------------------------------------------------------------------------------------

void Walk::cut_somebody() {
    const auto client = static_cast<std::uint32_t>(dice_.below(clients_));
    const auto link = world_.link(client);
    if (!link) return;
    Cut cut;
    cut.client_learns = dice_.up_to(dice_.chance(500) ? Duration(10ms) : Duration(40s));
    cut.broker_learns = dice_.up_to(dice_.chance(500) ? Duration(10ms) : Duration(40s));
    if (dice_.chance(200)) cut.broker_learns.reset();
    if (dice_.chance(250)) cut.only = dice_.chance(500) ? Side::client : Side::broker;
    cut.stuck = dice_.chance(500);
    cut.deliver_some = dice_.chance(700);
    if (judge_.logs()) judge_.line("the connection of client " + std::to_string(client) + " breaks");
    world_.network.cut(world_.now(), *link, cut);
}

// Nothing that depends on the write went out yet.
void Walk::die_at_a_write(std::uint32_t client) {
    if (quiet_ || world_.stopped(client)) return;
    const Decision decision = death(client, deaths_[client]++);
    const Rng others = dice_;
    if (decides(decision) && dice_.chance(die_at_write_)) {
        carried_out(decision);
        world_.crash_and_restart(client, client_plan(client, false));
        ++result_.lives;
    }
    dice_ = others;
}

void Walk::have_an_accident() {
    const Decision decision = accident(accidents_++);
    const bool wanted = decides(decision);
    if (dice_.chance(100)) set_pace(); // of what is done, not a thing that is done
    world_.schedule.add(world_.now() + dice_.up_to(chaos_pace_ * 2), What::chaos, 0);
    if (!wanted) return;
    carried_out(decision);
    chaos();
}

void Walk::chaos() {
    const auto roll = dice_.below(90);
    const auto client = static_cast<std::uint32_t>(dice_.below(clients_));
    if (roll < 40) return cut_somebody();
    if (roll < 53) {
        world_.network.conditions = conditions();
    } else if (roll < 60) {
        world_.network.black_hole = !world_.network.black_hole && dice_.chance(hostile_);
    } else if (roll < 64) {
        constexpr std::chrono::milliseconds jumps[] = {-24h, -3s, 1500ms, 1h};
        world_.jump_wall_clock(dice_.pick(jumps));
    } else if (roll < 69) {
        if (world_.broker_runs() && world_.engine(client).is_up()) world_.take_over(client);
    } else if (roll < 72) {
        if (world_.plan(client).engine.persistent && !world_.stopped(client)) world_.fail_disk(client);
    } else if (world_.broker_runs()) {
        world_.stop_broker(dice_.chance(700) ? Duration(1ms) : Duration(5s));
        const bool forget = dice_.chance(hostile_ / 2);
        world_.schedule.add(world_.now() + dice_.up_to(dice_.chance(500) ? 1s : 20s), What::broker_start, 0,
                            Side::client, accidents_ * 2 + (forget ? 1 : 0));
    }
}

void Walk::happen(const Item& item) {
    switch (item.what) {
    case What::act:
        if (item.side == Side::broker) { // start anew, after a stop
            if (!world_.stopped(item.who)) return;
            decides(consequence(item.who, restarts_[item.who]++));
            world_.crash_and_restart(item.who, client_plan(item.who, false));
            ++result_.lives;
            return;
        }
        if (quiet_) return;
        do_something(item.who);
        return;
    case What::chaos:
        if (quiet_) return;
        have_an_accident();
        return;
    case What::broker_start:
        if (world_.broker_runs()) return;
        decides(consequence(static_cast<std::uint32_t>(clients_), item.amount / 2)); // the broker's
        if (dice_.chance(300)) set_limits(broker_);
        world_.start_broker(item.amount % 2 != 0, &broker_);
        ++result_.broker_starts;
        return;
    default: return;
    }
}

// ---- The course of it ----------------------------------------------------------------------------------------------

void Walk::come_to_rest() {
    if (judge_.logs()) judge_.line("from here on nothing breaks");
    quiet_ = world_.prompt = true;
    world_.network.conditions = {};
    world_.network.black_hole = false;
    if (!world_.broker_runs()) world_.start_broker(false);
    world_.network.notice_everything(world_.now());
    // As long as the longest time to live, and the longest waits between attempts; in pieces, to stop early.
    for (int i = 0; i < 200 && !judge_.failed(); ++i) {
        world_.run_for(5s);
        for (std::uint32_t c = 0; c < clients_; ++c)
            if (!world_.stopped(c)) world_.acknowledge_everything(c);
        if (i > 2 && world_.unsettled().empty()) break;
    }
    if (!judge_.failed()) world_.check_settled();
}

void Walk::stop_everybody() {
    for (std::uint32_t c = 0; c < clients_; ++c)
        if (!world_.stopped(c)) world_.stop(c);
    world_.run_for(10s);
    for (std::uint32_t c = 0; c < clients_ && !judge_.failed(); ++c)
        if (!world_.stopped(c)) judge_.fail("client " + std::to_string(c) + " does not stop");
}

WalkResult Walk::run() {
    world_.network.conditions = conditions();
    set_pace();
    acts_.resize(clients_);
    reactions_.resize(clients_);
    deaths_.resize(clients_);
    restarts_.resize(clients_);
    for (std::uint32_t c = 0; c < clients_; ++c) {
        world_.add_client(client_plan(c, true));
        world_.start(c);
        world_.schedule.add(world_.now() + think(), What::act, c);
    }
    world_.schedule.add(world_.now() + dice_.up_to(chaos_pace_), What::chaos, 0);
    for (std::uint64_t step = 0; step < options_.steps && !judge_.failed(); ++step) {
        world_.step();
        if (step % 64 == 0) world_.check_bounds();
        if (step % 256 == 0) world_.check_restorable();
    }
    if (!judge_.failed()) come_to_rest();
    if (!judge_.failed()) stop_everybody();
    result_.failure = judge_.failure();
    result_.last = judge_.lines();
    result_.digest = judge_.digest();
    result_.posts = world_.ledger.posts();
    result_.arrivals = world_.ledger.arrivals();
    result_.seconds = std::chrono::duration<double>(world_.now().time_since_epoch()).count();
    return result_;
}

} // namespace

WalkResult& WalkResult::operator+=(const WalkResult& other) noexcept {
    posts += other.posts;
    arrivals += other.arrivals;
    lives += other.lives;
    broker_starts += other.broker_starts;
    connects += other.connects;
    seconds += other.seconds;
    return *this;
}

WalkResult walk(const WalkOptions& options) {
    const auto log = options.log == WalkOptions::Log::off     ? Judge::Log::off
                     : options.log == WalkOptions::Log::print ? Judge::Log::print
                                                              : Judge::Log::keep_last;
    Judge judge(log);
    return Walk(options, judge).run();
}

} // namespace tortoise::sim
