#include "io/mailbox.hpp"
#include "core/publish_run.hpp"
#include "io/prefetch.hpp"
#include <algorithm>
#include <cstring>
#include <type_traits>

namespace tortoise::io {

namespace {

// Chunks grow with what waits, so that a connection that is idle, or seldom asked, has next to nothing.
constexpr std::size_t smallest_chunk = 1024, largest_chunk = 64 * 1024;
constexpr std::size_t most_spares = 64; // of the largest

/// Records begin where they may be read in place.
constexpr std::size_t aligned(std::size_t size) noexcept { return (size + 7) & ~std::size_t{7}; }

/// Without this the lock waits for the next records' memory: half of the time that a publish takes.
template <class Fetch> void ahead(const char* at, std::size_t size, Fetch fetch) noexcept {
    constexpr std::size_t least_distance = 8 * cache_line, most = 16 * cache_line; // so much is fetched at a time
    const char* const next = at + std::max(size, least_distance);
    for (std::size_t i = 0; i < std::min(size, most); i += cache_line) fetch(next + i);
}

} // namespace

Mailbox::Put Mailbox::accepted() noexcept {
    if (awake_) return Put::taken;
    awake_ = true;
    return Put::taken_by_sleeper;
}

Mailbox::Put Mailbox::put(const core::PublishRequest& request, Time at) {
    if (core::fits_a_run(request)) return put_into_run(request);
    const bool extended = !core::is_plain(request);
    const auto properties = request.properties.octets();
    const Record record = {
        .token = request.token,
        .payload = static_cast<std::uint32_t>(request.payload.size()),
        .topic = static_cast<std::uint16_t>(request.topic.size()),
        .qos = request.qos,
        .retain = request.retain,
        .kind = extended ? Record::with_extras : Record::plain,
    };
    const auto cost = sizeof(Record) + (extended ? sizeof(Extras) : 0) + request.topic.size() + request.payload.size() +
                      properties.size();
    const auto append = [](char*& to, const void* from, std::size_t size) {
        if (size != 0) std::memcpy(to, from, size);
        to += size;
    };

    const std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    if (!fits_publish(cost)) return Put::full;
    used_ += cost;
    ++waiting_;
    ++publishes_;
    char* to = room_for(cost);
    ahead(to, cost, fetch_to_write);
    append(to, &record, sizeof(record));
    if (extended) {
        const Extras extras = {.at = at,
                               .ttl = request.ttl.value_or(Duration(-1)),
                               .properties = static_cast<std::uint32_t>(properties.size()),
                               .priority = request.priority};
        append(to, &extras, sizeof(extras));
    }
    append(to, request.topic.data(), request.topic.size());
    append(to, request.payload.data(), request.payload.size());
    append(to, properties.data(), properties.size());
    return accepted();
}

Mailbox::Put Mailbox::put_into_run(const core::PublishRequest& request) {
    const auto size = core::run_size(version_, request);
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    char* to = extend_run(request.token, size);
    const auto cost = to != nullptr ? size : sizeof(Record) + sizeof(RunHead) + size;
    if (!fits_publish(cost)) return Put::full;
    if (to == nullptr) to = begin_run(request.token, size);
    used_ += cost;
    ++waiting_;
    ++publishes_;
    ahead(to, size, fetch_to_write);
    core::write_to_run(version_, request, to);
    auto& head = *reinterpret_cast<RunHead*>(run_ + 1);
    ++head.count;
    head.largest = std::max(head.largest, static_cast<std::uint32_t>(size));
    run_->payload += static_cast<std::uint32_t>(size);
    run_->retain |= request.retain;
    chunks_.back().size += size;
    return accepted();
}

/// Null if it has to be another run.
char* Mailbox::extend_run(core::Token token, std::size_t size) noexcept {
    if (run_ == nullptr || run_->token != token) return nullptr;
    auto& chunk = chunks_.back();
    return chunk.capacity - chunk.size < size ? nullptr : chunk.octets.get() + chunk.size;
}

/// With no packet in it, and room for the first.
char* Mailbox::begin_run(core::Token token, std::size_t size) {
    constexpr RunHead none{};
    const Record record = {.token = token, .payload = 0, .topic = 0, .qos = {}, .retain = false, .kind = Record::run};
    char* const at = room_for(sizeof(record) + sizeof(none) + size);
    chunks_.back().size -= size;
    std::memcpy(at, &record, sizeof(record));
    std::memcpy(at + sizeof(record), &none, sizeof(none));
    run_ = reinterpret_cast<Record*>(at);
    return at + sizeof(record) + sizeof(none);
}

/// Behind what is there.
char* Mailbox::room_for(std::size_t size) {
    run_ = nullptr;
    if (!chunks_.empty()) chunks_.back().size = aligned(chunks_.back().size);
    if (chunks_.empty() || chunks_.back().capacity - chunks_.back().size < size) {
        const auto wanted = chunks_.empty() ? smallest_chunk : std::min(2 * chunks_.back().capacity, largest_chunk);
        if (size <= largest_chunk && !spare_.empty()) {
            chunks_.push_back(std::move(spare_.back()));
            spare_.pop_back();
        } else {
            const auto capacity = std::max(wanted, aligned(size));
            chunks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), 0, capacity});
        }
    }
    auto& chunk = chunks_.back();
    return chunk.octets.get() + std::exchange(chunk.size, chunk.size + size);
}

