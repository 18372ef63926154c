#include "io/latch.hpp"
#include "io/loop.hpp"
#include "io/resolver.hpp"
#include "testing/server.hpp"
#include <mutex>
#include <tortoise/testing/broker.hpp>

namespace tortoise::testing {

namespace {

Result<io::Address> where(const std::string& host, std::uint16_t port) {
    auto found = io::resolve_now(host, port);
    if (!found) return found.error();
    return found->front();
}

} // namespace

struct Broker::Impl {
    explicit Impl(BrokerOptions o) : options(std::move(o)), loops(io::Loops::make(1)), loop(loops->next()) {
        run([this] { server = std::make_unique<Server>(loop, options); });
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
        if (running) return Done{};
        auto at = where(options.host, port ? port : options.port);
        if (!at) return state = at.error();
        state = Done{};
        run([&] {
            auto listening = server->listen(*at);
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
        run([this] { server->stop(); });
        running = false;
    }

    const BrokerOptions options;
    const detail::Ref<io::Loops> loops;
    io::Loop& loop;
    std::unique_ptr<Server> server; // of the loop's thread

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
    const auto& host = impl_->options.host;
    const bool v6 = host.find(':') != std::string::npos;
    return "mqtt://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

void Broker::stop() { impl_->stop(); }
Result<Done> Broker::start() { return impl_->start(); }

void Broker::drop_connections() {
    impl_->run([this] { impl_->server->drop_connections(); });
}

void Broker::forget_sessions() {
    impl_->run([this] { impl_->server->forget_sessions(); });
}

BrokerStatistics Broker::statistics() const {
    BrokerStatistics statistics;
    impl_->run([&] { statistics = impl_->server->statistics(); });
    return statistics;
}

} // namespace tortoise::testing
