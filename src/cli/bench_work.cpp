#include "bench_work.hpp"
#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <random>
#include <tortoise/runtime.hpp>

namespace cli {

using tortoise::Actions;
using tortoise::Connection;
using tortoise::Error;
using tortoise::FilterStatus;
using tortoise::MessageView;
using tortoise::QoS;
using tortoise::Result;
using Clock = Tally::Clock;

namespace {

/// Of `count` messages, shared out among `connections`.
std::uint64_t share(const BenchPlan& plan, unsigned number) {
    return plan.count / plan.connections + (number < plan.count % plan.connections ? 1 : 0);
}

/// Calls it on the loop thread. A ping that is answered before anybody asks for its answer calls back here: once more.
template <class Call> void on_loop_thread(Connection& connection, Call call) {
    connection.ping().on_done([&connection, call](const Result<tortoise::Duration>& pong) {
        if (!pong && pong.error().code == tortoise::Errc::stopped) return; // the watch knows
        if (tortoise::Runtime::on_loop_thread())
            call();
        else
            on_loop_thread(connection, call);
    });
}

/// What the works that publish have in common.
class Sender : public Work {
protected:
    Sender(const WorkContext& shared, unsigned number, std::string topic)
        : shared_(shared), tally_(shared.tally), left_(share(shared.plan, number)), topic_(std::move(topic)),
          payload_(shared.plan.size, 'x'), options_{.qos = shared.plan.qos,
                                                    .properties = shared.context.plan.publish_properties} {}

    bool more() const noexcept { return left_ > 0 && !tally_.over(); }
    tortoise::Delivery publish(Clock::time_point now) {
        --left_;
        shared_.stamps.write(payload_, now);
        return connection_->publish(topic_, payload_, options_);
    }

    const WorkContext shared_;
    Tally& tally_;
    Connection* connection_ = nullptr;
    std::uint64_t left_; // to be published
    const std::string topic_;

private:
    std::string payload_;
    const tortoise::PublishOptions options_;
};

/// pub with QoS 1 and 2: each acknowledgement makes room for the next message.
class AcknowledgedPub final : public Sender {
public:
    AcknowledgedPub(const WorkContext& shared, unsigned number) : Sender(shared, number, shared.plan.topic) {}

    void start(Connection& connection) override {
        connection_ = &connection;
        on_loop_thread(connection, [this] { fill(Clock::now()); });
    }

private:
    void fill(Clock::time_point now) {
        if (filling_) return; // a publish that ends at once
        filling_ = true;
        for (; open_ < shared_.plan.window && more(); ++open_)
            publish(now).on_done([this, now](const Result<tortoise::Receipt>& result) { settled(result, now); });
        filling_ = false;
    }
    void settled(const Result<tortoise::Receipt>& result, Clock::time_point began) {
        --open_;
        const auto now = Clock::now();
        if (result) {
            tally_.took(now - began);
            tally_.succeeded(1, now);
        } else {
            tally_.failed(1, now, result.error());
        }
        fill(now);
    }

    unsigned open_ = 0;
    bool filling_ = false;
};

/// pub with QoS 0: nobody acknowledges, yet a broker that answers a PINGREQ has read what came before it. So half a
/// window at a time is followed by one.
class UnacknowledgedPub final : public Sender {
public:
    UnacknowledgedPub(const WorkContext& shared, unsigned number)
        : Sender(shared, number, shared.plan.topic), window_(shared.plan.window) {}

    void start(Connection& connection) override {
        connection_ = &connection;
        on_loop_thread(connection, [this] { fill(); });
    }
    void undelivered(const Error& why) override {
        if (lost_++ == 0) why_lost_ = why;
    }

private:
    void fill() {
        while (open_ < window_ && more()) {
            const auto batch = std::min({(window_ + 1) / 2, window_ - open_, left_});
            const auto now = Clock::now();
            for (std::uint64_t i = 0; i < batch; ++i) {
                const auto delivery = publish(now);
                if (const auto* result = delivery.peek(); result != nullptr && !*result) undelivered(result->error());
            }
            open_ += batch;
            connection_->ping().on_done(
                [this, batch](const Result<tortoise::Duration>& pong) { answered(batch, pong); });
        }
    }
    void answered(std::uint64_t batch, const Result<tortoise::Duration>& pong) {
        open_ -= batch;
        const auto now = Clock::now();
        const auto lost = std::min(lost_, batch);
        lost_ -= lost;
        if (pong) {
            tally_.failed(lost, now, why_lost_);
            tally_.succeeded(batch - lost, now);
            return fill();
        }
        tally_.failed(batch, now, pong.error()); // nobody knows
        connection_->ready().on_done([this](const Result<tortoise::SessionInfo>& up) {
            if (up) fill();
        });
    }

