#include "broker/world.hpp"

#include <algorithm>
#include <utility>

namespace broker_test {

Client& Client::send(const core::Packet& packet) {
    std::string octets;
    const auto encoded = core::encode(version, packet, octets);
    EXPECT_TRUE(encoded) << encoded.error().describe();
    return send_raw(octets);
}

Client& Client::send_raw(Octets octets) {
    world_.engine.received(world_.now, id, octets);
    world_.pump();
    return *this;
}

void Client::drop() {
    closed_ = true;
    world_.engine.closed(world_.now, id);
    world_.pump();
}

void Client::read_all() {
    reads = true;
    auto octets = std::exchange(unwritten_, {});
    const auto size = octets.size();
    take(std::move(octets));
    world_.engine.wrote(world_.now, id, size);
    world_.pump();
}

Client& Client::connect(std::string_view client_id, const ConnectAs& as) {
    return send(core::Connect{.version = version,
                              .clean_start = as.clean_start,
                              .keep_alive = as.keep_alive,
                              .client_id = client_id,
                              .will = as.will,
                              .user_name = as.user_name,
                              .password = as.password,
                              .properties = as.properties});
}

Client& Client::publish(std::string_view topic, Octets payload, const PublishAs& as) {
    return send(core::Publish{.id = as.id,
                              .topic = topic,
                              .payload = payload,
                              .qos = as.qos,
                              .retain = as.retain,
                              .duplicate = as.duplicate,
                              .properties = as.properties});
}

Client& Client::ack(PacketType type, PacketId packet_id, Reason reason) {
    return send(core::Ack{.type = type, .id = packet_id, .reason = reason});
}

Client& Client::subscribe(PacketId packet_id, std::vector<core::Subscribe::Entry> entries, std::uint32_t subscription) {
    Properties properties;
    if (subscription != 0) properties.set(property::subscription_identifier, subscription);
    return send(core::Subscribe{.id = packet_id, .entries = std::move(entries), .properties = properties});
}

Client& Client::subscribed(std::string_view filter, SubscribeOptions options, std::uint32_t subscription) {
    subscribe(7, {{filter, options}}, subscription);
    const auto suback = expect<core::Suback>();
    EXPECT_EQ(suback->reasons, std::vector{static_cast<Reason>(options.qos)}) << filter;
    return *this;
}

Client& Client::disconnect(Reason reason, const Properties& properties) {
    return send(core::Disconnect{.reason = reason, .properties = properties});
}

Got<core::Ack> Client::expect_ack(PacketType type, PacketId packet_id, Reason reason) {
    auto ack = expect<core::Ack>();
    EXPECT_EQ(core::to_string(ack->type), core::to_string(type));
    EXPECT_EQ(ack->id, packet_id);
    EXPECT_EQ(to_string(ack->reason), to_string(reason));
    return ack;
}

Got<core::Publish> Client::expect_publish(std::string_view topic, Octets payload, QoS qos) {
    auto publish = expect<core::Publish>();
    EXPECT_EQ(publish->topic, topic);
    EXPECT_EQ(publish->payload, payload);
    EXPECT_EQ(publish->qos, qos) << topic;
    EXPECT_EQ(publish->id != 0, qos != qos_0);
    return publish;
}

void Client::expect_nothing() {
    EXPECT_FALSE(closed_) << "the connection is closed";
    for (const auto& got : inbox_) ADD_FAILURE() << core::print(got.packet, {.payloads = true});
}

void Client::expect_closed(Reason reason) {
    if (version == Version::v5) {
        EXPECT_EQ(to_string(expect<core::Disconnect>()->reason), to_string(reason));
    }
    for (const auto& got : inbox_) ADD_FAILURE() << core::print(got.packet, {.payloads = true});
    EXPECT_TRUE(closed_);
}

std::size_t Client::count(PacketType type) const {
    return std::count_if(inbox_.begin(), inbox_.end(),
                         [type](const auto& got) { return core::type_of(got.packet) == type; });
}

void Client::take(std::string octets) {
    reader_.feed(octets);
    while (true) {
        const auto frame = reader_.next();
        if (!frame) ADD_FAILURE() << frame.error().describe();
        if (!frame || !*frame) return;
        auto whole = std::make_shared<const std::string>((**frame).whole);
        auto packet = core::decode(version, *whole);
        if (!packet) {
            ADD_FAILURE() << "the broker sent what cannot be decoded: " << packet.error().describe();
            return;
        }
        inbox_.push_back({std::move(whole), *std::move(packet)});
    }
}

Client& World::open(Version version) {
    auto& client = clients_.emplace_back(*this, version, clients_.size() + 1);
    engine.connected(now, client.id);
    pump();
    return client;
}

Client& World::join(Version version, std::string_view client_id, const ConnectAs& as) {
    auto& client = open(version);
    client.connect(client_id, as);
    EXPECT_EQ(to_string(client.expect<core::Connack>()->reason), to_string(Reason::success));
    return client;
}

void World::pass(std::chrono::nanoseconds duration) {
    const auto end = now + duration;
    for (auto next = engine.deadline(); next && *next <= end; next = engine.deadline()) {
        now = std::max(now, *next);
        engine.elapsed(now);
        pump();
    }
    now = end;
}

void World::pump() {
    std::vector<ClientId> touched;
    for (engine.touched(touched); !touched.empty(); engine.touched(touched)) {
        for (const auto id : std::exchange(touched, {})) {
            auto& client = clients_[id - 1];
            std::string octets;
            engine.take_output(id, octets);
            if (client.reads) {
                const auto size = octets.size();
                client.take(std::move(octets));
                engine.wrote(now, id, size);
            } else {
                client.unwritten_ += octets;
            }
            if (engine.wants_close(id)) {
                client.closed_ = true;
                engine.closed(now, id);
            }
        }
    }
}

broker::Snapshot::Session World::session(std::string_view client_id) const {
    for (auto& session : engine.snapshot().sessions)
        if (session.client_id == client_id) return session;
    ADD_FAILURE() << "no session of " << client_id;
    return {};
}

bool World::has_session(std::string_view client_id) const {
    for (const auto& session : engine.snapshot().sessions)
        if (session.client_id == client_id) return true;
    return false;
}

} // namespace broker_test
