#include "core/inflight.hpp"

#include <utility>

namespace tortoise::core {

Inflight::Entry& Inflight::insert(PacketId id, WorkItem&& item) {
    if (id >= entries_.size()) entries_.resize(std::size_t{id} + 1);
    Entry& entry = entries_[id];
    entry = Entry{};
    entry.item = std::move(item);
    entry.used = true;
    entry.previous = last_;
    if (last_)
        entries_[last_].next = id;
    else
        first_ = id;
    last_ = id;
    ++size_;
    return entry;
}

Inflight::Entry Inflight::erase(PacketId id) {
    Entry taken = std::exchange(entries_[id], Entry{});
    if (taken.previous)
        entries_[taken.previous].next = taken.next;
    else
        first_ = taken.next;
    if (taken.next)
        entries_[taken.next].previous = taken.previous;
    else
        last_ = taken.previous;
    if (--size_ == 0 && entries_.size() > 1024) entries_ = {};
    return taken;
}

} // namespace tortoise::core
