#pragma once
/// The callbacks of subscriptions. Of the loop's thread only.

#include <map>
#include <string>
#include <tortoise/connection.hpp>
#include <tortoise/core/engine.hpp>
#include <unordered_map>

namespace tortoise {

class Routes {
public:
    /// The route of a filter from now on: 0, the handler, without a callback. A callback that it had goes.
    core::Route set(const std::string& filter, OnMessage callback) {
        erase(filter);
        if (!callback) return 0;
        const auto route = next_++;
        callbacks_.emplace(route, std::move(callback));
        by_filter_[filter] = route;
        return route;
    }
    void erase(const std::string& filter) {
        const auto found = by_filter_.find(filter);
        if (found == by_filter_.end()) return;
        callbacks_.erase(found->second);
        by_filter_.erase(found);
    }
    /// Null: the handler's.
    OnMessage* find(core::Route route) {
        const auto found = callbacks_.find(route);
        return found == callbacks_.end() ? nullptr : &found->second;
    }
    void clear() {
        by_filter_.clear();
        callbacks_.clear();
    }

private:
    core::Route next_ = 1;
    std::unordered_map<core::Route, OnMessage> callbacks_;
    std::map<std::string, core::Route, std::less<>> by_filter_;
};

} // namespace tortoise
