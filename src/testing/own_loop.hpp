#pragma once
/// A loop with a thread of its own, for servers of the test kit that anybody may call from any other thread.

#include "io/latch.hpp"
#include "io/loop.hpp"

namespace tortoise::testing {

class OwnLoop {
public:
    io::Loop& loop() const noexcept { return loop_; }
    io::Resolver& resolver() const noexcept { return loops_->resolver(); }
    /// Does it on the loop's thread, and waits for it.
    template <class Job> void run(Job job) const {
        io::Latch done;
        loop_.post([&] {
            job();
            done.set();
        });
        done.wait();
    }

private:
    const detail::Ref<io::Loops> loops_ = io::Loops::make(1);
    io::Loop& loop_ = loops_->next();
};

} // namespace tortoise::testing
