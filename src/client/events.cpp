#include "client/events.hpp"
#include "client/registry.hpp"
#include "io/loop.hpp"
#include <vector>

namespace tortoise {

// ---- One listener --------------------------------------------------------------------------------------------------

void Listener::Entry::tell(std::string_view id, const void* event) {
    {
        std::lock_guard lock(mutex_);
        if (ended_) return;
        ++running_;
    }
    struct Leave {
        Entry& entry;
        ~Leave() {
            std::lock_guard lock(entry.mutex_);
            if (--entry.running_ == 0) entry.idle_.notify_all();
        }
    } leave{*this};
    call_(id, event);
}

void Listener::Entry::end() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    if (!io::Loop::on_any_thread()) idle_.wait(lock, [this] { return running_ == 0; });
}

Listener::Listener() noexcept = default;
Listener::Listener(Listener&&) noexcept = default;
Listener::Listener(detail::Ref<Entry> entry) noexcept : entry_(std::move(entry)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
    Listener gone(std::move(*this));
    entry_ = std::move(other.entry_);
    return *this;
}

Listener::~Listener() {
    if (!entry_) return;
    registry().listeners.remove(*entry_);
    entry_->end();
}

// ---- All of them ---------------------------------------------------------------------------------------------------

void Listeners::add(detail::Ref<Entry> entry) {
    std::lock_guard lock(mutex_);
    const std::string_view id = entry->client_id;
    const auto type = entry->type;
    entries_[type].emplace(id, std::move(entry));
    listening_[type].fetch_add(1, std::memory_order_relaxed);
}

void Listeners::remove(Entry& entry) {
    std::lock_guard lock(mutex_);
    auto& entries = entries_[entry.type];
    auto [at, end] = entries.equal_range(entry.client_id);
    while (at != end && at->second.get() != &entry) ++at;
    if (at == end) return;
    entries.erase(at);
    listening_[entry.type].fetch_sub(1, std::memory_order_relaxed);
}

void Listeners::tell(std::size_t type, std::string_view client_id, const void* event) {
    std::vector<detail::Ref<Entry>> to;
    {
        std::lock_guard lock(mutex_);
        for (const auto id : {client_id, std::string_view()}) {
            const auto [begin, end] = entries_[type].equal_range(id);
            for (auto at = begin; at != end; ++at) to.push_back(at->second);
        }
    }
    for (const auto& entry : to) entry->tell(client_id, event);
}

template <class Event> Listener Events::on(std::string_view client_id, OnEvent<Event> call) {
    auto entry = detail::Ref<Listener::Entry>::adopt(
        new Listener::Entry(Listeners::type_of<Event>(), client_id,
                            [call = std::move(call)](std::string_view id, const void* event) mutable {
                                call(id, *static_cast<const Event*>(event));
                            }));
    registry().listeners.add(entry);
    return Listener(std::move(entry));
}

template Listener Events::on<StatusEvent>(std::string_view, OnEvent<StatusEvent>);
template Listener Events::on<PingEvent>(std::string_view, OnEvent<PingEvent>);
template Listener Events::on<SubscriptionEvent>(std::string_view, OnEvent<SubscriptionEvent>);
template Listener Events::on<QueueEvent>(std::string_view, OnEvent<QueueEvent>);
template Listener Events::on<DeliveryEvent>(std::string_view, OnEvent<DeliveryEvent>);
template Listener Events::on<ErrorEvent>(std::string_view, OnEvent<ErrorEvent>);

} // namespace tortoise
