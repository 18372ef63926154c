#pragma once
/// The one global of the library: what runs in this process, by name, and who listens to it.

#include "client/events.hpp"
#include <mutex>
#include <string_view>
#include <tortoise/detail/ref.hpp>
#include <tortoise/supervisor.hpp>
#include <unordered_map>

namespace tortoise {

/// Of things with a name() that lives as long as they do. Does not own: they go out before they end. Any thread.
template <class T> class Names {
public:
    /// False if the name is taken.
    bool add(T& thing) {
        std::lock_guard lock(mutex_);
        return things_.try_emplace(thing.name(), &thing).second;
    }
    /// Nothing happens if it is not there.
    void remove(const T& thing) noexcept {
        std::lock_guard lock(mutex_);
        const auto found = things_.find(thing.name());
        if (found != things_.end() && found->second == &thing) things_.erase(found);
    }
    /// Null if there is none of that name.
    detail::Ref<T> find(std::string_view name) const {
        std::lock_guard lock(mutex_);
        const auto found = things_.find(name);
        return found == things_.end() ? detail::Ref<T>() : detail::Ref<T>::share(found->second);
    }

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string_view, T*> things_;
};

struct Registry {
    Names<Connection::Core> connections; // while they run
    Names<Supervisor::Core> supervisors; // while they run; those without a name are not in it
    Listeners listeners;
};

/// Never destroyed, since connections may outlive everything that is.
Registry& registry() noexcept;

} // namespace tortoise
