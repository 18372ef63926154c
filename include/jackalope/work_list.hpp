#pragma once
/// The messages that wait to be sent: in memory, in a file, or in a list of one's own.

#include <tortoise/connection.hpp>
#include <tortoise/core/work_list.hpp>

namespace jackalope {

/// The protocol of a work list, for those who write their own: push, peek, pop, put_back (of what was pending), remove,
/// expire, count. What is in flight is tracked by the session; a message is never both in the list and in flight.
using WorkList = tortoise::core::WorkList;
using WorkItem = tortoise::core::WorkItem;

/// A hundred messages, the oldest of which gives way.
inline constexpr tortoise::Queue default_bounds{.messages = 100, .overflow = tortoise::Overflow::drop_oldest};

/// First in, first out, in memory: survives a lost connection and a handler that throws, not the end of the process.
struct TransientWorkList {
    tortoise::Queue bounds = default_bounds;
};

/// In a store: what was accepted survives kill -9 and the loss of power, what is in flight included.
struct DurableWorkList {
    tortoise::Store store = {};
    tortoise::Queue bounds = default_bounds;
};

/// An order and a policy of one's own; in a store too, if there is one.
struct OwnWorkList {
    tortoise::WorkListFactory make = {};
    tortoise::Store store = {};
};

/// One of these.
class WorkListChoice {
public:
    WorkListChoice(TransientWorkList l = {}) : bounds(l.bounds) {}
    WorkListChoice(DurableWorkList l) : bounds(l.bounds), store(std::move(l.store)), durable(true) {}
    WorkListChoice(OwnWorkList l) : make(std::move(l.make)), store(std::move(l.store)), durable(static_cast<bool>(store)) {}

    tortoise::Queue bounds = default_bounds;
    tortoise::WorkListFactory make = {};
    tortoise::Store store = {};
    bool durable = false;
};

} // namespace jackalope
