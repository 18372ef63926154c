#pragma once
/// A handler that writes down what it is told, for a test to wait for.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tortoise/tortoise.hpp>
#include <utility>
#include <vector>

namespace tortoise::test {

using namespace std::chrono_literals;

inline constexpr auto patience = 20s; // far more than anything takes; a wait that fails says so sooner or later

/// Everything that the handlers of one recorder were told, in order.
struct Seen {
    struct Filter {
        FilterStatus::Kind kind;
        std::string filter;
        Grant grant;
        Error reason;
    };
    std::vector<std::string> calls; // "init", "up", "message a/b", "terminate", …
    std::vector<StatusInfo> statuses;
    std::vector<Filter> filters;
    std::vector<Message> messages;
    std::vector<std::pair<Message, Error>> undelivered;
    std::vector<Error> terminated;

    std::size_t count(std::string_view call) const {
        return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
    }
    std::size_t count(Status status) const { return count(to_string(status)); }
};

/// What the handler does besides; each is called on the loop thread.
struct Hooks {
    std::function<void(Connection&)> init;
    std::function<void(const Error&)> terminate;
    std::function<Actions(Connection&, const StatusInfo&)> connection;
    std::function<Actions(Connection&, const FilterStatus&)> subscription;
    std::function<Actions(Connection&, const MessageView&)> message;
    std::function<void(Connection&, const MessageView&, const Error&)> undelivered;
    std::function<std::optional<Will>()> last_will;
};

class Recorder {
public:
    explicit Recorder(Hooks hooks = {}) : shared_(std::make_shared<Shared>()) { shared_->hooks = std::move(hooks); }

    HandlerFactory factory() const {
        return [shared = shared_] { return std::make_unique<Recording>(shared); };
    }

    /// Waits until the condition holds for what was seen.
    template <class Condition> bool wait(Condition condition) const {
        std::unique_lock lock(shared_->mutex);
        return shared_->changed.wait_for(lock, patience, [&] { return condition(std::as_const(shared_->seen)); });
    }
    bool wait_for_messages(std::size_t count) const {
        return wait([&](const Seen& s) { return s.messages.size() >= count; });
    }
    bool wait_for(Status status, std::size_t times = 1) const {
        return wait([&](const Seen& s) { return s.count(status) >= times; });
    }
    Seen seen() const {
        std::lock_guard lock(shared_->mutex);
        return shared_->seen;
    }

private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        Seen seen;
        Hooks hooks;
        template <class Change> void add(std::string call, Change change) {
            std::lock_guard lock(mutex);
            seen.calls.push_back(std::move(call));
            change(seen);
            changed.notify_all();
        }
    };

    struct Recording final : Handler {
        explicit Recording(std::shared_ptr<Shared> s) : shared(std::move(s)) {}
        void init(Connection& c) override {
            shared->add("init", [](Seen&) {});
            if (shared->hooks.init) shared->hooks.init(c);
        }
        void terminate(const Error& reason) noexcept override {
            shared->add("terminate", [&](Seen& s) { s.terminated.push_back(reason); });
            if (shared->hooks.terminate) shared->hooks.terminate(reason);
        }
        Actions connection(Connection& c, const StatusInfo& info) override {
            shared->add(std::string(to_string(info.status)), [&](Seen& s) { s.statuses.push_back(info); });
            return shared->hooks.connection ? shared->hooks.connection(c, info) : Actions{};
        }
        Actions subscription(Connection& c, const FilterStatus& f) override {
            shared->add("subscription " + std::string(f.filter), [&](Seen& s) {
                s.filters.push_back({f.kind, std::string(f.filter), f.grant, f.reason});
            });
            return shared->hooks.subscription ? shared->hooks.subscription(c, f) : Actions{};
        }
        Actions message(Connection& c, const MessageView& m) override {
            shared->add("message " + std::string(m.topic), [&](Seen& s) { s.messages.emplace_back(m); });
            return shared->hooks.message ? shared->hooks.message(c, m) : Actions{};
        }
        void undelivered(Connection& c, const MessageView& m, const Error& why) override {
            shared->add("undelivered " + std::string(m.topic),
                        [&](Seen& s) { s.undelivered.emplace_back(Message(m), why); });
            if (shared->hooks.undelivered) shared->hooks.undelivered(c, m, why);
        }
        std::optional<Will> last_will() override {
            return shared->hooks.last_will ? shared->hooks.last_will() : std::nullopt;
        }
        std::shared_ptr<Shared> shared;
    };

    std::shared_ptr<Shared> shared_;
};

} // namespace tortoise::test
