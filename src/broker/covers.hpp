#pragma once
/// Filters that others include.

#include <string_view>

namespace tortoise::broker {

/// Does every topic that `filter` matches also match `wide`?
bool covers(std::string_view wide, std::string_view filter) noexcept;

} // namespace tortoise::broker
