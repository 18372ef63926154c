#include "broker/engine.hpp"

#include "broker/impl.hpp"

#include <algorithm>

namespace tortoise::broker {

namespace {

testing::BrokerOptions sane(testing::BrokerOptions options) {
    options.receive_maximum = std::max<std::uint16_t>(options.receive_maximum, 1);
    options.maximum_packet_size = std::clamp<std::uint32_t>(options.maximum_packet_size, 1, core::largest_packet);
    return options;
}

const Rules& rules_of(const testing::BrokerOptions& options) {
    const auto* const named = rules_named(options.profile);
    return named ? *named : *rules_named({});
}

bool may_begin_connect(Octets octets) {
    return static_cast<std::uint8_t>(octets.front()) >> 4 == static_cast<std::uint8_t>(core::PacketType::connect);
}

} // namespace

Reason reason_of(const Error& error) {
    return error.code.category() == reason_category() ? static_cast<Reason>(error.code.value())
                                                      : Reason::unspecified_error;
}

Engine::Impl::Impl(testing::BrokerOptions options)
    : context{.options = with_rules(sane(options), rules_of(options)), .rules = rules_of(options)}, sessions(context),
      judge(context.rules) {
    deny_topics();
}

void Engine::Impl::deny_topics() {
    denied_topics = {};
    core::TopicTree::Value number = 0;
    for (const auto& filter : context.options.deny_publish) denied_topics.insert(filter, ++number);
}

Connection* Engine::Impl::find(ClientId id) const {
    const auto found = connections.find(id);
    return found == connections.end() ? nullptr : found->second.get();
}

void Engine::Impl::receive(Time now, Connection& connection) {
    while (!connection.closing()) {
        const auto frame = connection.reader.next();
        if (!frame) return hang_up(now, connection, frame.error());
        if (!*frame) return;
        connection.last_packet = now;
        handle(now, connection, **frame);
        if (connection.drowned()) close(now, connection);
    }
}

void Engine::Impl::handle(Time now, Connection& connection, const core::Frame& frame) {
    if (connection.authentication.exchange && !connection.established)
        return on_packet_before_connack(now, connection, frame);
    if (!connection.established) return on_connect(now, connection, frame);
    const auto packet = core::decode(connection.version, frame);
    if (!packet) return hang_up(now, connection, packet.error());
    if (const auto* publish = std::get_if<core::Publish>(&*packet)) return on_publish(now, connection, *publish);
    if (const auto* ack = std::get_if<core::Ack>(&*packet)) return on_ack(now, connection, *ack);
    if (const auto* subscribe = std::get_if<core::Subscribe>(&*packet))
        return on_subscribe(now, connection, *subscribe);
    if (const auto* unsubscribe = std::get_if<core::Unsubscribe>(&*packet))
        return on_unsubscribe(now, connection, *unsubscribe);
    if (std::holds_alternative<core::Pingreq>(*packet)) return send_or_close(now, connection, core::Pingresp{});
    if (const auto* disconnect = std::get_if<core::Disconnect>(&*packet))
        return on_disconnect(now, connection, *disconnect);
    if (const auto* auth = std::get_if<core::Auth>(&*packet)) return on_auth(now, connection, *auth);
    // A second CONNECT [MQTT-3.1.0-2], or what only servers send.
    const auto name = core::to_string(core::type_of(*packet));
    hang_up(now, connection, Reason::protocol_error, std::string(name) + " is not allowed here");
}

/// When the connection ends if its client stays silent.
std::optional<Time> Engine::Impl::silence_ends(const Connection& connection) const {
    if (!connection.established) return after(connection.opened, limits::connect_timeout);
    if (connection.silence_allowed.count() == 0) return std::nullopt;
    return after(connection.last_packet, connection.silence_allowed);
}

void Engine::Impl::arm(Connection& connection) {
    const auto ends = silence_ends(connection);
    if (ends && !connection.closing())
        timers.arm(connection.id, *ends);
    else
        timers.disarm(connection.id);
}

/// The timer is not moved by each packet; it is looked at again when it is due. [MQTT-3.1.2-22]
void Engine::Impl::run_connections(Time now) {
    while (const auto due = timers.due(now)) {
        auto* const connection = find(*due);
        if (!connection || connection->closing()) continue;
        if (const auto ends = silence_ends(*connection); ends && *ends <= now) {
            if (connection->established)
                hang_up(now, *connection, Reason::keep_alive_timeout, "no packet within one and a half keep alives");
            else
                close(now, *connection);
        } else {
            arm(*connection);
        }
    }
}

Engine::Engine(testing::BrokerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::connected(Time now, ClientId id) {
    impl_->sessions.run(now);
    const auto [at, fresh] = impl_->connections.try_emplace(id, nullptr);
    if (!fresh) return;
    at->second = std::make_unique<Connection>(impl_->context, id, now);
    impl_->arm(*at->second);
}

void Engine::received(Time now, ClientId id, Octets octets) {
    impl_->sessions.run(now);
    auto* const connection = impl_->find(id);
    if (!connection || connection->closing() || octets.empty()) return;
    // Who does not begin with a CONNECT is not waited for until what he sent looks like a whole packet.
    if (connection->silent && !may_begin_connect(octets)) return impl_->close(now, *connection);
    connection->silent = false;
    connection->reader.feed(octets);
    impl_->receive(now, *connection);
}

void Engine::wrote(Time now, ClientId id, std::size_t octets) {
    impl_->sessions.run(now);
    auto* const connection = impl_->find(id);
    if (!connection) return;
    connection->wrote(octets);
    if (connection->session) connection->session->flush(now);
}

void Engine::closed(Time now, ClientId id) {
    impl_->sessions.run(now);
    auto* const connection = impl_->find(id);
    if (!connection) return;
    impl_->timers.disarm(id);
    if (connection->session) impl_->sessions.detach(now, *connection->session);
    impl_->connections.erase(id);
}

void Engine::elapsed(Time now) {
    impl_->sessions.run(now);
    impl_->run_connections(now);
}

void Engine::touched(std::vector<ClientId>& into) {
    for (const auto id : impl_->context.touched) {
        auto* const connection = impl_->find(id);
        if (!connection) continue;
        connection->marked_touched = false;
        into.push_back(id);
    }
    impl_->context.touched.clear();
}

void Engine::take_output(ClientId id, std::string& into) {
    if (auto* const connection = impl_->find(id)) connection->take_output(into);
}

bool Engine::wants_close(ClientId id) const {
    const auto* const connection = impl_->find(id);
    return connection && connection->closing();
}

std::optional<Time> Engine::deadline() const {
    auto next = impl_->sessions.deadline();
    const auto silence = impl_->timers.next();
    if (silence && (!next || *silence < *next)) next = silence;
    return next;
}

void Engine::observe(std::function<void(Octets payload)> passed_on) {
    impl_->context.passed_on = std::move(passed_on);
}

void Engine::set_options(testing::BrokerOptions options) {
    impl_->context.options = with_rules(sane(std::move(options)), impl_->context.rules);
    impl_->deny_topics();
}

void Engine::forget_sessions() {
    for (auto& [id, connection] : impl_->connections) {
        connection->session = nullptr;
        connection->close();
    }
    impl_->timers.clear();
    impl_->sessions.clear();
}

testing::BrokerStatistics Engine::statistics() const {
    return {.connections = impl_->connections.size(),
            .sessions = impl_->sessions.size(),
            .retained = impl_->sessions.retained(),
            .publishes_received = impl_->context.publishes_received,
            .publishes_sent = impl_->context.publishes_sent};
}

Snapshot Engine::snapshot() const {
    Snapshot snapshot;
    impl_->sessions.fill(snapshot);
    return snapshot;
}

} // namespace tortoise::broker
