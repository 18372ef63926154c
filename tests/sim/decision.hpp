#pragma once
/// What a walk decides: each decision has a name, and random numbers of its own by that name and the seed, so that a
/// walk can leave any of them out and make the others as before.

#include "sim/rng.hpp"

#include <compare>
#include <string>

namespace tortoise::sim {

struct Decision {
    enum class Kind : std::uint8_t { act, reaction, death, accident, consequence } kind = Kind::act;
    std::uint32_t client = 0; ///< of an accident: 0
    std::uint64_t number = 0; ///< of its kind and client
    friend auto operator<=>(const Decision&, const Decision&) = default;
};

/// The client's user does something of its own accord; or because of an event.
constexpr Decision act(std::uint32_t client, std::uint64_t number) { return {Decision::Kind::act, client, number}; }
constexpr Decision reaction(std::uint32_t client, std::uint64_t number) {
    return {Decision::Kind::reaction, client, number};
}
/// The client's program dies at that write of its store.
constexpr Decision death(std::uint32_t client, std::uint64_t number) { return {Decision::Kind::death, client, number}; }
/// Something breaks: the network, the broker, a disk, a clock.
constexpr Decision accident(std::uint64_t number) { return {Decision::Kind::accident, 0, number}; }

/// Follows from another one, and is never left out: somebody who was stopped is started again.
constexpr Decision consequence(std::uint32_t client, std::uint64_t number) {
    return {Decision::Kind::consequence, client, number};
}

/// As C++.
std::string to_string(const Decision&);
/// The numbers that this decision is made by.
Rng dice_of(std::uint64_t seed, const Decision&) noexcept;

} // namespace tortoise::sim
