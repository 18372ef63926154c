#pragma once
/// Makes room where a damaged file is, and loses nothing of it.

#include <string>
#include <tortoise/error.hpp>

namespace tortoise::store {

/// Renames PATH, its journals and its mark to PATH.damaged-N, the first N that is free. The error to report: `why`, and
/// where the file is now, or why it could not be renamed.
Error set_aside(const std::string& path, const Error& why);

} // namespace tortoise::store
