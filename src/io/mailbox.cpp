#include "io/mailbox.hpp"
#include <cstring>
#include <type_traits>

namespace tortoise::io {

namespace {
constexpr std::size_t keep_capacity = 256 * 1024; // more is given back when there is nothing to do
}

Mailbox::Put Mailbox::accepted() noexcept {
    if (awake_) return Put::taken;
    awake_ = true;
    return Put::taken_by_sleeper;
}

Mailbox::Put Mailbox::put(const core::PublishRequest& request, Time at) {
    const auto properties = request.properties.octets();
    const Record record = {
        .at = at,
        .token = request.token,
        .ttl = request.ttl.value_or(Duration(-1)),
        .payload = request.payload.size(),
        .topic = static_cast<std::uint32_t>(request.topic.size()),
        .properties = static_cast<std::uint32_t>(properties.size()),
        .priority = request.priority,
        .qos = request.qos,
        .retain = request.retain,
        .is_call = false,
    };
    static_assert(std::is_trivially_copyable_v<Record>);
    const auto cost = sizeof(record) + request.topic.size() + request.payload.size() + properties.size();

    std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    if (!fits(cost)) return Put::full;
    used_ += cost;
    octets_.append(reinterpret_cast<const char*>(&record), sizeof(record));
    octets_.append(request.topic).append(request.payload).append(properties);
    return accepted();
}

Mailbox::Put Mailbox::put(Call call, std::size_t cost) {
    const Record record = {.at = {},
                           .token = 0,
                           .ttl = {},
                           .payload = cost,
                           .topic = 0,
                           .properties = 0,
                           .priority = 0,
                           .qos = {},
                           .retain = false,
                           .is_call = true};
    std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    if (cost != 0 && !fits(cost)) return Put::full;
    used_ += cost;
    octets_.append(reinterpret_cast<const char*>(&record), sizeof(record));
    calls_.push_back(std::move(call));
    return accepted();
}

Mailbox::Put Mailbox::put_urgent(Call call) {
    std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    urgent_.push_back(std::move(call));
    return urgent_.size() == 1 ? Put::taken_by_sleeper : Put::taken;
}

bool Mailbox::take_urgent(std::vector<Call>& into) {
    std::lock_guard lock(mutex_);
    urgent_.swap(into);
    return !into.empty();
}

bool Mailbox::take(Batch& batch) {
    batch.octets_.clear();
    batch.calls_.clear();
    batch.read_ = batch.next_call_ = 0;

    std::lock_guard lock(mutex_);
    used_ -= std::exchange(batch.consumed_, 0);
    if (octets_.empty()) {
        awake_ = false;
        if (batch.octets_.capacity() > keep_capacity) batch.octets_ = {};
        if (octets_.capacity() > keep_capacity) octets_ = {};
        return false;
    }
    octets_.swap(batch.octets_);
    calls_.swap(batch.calls_);
    return true;
}

Mailbox::Record Mailbox::read(Batch& batch) {
    Record record;
    std::memcpy(&record, batch.octets_.data() + batch.read_, sizeof(record));
    batch.read_ += sizeof(record);
    batch.consumed_ +=
        record.is_call ? record.payload : sizeof(record) + record.topic + record.payload + record.properties;
    return record;
}

core::PublishRequest Mailbox::request(Batch& batch, const Record& record) {
    const std::string_view all(batch.octets_.data() + batch.read_, record.topic + record.payload + record.properties);
    batch.read_ += all.size();
    core::PublishRequest request{.topic = all.substr(0, record.topic)};
    request.payload = all.substr(record.topic, record.payload);
    request.qos = record.qos;
    request.retain = record.retain;
    request.priority = record.priority;
    if (record.ttl >= Duration(0)) request.ttl = record.ttl;
    request.properties = PropertiesView(all.substr(record.topic + record.payload));
    request.token = record.token;
    return request;
}

void Mailbox::give_back(Batch& batch) {
    std::lock_guard lock(mutex_);
    used_ -= std::exchange(batch.consumed_, 0);
}

void Mailbox::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
}

} // namespace tortoise::io
