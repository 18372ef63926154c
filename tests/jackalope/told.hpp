#pragma once
/// A session's handler that writes down what it is told, for a test to wait for; and options for tests.

#include "support/options.hpp"
#include <jackalope/session.hpp>

namespace jackalope::test {

using namespace std::chrono_literals;
using tortoise::Done;
using tortoise::Duration;
using tortoise::Errc;
using tortoise::Error;
using tortoise::FilterStatus;
using tortoise::Message;
using tortoise::MessageView;
using tortoise::Overflow;
using tortoise::QoS;
using tortoise::Reason;
using tortoise::Store;
using tortoise::Version;
using tortoise::test::patience;

struct Notes {
    int lives = 0;
    std::vector<std::pair<ConnectionStatus, Error>> statuses;
    std::vector<std::pair<std::string, FilterStatus::Kind>> filters;
    std::vector<Message> messages;
    std::vector<std::pair<Message, Error>> errors;

    std::size_t times(ConnectionStatus status) const {
        return static_cast<std::size_t>(
            std::count_if(statuses.begin(), statuses.end(), [=](const auto& s) { return s.first == status; }));
    }
    std::size_t times(std::string_view filter, FilterStatus::Kind kind) const {
        return static_cast<std::size_t>(
            std::count(filters.begin(), filters.end(), std::pair(std::string(filter), kind)));
    }
    std::vector<std::string> payloads() const {
        std::vector<std::string> all;
        for (const auto& m : messages) all.push_back(m.payload);
        return all;
    }
};

/// What the handler does besides.
struct Doing {
    std::function<void(Session&, const MessageView&)> message = {};
    std::function<void(Session&, const WorkError&)> error = {};
    std::function<std::optional<tortoise::Will>()> last_will = {};
};

class Told {
public:
    explicit Told(Doing doing = {}) : shared_(std::make_shared<Shared>()) { shared_->doing = std::move(doing); }

    HandlerFactory factory() const {
        return [shared = shared_]() -> Handler* { return new Telling(shared); };
    }
    template <class Condition> bool wait(Condition condition) const {
        std::unique_lock lock(shared_->mutex);
        return shared_->changed.wait_for(lock, patience, [&] { return condition(std::as_const(shared_->notes)); });
    }
    bool wait_for_messages(std::size_t count) const {
        return wait([=](const Notes& n) { return n.messages.size() >= count; });
    }
    bool wait_for_errors(std::size_t count) const {
        return wait([=](const Notes& n) { return n.errors.size() >= count; });
    }
    bool wait_for(ConnectionStatus status, std::size_t times = 1) const {
        return wait([=](const Notes& n) { return n.times(status) >= times; });
    }
    bool wait_for_filter(std::string_view filter, FilterStatus::Kind kind = FilterStatus::Kind::up) const {
        return wait([=](const Notes& n) { return n.times(filter, kind) > 0; });
    }
    Notes notes() const {
        std::lock_guard lock(shared_->mutex);
        return shared_->notes;
    }

private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        Notes notes;
        Doing doing;
        template <class Change> void note(Change change) {
            std::lock_guard lock(mutex);
            change(notes);
            changed.notify_all();
        }
    };
    struct Telling final : Handler {
        explicit Telling(std::shared_ptr<Shared> s) : shared(std::move(s)) {
            shared->note([](Notes& n) { ++n.lives; });
        }
        void connection(Session&, ConnectionStatus status, const Error& why) override {
            shared->note([&](Notes& n) { n.statuses.emplace_back(status, why); });
        }
        void subscription(Session&, const FilterStatus& f) override {
            shared->note([&](Notes& n) { n.filters.emplace_back(f.filter, f.kind); });
        }
        void message(Session& s, const MessageView& m) override {
            shared->note([&](Notes& n) { n.messages.emplace_back(m); });
            if (shared->doing.message) shared->doing.message(s, m);
        }
        void error(Session& s, const WorkError& e) override {
            shared->note([&](Notes& n) { n.errors.emplace_back(Message(e.message), e.why); });
            if (shared->doing.error) shared->doing.error(s, e);
        }
        std::optional<tortoise::Will> last_will() override {
            return shared->doing.last_will ? shared->doing.last_will() : std::nullopt;
        }
        std::shared_ptr<Shared> shared;
    };

    std::shared_ptr<Shared> shared_;
};

/// Test with both protocol versions.
class BothVersions : public ::testing::TestWithParam<Version> {
protected:
    SessionOptions options(std::string client_id, const Told& told = Told()) const {
        SessionOptions o;
        o.client_id = std::move(client_id);
        o.server = broker.url();
        o.handler = told.factory();
        o.backoff = {.min = 1ms, .max = 20ms};
        o.connection.version = GetParam();
        return o;
    }
    /// A session that has subscribed to a filter, and what it is told.
    Session listener(const Told& told, tortoise::TopicFilter filter) const {
        const auto name = filter.filter;
        auto o = options("listener", told);
        o.initial_topics = {std::move(filter)};
        Session s(std::move(o));
        EXPECT_TRUE(told.wait_for_filter(name));
        return s;
    }
    tortoise::testing::Broker broker;
};

#define JACKALOPE_BOTH_VERSIONS(suite)                                                                                 \
    INSTANTIATE_TEST_SUITE_P(, suite, ::testing::Values(Version::v3_1_1, Version::v5), tortoise::test::name_of)

inline PublishOptions at(QoS qos, Duration ttl = 1h) { return {.qos = qos, .ttl = ttl}; }

} // namespace jackalope::test
