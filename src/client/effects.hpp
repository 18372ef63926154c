#pragma once
/// What follows from a change under a lock, to be done without it.

#include "io/latch.hpp"
#include <memory>
#include <tortoise/fn.hpp>
#include <utility>
#include <vector>

namespace tortoise {

/// Declared before the lock is taken: then it runs when the lock has been given back.
class Effects {
public:
    Effects() = default;
    Effects(const Effects&) = delete;
    Effects& operator=(const Effects&) = delete;
    ~Effects() { run(); }

    /// Something to do, which may have effects itself. What it throws is the user's, and nobody's to catch any more.
    void then(Fn<void(Effects&)> call) { calls_.push_back(std::move(call)); }
    /// Something to destroy: destructors may be the user's.
    template <class T> void keep(T thing) {
        then([thing = std::move(thing)](Effects&) {});
    }
    /// Set when all of it has been done and destroyed: now those who wait may take everything down.
    void finally(std::shared_ptr<io::Latch> latch) { latches_.push_back(std::move(latch)); }

    void run() noexcept {
        while (!calls_.empty()) {
            auto calls = std::exchange(calls_, {});
            for (auto& call : calls) {
                try {
                    call(*this);
                } catch (...) { // a continuation of the user's threw: there is no connection that could end for it
                }
            }
        }
        for (const auto& latch : std::exchange(latches_, {})) latch->set();
    }

private:
    std::vector<Fn<void(Effects&)>> calls_;
    std::vector<std::shared_ptr<io::Latch>> latches_;
};

} // namespace tortoise
