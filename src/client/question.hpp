#pragma once
/// A question of a connection to its user. The answer may come from any thread, and when nobody wants it any more.

#include "client/core.hpp"
#include <mutex>

namespace tortoise {

struct Connection::Core::Question {
    Question(Core& core, std::string_view asked) : whom(asked), core_(&core) {}
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

    const std::string_view whom; // in words

private:
    std::mutex mutex_;
    Core* core_;
};

/// `then` is called with the answer, on the loop's thread: at once if it is there, otherwise later, unless the question
/// was closed in between.
template <class T, class Then> void Connection::Core::ask(std::string_view whom, const Pending<T>& answer, Then then) {
    if (const auto* at_once = answer.peek()) return then(*at_once);
    question_ = std::make_shared<Question>(*this, whom);
    answer.on_done([question = question_, then](const Result<T>& result) {
        auto core = question->core();
        if (!core) return;
        auto& loop = core->loop_;
        loop.post([core = std::move(core), question, then, result] {
            if (core->question_ != question) return;
            core->close_question();
            then(result);
            core->driver_->drain();
        });
    });
}

} // namespace tortoise
