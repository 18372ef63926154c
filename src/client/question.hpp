#pragma once
/// A question of a connection to its user. The answer may come from any thread, and when nobody wants it any more.

#include "client/core.hpp"
#include <mutex>

namespace tortoise {

struct Connection::Core::Question {
    explicit Question(Core& core) : core_(&core) {}
    /// Null: it was closed.
    detail::Ref<Core> core() {
        std::lock_guard lock(mutex_);
        return detail::Ref<Core>::share(core_);
    }
    /// By the connection, before it goes: the user may never answer, and must not keep it alive.
    void close() {
        std::lock_guard lock(mutex_);
        core_ = nullptr;
    }

private:
    std::mutex mutex_;
    Core* core_;
};

} // namespace tortoise
