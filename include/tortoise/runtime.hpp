#pragma once
/// The threads that connections run on.

#include <tortoise/detail/ref.hpp>

namespace tortoise {

namespace io {
class Loops;
}

/// Owns loop threads; each connection is pinned to one of them. Copies share the threads, which end when the last copy
/// and the last connection on them are gone. (tortoise/asio.hpp makes one of an io_context of yours, without threads.)
class Runtime {
public:
    /// `threads` loop threads, at least one.
    explicit Runtime(unsigned threads = 1);
    Runtime(const Runtime&) noexcept;
    Runtime& operator=(const Runtime&) noexcept;
    ~Runtime();

    /// The one with a single thread that connections use if they are given none; made when first needed.
    static Runtime shared();
    unsigned threads() const noexcept;

    /// Is this a loop thread of any runtime? There, a blocking wait answers would_deadlock.
    static bool on_loop_thread() noexcept;

    io::Loops& loops() const noexcept { return *loops_; }

    /// Takes over one count. For asio.hpp, which runs connections on an io_context of the user's.
    static Runtime adopt(io::Loops*) noexcept;

private:
    explicit Runtime(detail::Ref<io::Loops>) noexcept;
    detail::Ref<io::Loops> loops_;
};

} // namespace tortoise
