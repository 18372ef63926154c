#include "core/inflight.hpp"

#include "core/give_back.hpp"

#include <utility>

namespace tortoise::core {

namespace {

constexpr std::size_t keep_capacity = 256; // of the strings of a message that is gone
constexpr std::size_t keep_entries = 1024;

void let_go(std::string& text) noexcept {
    if (text.capacity() > keep_capacity) give_back(text);
}

} // namespace

Inflight::Entry& Inflight::insert(PacketId id) {
    if (id >= entries_.size()) entries_.resize(std::size_t{id} + 1);
    Entry& entry = entries_[id];
    entry.step = Step::published;
    entry.on_wire = entry.answered = false;
    entry.used = true;
    entry.previous = last_;
    entry.next = 0;
    if (last_)
        entries_[last_].next = id;
    else
        first_ = id;
    last_ = id;
    ++size_;
    return entry;
}

void Inflight::unlink(const Entry& entry) noexcept {
    if (entry.previous)
        entries_[entry.previous].next = entry.next;
    else
        first_ = entry.next;
    if (entry.next)
        entries_[entry.next].previous = entry.previous;
    else
        last_ = entry.previous;
}

void Inflight::release(Entry& entry) noexcept {
    entry.step = Step::released;
    entry.item.message.payload.clear();
    let_go(entry.item.message.payload);
}

void Inflight::erase(PacketId id) {
    Entry& entry = entries_[id];
    unlink(entry);
    entry.used = false;
    let_go(entry.item.message.topic);
    let_go(entry.item.message.payload);
    if (!entry.item.message.properties.empty()) give_back(entry.item.message.properties);
    if (--size_ == 0 && entries_.size() > keep_entries) give_back(entries_);
}

Inflight::Entry Inflight::take(PacketId id) {
    Entry taken = std::move(entries_[id]);
    erase(id);
    return taken;
}

} // namespace tortoise::core
