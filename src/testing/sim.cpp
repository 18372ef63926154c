// A world of src/sim for users' tests.
#include "sim/world.hpp"
#include "testing/test_error.hpp"
#include <algorithm>
#include <tortoise/testing/sim.hpp>
#include <tortoise/topic.hpp>

namespace tortoise::testing {

namespace {

sim::Cut cut_of(const SimCut& cut) {
    sim::Cut out;
    out.client_learns = cut.client_learns;
    out.broker_learns = cut.broker_learns;
    if (cut.lost != SimCut::Lost::everything)
        out.only = cut.lost == SimCut::Lost::to_broker ? sim::Side::client : sim::Side::broker;
    out.stuck = cut.writes_hang;
    out.deliver_some = cut.some_arrives;
    return out;
}

} // namespace

struct Sim::Impl {
    Impl(Sim& sim, std::uint64_t seed, BrokerOptions options)
        : judge(sim::Judge::Log::keep_last), denied{options.deny_publish}, world(seed, std::move(options), judge) {
        world.on_event = [&sim](Client client, const core::Event& event) {
            if (sim.on_event) sim.on_event(client, event);
        };
    }
    bool denies(Client client, std::string_view topic) const {
        return std::ranges::any_of(denied[world.plan(client).broker],
                                   [&](const auto& filter) { return matches(filter, topic); });
    }

    sim::Judge judge;
    std::vector<std::vector<std::string>> denied; // of each broker: what may not be published
    sim::World world;
};

Sim::Sim(std::uint64_t seed, BrokerOptions options) : impl_(std::make_unique<Impl>(*this, seed, std::move(options))) {}
Sim::~Sim() = default;

std::size_t Sim::add_broker(BrokerOptions options) {
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
    if (client.engine.client_id.empty()) return wrong("a client of a Sim needs a client_id");
    const auto id = world.add_client({.engine = std::move(client.engine),
                                      .work_list = std::move(client.work_list),
                                      .broker = client.broker,
                                      .late_ack = client.late_acknowledgements,
                                      .disk_takes = client.disk_takes});
    world.start(id);
    return id;
}

std::uint64_t Sim::publish(Client client, std::string_view topic, const SimPublish& publish) {
    return impl_->world.publish(client, {.topic = std::string(topic),
                                         .qos = publish.qos,
                                         .retain = publish.retain,
                                         .ttl = publish.ttl,
                                         .priority = publish.priority,
                                         .size = publish.size,
                                         .denied = impl_->denies(client, topic)});
}

void Sim::subscribe(Client client, std::vector<TopicFilter> filters) {
    impl_->world.subscribe(client, std::move(filters));
}
void Sim::unsubscribe(Client client, std::vector<std::string> filters) {
    impl_->world.unsubscribe(client, std::move(filters));
}
void Sim::reconnect(Client client) { impl_->world.reconnect(client); }
void Sim::stop(Client client, Duration drain) { impl_->world.stop(client, drain); }
std::uint64_t Sim::number_of(Octets payload) noexcept { return sim::token_of(payload); }

void Sim::set_network(const SimNetwork& network) {
    auto& own = impl_->world.network;
    own.conditions = {.latency_min = network.latency_min,
                      .latency_max = std::max(network.latency_min, network.latency_max),
                      .pieces = network.in_pieces,
                      .slow_write = network.slow_writes,
                      .bandwidth = network.bandwidth,
                      .reset = network.resets};
    own.black_hole = network.black_hole;
}

void Sim::cut(Client client, const SimCut& cut) {
    auto& world = impl_->world;
    const auto link = world.link(client);
    if (!link) return;
    if (cut.after_octets) return world.network.cut_after(*link, sim::Side::client, *cut.after_octets);
    if (impl_->judge.logs()) impl_->judge.line("the connection of client " + std::to_string(client) + " breaks");
    world.network.cut(world.now(), *link, cut_of(cut));
}

void Sim::crash(Client client) {
    auto plan = impl_->world.plan(client);
    plan.rejoins = !plan.engine.session.clean_start || plan.engine.persistent;
    impl_->world.crash_and_restart(client, std::move(plan));
}
void Sim::fail_disk(Client client) { impl_->world.fail_disk(client); }
void Sim::take_over(Client client) { impl_->world.take_over(client); }

void Sim::stop_broker(std::size_t broker) {
    if (impl_->world.broker_runs(broker)) impl_->world.stop_broker({}, broker);
}
void Sim::start_broker(std::size_t broker, bool forget_sessions) {
    if (!impl_->world.broker_runs(broker)) impl_->world.start_broker(forget_sessions, nullptr, broker);
}
void Sim::jump_wall_clock(std::chrono::milliseconds by) { impl_->world.jump_wall_clock(by); }

Duration Sim::now() const noexcept { return impl_->world.now().time_since_epoch(); }

bool Sim::step() {
    auto& world = impl_->world;
    if (world.judge.failed() || !world.step()) return false;
    world.check_bounds();
    return !world.judge.failed();
}

void Sim::run_for(Duration duration) {
    auto& world = impl_->world;
    world.run_for(duration);
    if (world.judge.failed()) return;
    world.check_bounds();
    world.check_restorable();
}

Result<Done> Sim::settle(Duration at_most) {
    constexpr Duration pieces = std::chrono::seconds(1);
    auto& world = impl_->world;
    set_network({});
    for (std::size_t broker = 0; broker < world.brokers(); ++broker) start_broker(broker);
    world.network.notice_everything(world.now());
    for (Duration passed{}; passed < at_most && !world.judge.failed() && !world.unsettled().empty(); passed += pieces)
        run_for(pieces);
    if (!world.judge.failed()) world.check_settled();
    return check();
}

Result<Done> Sim::check() const {
    if (!impl_->judge.failed()) return Done{};
    return Error{Finding::promise_broken, impl_->judge.failure()};
}

bool Sim::is_up(Client client) const { return impl_->world.engine(client).is_up(); }
core::Snapshot Sim::snapshot(Client client) const { return impl_->world.engine(client).snapshot(); }

std::string Sim::transcript() const {
    std::string text;
    for (const auto& line : impl_->judge.lines()) text.append(line).append("\n");
    return text;
}

std::uint64_t Sim::digest() const noexcept { return impl_->judge.digest(); }

} // namespace tortoise::testing
