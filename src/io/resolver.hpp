#pragma once
/// Host names to addresses, without ever holding up a loop.

#include "io/address.hpp"
#include "io/loop.hpp"
#include <cstdint>
#include <memory>
#include <string>
#include <tortoise/result.hpp>
#include <vector>

namespace tortoise::io {

using Addresses = std::vector<Address>;

/// Blocks. Errc::host_not_found; the addresses in the system's order of preference.
Result<Addresses> resolve_now(const std::string& host, std::uint16_t port);

/// Each lookup has a thread of its own, so that one that hangs holds up no other; there are at most `max_threads` at a
/// time, the other lookups wait. The threads are nobody's: one that hangs outlives the resolver without harm.
class Resolver {
public:
    using Look = Result<Addresses> (*)(const std::string& host, std::uint16_t port);
    explicit Resolver(Look = &resolve_now, unsigned max_threads = 32);
    ~Resolver();

    /// The right to be told; letting it go withdraws the question. Of the loop's thread only.
    class Question {
    public:
        Question() noexcept = default;
        Question(Question&&) noexcept = default;
        Question& operator=(Question&& other) noexcept {
            withdraw();
            state_ = std::move(other.state_);
            return *this;
        }
        ~Question() { withdraw(); }
        void withdraw() noexcept;

    private:
        friend class Resolver;
        struct State;
        std::shared_ptr<State> state_;
    };

    /// The answer comes on the loop's thread, never before this returns.
    [[nodiscard]] Question ask(Loop&, std::string host, std::uint16_t port, Fn<void(Result<Addresses>)>);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace tortoise::io
