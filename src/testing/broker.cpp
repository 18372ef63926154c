#include "io/latch.hpp"
#include "io/loop.hpp"
#include "io/resolver.hpp"
#include "io/tls.hpp"
#include "testing/server.hpp"
#include <algorithm>
#include <mutex>
#include <tortoise/testing/broker.hpp>

namespace tortoise::testing {

namespace {

Result<io::Address> where(const std::string& host, std::uint16_t port) {
    auto found = io::resolve_now(host, port);
    if (!found) return found.error();
    return found->front();
}

/// Null without TLS.
Result<std::shared_ptr<io::TlsContext>> tls_of(const BrokerOptions& options) {
    if (!options.tls) return std::shared_ptr<io::TlsContext>();
    if (!options.unix_path.empty()) return make_error(Errc::tls_configuration, "tls and unix_path exclude each other");
    const auto& o = *options.tls;
    io::ServerTls tls;
    tls.tls = {.ca_file = o.ca_file,
               .ca_certificates = o.ca_certificates,
               .certificate_file = o.certificate_file,
               .key_file = o.key_file,
               .certificate = o.certificate,
               .key = o.key,
               .alpn = o.alpn,
               .minimum = o.minimum,
               .maximum = o.maximum};
    tls.require_client_certificate = o.require_client_certificate;
    tls.psk = o.psk;
    return io::make_server_tls(tls);
}

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
    explicit Impl(BrokerOptions o) : options(std::move(o)), loops(io::Loops::make(1)), loop(loops->next()) {
        if (auto known = check_profile(options.profile); !known) {
            unusable = state = known.error();
            return;
        }
        auto tls = tls_of(options);
        if (!tls) {
            unusable = state = tls.error();
            return;
        }
        run([&] { server = std::make_unique<Server>(loop, options, std::move(*tls)); });
    }
    ~Impl() {
        run([this] { server.reset(); });
    }

    /// Does it on the loop's thread, and waits for it.
    template <class Job> void run(Job job) {
        io::Latch done;
        loop.post([&] {
            job();
            done.set();
        });
        done.wait();
    }

    Result<Done> start() {
        std::lock_guard lock(mutex);
        if (!unusable) return unusable;
        if (running) return Done{};
        const bool local = !options.unix_path.empty();
        auto at = local ? Result<io::Address>(io::Address()) : where(options.host, port ? port : options.port);
        if (!at) return state = at.error();
        state = Done{};
        run([&] {
            auto listening = local ? server->listen_unix(options.unix_path) : server->listen(*at);
            if (listening)
                port = *listening;
            else
                state = listening.error();
        });
        running = static_cast<bool>(state);
        return state;
    }
    void stop() {
        std::lock_guard lock(mutex);
        if (server) run([this] { server->stop(); });
        running = false;
    }

    const BrokerOptions options;
    const detail::Ref<io::Loops> loops;
    io::Loop& loop;
    std::unique_ptr<Server> server; // of the loop's thread; null if the options are unusable
    Result<Done> unusable = Done{};

    mutable std::mutex mutex;
    Result<Done> state = Done{}; // guarded by mutex, as what follows
    std::uint16_t port = 0;
    bool running = false;
};

Broker::Broker(BrokerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
    static_cast<void>(impl_->start());
}

Broker::~Broker() = default;

Result<Done> Broker::ok() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->state;
}

std::uint16_t Broker::port() const {
    std::lock_guard lock(impl_->mutex);
    return impl_->port;
}

std::string Broker::url() const {
    if (!impl_->options.unix_path.empty()) return "unix://" + impl_->options.unix_path;
    const auto& host = impl_->options.host;
    const bool v6 = host.find(':') != std::string::npos;
    return std::string(impl_->options.tls ? "mqtts://" : "mqtt://") + (v6 ? "[" + host + "]" : host) + ":" +
           std::to_string(port());
}

void Broker::stop() { impl_->stop(); }
Result<Done> Broker::start() { return impl_->start(); }

void Broker::drop_connections() {
    if (impl_->server) impl_->run([this] { impl_->server->drop_connections(); });
}

void Broker::forget_sessions() {
    if (impl_->server) impl_->run([this] { impl_->server->forget_sessions(); });
}

BrokerStatistics Broker::statistics() const {
    BrokerStatistics statistics;
    if (impl_->server) impl_->run([&] { statistics = impl_->server->statistics(); });
    return statistics;
}

} // namespace tortoise::testing
