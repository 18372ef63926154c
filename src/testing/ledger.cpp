#include "testing/test_error.hpp"
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <tortoise/testing/ledger.hpp>
#include <utility>
#include <vector>

namespace tortoise::testing {

namespace {

struct Entry {
    std::string name, flow;
    QoS qos = QoS::at_most_once;
    bool sent = false; // otherwise it only arrived
    bool accepted = false;
    unsigned times_sent = 0, arrivals = 0;
    std::size_t first_arrival = 0; // its number among all of them, from 1
};

bool is_missing(const Entry& entry) { return entry.accepted && entry.qos != QoS::at_most_once && entry.arrivals == 0; }

/// Findings, of which only some are told.
class Findings {
public:
    explicit Findings(std::size_t most) : most_(most) {}
    void add(const std::string& line) {
        if (++count_ <= most_) text_ += "\n  " + line;
    }
    std::size_t count() const noexcept { return count_; }
    std::string text() const {
        const auto left = count_ - std::min(count_, most_);
        return std::to_string(count_) + (count_ == 1 ? " finding" : " findings") + text_ +
               (left > 0 ? "\n  and " + std::to_string(left) + " more" : "");
    }

private:
    const std::size_t most_;
    std::size_t count_ = 0;
    std::string text_;
};

std::string title(const Entry& entry) {
    auto text = "'" + entry.name + "' (QoS " + std::to_string(static_cast<unsigned>(entry.qos));
    return text + (entry.flow.empty() ? ")" : ", " + entry.flow + ")");
}

void check_entry(const Entry& entry, Findings& findings) {
    const auto times = std::to_string(entry.arrivals) + " times";
    if (!entry.sent)
        return findings.add("'" + entry.name + (entry.arrivals > 0 ? "' arrived" : "' was accepted") +
                            ", and was never sent");
    if (entry.times_sent > 1) findings.add(title(entry) + " is the name of several messages");
    if (is_missing(entry)) findings.add(title(entry) + " was accepted, and is lost");
    if (entry.qos != QoS::at_least_once && entry.arrivals > 1) findings.add(title(entry) + " arrived " + times);
}

} // namespace

struct Ledger::Impl {
    explicit Impl(std::size_t most) : most_lines(most) {}

    Entry& entry(std::string_view name) {
        const auto [found, is_new] = numbers.try_emplace(std::string(name), entries.size());
        if (is_new) entries.push_back({.name = std::string(name)});
        return entries[found->second];
    }
    template <class Change> void change(std::string_view name, Change change) {
        auto& changing = entry(name);
        missing -= is_missing(changing) ? 1 : 0;
        change(changing);
        missing += is_missing(changing) ? 1 : 0;
        changed.notify_all();
    }
    /// Those that came behind one of the same flow and QoS that was sent later.
    void check_order(Findings& findings) const {
        std::map<std::pair<std::string_view, QoS>, const Entry*>
            latest; // of the flow, the one that arrived last so far
        for (const auto number : order) {
            const auto& entry = entries[number];
            if (entry.arrivals == 0) continue;
            auto& last = latest[{entry.flow, entry.qos}];
            if (last && entry.first_arrival < last->first_arrival)
                findings.add(title(entry) + " arrived before '" + last->name + "', which was sent before it");
            else
                last = &entry;
        }
    }

    const std::size_t most_lines;
    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    std::vector<Entry> entries; // guarded by mutex, as what follows
    std::map<std::string, std::size_t, std::less<>> numbers;
    std::vector<std::size_t> order; // in which they were sent
    std::size_t arrivals = 0, missing = 0;
};

Ledger::Ledger(std::size_t most_lines) : impl_(std::make_unique<Impl>(most_lines)) {}
Ledger::~Ledger() = default;

void Ledger::sent(std::string_view name, QoS qos, std::string_view flow) {
    std::lock_guard lock(impl_->mutex);
    impl_->change(name, [&](Entry& entry) {
        ++entry.times_sent;
        if (std::exchange(entry.sent, true)) return;
        entry.qos = qos;
        entry.flow = flow;
        impl_->order.push_back(impl_->numbers.find(name)->second);
    });
}

void Ledger::accepted(std::string_view name) {
    std::lock_guard lock(impl_->mutex);
    impl_->change(name, [](Entry& entry) { entry.accepted = true; });
}

void Ledger::received(std::string_view name) {
    std::lock_guard lock(impl_->mutex);
    impl_->change(name, [&](Entry& entry) {
        ++impl_->arrivals;
        if (entry.arrivals++ == 0) entry.first_arrival = impl_->arrivals;
    });
}

bool Ledger::wait(Duration at_most) const {
    std::unique_lock lock(impl_->mutex);
    const auto countable = std::min<Duration>(at_most, std::chrono::hours(24));
    return impl_->changed.wait_for(lock, countable, [&] { return impl_->missing == 0; });
}

Result<Done> Ledger::check() const {
    std::lock_guard lock(impl_->mutex);
    Findings findings(impl_->most_lines);
    for (const auto& entry : impl_->entries) check_entry(entry, findings);
    impl_->check_order(findings);
    if (findings.count() == 0) return Done{};
    return Error{Finding::books_do_not_balance, findings.text()};
}

} // namespace tortoise::testing
