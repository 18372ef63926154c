#include "testing/own_loop.hpp"
#include "testing/place.hpp"
#include "testing/scram.hpp"
#include "testing/server.hpp"
#include <algorithm>
#include <mutex>
#include <tortoise/testing/broker.hpp>

namespace tortoise::testing {

namespace {

/// Is there a profile of that name?
Result<Done> check_profile(const std::string& name) {
    const auto names = broker_profiles();
    if (name.empty() || std::ranges::find(names, name) != names.end()) return Done{};
    std::string known;
    for (const auto each : names) known.append(known.empty() ? "" : ", ").append(each);
    return make_error(Errc::invalid_option, "profile is '" + name + "'; allowed: " + known);
}

} // namespace

struct Broker::Impl {
    explicit Impl(const BrokerOptions& o) : place{o.host, o.port, o.unix_path, o.tls, o.websocket} {
        if (auto known = check_profile(o.profile); !known) {
            unusable = state = known.error();
            return;
        }
        if (const auto faults = o.faults ? o.faults->ok() : Result<Done>(Done{}); !faults) {
            unusable = state = faults.error();
            return;
        }
        auto layers = Layers::of(place);
        if (!layers) {
            unusable = state = layers.error();
            return;
        }
        own.run([&] { server = std::make_unique<Server>(own.loop(), with_scram(o), std::move(*layers)); });
    }
    ~Impl() {
        own.run([this] { server.reset(); });
    }

    Result<Done> start() {
        std::lock_guard lock(mutex);
        if (!unusable) return unusable;
        if (running) return Done{};
        state = Done{};
        own.run([&] {
            auto listening = server->listen(place);
            if (listening)
                place.port = *listening;
            else
                state = listening.error();
        });
        running = static_cast<bool>(state);
        return state;
    }
    void stop() {
        std::lock_guard lock(mutex);
        if (server) own.run([this] { server->stop(); });
        running = false;
    }

    const OwnLoop own;
    std::unique_ptr<Server> server; // of the loop's thread; null if the options are unusable
    Result<Done> unusable = Done{};

    mutable std::mutex mutex;
    Result<Done> state = Done{}; // guarded by mutex, as what follows
    Place place;                 // its port is the one that it got, once it listened
    bool running = false;
};

Broker::Broker(BrokerOptions options) : impl_(std::make_unique<Impl>(options)) { static_cast<void>(impl_->start()); }

Broker::~Broker() = default;

Result<Done> Broker::ok() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->state;
}

std::uint16_t Broker::port() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->place.port;
}

std::string Broker::url() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->place.url();
}

void Broker::stop() { impl_->stop(); }
Result<Done> Broker::start() { return impl_->start(); }

void Broker::drop_connections() {
    if (impl_->server) impl_->own.run([this] { impl_->server->drop_connections(); });
}

void Broker::forget_sessions() {
    if (impl_->server) impl_->own.run([this] { impl_->server->forget_sessions(); });
}

BrokerStatistics Broker::statistics() const {
    BrokerStatistics statistics;
    if (impl_->server) impl_->own.run([&] { statistics = impl_->server->statistics(); });
    return statistics;
}

} // namespace tortoise::testing
