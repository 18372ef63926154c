#pragma once
/// The packet identifiers of one direction of one session. [MQTT-2.2.1]

#include <cstdint>
#include <tortoise/core/packet.hpp>
#include <vector>

namespace tortoise::core {

/// Hands out identifiers in turn from a range that stays at least twice as large as the number in use (up to 65,535):
/// tables indexed by identifier stay small, and an identifier rests before it is used again, so that an acknowledgement
/// that comes twice meets nobody.
class PacketIds {
public:
    /// 0 if all 65,535 are in use.
    PacketId allocate();
    /// Takes one that was in use before a restart.
    void claim(PacketId);
    void release(PacketId) noexcept;
    bool in_use(PacketId id) const noexcept {
        return id / 64u < words_.size() && (words_[id / 64u] >> (id % 64u) & 1u) != 0;
    }
    std::size_t used() const noexcept { return used_; }

private:
    std::vector<std::uint64_t> words_; // a set bit: in use; bit 0 of the first stands for no identifier
    std::size_t used_ = 0;
    std::uint32_t next_ = 1;
};

} // namespace tortoise::core
