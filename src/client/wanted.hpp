#pragma once
/// What is wanted at present, for Connection::subscriptions(): right as soon as subscribe() has returned, although the
/// engine hears of it later.

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tortoise/options.hpp>
#include <vector>

namespace tortoise {

/// Any thread.
class WantedFilters {
public:
    /// Who wanted a filter last, if that matters to anybody.
    using Owner = const void*;

    /// `send` puts the request on its way to the engine, and returns whether that worked. Requests go their way in the
    /// order in which they change what is wanted.
    template <class Send> void subscribe(const std::vector<TopicFilter>& filters, Owner owner, Send&& send) {
        std::lock_guard lock(mutex_);
        if (!send()) return;
        for (const auto& f : filters) want(f, owner);
    }
    template <class Send> void unsubscribe(const std::vector<std::string>& filters, Send&& send) {
        std::lock_guard lock(mutex_);
        if (!send()) return;
        for (const auto& f : filters) leave(f);
    }
    /// The same for those of the filters that nobody else has wanted since; `send` gets them.
    template <class Send> void unsubscribe_owned(const std::vector<TopicFilter>& filters, Owner owner, Send&& send) {
        std::lock_guard lock(mutex_);
        std::vector<std::string> owned;
        for (const auto& f : filters)
            if (owns(f.filter, owner)) owned.push_back(f.filter);
        if (owned.empty() || !send(owned)) return;
        for (const auto& f : owned) leave(f);
    }
    /// Is it wanted, and by somebody else?
    bool is_anothers(const std::string& filter, Owner) const;
    /// One request for each of these arrived at the engine.
    void arrived(std::span<const std::string> filters);
    /// The engine does not want it any more; a request that is under way may.
    void gone(const std::string& filter);

    /// In the order in which they were wanted first.
    std::vector<TopicFilter> list() const;

private:
    struct Entry {
        SubscribeOptions options = {};
        std::uint64_t order = 0;
        Owner owner = nullptr;
        unsigned under_way = 0;
        bool wanted = false;
    };
    using Entries = std::map<std::string, Entry, std::less<>>;
    void want(const TopicFilter&, Owner);
    void leave(const std::string&);
    bool owns(const std::string&, Owner) const;

    mutable std::mutex mutex_;
    Entries entries_;
    std::uint64_t next_order_ = 0;
};

} // namespace tortoise
