#include "ledger.hpp"

#include <algorithm>

namespace demo {

using tortoise::QoS;

tortoise::Delivery Ledger::publish(tortoise::Connection& from, const std::string& topic, const std::string& text,
                                   tortoise::PublishOptions options, const std::string& title) {
    const Key key{topic, text};
    {
        const std::lock_guard lock(mutex_);
        const auto row = row_of(title.empty() ? topic : title, options.qos);
        ++rows_[row].sent;
        entries_[key] = {.row = row, .qos = options.qos};
    }
    auto delivery = from.publish(topic, text, std::move(options));
    delivery.on_done([this, key](const tortoise::Result<tortoise::Receipt>& result) { ended(key, result); });
    return delivery;
}

void Ledger::expect(const std::string& topic, const std::string& text, QoS qos) {
    const Key key{topic, text};
    const std::lock_guard lock(mutex_);
    const auto at = row_of(topic, qos);
    const auto early = early_.find(key);
    const int arrivals = early == early_.end() ? 0 : early->second;
    entries_[key] = {.row = at, .qos = qos, .arrivals = arrivals, .ended = true};
    auto& row = rows_[at];
    ++row.sent;
    if (arrivals > 0) {
        ++row.arrived;
        row.repeated += arrivals - 1;
        early_.erase(early);
    }
}

void Ledger::arrived(std::string_view topic, std::string_view text) {
    const std::lock_guard lock(mutex_);
    const Key key{topic, text};
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        ++early_[key];
        return;
    }
    auto& row = rows_[found->second.row];
    ++(found->second.arrivals++ == 0 ? row.arrived : row.repeated);
    changed_.notify_all();
}

void Ledger::ended(const Key& key, const tortoise::Result<tortoise::Receipt>& result) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[key];
    auto& row = rows_[entry.row];
    entry.ended = true;
    entry.failed = !result;
    if (result)
        ++row.confirmed;
    else if (result.error().code == tortoise::Errc::expired)
        ++row.expired;
    else
        ++row.failed;
    changed_.notify_all();
}

int Ledger::open() const {
    const std::lock_guard lock(mutex_);
    return open_locked();
}

int Ledger::on_their_way() const {
    const std::lock_guard lock(mutex_);
    return on_their_way_locked();
}

bool Ledger::wait_until_settled(std::chrono::seconds at_most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [this] { return open_locked() == 0 && on_their_way_locked() == 0; });
}

bool Ledger::wait_for(const std::string& topic, const std::string& text, std::chrono::seconds at_most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [&] { return entries_[{topic, text}].arrivals > 0; });
}

std::vector<Ledger::Row> Ledger::rows() const {
    const std::lock_guard lock(mutex_);
    return rows_;
}

std::size_t Ledger::row_of(const std::string& title, QoS qos) {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.title == title; });
    if (found != rows_.end()) return static_cast<std::size_t>(found - rows_.begin());
    rows_.push_back({.title = title, .qos = qos});
    return rows_.size() - 1;
}

int Ledger::open_locked() const {
    return static_cast<int>(
        std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return !entry.second.ended; }));
}

int Ledger::on_their_way_locked() const {
    return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
        return entry.second.qos != QoS::at_most_once && entry.second.arrivals == 0 && !entry.second.failed;
    }));
}

} // namespace demo
