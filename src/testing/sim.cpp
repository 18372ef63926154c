// A world of src/sim for users' tests: what they could do wrong is caught here.
#include "core/codec/utf8.hpp"
#include "sim/world.hpp"
#include "testing/test_error.hpp"
#include <algorithm>
#include <chrono>
#include <exception>
#include <tortoise/testing/sim.hpp>
#include <tortoise/topic.hpp>
#include <tuple>

namespace tortoise::testing {

namespace {

// However they add up, a Duration holds them.
constexpr Duration year = std::chrono::hours(24 * 365), longest = 20 * year, end_of_time = 100 * year;

Duration sane(Duration duration) noexcept { return std::clamp(duration, Duration::zero(), longest); }
std::optional<Duration> sane(std::optional<Duration> duration) noexcept {
    return duration ? std::optional(sane(*duration)) : duration;
}

sim::Cut cut_of(const SimCut& cut) {
    sim::Cut out;
    out.client_learns = sane(cut.client_learns);
    out.broker_learns = sane(cut.broker_learns);
    if (cut.lost != SimCut::Lost::everything)
        out.only = cut.lost == SimCut::Lost::to_broker ? sim::Side::client : sim::Side::broker;
    out.stuck = cut.writes_hang;
    out.deliver_some = cut.some_arrives;
    return out;
}

/// Why a Sim cannot have such a broker; empty: it can.
std::string wrong_with(const BrokerOptions& options) {
    const auto no_use = [](std::string_view name) {
        return "a Sim has no use for BrokerOptions::" + std::string(name);
    };
    if (!options.users.empty()) return no_use("users");
    if (!options.scram_users.empty()) return no_use("scram_users");
    if (options.authentication) return no_use("authentication");
    if (options.redirect) return no_use("redirect");
    if (options.one_copy_per_subscription) return no_use("one_copy_per_subscription");
    if (options.queue_limit != BrokerOptions{}.queue_limit) return no_use("queue_limit");
    if (!options.profile.empty()) return no_use("profile");
    return {};
}

std::string wrong_duration(const char* name, Duration value, Duration least) {
    if (value >= least && value <= longest) return {};
    return std::string(name) + " has to be " + (least > Duration::zero() ? "above 0" : "0 or more") +
           ", and at most 20 years";
}

std::string wrong_with(const core::EngineOptions& options) {
    if (options.client_id.empty()) return "a client of a Sim needs a client_id";
    if (core::utf8_fault(options.client_id) != core::Utf8Fault::none)
        return "client_id has to be UTF-8 without U+0000, of at most 65,535 octets";
    if (options.endpoints == 0) return "endpoints is 0; at least 1 is allowed";
    if (options.receive_maximum == 0) return "receive_maximum is 0; 1 to 65535 are allowed";
    if (options.maximum_packet_size == 0) return "maximum_packet_size is 0; at least 1 is allowed";
    if (options.keep_alive < Duration::zero() || options.keep_alive > std::chrono::seconds(65'535))
        return "keep_alive has to be between 0 and 65535 s";
    if (options.backoff.min <= Duration::zero() || options.backoff.max < options.backoff.min)
        return "backoff.min has to be above 0, and backoff.max no less";
    if (options.output_high_water == 0) return "output_high_water is 0; at least 1 is allowed";
    for (const auto& filter : options.subscriptions)
        if (auto ok = check_filter(filter.filter); !ok) return "subscriptions: '" + filter.filter + "': " + ok.error().text;
    const auto shortest = Duration(1);
    for (const auto& [name, value, least] :
         {std::tuple{"keep_alive_timeout", options.keep_alive_timeout, Duration::zero()},
          {"connect_timeout", options.connect_timeout, shortest},
          {"reply_timeout", options.reply_timeout, shortest},
          {"first_connect_delay", options.first_connect_delay, Duration::zero()},
          {"backoff.max", options.backoff.max, shortest},
          {"backoff.stable_after", options.backoff.stable_after, Duration::zero()}})
        if (auto what = wrong_duration(name, value, least); !what.empty()) return what;
    return {};
}

} // namespace

struct Sim::Impl {
    Impl(Sim& sim, std::uint64_t seed, BrokerOptions options)
        : judge(sim::Judge::Log::keep_last), denied{options.deny_publish}, world(seed, BrokerOptions(options), judge) {
        refuse(wrong_with(options));
        world.on_event = [this, &sim](Client client, const core::Event& event) {
            if (!sim.on_event) return;
            ++in_callback;
            try {
                sim.on_event(client, event);
            } catch (const std::exception& e) {
                judge.fail(std::string("on_event threw: ") + e.what());
            } catch (...) {
                judge.fail("on_event threw");
            }
            --in_callback;
        };
        world.on_item = [this](const sim::Item&) {
            for (const auto client : std::exchange(to_crash, {})) crash_now(client);
        };
    }

    void refuse(const std::string& what) {
        if (!what.empty()) judge.fail(what);
    }
    /// May something be done with that client? If it is not there, that is kept.
    bool has(Client client) {
        if (client >= world.clients())
            refuse("there is no client " + std::to_string(client) + "; there are " + std::to_string(world.clients()));
        return !judge.failed();
    }
    bool has_broker(std::size_t broker) {
        if (broker >= world.brokers())
            refuse("there is no broker " + std::to_string(broker) + "; there are " + std::to_string(world.brokers()));
        return !judge.failed();
    }
    bool may_go_on(const char* function) {
        if (in_callback > 0) refuse(std::string(function) + " may not be called in on_event");
        return !judge.failed();
    }
    bool denies(Client client, std::string_view topic) const {
        return std::ranges::any_of(denied[world.plan(client).broker],
                                   [&](const auto& filter) { return matches(filter, topic); });
    }
    void crash_now(Client client) {
        auto plan = world.plan(client);
        plan.rejoins = !plan.engine.session.clean_start || plan.engine.persistent;
        world.crash_and_restart(client, std::move(plan));
    }
    void check_bounds() {
        if (!judge.failed()) world.check_bounds();
    }

    sim::Judge judge;
    std::vector<std::vector<std::string>> denied; // of each broker: what may not be published
    sim::World world;
    int in_callback = 0;
    std::vector<Client> to_crash; // once the callback has returned
    Duration jumped{};            // by the clocks on the wall
};

Sim::Sim(std::uint64_t seed, BrokerOptions options) : impl_(std::make_unique<Impl>(*this, seed, std::move(options))) {}
Sim::~Sim() = default;

std::size_t Sim::add_broker(BrokerOptions options) {
    impl_->refuse(wrong_with(options));
    impl_->denied.push_back(options.deny_publish);
    return impl_->world.add_broker(std::move(options));
}

Result<Sim::Client> Sim::add(SimClient client) {
    auto& world = impl_->world;
    const auto wrong = [](std::string what) { return make_error(Errc::invalid_option, std::move(what)); };
    static_assert(most_clients == sim::most_clients);
    if (world.clients() == most_clients) return wrong("a Sim has at most " + std::to_string(most_clients) + " clients");
    if (client.broker >= world.brokers())
        return wrong("there is no broker " + std::to_string(client.broker) + "; there are " +
                     std::to_string(world.brokers()) + ", numbered from 0");
    if (auto what = wrong_with(client.engine); !what.empty()) return wrong(std::move(what));
    for (Client other = 0; other < world.clients(); ++other)
        if (world.plan(other).broker == client.broker && world.plan(other).engine.client_id == client.engine.client_id)
            return wrong("another client of that broker has the client_id '" + client.engine.client_id + "'");
    const auto id = world.add_client({.engine = std::move(client.engine),
                                      .work_list = std::move(client.work_list),
                                      .broker = client.broker,
                                      .late_ack = client.late_acknowledgements,
                                      .disk_takes = sane(client.disk_takes)});
    world.start(id);
    return id;
}

std::uint64_t Sim::publish(Client client, std::string_view topic, const SimPublish& publish) {
    if (!impl_->has(client)) return 0;
    return impl_->world.publish(client, {.topic = std::string(topic),
                                         .qos = publish.qos,
                                         .retain = publish.retain,
                                         .ttl = sane(publish.ttl),
                                         .priority = publish.priority,
                                         .size = publish.size,
                                         .denied = impl_->denies(client, topic)});
}

void Sim::subscribe(Client client, std::vector<TopicFilter> filters) {
    if (impl_->has(client)) impl_->world.subscribe(client, std::move(filters));
}
void Sim::unsubscribe(Client client, std::vector<std::string> filters) {
    if (impl_->has(client)) impl_->world.unsubscribe(client, std::move(filters));
}
void Sim::reconnect(Client client) {
    if (impl_->has(client)) impl_->world.reconnect(client);
}
void Sim::stop(Client client, Duration drain) {
    if (impl_->has(client)) impl_->world.stop(client, sane(drain));
}
std::uint64_t Sim::number_of(Octets payload) noexcept { return sim::token_of(payload); }

void Sim::set_network(const SimNetwork& network) {
    auto& own = impl_->world.network;
    const auto shortest = sane(network.latency_min);
    own.conditions = {.latency_min = shortest,
                      .latency_max = std::max(shortest, sane(network.latency_max)),
                      .pieces = network.in_pieces,
                      .slow_write = network.slow_writes,
                      .bandwidth = network.bandwidth,
                      .reset = network.resets};
    own.black_hole = network.black_hole;
}

void Sim::cut(Client client, const SimCut& cut) {
    if (!impl_->has(client)) return;
    auto& world = impl_->world;
    const auto link = world.link(client);
    if (!link) return;
    if (cut.after_octets) return world.network.cut_after(*link, sim::Side::client, *cut.after_octets);
    impl_->judge.line("the connection of client " + std::to_string(client) + " breaks");
    world.network.cut(world.now(), *link, cut_of(cut));
}

// The engine whose event is told is still at work.
void Sim::crash(Client client) {
    if (!impl_->has(client)) return;
    if (impl_->in_callback == 0) return impl_->crash_now(client);
    if (impl_->world.is_dying(client)) return;
    impl_->world.die(client);
    impl_->to_crash.push_back(client);
    impl_->world.schedule.add(impl_->world.now(), sim::What::chaos, client);
}
void Sim::fail_disk(Client client) {
    if (impl_->has(client)) impl_->world.fail_disk(client);
}
void Sim::take_over(Client client) {
    if (!impl_->has(client) || !impl_->world.broker_runs(impl_->world.plan(client).broker)) return;
    impl_->world.take_over(client);
}

void Sim::stop_broker(std::size_t broker) {
    if (impl_->has_broker(broker) && impl_->world.broker_runs(broker)) impl_->world.stop_broker({}, broker);
}
void Sim::start_broker(std::size_t broker, bool forget_sessions) {
    if (impl_->has_broker(broker) && !impl_->world.broker_runs(broker))
        impl_->world.start_broker(forget_sessions, nullptr, broker);
}
void Sim::jump_wall_clock(std::chrono::milliseconds by) {
    const std::chrono::milliseconds most = std::chrono::duration_cast<std::chrono::milliseconds>(longest);
    by = std::clamp(by, -most, most);
    if (std::chrono::abs(impl_->jumped + by) > end_of_time)
        return impl_->refuse("the clocks on the wall of a Sim cannot be set by more than 100 years in all");
    impl_->jumped += by;
    impl_->world.jump_wall_clock(by);
}

Duration Sim::now() const noexcept { return impl_->world.now().time_since_epoch(); }

bool Sim::step() {
    if (!impl_->may_go_on("step()") || !impl_->world.step()) return false;
    impl_->check_bounds();
    return !impl_->judge.failed();
}

void Sim::run_for(Duration duration) {
    if (!impl_->may_go_on("run_for()")) return;
    auto& world = impl_->world;
    duration = sane(duration);
    if (duration > end_of_time - now()) return impl_->refuse("the time of a Sim ends after 100 years");
    world.run_for(duration);
    impl_->check_bounds();
    if (!impl_->judge.failed()) world.check_restorable();
}

Result<Done> Sim::settle(Duration at_most) {
    constexpr Duration pieces = std::chrono::seconds(1);
    if (!impl_->may_go_on("settle()")) return check();
    auto& world = impl_->world;
    set_network({});
    for (std::size_t broker = 0; broker < world.brokers(); ++broker) start_broker(broker);
    world.network.notice_everything(world.now());
    for (Duration passed{}; passed < sane(at_most) && !world.judge.failed() && !world.unsettled().empty();
         passed += pieces)
        run_for(pieces);
    if (world.judge.failed()) return check();
    if (auto what = world.unsettled(); !what.empty()) return Error{Finding::not_at_rest, std::move(what)};
    world.check_settled();
    return check();
}

Result<Done> Sim::check() const {
    if (!impl_->judge.failed()) return Done{};
    return Error{Finding::promise_broken, impl_->judge.failure()};
}

bool Sim::is_up(Client client) const { return client < impl_->world.clients() && impl_->world.engine(client).is_up(); }
core::Snapshot Sim::snapshot(Client client) const {
    return client < impl_->world.clients() ? impl_->world.engine(client).snapshot() : core::Snapshot{};
}

std::string Sim::transcript() const {
    std::string text;
    for (const auto& line : impl_->judge.lines()) text.append(line).append("\n");
    return text;
}

std::uint64_t Sim::digest() const noexcept { return impl_->judge.digest(); }

} // namespace tortoise::testing
