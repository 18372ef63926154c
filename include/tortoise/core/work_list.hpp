#pragma once
/// The messages that wait to be sent: what they are, and what keeps them in order.

#include <cstdint>
#include <memory>
#include <optional>
#include <tortoise/core/time.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <vector>

namespace tortoise::core {

/// Names an operation; chosen by the caller, handed back in the event that ends it. 0: no such event is wanted.
using Token = std::uint64_t;

/// A message on its way out.
struct WorkItem {
    Message message = {};
    std::uint64_t key = 0; ///< grows with each message accepted, over restarts too if there is a store
    int priority = 0;
    Time accepted = {};
    std::optional<Time> expires = {};
    std::uint32_t attempts = 0; ///< how often it was sent
    Token token = 0;

    /// What it counts in bounds.
    std::size_t bytes() const noexcept {
        return message.topic.size() + message.payload.size() + message.properties.view().octets().size();
    }
};

/// Which message is sent next, and which one gives way when there are too many. It holds those that wait; what is in
/// flight is the engine's, and comes back by put_back() if it came to nothing. Nothing of it may throw.
class WorkList {
public:
    /// An item that left without being sent, and why: expired, displaced, queue_full.
    struct Dropped {
        WorkItem item;
        Errc why;
    };

    virtual ~WorkList() = default;
    /// Takes an item in. Those that had to go for it, maybe the new one itself, are appended to `dropped`.
    virtual void push(WorkItem&&, std::vector<Dropped>& dropped) noexcept = 0;
    /// Takes an item back that was accepted before: no bound applies, and it stands before all that were accepted later.
    virtual void put_back(WorkItem&&) noexcept = 0;

    /// The one that pop() would take; null if there is none.
    virtual const WorkItem* peek() noexcept = 0;
    /// Precondition: not empty.
    virtual WorkItem pop() noexcept = 0;
    /// Takes out the item of that token, if it is there.
    virtual std::optional<WorkItem> remove(Token) noexcept = 0;

    /// When the next item expires.
    virtual std::optional<Time> next_expiry() noexcept = 0;
    /// Takes out what has expired.
    virtual void expire(Time now, std::vector<Dropped>& dropped) noexcept = 0;

    virtual std::size_t count() const noexcept = 0;
    virtual std::size_t bytes() const noexcept = 0;
    bool empty() const noexcept { return count() == 0; }
};

/// First in, first out, with the bounds and the policy of a Queue.
std::unique_ptr<WorkList> make_work_list(const Queue&);

} // namespace tortoise::core