Mailbox::Put Mailbox::put(Call call, std::size_t cost) {
    const Record record = {.token = cost, .payload = 0, .topic = 0, .qos = {}, .retain = false, .kind = Record::call};
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    if (cost != 0 && !fits(cost)) return Put::full;
    used_ += cost;
    std::memcpy(room_for(sizeof(record)), &record, sizeof(record));
    calls_.push_back(std::move(call));
    return accepted();
}

Mailbox::Put Mailbox::put_urgent(Call call) {
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::closed;
    urgent_.push_back(std::move(call));
    return urgent_.size() == 1 ? Put::taken_by_sleeper : Put::taken;
}

bool Mailbox::take_urgent(std::vector<Call>& into) {
    const std::lock_guard lock(mutex_);
    urgent_.swap(into);
    return !into.empty();
}

bool Mailbox::take(Batch& batch) {
    const std::lock_guard lock(mutex_);
    take_back(batch);
    awake_ = !chunks_.empty();
    if (awake_)
        take_all(batch);
    else
        spare_.clear();
    return awake_;
}

bool Mailbox::take_if(std::size_t octets, Batch& batch) {
    const std::lock_guard lock(mutex_);
    take_back(batch);
    const bool enough = !chunks_.empty() && used_ >= octets;
    if (enough) take_all(batch);
    return enough;
}

void Mailbox::take_all(Batch& batch) {
    batch.chunks_.clear();
    batch.calls_.clear();
    batch.chunk_ = batch.read_ = batch.next_call_ = 0;
    run_ = nullptr;
    chunks_.swap(batch.chunks_);
    calls_.swap(batch.calls_);
}

const Mailbox::Record& Mailbox::read(const Batch& batch) noexcept {
    const char* const at = batch.chunks_[batch.chunk_].octets.get() + batch.read_;
    ahead(at, 128, fetch_to_read);
    static_assert(std::is_trivially_copyable_v<Record> && std::is_trivially_copyable_v<Extras>);
    static_assert(std::is_trivially_copyable_v<RunHead>);
    static_assert(alignof(Record) <= 8 && alignof(Extras) <= 8 && alignof(RunHead) <= 8 && sizeof(Record) % 8 == 0);
    return *reinterpret_cast<const Record*>(at);
}

const Mailbox::Extras& Mailbox::extras_of(const Record& record) noexcept {
    return *reinterpret_cast<const Extras*>(&record + 1);
}

std::size_t Mailbox::size_of(const Record& record) noexcept {
    const auto size = sizeof(record) + record.topic + record.payload;
    if (record.kind == Record::run) return size + sizeof(RunHead);
    return record.kind == Record::with_extras ? size + sizeof(Extras) + extras_of(record).properties : size;
}

std::size_t Mailbox::publishes_in(const Record& record) noexcept {
    if (record.kind == Record::call) return 0;
    return record.kind == Record::run ? reinterpret_cast<const RunHead*>(&record + 1)->count : 1;
}

core::PublishRun Mailbox::run(const Record& record) noexcept {
    const auto& head = *reinterpret_cast<const RunHead*>(&record + 1);
    return {.octets = {reinterpret_cast<const char*>(&head + 1), record.payload},
            .count = head.count,
            .largest = head.largest,
            .retained = record.retain};
}

core::PublishRequest Mailbox::request(const Record& record) noexcept {
    const bool extended = record.kind == Record::with_extras;
    const char* const octets = reinterpret_cast<const char*>(&record + 1) + (extended ? sizeof(Extras) : 0);
    core::PublishRequest request{.topic = {octets, record.topic}};
    request.payload = {octets + record.topic, record.payload};
    request.qos = record.qos;
    request.retain = record.retain;
    request.token = record.token;
    request.checked = true;
    if (!extended) return request;
    const auto& extras = extras_of(record);
    request.priority = extras.priority;
    if (extras.ttl >= Duration(0)) request.ttl = extras.ttl;
    request.properties = PropertiesView(Octets(octets + record.topic + record.payload, extras.properties));
    return request;
}

void Mailbox::done_with(Batch& batch, const Record& record) noexcept {
    const auto size = size_of(record); // of a call: nothing is behind it
    batch.consumed_ += record.kind == Record::call ? record.token : size;
    batch.publishes_ += publishes_in(record);
    batch.read_ += aligned(size);
    if (batch.read_ < batch.chunks_[batch.chunk_].size) return;
    ++batch.chunk_;
    batch.read_ = 0;
}

void Mailbox::give_back(Batch& batch) {
    const std::lock_guard lock(mutex_);
    take_back(batch);
}

void Mailbox::take_back(Batch& batch) {
    used_ -= std::exchange(batch.consumed_, 0);
    waiting_ -= std::exchange(batch.publishes_, 0);
    for (std::size_t i = 0; i < batch.chunk_; ++i) {
        auto& chunk = batch.chunks_[i];
        if (!chunk.octets || chunk.capacity != largest_chunk || spare_.size() == most_spares) continue;
        chunk.size = 0;
        spare_.push_back(std::move(chunk));
    }
    if (batch.empty()) {
        batch.chunks_.clear();
        batch.chunk_ = 0;
    }
}

void Mailbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

std::uint64_t Mailbox::publishes() const {
    const std::lock_guard lock(mutex_);
    return publishes_;
}

} // namespace tortoise::io
