#include "io/connector.hpp"
#include "testing/own_loop.hpp"
#include "testing/place.hpp"
#include "testing/relay.hpp"
#include <tortoise/testing/proxy.hpp>
#include <utility>

namespace tortoise::testing {

struct Proxy::Impl {
    explicit Impl(ProxyOptions o)
        : options(std::move(o)), place{options.host, options.port, options.unix_path, options.tls, options.websocket} {
        state = start();
    }
    ~Impl() {
        own.run([this] {
            acceptor.reset();
            relays.reset();
        });
    }

    Result<Done> start() {
        if (auto faults = options.faults.ok(); !faults) return faults;
        auto parsed = io::parse_url(options.to);
        if (!parsed) return parsed.error();
        upstream = *parsed;
        auto made = Layers::of(place);
        if (!made) return made.error();
        layers = std::move(*made);
        if (upstream.secure()) {
            auto client = io::make_client_tls(options.to_tls);
            if (!client) return client.error();
            to_tls = std::move(*client);
        }
        Result<Done> listening = Done{};
        own.run([&] {
            relays = std::make_unique<Relays>(own.loop(), options.faults, options.capture, options.most_connections,
                                              options.maximum_packet_size);
            auto socket = listen(own.loop(), place, [this](std::shared_ptr<io::Stream> s) { welcome(std::move(s)); });
            if (!socket) {
                listening = socket.error();
                return;
            }
            acceptor = std::move(*socket);
            place.port = acceptor->port();
        });
        return listening;
    }
    void welcome(std::shared_ptr<io::Stream> client) {
        client = layers.over(own.loop(), std::move(client));
        const auto connector = std::make_shared<io::Connector>(own.loop(), own.resolver(), io::Means{.tls = to_tls});
        auto* relay = relays->add(std::move(client), connector);
        if (!relay) return;
        connector->start(upstream,
                         [relay](std::shared_ptr<io::Stream> broker, const Error&) { relay->join(std::move(broker)); });
    }

    const OwnLoop own;
    const ProxyOptions options;
    Place place; // constant once it listens, or not, as all of these
    io::Url upstream;
    Layers layers;
    std::shared_ptr<io::TlsContext> to_tls;
    Result<Done> state = Done{};
    std::shared_ptr<io::Acceptor> acceptor; // of the loop's thread, as what follows
    std::unique_ptr<Relays> relays;         // null if the options are unusable
};

Proxy::Proxy(ProxyOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Proxy::~Proxy() = default;

Result<Done> Proxy::ok() const { return impl_->state; }
std::uint16_t Proxy::port() const { return impl_->place.port; }
std::string Proxy::url() const { return impl_->place.url(); }

std::size_t Proxy::connections() const {
    std::size_t open = 0;
    if (impl_->relays) impl_->own.run([&] { open = impl_->relays->size(); });
    return open;
}

void Proxy::drop_connections() {
    if (impl_->relays) impl_->own.run([&] { impl_->relays->drop(); });
}

} // namespace tortoise::testing
