#pragma once
/// Errors that are the finding of a test, for people to read.

#include <system_error>

namespace tortoise::testing {

enum class Finding { script_not_followed = 1, books_do_not_balance, promise_broken, not_at_rest };
std::error_code make_error_code(Finding) noexcept;

} // namespace tortoise::testing

template <> struct std::is_error_code_enum<tortoise::testing::Finding> : std::true_type {};
