#pragma once
/// Who listens to events, and telling them.

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <tortoise/events.hpp>

namespace tortoise {

/// What a Listener stands for.
class Listener::Entry {
public:
    using Call = Fn<void(std::string_view client_id, const void* event)>;
    Entry(std::size_t of_type, std::string_view of_client, Call call)
        : type(of_type), client_id(of_client), call_(std::move(call)) {}
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    void tell(std::string_view id, const void* event);
    /// From now on it is not called; on a loop thread it may be running still.
    void end();

    const std::size_t type;
    const std::string client_id;

private:
    std::atomic<int> references_{1};
    Call call_;
    std::mutex mutex_;
    std::condition_variable idle_;
    unsigned running_ = 0; // guarded by mutex_
    bool ended_ = false;   // guarded by mutex_
};

/// Any thread.
class Listeners {
public:
    using Entry = Listener::Entry;

    template <class Event> static constexpr std::size_t type_of() {
        constexpr bool is[] = {std::is_same_v<Event, StatusEvent>,       std::is_same_v<Event, PingEvent>,
                               std::is_same_v<Event, SubscriptionEvent>, std::is_same_v<Event, QueueEvent>,
                               std::is_same_v<Event, DeliveryEvent>,     std::is_same_v<Event, ErrorEvent>};
        static_assert(std::size(is) == types);
        std::size_t i = 0;
        while (!is[i]) ++i;
        return i;
    }

    /// Does anybody listen to events of that kind at all?
    template <class Event> bool any() const noexcept {
        return listening_[type_of<Event>()].load(std::memory_order_relaxed) != 0;
    }
    /// Calls those that listen to that connection, then those that listen to all, each in the order in which they came.
    template <class Event> void tell(std::string_view client_id, const Event& event) {
        tell(type_of<Event>(), client_id, &event);
    }
    void add(detail::Ref<Entry>);
    void remove(Entry&);

private:
    static constexpr std::size_t types = 6;
    using ById = std::multimap<std::string_view, detail::Ref<Entry>>;
    void tell(std::size_t type, std::string_view client_id, const void* event);

    std::atomic<std::size_t> listening_[types] = {};
    std::mutex mutex_;
    ById entries_[types]; // guarded by mutex_
};

} // namespace tortoise
