#pragma once
/// The messages that wait to be sent: in memory, in a store, or in a list of one's own.

#include <tortoise/connection.hpp>
#include <tortoise/core/work_list.hpp>

namespace jackalope {

/// The protocol of a work list, for those who write their own: push, peek, pop, put_back (of what was in flight), remove,
/// expire, count. What is in flight is tracked by the session; a message is never both in the list and in flight.
using WorkList = tortoise::core::WorkList;
using WorkItem = tortoise::core::WorkItem;

/// A hundred messages; the oldest gives way.
inline constexpr tortoise::Queue default_bounds{.messages = 100, .overflow = tortoise::Overflow::drop_oldest};

/// First in, first out, in memory: survives a lost connection and a handler that throws, not the end of the process.
struct TransientWorkList {
    tortoise::Queue bounds = default_bounds;
};

/// The same in a store: what was accepted survives kill -9 and the loss of power, what is in flight included.
struct DurableWorkList {
    tortoise::Store store = {};
    tortoise::Queue bounds = default_bounds;
};

/// An order and a policy of one's own; in a store too, if there is one.
struct OwnWorkList {
    /// By `new`, once for a session, on its loop thread.
    tortoise::WorkListFactory make = {};
    tortoise::Store store = {};
};
/// `.work_list = own_work_list<Urgent>(arguments…)`.
template <class L, class... Args> OwnWorkList own_work_list(Args... args) {
    return {.make = tortoise::WorkListFactory([args...]() -> WorkList* { return new L(args...); })};
}

/// One of these.
struct WorkListChoice {
    WorkListChoice(TransientWorkList l = {}) : bounds(l.bounds) {}
    WorkListChoice(DurableWorkList l) : bounds(l.bounds), store(std::move(l.store)), durable(true) {}
    WorkListChoice(OwnWorkList l) : make(std::move(l.make)), store(std::move(l.store)), own(true) {}

    tortoise::Queue bounds = default_bounds;
    tortoise::WorkListFactory make = {};
    tortoise::Store store = {};
    bool durable = false, own = false;
};

} // namespace jackalope
