#pragma once
/// The broker under fire: ours in this process, or mosquitto behind a proxy that does the faults.

#include "interop/brokers.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tortoise/testing/broker.hpp>
#include <tortoise/testing/proxy.hpp>

namespace soak {

class Target {
public:
    virtual ~Target() = default;
    virtual std::string url() const = 0;
    /// It ends, and knows its sessions when it starts again.
    virtual void stop() = 0;
    virtual void start() = 0;
    virtual void drop_connections() = 0;
    tortoise::testing::Faults faults;
};

class Ours final : public Target {
public:
    Ours() : broker_({.faults = faults}) { must(broker_.ok()); }
    std::string url() const override { return broker_.url(); }
    void stop() override { broker_.stop(); }
    void start() override { must(broker_.start()); }
    void drop_connections() override { broker_.drop_connections(); }

private:
    static void must(const tortoise::Result<tortoise::Done>& ok) {
        if (!ok) throw std::runtime_error(ok.error().describe());
    }
    tortoise::testing::Broker broker_;
};

class DebiansMosquitto final : public Target {
public:
    DebiansMosquitto() : proxy_({.to = broker_.url(), .faults = faults}) {
        if (!proxy_.ok()) throw std::runtime_error(proxy_.ok().error().describe());
    }
    std::string url() const override { return proxy_.url(); }
    void stop() override { broker_.end(); }
    void start() override { broker_.restart(); }
    void drop_connections() override { proxy_.drop_connections(); }

private:
    test::Mosquitto broker_{true};
    tortoise::testing::Proxy proxy_;
};

} // namespace soak
