#pragma once
/// Something that is closed until a test, or a script, opens it; then it stays open.

#include <memory>
#include <tortoise/fn.hpp>
#include <tortoise/types.hpp>

namespace tortoise::testing {

/// Copies are the same gate. Every function may be called from any thread.
class Gate {
public:
    Gate();
    void open() const;
    bool is_open() const;
    /// False: it did not open in that time. Blocks this thread, so not for callbacks.
    bool wait(Duration at_most) const;
    /// Calls the function once: now if it is open, otherwise on the thread that opens it.
    void on_open(Fn<void()>) const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace tortoise::testing
