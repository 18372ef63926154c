#pragma once
/// Who takes the messages of a subscription: a callback or a stream; without either, the handler. Of the loop's thread
/// only.

#include "client/stream.hpp"
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/core/engine.hpp>
#include <unordered_map>
#include <variant>

namespace tortoise {

class Routes {
public:
    using Taker = std::variant<OnMessage, detail::Ref<Stream::Core>>;

    /// The route of these filters from now on: 0, the handler, without a taker. Those that they had lose them.
    core::Route set(std::span<const std::string> filters, std::optional<Taker> taker) {
        for (const auto& filter : filters) erase(filter);
        if (!taker) return 0;
        if (filters.empty()) {
            end(*taker, make_error(Errc::invalid_filter, "there is no filter that is one"));
            return 0;
        }
        const auto route = next_++;
        entries_.emplace(route, Entry{*std::move(taker), filters.size()});
        for (const auto& filter : filters) by_filter_[filter] = route;
        return route;
    }
    /// A stream ends with its last filter.
    void erase(const std::string& filter,
               const Error& why = make_error(Errc::cancelled, "nothing is subscribed for it any more")) {
        const auto found = by_filter_.find(filter);
        if (found == by_filter_.end()) return;
        const auto entry = entries_.find(found->second);
        by_filter_.erase(found);
        if (--entry->second.filters > 0) return;
        const auto taker = std::move(entry->second.taker);
        entries_.erase(entry);
        end(taker, why);
    }
    /// Null: the handler's.
    Taker* find(core::Route route) {
        const auto found = entries_.find(route);
        return found == entries_.end() ? nullptr : &found->second.taker;
    }
    void clear(const Error& why) {
        by_filter_.clear();
        for (auto& [route, entry] : std::exchange(entries_, {})) end(entry.taker, why);
    }
    static void end(const Taker& taker, const Error& why) {
        if (const auto* stream = std::get_if<detail::Ref<Stream::Core>>(&taker)) (*stream)->end(why);
    }

private:
    struct Entry {
        Taker taker;
        std::size_t filters;
    };
    core::Route next_ = 1;
    std::unordered_map<core::Route, Entry> entries_;
    std::map<std::string, core::Route, std::less<>> by_filter_;
};

} // namespace tortoise
