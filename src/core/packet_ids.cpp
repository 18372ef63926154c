#include "core/packet_ids.hpp"

#include <bit>

namespace tortoise::core {

PacketId PacketIds::allocate() {
    if (used_ == 65'535) return 0;
    if (words_.empty()) words_.push_back(1);
    if (words_.size() < 1024 && (used_ + 1) * 2 > words_.size() * 64) words_.resize(words_.size() * 2);
    const auto count = static_cast<std::uint32_t>(words_.size());
    std::uint32_t word = next_ / 64 % count;
    std::uint64_t free = ~words_[word] & (~std::uint64_t{0} << (next_ % 64));
    while (free == 0) {
        word = (word + 1) % count;
        free = ~words_[word];
    }
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(free));
    words_[word] |= std::uint64_t{1} << bit;
    ++used_;
    next_ = word * 64 + bit + 1;
    if (next_ >= count * 64) next_ = 1;
    return static_cast<PacketId>(word * 64 + bit);
}

void PacketIds::claim(PacketId id) {
    if (id == 0 || in_use(id)) return;
    if (words_.empty()) words_.push_back(1);
    while (words_.size() <= id / 64u) words_.resize(words_.size() * 2);
    words_[id / 64u] |= std::uint64_t{1} << (id % 64u);
    ++used_;
}

void PacketIds::release(PacketId id) noexcept {
    if (id == 0 || !in_use(id)) return;
    words_[id / 64u] &= ~(std::uint64_t{1} << (id % 64u));
    --used_;
}

} // namespace tortoise::core