    const std::uint64_t window_;
    std::uint64_t open_ = 0, lost_ = 0;
    Error why_lost_ = {};
};

/// rtt: what it publishes comes back to it. On one topic and with one QoS that is in order. [MQTT-4.6.0-6]
class RoundTrip final : public Sender {
public:
    RoundTrip(const WorkContext& shared, unsigned number)
        : Sender(shared, number, fmt::format("{}/{:08x}/{}", shared.plan.topic, std::random_device{}(), number + 1)) {}

    std::string filter() const override { return topic_; }
    void start(Connection& connection) override {
        connection_ = &connection;
        on_loop_thread(connection, [this] { fill(); });
    }
    void message(const MessageView& m) override {
        const auto now = Clock::now();
        if (const auto stamp = shared_.stamps.read(m.payload)) {
            const auto own = std::ranges::lower_bound(under_way_, *stamp);
            if (own == under_way_.end() || *own != *stamp) return; // it came twice
            const auto lost = own - under_way_.begin();
            under_way_.erase(under_way_.begin(), own);
            tally_.failed(static_cast<std::uint64_t>(lost), now, make_error(tortoise::Errc::connection_lost));
        }
        if (under_way_.empty()) return;
        tally_.took(now - under_way_.front());
        under_way_.pop_front();
        tally_.succeeded(1, now);
        fill();
    }
    /// What is not delivered does not come back.
    void undelivered(const Error& why) override {
        if (tally_.over()) return;
        tally_.failed(1, Clock::now(), why);
        shared_.context.watch.finish(not_delivered);
    }

private:
    void fill() {
        while (under_way_.size() < shared_.plan.window && more()) {
            const auto now = Clock::now();
            under_way_.push_back(now);
            const auto delivery = publish(now);
            if (const auto* result = delivery.peek(); result != nullptr && !*result)
                return undelivered(result->error());
        }
    }

    std::deque<Clock::time_point> under_way_; // when each was published
};

/// sub: counts what arrives.
class Reader final : public Work {
public:
    explicit Reader(const WorkContext& shared) : shared_(shared) {}

    std::string filter() const override { return shared_.plan.topic; }
    void message(const MessageView& m) override {
        const auto now = Clock::now();
        shared_.tally.begin(now);
        if (!m.retain) // how long the broker kept it is no latency
            if (const auto stamp = shared_.stamps.read(m.payload); stamp && *stamp <= now)
                shared_.tally.took(now - *stamp);
        shared_.tally.succeeded(1, now);
    }

private:
    const WorkContext shared_;
};

} // namespace

std::unique_ptr<Work> make_work(const WorkContext& shared, unsigned number) {
    switch (shared.plan.mode) {
    case BenchMode::sub: return std::make_unique<Reader>(shared);
    case BenchMode::rtt: return std::make_unique<RoundTrip>(shared, number);
    case BenchMode::pub: break;
    }
    if (shared.plan.qos == QoS::at_most_once) return std::make_unique<UnacknowledgedPub>(shared, number);
    return std::make_unique<AcknowledgedPub>(shared, number);
}

Actions BenchHandler::subscription(Connection&, const FilterStatus& s) {
    if (s.kind == FilterStatus::Kind::refused) {
        context_.report.error(
            fmt::format("the broker refused the subscription to '{}': {}", s.filter, s.reason.describe()));
        context_.watch.finish(subscription_refused);
    } else if (s.kind == FilterStatus::Kind::up && !subscribed_) {
        subscribed_ = true;
        context_.report.debug(fmt::format("subscribed to {} (QoS {})", s.filter, static_cast<int>(s.grant.granted)));
        context_.watch.change([](Watch::State& state) { ++state.subscribed; });
    }
    return {};
}

} // namespace cli
