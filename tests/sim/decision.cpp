#include "sim/decision.hpp"

namespace tortoise::sim {

std::string to_string(const Decision& d) {
    constexpr const char* names[] = {"act", "reaction", "death", "accident", "consequence"};
    const std::string who = d.kind == Decision::Kind::accident ? "" : std::to_string(d.client) + ", ";
    return std::string(names[static_cast<std::size_t>(d.kind)]) + "(" + who + std::to_string(d.number) + ")";
}

Rng dice_of(std::uint64_t seed, const Decision& d) noexcept {
    Rng mixed(seed ^ (static_cast<std::uint64_t>(d.kind) << 60 | std::uint64_t{d.client} << 48 | d.number));
    return Rng(mixed.next());
}

} // namespace tortoise::sim
