#pragma once
// Standard output, message by message.

#include <string_view>
#include <system_error>

namespace cli {

/// Writes all of it, at once visible to the reader. The error is that of write(2); EPIPE: nobody reads any more.
std::error_code write_output(std::string_view);

} // namespace cli
