#include "broker/in_flight.hpp"

#include <algorithm>

namespace tortoise::broker {

namespace {
constexpr std::size_t first_size = 16;
constexpr std::size_t last_size = 65'536;
} // namespace

InFlight* InFlightTable::add() {
    if (slots_.size() < last_size && size_ * 2 >= slots_.size()) grow();
    if (size_ == last_size - 1) return nullptr; // identifier 0 has a slot that stays empty
    while (true) {
        if (++last_ == 0) ++last_;
        auto& slot = slots_[last_ & (slots_.size() - 1)];
        if (slot.id != 0) continue;
        slot.id = last_;
        ++size_;
        return &slot;
    }
}

InFlight* InFlightTable::find(PacketId id) noexcept {
    if (id == 0 || slots_.empty()) return nullptr;
    auto& slot = slots_[id & (slots_.size() - 1)];
    return slot.id == id ? &slot : nullptr;
}

void InFlightTable::erase(InFlight& slot) noexcept {
    slot = InFlight{};
    --size_;
}

std::vector<PacketId> InFlightTable::in_order(bool released) const {
    std::vector<std::pair<std::uint64_t, PacketId>> found;
    for (const auto& slot : slots_)
        if (slot.id != 0 && slot.released == released) found.emplace_back(slot.delivery.order, slot.id);
    std::sort(found.begin(), found.end());
    std::vector<PacketId> ids;
    ids.reserve(found.size());
    for (const auto& [order, id] : found) ids.push_back(id);
    return ids;
}

void InFlightTable::grow() {
    std::vector<InFlight> bigger(slots_.empty() ? first_size : slots_.size() * 2);
    for (auto& slot : slots_)
        if (slot.id != 0) bigger[slot.id & (bigger.size() - 1)] = std::move(slot);
    slots_ = std::move(bigger);
}

} // namespace tortoise::broker
